"""A Gunicorn in a process of its own, on the database of the tests, spoken to byte by byte."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import connection

from tests.settings import RUN_ENVIRONMENT
from tests.waiting import PATIENCE_S


@dataclass
class Response:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        assert self.headers["Content-Type"].startswith("application/json")
        return json.loads(self.body)


class RawClient:
    """Sends bytes as they are."""

    def __init__(self, port: int) -> None:
        self.port = port

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S)

    def exchange(self, pieces: bytes | Iterable[bytes]) -> Response:
        """What came back, whether or not everything could be sent."""
        with self.connect() as connected:
            try:
                for piece in [pieces] if isinstance(pieces, bytes) else pieces:
                    connected.sendall(piece)
            except (BrokenPipeError, ConnectionResetError):
                pass
            return self.read(connected)

    def read(self, connected: socket.socket) -> Response:
        response = http.client.HTTPResponse(connected)
        response.begin()
        return Response(response.status, response.headers, response.read())


@contextmanager
def serve(folder: Path, **variables: str) -> Iterator[int]:
    """Gunicorn on a port of its own, which is returned."""
    port = _free_port()
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment |= RUN_ENVIRONMENT | {
        "DJANGO_SETTINGS_MODULE": "dashboard.settings",
        "VAR_DIR": str(folder),
        "DATABASE_URL": _database_url(),
        "PORT": str(port),
        "WEB_CONCURRENCY": "1",
        **variables,
    }
    with (folder / "web.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "tests.dashboard.web.hasty_wsgi"],
            cwd=settings.BASE_DIR, env=environment, stdout=log, stderr=log,
        )  # fmt: skip
        try:
            _wait_for(port)
            yield port
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            RawClient(port).exchange(b"GET /healthz HTTP/1.0\r\n\r\n")
            return
        except OSError:
            time.sleep(0.1)


def _database_url() -> str:
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{quote(str(database['NAME']))}"
    user = quote(database["USER"]) + (f":{quote(p)}" if (p := database["PASSWORD"]) else "")
    return f"postgres://{user}@{database['HOST']}:{database['PORT']}/{quote(database['NAME'])}"


@pytest.fixture(scope="module")
def gunicorn(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port that it listens on."""
    with serve(tmp_path_factory.mktemp("gunicorn")) as port:
        yield port


@pytest.fixture
def raw(gunicorn: int) -> RawClient:
    return RawClient(gunicorn)
