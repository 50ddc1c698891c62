"""Base URLs of provider accounts: one rule for the form, the command and the admin.

Stricter than any URL parser, so that all of them read the same host in what passes. Names are
not resolved here: `providers.http.connections` checks each address that it connects to.
"""

import ipaddress
import re

from jobs.models.account import MAX_BASE_URL
from providers.http.connections import is_public

# Browsers and C libraries read these as IPv4 addresses: 127.1, 2130706433, 0x7f.1, 0177.0.0.1.
_NUMERIC_LABEL = re.compile(r"\d+|0[xX][0-9A-Fa-f]*")
_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_PARTS = re.compile(r"(?P<scheme>[^:/]*)://(?P<authority>[^/]*)(?P<path>.*)", re.DOTALL)
_AUTHORITY = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]*\]|[^:\[\]]*)(?::(?P<port>[^:]*))?")
_PATH = re.compile(r"([A-Za-z0-9._~!$&'()*+,;=:@/-]|%(?!7[Ff])[2-9A-Fa-f][0-9A-Fa-f])*")


def check_base_url(text: str, *, allow_private: bool) -> str:
    """`text` in its one spelling, without a slash at the end. Raises ValueError with a sentence."""
    _check_characters(text)
    parts = _PARTS.fullmatch(text)
    if parts is None or parts["scheme"].lower() not in ("http", "https"):
        raise ValueError("Enter a plain http or https URL, such as https://api.example.com/v2.")
    if "@" in parts["authority"]:
        raise ValueError("Enter a plain http or https URL, without user name and password.")
    authority = _AUTHORITY.fullmatch(parts["authority"])
    if authority is None:
        raise ValueError("The host name of the base URL is not valid.")
    host = _check_host(authority["host"].lower(), allow_private=allow_private)
    port = _check_port(authority["port"])
    path = parts["path"].rstrip("/")
    if not _PATH.fullmatch(path) or {".", ".."} & set(path.split("/")):
        raise ValueError("The path of the base URL is not valid.")
    return f"{parts['scheme'].lower()}://{host}{port}{path}"


def _check_characters(text: str) -> None:
    if len(text) > MAX_BASE_URL:
        raise ValueError(f"Enter a base URL of at most {MAX_BASE_URL} characters.")
    if re.search(r"[\s\x00-\x20\x7f-\xa0]", text):
        raise ValueError("Remove spaces and control characters from the base URL.")
    if not text.isascii():
        raise ValueError(
            "Use ASCII characters only in the base URL; write an international name as xn--…"
        )
    if found := re.search(r"[?#\\]", text):
        raise ValueError(f"Remove the {found[0]} from the base URL: it ends with a plain path.")


def _check_port(port: str | None) -> str:
    if port is None:
        return ""
    if not (port.isdecimal() and len(port) <= 5 and 1 <= int(port) <= 65_535):
        raise ValueError("The port in the base URL must be a number from 1 to 65535.")
    return f":{int(port)}"


def _check_host(host: str, *, allow_private: bool) -> str:
    """`host` when it is an address in its usual form, or a name that DNS can hold."""
    if not host:
        raise ValueError("The base URL has no host name.")
    labels = host.split(".")
    if host.startswith("[") or _NUMERIC_LABEL.fullmatch(labels[-1]):
        try:
            host, is_private = _read_address(host)
        except ValueError:
            raise ValueError("The host of the base URL is not a valid IP address.") from None
    elif len(host) > 253 or not all(map(_LABEL.fullmatch, labels)):
        # a dot at the end as well: certificates and the check below compare names without it
        raise ValueError("The host name of the base URL is not valid.")
    else:
        is_private = labels[-1] == "localhost"
    if is_private and not allow_private:
        raise ValueError(
            "The host of the base URL is at a private address; this installation only "
            "calls public ones."
        )
    return host


def _read_address(host: str) -> tuple[str, bool]:
    """An IP address in its one spelling, and whether it is private. Raises ValueError."""
    if host.startswith("["):
        six = ipaddress.IPv6Address(host[1:-1])
        return f"[{six}]", not is_public(str(six))
    four = ipaddress.IPv4Address(host)
    return str(four), not is_public(str(four))
