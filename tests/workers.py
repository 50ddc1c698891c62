"""A worker, beat and a process that submits, on the tests' database and a broker of theirs."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from django.db import connection

from jobs.models import ProviderAccount
from tests import services
from tests.settings import RUN_ENVIRONMENT

PROJECT_DIR = Path(__file__).resolve().parents[1]

# Submits a job for each line that it reads: the id of an account and the name of an input.
SUBMIT = """
import sys
import django
django.setup()
from jobs.models import ProviderAccount
from tests.submitting import submit_named
for line in sys.stdin:
    account, name = line.split()
    print(submit_named(ProviderAccount.objects.get(pk=account), name).pk, flush=True)
"""


class Workers:
    """Needs a test whose transactions are real: `django_db(transaction=True)`."""

    def __init__(self, folder: Path, broker_url: str, settings: str = "dashboard.settings") -> None:
        self._log = folder / "workers.log"
        self._environment = {
            **RUN_ENVIRONMENT,
            "PATH": os.defpath,
            "DJANGO_SETTINGS_MODULE": settings,
            "VAR_DIR": str(folder),
            "DATABASE_URL": database_url(),
            "CELERY_BROKER_URL": broker_url,
        }
        self._forks: subprocess.Popen[str] | None = None
        # the process id of the worker, which leads a group of processes
        self._worker: int | None = None
        self._submitter: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """The worker, with beat."""
        if self._forks is None:
            self._forks = self._run("-m", "tests.worker_forks")
        self._worker = int(self._ask(self._forks, "start"))

    def kill(self) -> None:
        """At once, in the middle of whatever they are at."""
        if self._worker is not None:
            _signal(self._worker, signal.SIGKILL)
            while self.are_alive():
                time.sleep(0.001)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Messages stay in the broker meanwhile."""
        assert self._worker is not None
        _signal(self._worker, signal.SIGSTOP)
        try:
            yield
        finally:
            _signal(self._worker, signal.SIGCONT)

    def submit(self, account: ProviderAccount, *names: str) -> list[int]:
        """As a web process does it, message and all; the ids of the jobs."""
        if self._submitter is None:
            self._submitter = self._run("-c", SUBMIT)
        return [int(self._ask(self._submitter, f"{account.pk} {name}")) for name in names]

    def are_alive(self) -> bool:
        if self._worker is None:
            return False
        try:
            os.kill(self._worker, 0)
        except ProcessLookupError:
            return False
        return True

    def log(self) -> str:
        return self._log.read_text()

    def stop(self) -> None:
        self.kill()
        for process in (self._forks, self._submitter):
            if process is not None:
                process.kill()
                process.communicate()

    def _run(self, *command: str) -> subprocess.Popen[str]:
        """Python, which reads lines and answers each with one."""
        with self._log.open("a") as log:
            return subprocess.Popen(
                [sys.executable, *command],
                cwd=PROJECT_DIR,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )

    def _ask(self, process: subprocess.Popen[str], line: str) -> str:
        assert process.stdin
        assert process.stdout
        process.stdin.write(f"{line}\n")
        process.stdin.flush()
        answer = process.stdout.readline()
        assert answer, self.log()
        return answer


def database_url() -> str:
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    return urlunsplit(urlsplit(services.POSTGRES.address)._replace(path=f"/{name}"))


def _signal(process: int, number: int) -> None:
    """To the process and those that it has started."""
    with suppress(ProcessLookupError):
        os.killpg(process, number)
