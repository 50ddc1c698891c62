"""A Redis server that a test starts for itself, and may kill, pause or empty."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redis import Redis
from redis.exceptions import ConnectionError as NoConnection

from tests import services


class RedisServer:
    """Keeps nothing on disk: whoever kills it loses all of its messages."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port: int = probe.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = folder
        self.start()

    def start(self) -> None:
        command = [services.REDIS.address, "--port", str(self.port), "--bind", "127.0.0.1"]
        self._process = subprocess.Popen(
            [*command, "--save", "", "--dir", str(self._folder), "--loglevel", "warning"],
            stdout=subprocess.DEVNULL,
        )
        with self.client() as client:
            while True:
                try:
                    client.ping()
                    return
                except NoConnection:
                    assert self._process.poll() is None, "the server ended at once"

    def client(self) -> Redis:
        return Redis(port=self.port, decode_responses=True)

    def flush(self) -> None:
        with self.client() as client:
            client.flushall()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Connections are accepted, and nothing is answered."""
        os.kill(self._process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self._process.pid, signal.SIGCONT)
