"""Typed readers of environment variables.

A variable `X` may be given as `X_FILE` instead, the path of a file that holds its value, as
container platforms provide secrets. A missing or wrong value ends the process with one
sentence that names the variable and exit code 1, whichever program was reading the settings. A
sentence never repeats the value: it may be a secret.
"""

import os
import re
from collections.abc import Mapping
from email.utils import parseaddr
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import environ

_NAME = r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?"
_IPV6 = r"\[[0-9A-Fa-f:.]+\]"
# a dot before a name, or a star in an origin, includes all names below it
_HOST = re.compile(rf"\*|\.?{_NAME}|{_IPV6}")
_ORIGIN = re.compile(rf"https?://((\*\.)?{_NAME}|{_IPV6})(:\d{{1,5}})?")
_MAILBOX = re.compile(r"[^\s@]+@[^\s@]+")


def refuse(name: str, complaint: str) -> NoReturn:
    """End the process with a sentence about the variable `name`."""
    raise SystemExit(f"{name} {complaint}.")


def make_folder(name: str, folder: Path) -> None:
    """Make the folder that the variable `name` named, unless it is there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        refuse(name, "names a folder that does not exist and cannot be created")


class Environment:
    """The variables of one process. Empty counts as not set: compose files cannot unset."""

    def __init__(self, variables: Mapping[str, str] = os.environ) -> None:
        self._variables = variables

    def text(self, name: str, default: str = "") -> str:
        file_name = self._variables.get(f"{name}_FILE", "")
        value = self._variables.get(name, "").strip()
        if not file_name:
            return value or default
        if value:
            refuse(name, f"and {name}_FILE are both set; set only one of them")
        try:
            return Path(file_name).read_text(encoding="utf-8").strip() or default
        except (OSError, UnicodeDecodeError):
            refuse(f"{name}_FILE", "names a file that cannot be read as text")

    def required(self, name: str, *, default: str | None = None, hint: str) -> str:
        """The value; without one, `default` unless that is None."""
        value = self.text(name) or default
        if value is None:
            refuse(name, f"is not set; {hint}")
        return value

    def flag(self, name: str, *, default: bool = False) -> bool:
        value = self.text(name, "1" if default else "0")
        if value not in {"0", "1"}:
            refuse(name, "must be 0 or 1")
        return value == "1"

    def number(self, name: str, default: int, largest: int) -> int:
        value = self.text(name, str(default))
        is_number = value.isascii() and value.isdecimal() and len(value) < 10
        if not (is_number and 1 <= int(value) <= largest):
            refuse(name, f"must be a whole number from 1 to {largest}")
        return int(value)

    def choice(self, name: str, choices: tuple[str, ...], default: str) -> str:
        value = self.text(name, default)
        if value not in choices:
            refuse(name, f"must be one of {', '.join(choices)}")
        return value

    def strings(self, name: str, default: str = "") -> list[str]:
        """The comma-separated values, without blanks."""
        return [part.strip() for part in self.text(name, default).split(",") if part.strip()]

    def web_url(self, name: str, default: str = "") -> str:
        """An http or https URL without its trailing slash, or "" where none is set."""
        if not self.text(name, default):
            return ""
        value = self._url(name, default, ("http", "https"))
        if not urlsplit(value).hostname:
            refuse(name, "has no host")
        return value.rstrip("/")

    def secure_url(self, name: str) -> str:
        """Like `web_url`, but http on this machine alone. At most 200 characters."""
        value = self.web_url(name)
        is_local = urlsplit(value).hostname in {"localhost", "127.0.0.1", "::1"}
        if value and not (value.startswith("https://") or is_local):
            refuse(name, "must begin with https://")
        if len(value) > 200:
            refuse(name, "is longer than 200 characters")
        return value

    def hosts(self, name: str, default: str = "") -> list[str]:
        """Names as Django compares the Host header with them: its port is not part of that."""
        values = self.strings(name, default)
        if not all(map(_HOST.fullmatch, values)):
            refuse(name, "must be host names without scheme and port, such as board.example.org")
        return values

    def origins(self, name: str, *, stars_allowed: bool = False) -> list[str]:
        """What a browser sends as Origin: scheme and host, a port where it is not the usual."""
        values = [value.removesuffix("/") for value in self.strings(name)]
        has_star = any("*" in value for value in values)
        if not all(map(_ORIGIN.fullmatch, values)) or (has_star and not stars_allowed):
            refuse(name, "must be scheme and host only, such as https://board.example.org")
        return values

    def database(self, name: str, default: str) -> dict[str, Any]:
        url = self._url(name, default, ("postgres", "postgresql", "sqlite"))
        config: dict[str, Any] = environ.Env.db_url_config(url)
        if not config.get("NAME"):
            refuse(name, "has no database name")
        if config["NAME"] == ":memory:":
            refuse(
                name, "must name a file: in memory, each process would have a database of its own"
            )
        return config

    def broker(self, name: str, default: str) -> str:
        url = self._url(name, default, ("redis", "rediss", "filesystem"))
        parts = urlsplit(url)
        if parts.scheme == "filesystem" and (parts.netloc or parts.path in {"", "/"}):
            refuse(
                name, "must name a folder by its absolute path, such as filesystem:///srv/broker"
            )
        return url

    def cache(self, name: str, default: str) -> dict[str, Any]:
        url = self._url(name, default, ("redis", "rediss", "locmem"))
        if url.startswith("locmem"):
            return {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
        return {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": url}

    def email(self, name: str, default: str) -> dict[str, Any]:
        """The EMAIL_* settings of a URL such as smtp+tls://user:password@host:587."""
        url = self._url(name, default, tuple(environ.Env.EMAIL_SCHEMES))
        config: dict[str, Any] = environ.Env.email_url_config(url)
        config.pop("OPTIONS", None)
        return config

    def mail_sender(self, name: str, default: str) -> str:
        """An address, or a name with it: `Reelboard <board@example.org>`."""
        value = self.text(name)
        if value and not (value.isprintable() and _MAILBOX.fullmatch(parseaddr(value)[1])):
            refuse(name, "must be an e-mail address, such as board@example.org")
        return value or default

    def _url(self, name: str, default: str, schemes: tuple[str, ...]) -> str:
        value = self.text(name, default)
        try:
            parts = urlsplit(value)
            parts.port  # noqa: B018  raises where the port is no number
        except ValueError:
            refuse(name, "is not a valid URL")
        if parts.scheme not in schemes:
            refuse(name, f"must begin with {' or '.join(f'{s}://' for s in schemes)}")
        return value
