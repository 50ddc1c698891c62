"""Bodies of Zencoder in the sandbox, and how it reads a request: no server is needed for either."""

from typing import Any

import pytest

from sandbox.jobs.model import (
    Image,
    Job,
    JobState,
    Media,
    MediaInfo,
    MediaState,
    OutputSpec,
    Problem,
)
from sandbox.zencoder import payloads
from sandbox.zencoder.job_requests import RequestRefused, read_job_request

SOURCE = "https://media.example.com/reel.mov"
MADE_AT = 1_780_000_000.0


def link(path: str, expires_at: float) -> str:
    return f"https://files.example.com/{path}?Expires={expires_at:.0f}"


@pytest.fixture
def job() -> Job:
    """One output is made and has a thumbnail, the other is not begun."""
    image = Image(51, "poster", "out/t/frame.png", "png", 320, 180, 900, MADE_AT)
    facts = MediaInfo(format="mpeg4", channels=2, frame_rate=25.0, width=640, size_bytes=70_000)
    made = Media(31, MediaState.FINISHED, path="out/t/a.mp4", info=facts, images=[image])
    ready = Media(32, MediaState.READY, path="out/t/b.m3u8", spec=OutputSpec("playlist"))
    source = Media(21, MediaState.FINISHED, url=SOURCE, info=facts)
    return Job(
        "zencoder", "first", "t", source, [made, ready], id=11, state=JobState.PROCESSING,
        progress=62.5, metadata="mine", created_at=MADE_AT, submitted_at=MADE_AT,
        updated_at=MADE_AT, expires_at=MADE_AT + 86_400,
    )  # fmt: skip


@pytest.fixture
def writer() -> payloads.Writer:
    return payloads.Writer(link)


def test_thumbnails_are_listed_once_the_job_has_ended(job: Job, writer: payloads.Writer) -> None:
    assert writer.details(job)["job"]["thumbnails"] == []
    job.state = JobState.FINISHED
    (image,) = writer.details(job)["job"]["thumbnails"]
    assert (image["group_label"], image["format"], image["width"]) == ("poster", "PNG", 320)
    (group,) = writer.alone(job, job.outputs[0])["thumbnails"]
    assert (group["label"], group["images"][0]["dimensions"]) == ("poster", "320x180")


def test_details_and_progress_name_the_same_moment_differently(
    job: Job, writer: payloads.Writer
) -> None:
    job.input.state = MediaState.ASSIGNING
    details, progress = writer.details(job)["job"], writer.progress(job)
    assert details["input_media_file"]["state"] == "assigning"
    assert progress["input"]["state"] == "queued"
    assert details["output_media_files"][1]["state"] == "ready"
    assert progress["outputs"] == [
        {"id": 31, "state": "finished"},
        {"id": 32, "state": "processing"},
    ]


@pytest.mark.parametrize("state", [JobState.WAITING, JobState.FAILED, JobState.CANCELLED])
def test_only_a_job_that_runs_has_a_percentage(
    job: Job, writer: payloads.Writer, state: JobState
) -> None:
    assert writer.progress(job)["progress"] == 62.5
    job.state = state
    assert "progress" not in writer.progress(job)


def test_channels_are_text_and_whole_rates_are_whole(job: Job, writer: payloads.Writer) -> None:
    made, ready = writer.details(job)["job"]["output_media_files"]
    assert made["channels"] == "2"
    assert repr(made["frame_rate"]) == "25"
    assert ready["channels"] is ready["duration_in_ms"] is ready["file_size_bytes"] is None


def test_the_answer_to_a_creation_has_test_for_test_jobs_alone(
    job: Job, writer: payloads.Writer
) -> None:
    assert "test" not in writer.created(job)
    job.test = True
    assert writer.created(job)["test"] is True


def test_an_output_is_notified_with_its_type_and_with_the_link_to_its_fault(
    job: Job, writer: payloads.Writer
) -> None:
    made, failed = job.outputs
    failed.end(MediaState.FAILED, MADE_AT, Problem("SkippedSourceError", "None was made."))
    body = writer.notification(job, failed)
    assert body["job"]["state"] == "processing"  # the job's own, whatever became of the output
    assert body["output"]["type"] == "playlist"
    assert body["output"]["error_link"].endswith("#SkippedSourceError")
    assert "url" not in body["input"]
    whole = writer.notification(job, None)["outputs"]
    assert [output["type"] for output in whole] == ["standard", "playlist"]
    assert "error_link" not in whole[0]
    assert whole[0]["file_size_in_bytes"] == made.info.size_bytes
    assert "file_size_bytes" not in whole[0]


def test_a_read_only_key_gets_neither_urls_nor_messages(job: Job) -> None:
    job.state = JobState.FAILED
    job.input.problem = Problem("NoMediaError", "It is a PDF.")
    reported = payloads.Writer(link, sanitised=True).details(job)["job"]
    assert reported["input_media_file"]["error_class"] == "NoMediaError"
    assert reported["input_media_file"]["error_message"] is None
    parts = [reported["input_media_file"], *reported["output_media_files"], *reported["thumbnails"]]
    assert {part["url"] for part in parts} == {None}


# Requests


def read(**body: Any) -> Job:
    return read_job_request({"input": SOURCE, **body}, "first", MADE_AT, 86_400)


def test_outputs_may_be_alone_or_under_their_older_name() -> None:
    for name in ("output", "outputs"):
        assert [output.label for output in read(**{name: {"label": "a"}}).outputs] == ["a"]
        assert len(read(**{name: [{}, {}]}).outputs) == 2


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ({"notifications": ["https://h.example/"] * 6}, "up to 5 notifications"),
        ({"notifications": [{"url": "https://h.example/", "headers": ["a"]}]}, "Headers"),
        ({"thumbnails": {"number": 101}}, "up to 100 thumbnails"),
        ({"thumbnails": {"format": "gif"}}, "must be png or jpg"),
        ({"thumbnails": [{"label": "a"}, {}]}, "needs a label"),
        ({"thumbnails": ["many"]}, "must be settings"),
    ],
)
def test_a_wrong_output_is_refused_with_a_clear_message(
    output: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(RequestRefused, match=sentence):
        read(outputs=[{}, output])


def test_five_notifications_of_the_job_are_taken_and_a_sixth_is_not() -> None:
    urls = ["https://h.example/"] * 5
    assert len(read(notifications=urls).notifications) == 5
    with pytest.raises(RequestRefused, match="up to 5"):
        read(notifications=[*urls, "a@b.example"])
