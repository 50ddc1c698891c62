import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests

from sandbox.server import RunningSandbox, start
from tests.waiting import PATIENCE_S

StartSandbox = Callable[..., RunningSandbox]


@pytest.fixture
def start_sandbox() -> Iterator[StartSandbox]:
    """Start sandboxes that end with the test."""
    running: list[RunningSandbox] = []

    def begin(**options: Any) -> RunningSandbox:
        running.append(start(**{"encode": False, "rate_limit": 0, **options}))
        return running[-1]

    yield begin
    for sandbox in running:
        sandbox.stop()


@pytest.fixture
def clockwork(start_sandbox: StartSandbox) -> RunningSandbox:
    """Jobs stand still until the test moves the clock."""
    return start_sandbox(time_scale=0)


@pytest.fixture(scope="session")
def studio() -> Iterator[RunningSandbox]:
    """Encodes for real; one for all tests, so that each clip is made once."""
    with start(encode=True, rate_limit=0) as sandbox:
        yield sandbox


@dataclass
class Receiver:
    """Refuses the first `refusals` deliveries, then takes all."""

    url: str = ""
    refusals: int = 0
    came: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    deliveries: list[tuple[dict[str, str], Any]] = field(default_factory=list)

    def wait(self, count: int) -> None:
        for _ in range(count):
            assert self.came.acquire(timeout=PATIENCE_S), "a notification did not come"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    inbox = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            inbox.deliveries.append((dict(self.headers), json.loads(body)))
            status = 500 if len(inbox.deliveries) <= inbox.refusals else 200
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()
            inbox.came.release()

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    inbox.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield inbox
    server.shutdown()
    server.server_close()
    thread.join()


class Client:
    """A plain client of the Zencoder API of a sandbox."""

    def __init__(self, sandbox: RunningSandbox, key: str = "zencoder_api_key") -> None:
        self._base = sandbox.api_url("zencoder")
        self._headers = {"Zencoder-Api-Key": sandbox.keys[key]}

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        return requests.request(
            method,
            self._base + path,
            headers=self._headers,
            timeout=PATIENCE_S,
            allow_redirects=False,
            **options,
        )

    def get(self, path: str) -> Any:
        response = self.call("GET", path)
        assert response.status_code == 200, response.text
        return response.json()

    def create(self, address: str, *outputs: dict[str, Any], **settings: Any) -> Any:
        body = {"input": address, "outputs": list(outputs) or [{}], **settings}
        response = self.call("POST", "/jobs", json=body)
        assert response.status_code == 201, response.text
        return response.json()

    def job(self, job_id: int) -> Any:
        return self.get(f"/jobs/{job_id}")["job"]

    def wait(self, job_id: int, *states: str, seconds: float = PATIENCE_S) -> Any:
        """The job's details once it is in one of the states."""
        until = time.monotonic() + seconds
        while (job := self.job(job_id))["state"] not in states:
            assert time.monotonic() < until, f"the job is still {job['state']}"
            time.sleep(0.05)
        return job
