"""A worker, beat and a process that submits, on the tests' database and a broker of theirs."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO
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
        self._worker: subprocess.Popen[str] | None = None
        self._submitter: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """The worker, with beat."""
        with self._log.open("a") as log:
            self._worker = self._run("-m", "celery", "-A", "dashboard", "worker", "--beat", log=log)

    def kill(self) -> None:
        """At once, in the middle of whatever they are at."""
        if self._worker:
            _signal(self._worker, signal.SIGKILL)
            self._worker.wait()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Messages stay in the broker meanwhile."""
        assert self._worker
        _signal(self._worker, signal.SIGSTOP)
        try:
            yield
        finally:
            _signal(self._worker, signal.SIGCONT)

    def submit(self, account: ProviderAccount, *names: str) -> list[int]:
        """As a web process does it, message and all; the ids of the jobs."""
        if self._submitter is None:
            with self._log.open("a") as log:
                self._submitter = self._run(
                    "-c", SUBMIT, log=log, stdin=subprocess.PIPE, stdout=subprocess.PIPE
                )
        assert self._submitter.stdin
        assert self._submitter.stdout
        made = []
        for name in names:
            self._submitter.stdin.write(f"{account.pk} {name}\n")
            self._submitter.stdin.flush()
            pk = self._submitter.stdout.readline()
            assert pk, self.log()
            made.append(int(pk))
        return made

    def are_alive(self) -> bool:
        return self._worker is not None and self._worker.poll() is None

    def log(self) -> str:
        return self._log.read_text()

    def stop(self) -> None:
        self.kill()
        if self._submitter:
            self._submitter.kill()
            self._submitter.communicate()

    def _run(
        self, *command: str, log: IO[str], stdin: int | None = None, stdout: int | None = None
    ) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, *command],
            cwd=PROJECT_DIR,
            env=self._environment,
            stdin=stdin,
            stdout=stdout or log,
            stderr=log,
            text=True,
            start_new_session=True,
        )


def database_url() -> str:
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    return urlunsplit(urlsplit(services.POSTGRES.address)._replace(path=f"/{name}"))


def _signal(process: subprocess.Popen[str], number: int) -> None:
    """To the process and those that it has started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
