"""Which successes are suspect, and why: bodies of Zencoder's, read as a sync reads them."""

from typing import Any

import pytest

from jobs.models import Job, ProviderAccount
from jobs.sync.runner import sync_account
from providers.core.status import JobStatus, OutputStatus
from providers.core.types import OutputKind, RemoteInput, RemoteOutput
from tests.jobs.answers import after, apply, newest, output, reported
from tests.jobs.fake_zencoder import FakeZencoder

MINUTE = 60_000
INPUT = {"id": 7, "state": "finished", "url": "https://in.example/7.mp4"}
PLAYLIST = "https://out.example/7/480.m3u8"


def media(**fields: Any) -> dict[str, Any]:
    """An MP4 of a minute at 1,200 kbit/s, as large as it should be."""
    defaults = {
        "id": 71,
        "state": "finished",
        "label": "web",
        "url": "https://out.example/7.mp4",
        "duration_in_ms": MINUTE,
        "file_size_bytes": 9_000_000,
        "video_bitrate_in_kbps": 1_200,
        "video_codec": "h264",
        "audio_codec": "aac",
        "format": "mpeg4",
    }
    return defaults | fields


def mirrored(
    account: ProviderAccount,
    zencoder: FakeZencoder,
    *outputs: dict[str, Any],
    input_ms: int | None = MINUTE,
    **fields: Any,
) -> Job:
    source = {**INPUT, "duration_in_ms": input_ms}
    parts = {"input_media_file": source, "output_media_files": list(outputs), **fields}
    zencoder.add(7, **parts)
    report = sync_account(account.pk)
    assert report is not None
    assert report.ok
    return newest(account, "7")


@pytest.mark.parametrize(
    ("fields", "input_ms", "reason"),
    [
        # a playlist is as long as what it plays
        (
            {"url": PLAYLIST, "type": "segmented", "duration_in_ms": 367_000},
            1_920_000,
            "is 6:07 long, but its input is 32:00",
        ),
        ({"duration_in_ms": 367_000}, 1_920_000, "is 6:07 long, but its input is 32:00"),
        ({"duration_in_ms": 3_000, "url": PLAYLIST}, 6_000, "is 0:03 long"),
        ({"duration_in_ms": 61_201}, MINUTE, "is 1:01 long, but its input is 1:00"),
        ({"duration_in_ms": 11_000}, 12_000, "is 0:11 long"),
        # an epoch in the place of a duration, and other impossible lengths
        ({"duration_in_ms": 1_478_464_996_000}, None, "is 410684:43:16 long, which is impossible"),
        ({"duration_in_ms": 72 * 3_600_000 + 1}, 72 * 3_600_000, "which is impossible"),
        ({"duration_in_ms": 20 * 3_000 + 1}, 3_000, "which is impossible"),
        # hardly anything in it
        ({"file_size_bytes": 532}, MINUTE, "is 532 B, too small for 1:00 at 1.2 Mbit/s"),
        ({"file_size_bytes": 899_999}, MINUTE, "too small"),
        (
            {
                "video_codec": None,
                "video_bitrate_in_kbps": None,
                "audio_bitrate_in_kbps": 128,
                "file_size_bytes": 40_000,
            },
            MINUTE,
            "too small for 1:00 at 128 kbit/s",
        ),
        ({"file_size_bytes": 0}, MINUTE, "Output web is empty"),
    ],
)
def test_a_figure_that_cannot_be_true_is_suspect(
    account: ProviderAccount,
    zencoder: FakeZencoder,
    fields: dict[str, Any],
    input_ms: int | None,
    reason: str,
) -> None:
    job = mirrored(account, zencoder, media(**fields), input_ms=input_ms)
    assert job.is_suspect
    assert reason in job.suspect_reason


@pytest.mark.parametrize(
    ("fields", "input_ms"),
    [
        ({"duration_in_ms": 61_200}, MINUTE),
        ({"duration_in_ms": 60_900}, 60_000),
        ({"duration_in_ms": 12_999}, 12_000),  # the padding of a codec
        ({"duration_in_ms": 20_000_000, "file_size_bytes": 4_000_000_000}, None),
        ({"duration_in_ms": None, "file_size_bytes": 532}, MINUTE),
        # an audio-only rendition, and one whose bitrate is not known
        (
            {
                "video_codec": None,
                "video_bitrate_in_kbps": None,
                "audio_bitrate_in_kbps": 64,
                "file_size_bytes": 480_000,
            },
            MINUTE,
        ),
        ({"video_bitrate_in_kbps": None, "file_size_bytes": 532}, MINUTE),
        ({"file_size_bytes": None}, MINUTE),
        ({"file_size_bytes": 900_000}, MINUTE),
        # a master playlist: a text of some lines, or nothing reported at all
        ({"type": "playlist", "url": PLAYLIST, "file_size_bytes": 532}, MINUTE),
        (
            {
                "type": "playlist",
                "url": PLAYLIST,
                "file_size_bytes": 0,
                "duration_in_ms": 0,
                "video_bitrate_in_kbps": 0,
            },
            MINUTE,
        ),
        ({"url": PLAYLIST, "file_size_bytes": 532}, MINUTE),
        ({"type": "captions", "duration_in_ms": 3_000, "file_size_bytes": 90}, MINUTE),
    ],
)
def test_what_may_be_true_is_not(
    account: ProviderAccount, zencoder: FakeZencoder, fields: dict[str, Any], input_ms: int | None
) -> None:
    job = mirrored(account, zencoder, media(**fields), input_ms=input_ms)
    assert (job.is_suspect, job.suspect_reason) == (False, "")


@pytest.mark.parametrize(
    "kind", [OutputKind.IMAGE, OutputKind.ARCHIVE, OutputKind.CAPTIONS], ids=str
)
def test_what_has_no_length_of_its_own_is_not_suspected_for_it(
    account: ProviderAccount, kind: OutputKind
) -> None:
    other = RemoteOutput("b", kind, OutputStatus.SUCCEEDED, duration_ms=1, size_bytes=1)
    apply(account, reported(status=JobStatus.SUCCEEDED, outputs=(output("a"), other)))
    assert not newest(account).is_suspect


@pytest.mark.parametrize("outputs", [None, []])
def test_a_success_that_lists_no_output_is_suspect(
    account: ProviderAccount, zencoder: FakeZencoder, outputs: Any
) -> None:
    job = mirrored(account, zencoder, output_media_files=outputs, thumbnails=None)
    assert (job.is_suspect, job.suspect_reason) == (True, "The provider lists no outputs.")


def test_a_list_may_leave_the_outputs_out(account: ProviderAccount) -> None:
    running = reported(outputs=(), lists_outputs=True)
    listed = reported(status=JobStatus.SUCCEEDED, outputs=(), is_partial=True)
    apply(account, running)
    apply(account, listed, at=30)
    assert not newest(account).is_suspect
    apply(account, reported(status=JobStatus.SUCCEEDED, outputs=(), lists_outputs=True), at=60)
    assert newest(account).is_suspect
    apply(account, listed, at=90)
    assert newest(account).is_suspect
    apply(account, reported(status=JobStatus.SUCCEEDED), at=120)
    assert not newest(account).is_suspect


def test_a_file_that_a_success_does_not_list_is_missing(account: ProviderAccount) -> None:
    outputs = (output("a"), output("b", OutputStatus.UNKNOWN, label="720p"))
    apply(account, reported(status=JobStatus.SUCCEEDED, outputs=outputs))
    assert not newest(account).is_suspect
    apply(account, reported(status=JobStatus.SUCCEEDED, outputs=outputs, lists_outputs=True), at=60)
    assert newest(account).suspect_reason == "Output 720p is missing."


@pytest.mark.parametrize(
    ("request_", "fields"),
    [
        ({"extra": {"outputs": [{"label": "web", "clip_length": "5"}]}}, {}),
        ({"extra": {"output": {"start_clip": 55}}}, {}),
        (None, {"test": True}),
    ],
)
def test_a_part_of_the_input_may_be_short_but_not_absurd(
    account: ProviderAccount,
    zencoder: FakeZencoder,
    request_: dict[str, Any] | None,
    fields: dict[str, Any],
) -> None:
    job = mirrored(account, zencoder, media(duration_in_ms=5_000), media(id=72), **fields)
    Job.objects.filter(pk=job.pk).update(request=request_, digests={})
    job = mirrored(account, zencoder, media(duration_in_ms=5_000), media(id=72), **fields)
    assert not job.is_suspect
    job = mirrored(account, zencoder, media(duration_in_ms=10**12), media(id=72), **fields)
    assert job.is_suspect


def test_a_clip_that_the_provider_reports_as_such_may_be_short(account: ProviderAccount) -> None:
    short = (output("a", duration_ms=5_000), output("b"))
    clip = reported(status=JobStatus.SUCCEEDED, outputs=short, is_clip=True)
    apply(account, clip)
    assert not newest(account).is_suspect
    # a payload that does not say so takes nothing back
    apply(account, reported(status=JobStatus.SUCCEEDED, outputs=short, name="b.mov"), at=60)
    assert not newest(account).is_suspect


def test_many_faults_are_counted_and_the_first_are_named(account: ProviderAccount) -> None:
    outputs = tuple(output(str(number), size_bytes=0) for number in range(5))
    apply(account, reported(status=JobStatus.SUCCEEDED, outputs=outputs))
    assert newest(account).suspect_reason == (
        "Output 0 is empty. Output 1 is empty. Output 2 is empty. And 2 more."
    )


def test_a_job_that_has_not_succeeded_is_not_suspect(account: ProviderAccount) -> None:
    for at, status in enumerate((JobStatus.RUNNING, JobStatus.FAILED)):
        empty = (output("a", size_bytes=0), output("b"))
        answer = reported(status=status, outputs=empty, input=RemoteInput(duration_ms=MINUTE))
        apply(account, answer, at=60 * at)
        assert newest(account).suspect_reason == ""
    assert newest(account).ended_at == after(240)
