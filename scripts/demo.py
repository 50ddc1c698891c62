"""`make demo`: a living board on this machine alone, with the sandbox as its four providers.

Everything that it makes is below var/ (or VAR_DIR), so a second start finds the first one's data,
and `make demo-reset` is the removal of that folder. The processes' output is in its log/.
"""

import http.client
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from shlex import quote
from typing import NoReturn

from scripts.supervise import (
    PROJECT_DIR,
    STOP_SECONDS,
    read_procfile,
    supervisord_command,
    with_our_programs_first,
)

HOST = "127.0.0.1"
EMAIL = "demo@example.com"
START_SECONDS = 90
CLIPS = ("good.mp4", "corrupt.mp4")
# Of the developer's own shell: the demo must neither read nor write what these point to.
FOREIGN = (
    "DATABASE_URL", "CELERY_BROKER_URL", "CACHE_URL", "CSRF_TRUSTED_ORIGINS", "EMAIL_URL",
    "TRUST_PROXY_HEADERS", "SENTRY_DSN", "HEARTBEAT_URL", "METRICS_TOKEN", "SECRET_KEY",
    "CREDENTIALS_KEYS", "LOG_FORMAT", "LOG_LEVEL",
)  # fmt: skip


@dataclass(frozen=True)
class Place:
    """Where this demo lives."""

    var_dir: Path
    port: int
    sandbox_port: int

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def sandbox_address(self) -> str:
        return f"http://{HOST}:{self.sandbox_port}"

    def clip(self, name: str) -> str:
        """The address of a source file that the sandbox makes."""
        return f"{self.sandbox_address}/media/in/{name}"

    @property
    def sandbox_dir(self) -> Path:
        return self.var_dir / "sandbox"


def main() -> None:
    var_dir = Path(os.environ.get("VAR_DIR") or PROJECT_DIR / "var").absolute()
    place = Place(var_dir, _port("PORT", 8000), _port("SANDBOX_PORT", 9000))
    for name, port in (("PORT", place.port), ("SANDBOX_PORT", place.sandbox_port)):
        if not _is_free(port):
            _stop(f"Port {port} is in use: try make demo {name}={port + 1}.")
    for name in FOREIGN:
        os.environ.pop(name, None)
        os.environ.pop(f"{name}_FILE", None)
    os.environ.update(prepare_environment(place))

    _say("Preparing the database ...")
    import django

    django.setup()
    password = prepare_board(place)

    _say("Starting web, worker, beat and sandbox ...")
    with Tree(place) as tree:
        tree.wait_until(lambda: _answers(place.sandbox_port, "/_sandbox/health"))
        fill_board(place)
        tree.wait_until(lambda: _answers(place.port, "/readyz"))
        _say(greeting(place, password))
        tree.wait()


def prepare_environment(place: Place) -> dict[str, str]:
    """Make the keys, and return the environment of every process of the demo."""
    place.var_dir.mkdir(parents=True, exist_ok=True)
    environment = {
        "DJANGO_SETTINGS_MODULE": "dashboard.settings",
        "DEBUG": "0",
        "VAR_DIR": str(place.var_dir),
        "SECRET_KEY_FILE": _secret_file(place.var_dir / "secret_key"),
        "CREDENTIALS_KEYS_FILE": _secret_file(place.var_dir / "credentials_keys"),
        "ALLOWED_HOSTS": f"{HOST},localhost",
        "ALLOW_PRIVATE_ADDRESSES": "1",  # that is where the sandbox is
        "BASE_URL": place.address,
        "SAMPLE_INPUTS": ",".join(map(place.clip, CLIPS)),
        "WEB_HOST": HOST,
        "PORT": str(place.port),
    }
    lines = (f"{name}={quote(value)}\n" for name, value in environment.items())
    (place.var_dir / "demo.env").write_text("".join(lines))
    return environment


def prepare_board(place: Place) -> str:
    """Migrate, collect static files, make organizations and the user; return the password."""
    from django.core.management import call_command

    from dashboard import schema
    from organizations.models import User

    call_command("migrate", verbosity=0)
    if problem := schema.find_problem():
        _stop(problem)
    _collect_static(place.var_dir / "static")
    for name, slug in (("Harbor Film", "harbor"), ("Northlight Studio", "northlight")):
        call_command("create_organization", name=name, slug=slug, owner=EMAIL, stdout=StringIO())
    password = Path(_secret_file(place.var_dir / "demo_password", size=6)).read_text()
    user = User.objects.get(email=EMAIL)
    if not user.check_password(password):
        user.set_password(password)
        user.is_staff = user.is_superuser = True
        user.save(update_fields=["password", "is_staff", "is_superuser"])
    return password


def fill_board(place: Place) -> None:
    """Add the accounts, and what is submitted to them at first, once the sandbox answers."""
    from scripts.demo_accounts import add_accounts, submit_first_jobs

    keys = json.loads((place.sandbox_dir / "keys.json").read_text())
    add_accounts(place.sandbox_address, keys)
    submit_first_jobs(EMAIL, {clip: place.clip(clip) for clip in CLIPS})


def greeting(place: Place, password: str) -> str:
    return f"""
Reelboard is running.

    Address    {place.address}/
    E-mail     {EMAIL}
    Password   {password}

Things to try:
  - See the jobs that run now at four providers, and why others failed.
  - Submit a job: its form offers a good clip and a corrupt one, which the sandbox encodes.
    (TPStreams writes to an s3 address only; here any will do, such as s3://studio/out/.)
  - Open a finished job and play its outputs. The Django admin is at {place.address}/admin/.
  - Use the command line:
    set -a; . {quote(str(place.var_dir / "demo.env"))}; set +a; .venv/bin/python manage.py help

Logs are in {place.var_dir}/log/. Ctrl-C stops everything; `make demo-reset` forgets everything.
"""


class Tree:
    """supervisord and the processes below it, for as long as the `with` block runs."""

    def __init__(self, place: Place) -> None:
        programs = {"sandbox": _sandbox_command(place), **read_procfile()}
        self._log_dir = place.var_dir / "log"
        log = str(self._log_dir / "{name}.log")
        self._command = supervisord_command(programs, place.var_dir, log)

    def __enter__(self) -> "Tree":
        # All three leave through __exit__: Ctrl-C, SIGTERM, and a terminal that is closed.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.default_int_handler)
        self._process = subprocess.Popen(
            self._command, env=with_our_programs_first(), start_new_session=True
        )
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        # The impatient press Ctrl-C twice, but all is being stopped already.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        self._process.terminate()
        with suppress(OSError):  # where the terminal is gone
            _say("\nStopping ...")
        try:
            self._process.wait(timeout=STOP_SECONDS + 2)
        except subprocess.TimeoutExpired:
            self._process.kill()
        return kind is KeyboardInterrupt

    def wait(self) -> NoReturn:
        self._process.wait()
        _stop(f"The processes ended by themselves; the files in {self._log_dir}/ say why.")

    def wait_until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not condition():
            if self._process.poll() is not None:
                self.wait()
            if time.monotonic() > deadline:
                _stop(f"The board does not answer; the files in {self._log_dir}/ say why.")
            time.sleep(0.1)


def _sandbox_command(place: Place) -> str:
    # The seeded history is made once; the trickle goes on, so that there is always life. All
    # numbers count for each provider.
    return (
        f"python -m sandbox --host {HOST} --port {place.sandbox_port} "
        f"--state-dir '{place.sandbox_dir}' --seed-jobs 150 --seed-second 40 --seed-unknown 1 "
        f"--seed-moving 4 --trickle 25"
    )


def _collect_static(folder: Path) -> None:
    """Collect and compress static files where one is newer than what was collected."""
    from django.core.management import call_command

    manifest = folder / "staticfiles.json"
    sources = [*(PROJECT_DIR / "static").rglob("*"), PROJECT_DIR / ".venv" / ".installed"]
    newest = max((path.stat().st_mtime for path in sources if path.exists()), default=0)
    if not manifest.exists() or manifest.stat().st_mtime < newest:
        call_command("collectstatic", interactive=False, clear=True, verbosity=0)


def _secret_file(path: Path, size: int = 48) -> str:
    """The path, as text, of a file that only its owner reads and that holds a random string."""
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(size))
    return str(path)


def _port(name: str, default: int) -> int:
    text = os.environ.get(name) or str(default)
    if not text.isdecimal() or not 0 < int(text) < 65536:
        _stop(f"{name} must be the number of a port.")
    return int(text)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do, so that connections of an earlier run that are closing do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _say(text: str) -> None:
    print(text, flush=True)


def _stop(sentence: str) -> NoReturn:
    sys.exit(sentence)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):  # before there is a tree to stop
        main()
