"""Notifications to a receiver on this machine."""

import time
from typing import Any

import pytest

from sandbox.server import RunningSandbox
from tests.sandbox.conftest import Client, Receiver, StartSandbox
from tests.waiting import PATIENCE_S


@pytest.fixture
def sandbox(start_sandbox: StartSandbox) -> RunningSandbox:
    return start_sandbox(time_scale=100)


def test_outputs_and_job_are_notified_with_the_accounts_secret(
    sandbox: RunningSandbox, receiver: Receiver
) -> None:
    client = Client(sandbox)
    created = client.create(
        "https://media.example.com/reel.mp4",
        {"label": "a", "notifications": [f"{receiver.url}/output"]},
        {"label": "b"},
        notifications=[{"url": f"{receiver.url}/job", "headers": {"X-Mine": "7"}}, "a@b.example"],
        pass_through="ours",
    )

    receiver.wait(2)

    bodies = {
        ("job" if "outputs" in body else "output"): (h, body) for h, body in receiver.deliveries
    }
    headers, about_job = bodies["job"]
    secret = sandbox.keys["zencoder_webhook_secret"]
    assert headers["X-Zencoder-Notification-Secret"] == secret
    assert headers["X-Mine"] == "7"
    assert about_job["job"]["id"] == created["id"]
    assert about_job["job"]["pass_through"] == "ours"
    assert [output["label"] for output in about_job["outputs"]] == ["a", "b"]
    assert "url" not in about_job["input"]
    assert "file_size_in_bytes" in about_job["outputs"][0]
    assert bodies["output"][1]["output"]["label"] == "a"
    assert "X-Mine" not in bodies["output"][0]
    listed = client.get("/notifications.json")["notifications"]
    assert {"outputs" in body for body in listed} == {True, False}


def test_a_refused_notification_comes_again(sandbox: RunningSandbox, receiver: Receiver) -> None:
    receiver.refusals = 1
    Client(sandbox).create(
        "https://media.example.com/corrupt.mp4", notifications=[f"{receiver.url}/job"]
    )

    receiver.wait(2)

    first, second = (body for _, body in receiver.deliveries)
    assert first == second
    assert first["job"]["state"] == "failed"
    assert first["input"]["error_class"] == "UnreadableFileError"


def test_each_account_has_its_own_secret(sandbox: RunningSandbox, receiver: Receiver) -> None:
    client = Client(sandbox, "zencoder_second_api_key")
    client.create("https://media.example.com/reel.mp4", notifications=[receiver.url])

    receiver.wait(1)

    given = receiver.deliveries[0][0]["X-Zencoder-Notification-Secret"]
    assert given == sandbox.keys["zencoder_second_webhook_secret"]
    assert given != sandbox.keys["zencoder_webhook_secret"]


def test_other_hosts_are_never_called(sandbox: RunningSandbox, receiver: Receiver) -> None:
    client = Client(sandbox)
    client.create(
        "https://media.example.com/reel.mp4",
        notifications=["http://192.0.2.7/hook", f"{receiver.url}/job"],
    )

    receiver.wait(1)

    assert sandbox.state()["notifications"]["out of reach"] == 1


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1:99999/x",
        "http://127.0.0.1:abc/x",
        "http://[x",
        "http://127.0.0.1:1/\u0436",
        {"url": "http://127.0.0.1:1/x", "headers": {"X-Mine": "a\nb"}},
    ],
    ids=str,
)
def test_a_url_that_cannot_be_is_given_up_and_the_others_are_notified(
    sandbox: RunningSandbox, receiver: Receiver, target: Any
) -> None:
    client = Client(sandbox)
    client.create("https://media.example.com/corrupt.mp4", notifications=[target])
    until = time.monotonic() + PATIENCE_S
    while not (reported := sandbox.state()["notifications"]):
        assert time.monotonic() < until
        time.sleep(0.05)
    client.create("https://media.example.com/corrupt.mp4", notifications=[f"{receiver.url}/job"])

    receiver.wait(1)

    assert sandbox.state()["notifications"].get("given up") == 1, reported
