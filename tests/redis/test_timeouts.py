"""No process waits for ever for a Redis that does not answer, and a click not even for long."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread

import pytest

from tests.dashboard.settings_file import ENOUGH, PROJECT_DIR
from tests.waiting import PATIENCE_S

PUBLISH_AND_COUNT = """
import django
django.setup()
from django.core.cache import cache
from jobs.workqueue.enqueue import enqueue_on_commit
enqueue_on_commit("tick")
try:
    cache.get("requests")
except Exception as error:
    print(type(error).__name__)
"""


def publish_and_count(url: str, var_dir: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PUBLISH_AND_COUNT],
        cwd=PROJECT_DIR,
        env={
            "PATH": os.defpath,
            "DJANGO_SETTINGS_MODULE": "dashboard.settings",
            "VAR_DIR": str(var_dir),
            **ENOUGH,
            "CELERY_BROKER_URL": url,
        },
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )


@pytest.fixture
def silent_url() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        yield f"redis://127.0.0.1:{silent.getsockname()[1]}/0"


def test_a_redis_that_accepts_and_never_answers_is_given_up(
    silent_url: str, tmp_path: Path
) -> None:
    done = publish_and_count(silent_url, tmp_path)
    assert "not published" in done.stderr
    assert done.stdout == "TimeoutError\n"


def test_publishing_is_tried_once(tmp_path: Path) -> None:
    """Between two attempts a web request would sleep."""
    attempts = 0

    def hang_up(server: socket.socket) -> None:
        nonlocal attempts
        with suppress(OSError):  # until it is shut down
            while True:
                server.accept()[0].close()
                attempts += 1

    with socket.create_server(("127.0.0.1", 0)) as server:
        Thread(target=hang_up, args=[server], daemon=True).start()
        done = publish_and_count(f"redis://127.0.0.1:{server.getsockname()[1]}/0", tmp_path)
        server.shutdown(socket.SHUT_RDWR)
    assert "not published" in done.stderr
    assert (done.stdout, attempts) == ("ConnectionError\n", 2)  # one by each client
