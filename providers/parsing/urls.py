"""The one reader of URLs that others wrote. It never raises: what cannot be read is empty."""

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from providers.http.redaction import is_secret_param
from providers.parsing.text import make_storable

# Only these have queries and fragments. In a store's keys and in file names `?` and `#` are
# characters like any other: s3://bucket/Show #12 - What?.mov
WEB_SCHEMES = frozenset({"http", "https"})
NAME_LENGTH = 255

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,30})://(.*)", re.DOTALL)
_WEB_PARTS = re.compile(r"([^/?#]*)([^?#]*)(?:\?([^#]*))?", re.DOTALL)
_PARAM = re.compile(r"([A-Za-z][\w.-]{0,63})=.*", re.ASCII | re.DOTALL)
# Browsers read a backslash as a slash, and skip some of the others: the host would be another one.
_MISLEADING = re.compile(r"[\\\x00-\x20\x7f-\x9f]")
# Fit for a Content-Security-Policy: no pattern, nothing that ends a source or a header.
_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?|\[[0-9a-f:.]+\]", re.ASCII)
_HOST_LENGTH = 253


@dataclass(frozen=True, slots=True)
class Url:
    """A URL, or a path in a provider's own storage, in parts.

    `scheme` and `host` are in lower case. `host` is empty, and `port` None, where there is none
    and where the authority cannot be read (`s3://[bucket]/`). `path` is as it was written. In a
    store it is the key; `query` is what signs it, if anything does.
    """

    scheme: str = ""
    host: str = ""
    port: int | None = None
    path: str = ""
    query: str = ""

    @property
    def file_name(self) -> str:
        """The last segment of the path, decoded; empty where there is none."""
        segments = self.path.rstrip("/").rpartition("/")
        name = unquote(segments[2]).rstrip("/").rpartition("/")[2]
        return make_storable(name)[:NAME_LENGTH].strip()

    @property
    def netloc(self) -> str:
        """`host:port`; in an IPv6 address with brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"

    @property
    def origin(self) -> str | None:
        """`https://host:port` where a browser can open it, safe in a header; None elsewhere."""
        if self.scheme not in WEB_SCHEMES or not self.host:
            return None
        try:
            host = self.host if self.host.isascii() else self.host.encode("idna").decode()
        except UnicodeError:
            return None
        spelled = f"[{host}]" if ":" in host else host
        if not _HOST.fullmatch(spelled):
            return None
        return f"{self.scheme}://{spelled}" + (f":{self.port}" if self.port else "")

    @property
    def is_web(self) -> bool:
        """Whether a browser can be sent to it."""
        return self.origin is not None


def parse_url(text: str | None) -> Url:
    """Read a URL or a bare path; never raises."""
    text = text or ""
    found = _SCHEME.fullmatch(text)
    if found is None:
        path, query = _split_key(text)
        return Url(path=path, query=query)
    scheme, rest = found[1].lower(), found[2]
    if scheme in WEB_SCHEMES:
        parts = _WEB_PARTS.match(rest)
        authority, path, query = parts.groups(default="") if parts else (rest, "", "")
    else:
        # file:// names no host that matters, and many leave it out
        authority, slash, key = ("", "", rest) if scheme == "file" else rest.partition("/")
        path, query = _split_key(slash + key)
    host, port = _read_authority(authority)
    return Url(scheme, host, port, path, query)


def strip_query(text: str) -> str:
    """Return a URL without its query and fragment: what stays the same when it is signed anew."""
    url = parse_url(text)
    if url.scheme in WEB_SCHEMES:
        return re.split(r"[?#]", text, maxsplit=1)[0]
    return text.removesuffix(f"?{url.query}") if url.query else text


def _split_key(text: str) -> tuple[str, str]:
    """Split a key from the query that signs it; any other `?` belongs to the key."""
    key, mark, query = text.rpartition("?")
    params = [_PARAM.fullmatch(part) for part in query.split("&")]
    is_signed = all(params) and any(is_secret_param(param[1]) for param in params if param)
    return (key, query) if mark and is_signed else (text, "")


def _read_authority(authority: str) -> tuple[str, int | None]:
    if _MISLEADING.search(authority):
        return "", None
    try:
        parts = urlsplit(f"//{authority}")
        host, port = parts.hostname or "", parts.port
    except ValueError:  # a bracket, a character that passes for a slash, no port
        return "", None
    return (host, port) if len(host) <= _HOST_LENGTH else ("", None)
