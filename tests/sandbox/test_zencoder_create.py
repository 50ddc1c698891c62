"""Creating jobs: what is taken, what is refused and how."""

from typing import Any

import pytest

from sandbox.server import RunningSandbox
from tests.sandbox.conftest import Client

SOURCE = "https://media.example.com/reel.mov"


def test_the_answer_names_ids_labels_and_urls(clockwork: RunningSandbox) -> None:
    created = Client(clockwork).create(
        SOURCE,
        {"label": "web", "url": "s3://delivery/web.mp4"},
        {"label": "hls", "type": "segmented"},
    )

    web, hls = created["outputs"]
    assert created["id"] > 2**31
    assert web["label"] == "web"
    assert web["url"] == "http://delivery.s3.amazonaws.com/web.mp4"
    assert hls["url"].endswith("/index.m3u8")
    assert web["id"] != hls["id"]
    assert "test" not in created


def test_without_outputs_one_mp4_is_made(clockwork: RunningSandbox) -> None:
    created = Client(clockwork).create(SOURCE)

    (output,) = created["outputs"]
    assert output["label"] is None
    assert ".mp4?AWSAccessKeyId=" in output["url"]


def test_a_test_job_says_so(clockwork: RunningSandbox) -> None:
    client = Client(clockwork)

    created = client.create(SOURCE, test=True)

    assert created["test"] is True
    assert client.job(created["id"])["test"] is True


def test_a_mock_job_is_not_made(clockwork: RunningSandbox) -> None:
    client = Client(clockwork)

    created = client.create(SOURCE, {"label": "a"}, {"label": "b"}, mock=True)

    assert created["id"] is None
    assert [output["id"] for output in created["outputs"]] == [None, None]
    assert client.get("/jobs") == []


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({}, "Input must be given."),
        ({"input": "reel.mov"}, "Url of input file is invalid"),
        ({"input": ["https://a.example/b"]}, "Url of input file is invalid"),
        (
            {"input": SOURCE, "outputs": [{}] * 21},
            "There is a limit of 20 outputs per job. If you need more outputs, contact us at "
            "help@zencoder.com.",
        ),
        (
            {"input": SOURCE, "outputs": [{"label": "Web"}, {"label": "web"}]},
            "The label 'web' is used by more than one output.",
        ),
        ({"input": SOURCE, "pass_through": "x" * 256}, "Pass through may have up to"),
        ({"input": SOURCE, "outputs": [{"width": "wide"}]}, "Width of output 1 must be"),
        ({"input": SOURCE, "outputs": [{"size": "640"}]}, "Size of output 1 must be"),
        ({"input": SOURCE, "outputs": [{"type": "playlist"}]}, "needs streams"),
        ({"input": SOURCE, "outputs": [{"type": "hologram"}]}, "Type 'hologram'"),
        ({"input": SOURCE, "outputs": [{"format": "wmv9"}]}, "Format 'wmv9'"),
        ({"input": SOURCE, "notifications": ["nowhere"]}, "Url of a notification is invalid"),
        ({"input": SOURCE, "outputs": [{"url": "http://[x"}]}, "Url of output file 1 is invalid"),
        ({"input": SOURCE, "outputs": [{"base_url": "http://[x"}]}, "Url of output file 1 is"),
        ({"input": SOURCE, "outputs": [{"filename": "http://[x"}]}, "Filename of output file 1"),
        ({"input": SOURCE, "outputs": [{"streams": 5}]}, "Streams of output 1 must be a list"),
        ({"input": SOURCE, "outputs": [{"streams": {"a": 1}}]}, "Streams of output 1 must be"),
        ({"input": SOURCE, "outputs": [{"thumbnails": 5}]}, "The thumbnails of output 1 must be"),
        ({"input": SOURCE, "outputs": [{"thumbnails": {"times": 5}}]}, "Times of thumbnails of"),
        ({"input": SOURCE, "outputs": [{"width": "9" * 400}]}, "Width of output 1 must be"),
        ({"input": SOURCE, "outputs": [{"quality": 10**400}]}, "Quality of output 1 must be"),
        ({"input": SOURCE, "outputs": [{"frame_rate": "9" * 400}]}, "Frame rate of output 1 must"),
        ({"input": SOURCE, "outputs": [{"clip_length": "9" * 400}]}, "Clip length must be a time"),
    ],
)
def test_a_wrong_order_is_refused_with_a_clear_message(
    clockwork: RunningSandbox, body: dict[str, Any], sentence: str
) -> None:
    client = Client(clockwork)

    response = client.call("POST", "/jobs", json=body)

    assert response.status_code == 422
    (error,) = response.json()["errors"]
    assert sentence in error
    assert client.get("/jobs") == []


def test_everything_that_is_wrong_is_reported_at_once(clockwork: RunningSandbox) -> None:
    body = {"input": "x", "outputs": [{"width": -1}, {"quality": 9}]}

    response = Client(clockwork).call("POST", "/jobs", json=body)

    assert len(response.json()["errors"]) == 3


@pytest.mark.parametrize("body", ["{", "[]", "7", ""])
def test_a_body_that_is_no_json_object_is_400(clockwork: RunningSandbox, body: str) -> None:
    response = Client(clockwork).call("POST", "/jobs", data=body)

    assert response.status_code == 400
    assert response.json()["errors"]


def test_a_label_of_any_kind_is_reported_as_text(clockwork: RunningSandbox) -> None:
    """And a picture's group is no less an output's own."""
    images = {"label": ["a"], "number": "0.5"}
    created = Client(clockwork).create(SOURCE, {"label": ["web"], "thumbnails": images})

    assert created["outputs"][0]["label"] == "['web']"
