"""The worker and the schedule, as `celery -A dashboard` has them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
import time_machine
from celery.signals import celeryd_after_setup
from django.conf import settings

from dashboard.broker import Transport
from dashboard.celery import QuietConsumer, app
from jobs.workqueue.slots import worker_size
from tests.waiting import PATIENCE_S

PROJECT_DIR = Path(__file__).resolve().parents[2]


def wait_for(condition: Callable[[], bool], seconds: float = PATIENCE_S) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.1)
    return False


def test_every_scheduled_task_exists() -> None:
    app.loader.import_default_modules()

    scheduled = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert scheduled | {"dashboard.heartbeat.send"} <= set(app.tasks)


def test_a_tick_is_dropped_before_the_next_is_due() -> None:
    entry = settings.CELERY_BEAT_SCHEDULE["tick"]

    assert entry["options"]["expires"] < entry["schedule"]


@pytest.mark.parametrize(
    ("now", "is_due"), [("2026-03-14T03:29:50Z", False), ("2026-03-14T03:30:10Z", True)]
)
def test_whole_lists_are_compared_each_night(now: str, is_due: bool) -> None:
    entry = settings.CELERY_BEAT_SCHEDULE["reconcile"]
    last_night = datetime(2026, 3, 13, 3, 30, 5, tzinfo=UTC)
    with time_machine.travel(now, tick=False):
        assert entry["schedule"].is_due(last_night).is_due is is_due

    assert entry["options"]["expires"] < 24 * 3600


def test_embedded_broker_is_ours() -> None:
    with app.connection_for_write() as connection:
        assert isinstance(connection.transport, Transport)


def test_workers_do_not_talk_among_themselves() -> None:
    steps = {step.rpartition(":")[2] for step in QuietConsumer.Blueprint.default_steps}

    assert steps.isdisjoint({"Gossip", "Mingle", "Heart"})
    assert {"Connection", "Tasks", "Evloop"} <= steps
    assert settings.CELERY_WORKER_ENABLE_REMOTE_CONTROL is False


def test_the_threads_that_a_worker_was_started_with_are_counted() -> None:
    before = worker_size()
    worker = SimpleNamespace(concurrency=before + 3)
    try:
        celeryd_after_setup.send(sender="worker", instance=worker, conf=app.conf)
        assert worker_size() == before + 3
    finally:
        app.conf.worker_concurrency = before


def test_plain_worker_command_takes_ticks_and_survives_a_torn_message(tmp_path: Path) -> None:
    broker = tmp_path / "broker"
    broker.mkdir()
    (broker / "0_torn.celery.msg").write_bytes(b"")
    command = ["worker", "-B", "--pool", "threads", "--loglevel", "INFO"]
    log = tmp_path / "worker.log"
    with log.open("wb") as output:
        worker = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "dashboard", *command],
            cwd=PROJECT_DIR,
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "dashboard.settings",
                "VAR_DIR": str(tmp_path),
                "DATABASE_URL": "",
            },
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        # The database is empty, so the tick fails: that it is tried is what counts here.
        assert wait_for(lambda: "jobs.tasks.tick[" in log.read_text()), log.read_text()
        assert (broker / "0_torn.celery.unreadable").exists()
        assert worker.poll() is None
        worker.terminate()
        assert worker.wait(timeout=PATIENCE_S) == 0
    finally:
        with suppress(ProcessLookupError):
            os.killpg(worker.pid, signal.SIGKILL)  # beat is a process of its own
        worker.wait()
    assert list(tmp_path.glob("celerybeat-schedule*")) == []
