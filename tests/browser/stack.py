"""A whole board of the test's own: sandbox, web, worker and beat, each a process of its own.

As a deployment has them: hashed static files, DEBUG off, the strict policy on, and nothing of
it shared with the process that the tests run in.
"""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.clips import make_clip
from tests.waiting import PATIENCE_S, wait_until

ROOT = Path(__file__).resolve().parents[2]
EMAIL = "ada@harbor.example"
VIEWER = "vik@harbor.example"
PASSWORD = "a-quiet-harbour-17"
# At the speed below, an output takes long enough to be seen while it is encoded.
CLIP_SECONDS = 8

# by provider: the account's name, the version in its URL, and what it gets from the keys
ACCOUNTS = {
    "zencoder": ("Zencoder", "api/v2", ("api_key",), ()),
    "videosdk": ("Video SDK", "v1", ("api_key", "secret"), ()),
    "tpstreams": ("TPStreams", "api/v1", ("token",), ("organization_id",)),
    "xvid": ("Xvid", "v1", ("client_id", "client_secret"), ("pipeline_id",)),
}

# Run by `manage.py shell`, in one process, with the arguments of the accounts as ACCOUNTS. No
# page of the admin or of the API's reference is visited, whose files take longest to compress; and
# only it makes a viewer.
PREPARE = f"""
from django.core.management import call_command
from organizations.models import Membership, Organization, Role, User
call_command("migrate", verbosity=0)
call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=["admin", "ninja"])
call_command("create_organization", name="Harbor Film", slug="harbor", owner={EMAIL!r})
call_command("create_organization", name="Northlight", slug="northlight")
organization = Organization.objects.get(slug="harbor")
for email, role in (({EMAIL!r}, Role.OWNER), ({VIEWER!r}, Role.VIEWER)):
    user, _ = User.objects.get_or_create(email=email)
    user.set_password({PASSWORD!r})
    user.save()
    Membership.objects.update_or_create(
        user=user, organization=organization, defaults={{"role": role}}
    )
for arguments in ACCOUNTS:
    call_command("add_account", *arguments)
call_command("sync")
"""


class Stack:
    """Starts with `start()`; everything is below `folder`, and `stop()` leaves no process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.web_port, self.sandbox_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.web_port}"
        self.sandbox_url = f"http://127.0.0.1:{self.sandbox_port}"
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return kept | {
            "DJANGO_SETTINGS_MODULE": "dashboard.settings",
            "VAR_DIR": str(self.folder),
            "SECRET_KEY": "a-secret-key-of-the-browser-tests-that-protects-nothing",
            "CREDENTIALS_KEYS": "a-credentials-key-of-the-browser-tests",
            "ALLOWED_HOSTS": "127.0.0.1",
            "ALLOW_PRIVATE_ADDRESSES": "1",
            "BASE_URL": self.url,
            "PORT": str(self.web_port),
            "SAMPLE_INPUTS": self.clip("good.mp4"),
            "LOG_LEVEL": "WARNING",
        }

    def start(self) -> None:
        # in place of the longer one that the sandbox would make: it is encoded often
        make_clip(self.folder / "sandbox" / "media" / "in" / "good.mp4", CLIP_SECONDS)
        self.launch("sandbox", "manage.py", "sandbox", "--port", str(self.sandbox_port),
                    "--seed-jobs", "60", "--encode-speed", "3")  # fmt: skip
        wait_until(lambda: answers(self.sandbox_port, "/"), "the sandbox")
        keys = json.loads((self.folder / "sandbox" / "keys.json").read_text())
        accounts = [list(self._account_arguments(provider, keys)) for provider in ACCOUNTS]
        self.manage("shell", "--no-imports", "-c", f"ACCOUNTS = {accounts!r}\n{PREPARE}")
        self.launch("web", "-m", "gunicorn", "dashboard.wsgi", "--threads", "4",
                    "--bind", f"127.0.0.1:{self.web_port}")  # fmt: skip
        self.launch("worker", "-m", "celery", "-A", "dashboard", "worker", "-B",
                    "-s", str(self.folder / "beat"))  # fmt: skip
        wait_until(lambda: answers(self.web_port, "/readyz"), "the board")

    def _account_arguments(self, provider: str, keys: dict[str, str]) -> Iterator[str]:
        name, version, credentials, options = ACCOUNTS[provider]
        yield from ("--organization", "harbor", "--provider", provider, "--name", name)
        yield from ("--base-url", f"{self.sandbox_url}/{provider}/{version}")
        yield "--option=interval_s=2"
        for kind, given in (("credential", credentials), ("option", options)):
            for one in given:
                yield f"--{kind}={one}={keys[f'{provider}_{one}']}"

    def launch(self, name: str, *command: str, **environment: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                [sys.executable, *command],
                cwd=ROOT,
                env=self.environment | environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def manage(self, *command: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def clip(self, name: str) -> str:
        return f"{self.sandbox_url}/media/in/{name}"

    def set_faults(self, **faults: Any) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.sandbox_port, timeout=PATIENCE_S)
        connection.request("POST", "/_sandbox/faults", json.dumps(faults))
        assert connection.getresponse().status == 200
        connection.close()

    def stop(self) -> None:
        for process in self._processes.values():
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
        for process in self._processes.values():
            try:
                process.wait(timeout=PATIENCE_S)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
