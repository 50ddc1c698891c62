"""Where a demo lives: its folder, its ports, and the environment of its processes."""

import fcntl
import os
import secrets
import socket
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from shlex import quote
from typing import NoReturn, TextIO

from scripts.supervise import PROJECT_DIR

HOST = "127.0.0.1"
CLIPS = ("good.mp4", "corrupt.mp4")
DEFAULT_PORTS = {"PORT": 8000, "SANDBOX_PORT": 9000}
# The developer's own shell may set these; the demo must not touch what they point to.
FOREIGN = (
    "BULK_RESULTS_DAYS", "CACHE_URL", "CELERY_BROKER_URL", "CORS_ALLOWED_ORIGINS",
    "CREDENTIALS_KEYS", "CSRF_TRUSTED_ORIGINS", "DATABASE_URL", "EMAIL_FROM", "EMAIL_URL",
    "GUNICORN_CMD_ARGS", "HEARTBEAT_URL", "LOG_FORMAT", "LOG_LEVEL", "METRICS_TOKEN",
    "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET", "OIDC_ISSUER", "SECRET_KEY", "SENTRY_DSN",
    "TRUST_PROXY_HEADERS", "WEB_CONCURRENCY", "WEB_THREADS",
)  # fmt: skip


@dataclass(frozen=True)
class Place:
    var_dir: Path
    port: int
    sandbox_port: int

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def sandbox_url(self) -> str:
        return f"http://{HOST}:{self.sandbox_port}"

    @property
    def sandbox_dir(self) -> Path:
        return self.var_dir / "sandbox"

    def clip_url(self, name: str) -> str:
        """A source file that the sandbox makes."""
        return f"{self.sandbox_url}/media/in/{name}"


def read_place(environ: Mapping[str, str] = os.environ) -> Place:
    """Where the environment says, or the process ends with a sentence on what is wrong."""
    ports = {name: _read_port(environ, name) for name in DEFAULT_PORTS}
    if ports["PORT"] == ports["SANDBOX_PORT"]:
        stop(f"PORT and SANDBOX_PORT are both {ports['PORT']}: give them different numbers.")
    var_dir = Path(environ.get("VAR_DIR") or PROJECT_DIR / "var").absolute()
    try:
        var_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        stop(f"VAR_DIR {var_dir} cannot be created: {error.strerror}.")
    return Place(var_dir, ports["PORT"], ports["SANDBOX_PORT"])


def lock(place: Place) -> TextIO:
    """Keep other demos out of the folder until every copy of the returned file is closed."""
    is_new = not (place.var_dir / "demo.env").exists()
    if is_new and (place.var_dir / "reelboard.sqlite3").exists():
        stop(f"{place.var_dir} holds a database that is not the demo's: set another VAR_DIR.")
    try:
        file = (place.var_dir / "demo.lock").open("w")
    except OSError as error:
        stop(f"VAR_DIR {place.var_dir} cannot be written to: {error.strerror}.")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        stop(f"A demo is already running in {place.var_dir}: stop that one first.")
    return file


def check_ports(place: Place) -> None:
    ports = {"PORT": place.port, "SANDBOX_PORT": place.sandbox_port}
    for name, port in ports.items():
        try:
            _bind(port)
        except PermissionError:
            free = _find_free_port(DEFAULT_PORTS[name], ports.values())
            stop(f"Port {port} needs root privileges: try make demo {name}={free}.")
        except OSError:
            free = _find_free_port(port + 1, ports.values())
            stop(f"Port {port} is in use: try make demo {name}={free}.")


def prepare_environment(place: Place) -> dict[str, str]:
    """Make the keys, and return what every process of the demo has in its environment."""
    environment = {
        "DJANGO_SETTINGS_MODULE": "dashboard.settings",
        "DEBUG": "0",
        "VAR_DIR": str(place.var_dir),
        "SECRET_KEY_FILE": make_secret_file(place.var_dir / "secret_key"),
        "CREDENTIALS_KEYS_FILE": make_secret_file(place.var_dir / "credentials_keys"),
        "ALLOWED_HOSTS": f"{HOST},localhost",
        "ALLOW_PRIVATE_ADDRESSES": "1",  # the sandbox is on this machine
        "BASE_URL": place.url,
        "SAMPLE_INPUTS": ",".join(map(place.clip_url, CLIPS)),
        "WEB_HOST": HOST,
        "PORT": str(place.port),
    }
    lines = (f"{name}={quote(value)}\n" for name, value in environment.items())
    (place.var_dir / "demo.env").write_text("".join(lines), encoding="utf-8")
    return environment


def enter_environment(environment: Mapping[str, str]) -> None:
    for name in (*FOREIGN, *environment):
        os.environ.pop(name, None)
        os.environ.pop(f"{name}_FILE", None)
    os.environ.update(environment)


def make_secret_file(path: Path, size: int = 48) -> str:
    """The path, as text, of a file that only its owner reads and that holds a random string."""
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(size))
    return str(path)


def stop(sentence: str) -> NoReturn:
    sys.exit(sentence)


def _read_port(environ: Mapping[str, str], name: str) -> int:
    text = environ.get(name) or str(DEFAULT_PORTS[name])
    if not (text.isascii() and text.isdecimal() and 0 < int(text) < 65536):
        stop(f"{name} must be a number from 1 to 65535.")
    return int(text)


def _bind(port: int) -> None:
    with socket.socket() as probe:
        # As servers do, so that closing connections of an earlier run do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((HOST, port))


def _find_free_port(start: int, taken: Collection[int]) -> int:
    candidates = chain(range(start, 65536), range(8000, 65536))
    return next(port for port in candidates if port not in taken and _is_free(port))


def _is_free(port: int) -> bool:
    try:
        _bind(port)
    except OSError:
        return False
    return True
