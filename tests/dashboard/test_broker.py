"""The embedded broker, used through Kombu as Celery does."""

import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from kombu import Connection
from kombu.simple import SimpleQueue

from dashboard.broker import Transport
from tests.waiting import PATIENCE_S

PUBLISHERS = 3
READERS = 3
MESSAGES_EACH = 400


def connect(folder: Path) -> Connection:
    options = {"data_folder_in": str(folder), "data_folder_out": str(folder)}
    return Connection(
        "filesystem://", transport=Transport, transport_options=options | {"polling_interval": 0.01}
    )


def publish(folder: Path, publisher: int) -> None:
    with connect(folder) as connection, connection.SimpleQueue("work") as queue:
        for number in range(MESSAGES_EACH):
            # Long enough that writing it takes more than one step.
            queue.put({"id": f"{publisher}-{number}", "ballast": "x" * 20_000})


def read_all(folder: Path) -> list[str]:
    """Read until the publishers are done and nothing is left."""
    taken = []
    with connect(folder) as connection, connection.SimpleQueue("work") as queue:
        while True:
            done = (folder / "publishers-are-done").exists()
            try:
                taken.append(_receive(queue)["id"])
            except Empty:
                if done:
                    return taken
                time.sleep(0.002)


def _receive(queue: SimpleQueue) -> Any:
    message = queue.get_nowait()
    message.ack()
    return message.payload


def test_concurrent_publishers_and_readers_lose_nothing(tmp_path: Path) -> None:
    with ProcessPoolExecutor(PUBLISHERS + READERS, mp_context=get_context("spawn")) as pool:
        readers = [pool.submit(read_all, tmp_path) for _ in range(READERS)]
        publishers = [pool.submit(publish, tmp_path, number) for number in range(PUBLISHERS)]
        for publisher in publishers:
            publisher.result(timeout=PATIENCE_S)
        (tmp_path / "publishers-are-done").touch()
        taken = [job_id for reader in readers for job_id in reader.result(timeout=PATIENCE_S)]

    expected = {f"{p}-{n}" for p in range(PUBLISHERS) for n in range(MESSAGES_EACH)}
    assert sorted(taken) == sorted(expected)
    assert [path.name for path in tmp_path.iterdir()] == ["publishers-are-done"]


@pytest.mark.parametrize("content", [b"", b'{"body": "cut o', b"\xff\xfe\x00garbage"])
def test_unreadable_message_is_put_aside_and_the_next_one_read(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "0_torn.work.msg").write_bytes(content)

    with connect(tmp_path) as connection, connection.SimpleQueue("work") as queue:
        queue.put({"id": "whole"})
        assert _receive(queue) == {"id": "whole"}
        with pytest.raises(Empty):
            queue.get_nowait()

    assert [path.read_bytes() for path in tmp_path.glob("*.unreadable")] == [content]


def test_queues_do_not_share_messages_and_keep_their_order(tmp_path: Path) -> None:
    with (
        connect(tmp_path) as connection,
        connection.SimpleQueue("work") as work,
        connection.SimpleQueue("other.work") as other,
    ):
        for number in range(20):
            work.put({"id": str(number)})
        other.put({"id": "of the other"})

        assert [_receive(work)["id"] for _ in range(20)] == [str(number) for number in range(20)]
        assert _receive(other)["id"] == "of the other"
