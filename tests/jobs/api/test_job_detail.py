"""One job in detail: the shape that scripts rely on, and what it costs."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from jobs.models import ProviderAccount
from tests.factories import make_user
from tests.jobs.api.conftest import SHARED, ApiClient
from tests.jobs.factories import (
    NOON,
    make_body,
    make_event,
    make_job,
    make_output,
    make_preset,
)

pytestmark = pytest.mark.django_db


def test_a_job_in_detail(reader: ApiClient, account: ProviderAccount) -> None:
    maker = make_user("maker@north.example")
    first = make_job(account, attempt=1, is_newest=False, remote_id="9007199254740993")
    job = make_job(
        account,
        remote_id="9007199254740993",
        attempt=2,
        retry_of=first,
        batch="spring",
        submitted_by=maker,
        input_duration_ms=61_240,
        input_size_bytes=5_000_000_000,
        input_width=1920,
        input_height=1080,
        input_video_codec="prores",
        input_audio_codec="pcm",
        input_frame_rate=25.0,
        input_fetched_percent=42.5,
        metadata={"order": [7, {"deep": None}]},
        is_partial=True,
        is_suspect=True,
        suspect_reason="Output a is empty.",
        console_url="https://app.zencoder.com/jobs/9007199254740993",
    )
    retry = make_job(account, retry_of=job)
    answer = reader.get(f"/jobs/{job.pk}")
    assert answer.status == 200
    body = answer.body
    assert body.keys() == SHARED | {
        *("presets", "error_group", "errors", "events", "actions", "request"),
        *("waiting_retry", "made_by_rule"),
    }
    assert {name: body[name] for name in SHARED - {"outputs", "name"}} == {
        "id": str(job.pk),
        "organization": "north",
        "account": {"id": str(account.pk), "name": "main", "provider": "zencoder"},
        "remote_id": "9007199254740993",
        "attempt": 2,
        "batch": {"id": str(job.batch_id), "name": "spring"},
        "status": "succeeded",
        "provider_status": "finished",
        "partial": True,
        "suspect": True,
        "suspect_reason": "Output a is empty.",
        "unresolved": False,
        "stuck": False,
        "stuck_reason": None,
        "waiting_reason": None,
        "gone_at": None,
        "progress": 100.0,
        "phase": None,
        "input": {
            "url": job.input_url,
            "duration_ms": 61_240,
            "size_bytes": 5_000_000_000,
            "width": 1920,
            "height": 1080,
            "video_codec": "prores",
            "audio_codec": "pcm",
            "frame_rate": 25.0,
            "bitrate_kbps": None,
            "fetched_percent": 42.5,
        },
        "test": False,
        "priority": None,
        "template": None,
        "error": None,
        "created_at": "2026-03-14T12:00:00.000Z",
        "started_at": "2026-03-14T12:00:20.000Z",
        "finished_at": "2026-03-14T12:05:00.000Z",
        "ended_at": "2026-03-14T12:05:00.000Z",
        "ended_at_source": "provider",
        "sort_at": "2026-03-14T12:00:00.000Z",
        "first_seen_at": "2026-03-14T12:00:00.000Z",
        "synced_at": "2026-03-14T12:00:00.000Z",
        "changed_at": "2026-03-14T12:00:00.000Z",
        "html_url": f"http://127.0.0.1:8000/o/north/jobs/{job.pk}/",
        "submitted_by": "maker@north.example",
        "assignee": None,
        "retry_of": str(first.pk),
        "retries": [str(retry.pk)],
        "metadata": {"order": [7, {"deep": None}]},
        "console_url": "https://app.zencoder.com/jobs/9007199254740993",
        "actions": {
            "cancel": {"allowed": False, "reason": "It has already ended: it is succeeded."},
            "resubmit": {
                "allowed": False,
                "reason": "Zencoder retries only jobs that are cancelled or failed.",
            },
        },
    }


def test_outputs_in_the_providers_order(reader: ApiClient, account: ProviderAccount) -> None:
    job = make_job(account)
    preset = make_preset(account, name="web 720", settings={"height": 720, "crf": 21})
    second = make_output(
        job,
        position=1,
        remote_id="b",
        kind="playlist",
        status="failed",
        provider_status="failed",
        url="",
        error_class="output.access_denied",
        error_code="403",
        error_message="Access denied to the bucket.",
        progress=40.5,
    )
    first = make_output(job, position=0, remote_id="a", label="web", preset=preset)
    body = reader.get(f"/jobs/{job.pk}").body
    assert body["outputs"] == [
        {
            "id": str(first.pk),
            "remote_id": "a",
            "kind": "video",
            "label": "web",
            "format": "mp4",
            "width": 1280,
            "height": 720,
            "duration_ms": 61_240,
            "size_bytes": 19_350_611,
            "frame_rate": 25.0,
            "video_codec": "h264",
            "audio_codec": "aac",
            "video_bitrate_kbps": 2400,
            "audio_bitrate_kbps": 128,
            "url": first.url,
            "open_url": f"http://127.0.0.1:8000/o/north/jobs/{job.pk}/outputs/{first.pk}/open/",
            "expires_at": None,
            "status": "succeeded",
            "provider_status": "finished",
            "progress": None,
            "error": None,
        },
        {
            **body["outputs"][1],
            "id": str(second.pk),
            "kind": "playlist",
            "url": None,
            "open_url": None,
            "status": "failed",
            "progress": 40.5,
            "error": {
                "class": "output.access_denied",
                "code": "403",
                "message": "Access denied to the bucket.",
                "hint": body["outputs"][1]["error"]["hint"],
                "transient": False,
            },
        },
    ]
    assert body["presets"] == [
        {
            "id": str(preset.pk),
            "remote_id": preset.remote_id,
            "name": "web 720",
            "kind": "video",
            "settings": {"height": 720, "crf": 21},
        }
    ]


def test_open_url_needs_an_address_that_a_browser_opens_or_that_can_be_renewed(
    reader: ApiClient, account: ProviderAccount
) -> None:
    job = make_job(account)
    now = timezone.now()
    make_output(job, url="s3://bucket/key.mp4")
    make_output(job, expires_at=now - timedelta(seconds=1))
    make_output(job, expires_at=now + timedelta(minutes=5))
    outputs = reader.get(f"/jobs/{job.pk}").body["outputs"]
    assert [output["open_url"] is not None for output in outputs] == [False, True, True]


def test_the_whole_address_of_an_output_is_not_told(
    reader: ApiClient, account: ProviderAccount
) -> None:
    job = make_job(account)
    make_output(
        job,
        url="https://cdn.example.com/a.mp4?Signature=[redacted]",
        secret_url="https://cdn.example.com/a.mp4?Signature=canary-of-the-output",
    )
    assert "canary" not in str(reader.get(f"/jobs/{job.pk}").body)


def test_errors_and_events_of_a_failed_job(reader: ApiClient, account: ProviderAccount) -> None:
    person = make_user("night@north.example")
    job = make_job(
        account,
        status="failed",
        errors=[
            {"class": "input.timeout", "code": "Slow", "message": "Too slow.", "origin": "input"},
            {"class": "output.failed", "code": "", "message": "", "origin": "output:5"},
        ],
        error_class="input.timeout",
        error_code="Slow",
        error_message="Too slow.",
    )
    make_event(job, from_status="queued", to_status="running", at=NOON)
    make_event(job, source="action", message="Cancel requested", actor=person)
    body = reader.get(f"/jobs/{job.pk}").body
    assert body["error"] == {
        "class": "input.timeout",
        "code": "Slow",
        "message": "Too slow.",
        "hint": body["error"]["hint"],
        "transient": True,
    }
    assert [error["origin"] for error in body["errors"]] == ["input", "output:5"]
    assert body["errors"][1]["code"] is None
    assert body["errors"][1]["message"].startswith("The output was encoded but")
    assert body["events"] == [
        {
            "at": "2026-03-14T12:00:00.000Z",
            "source": "poll",
            "from": "queued",
            "to": "running",
            "message": None,
            "actor": None,
        },
        {
            **body["events"][1],
            "source": "action",
            "from": None,
            "message": "Cancel requested",
            "actor": "night@north.example",
        },
    ]


@pytest.mark.parametrize(
    "status",
    ["submitting", "queued", "running", "succeeded", "failed", "cancelled", "unknown"],
)
def test_error_is_there_on_failed_jobs_and_on_no_others(
    reader: ApiClient, account: ProviderAccount, status: str
) -> None:
    job = make_job(account, status=status, error_class="", error_message="")
    error = reader.get(f"/jobs/{job.pk}").body["error"]
    if status == "failed":
        assert error["class"] == "unknown"
        assert error["message"]
    else:
        assert error is None


def test_what_nobody_told_is_null(reader: ApiClient, account: ProviderAccount) -> None:
    job = make_job(
        account,
        status="submitting",
        remote_id=None,
        name="",
        provider_status="",
        created_at=None,
        input_url="",
    )
    body = reader.get(f"/jobs/{job.pk}").body
    unknown = (
        "remote_id", "name", "provider_status", "batch", "phase", "created_at", "started_at",
        "progress", "console_url", "submitted_by", "retry_of", "metadata",
    )  # fmt: skip
    for name in unknown:
        assert body[name] is None, name
    assert set(body["input"].values()) == {None}


def test_times_are_utc_to_the_millisecond(reader: ApiClient, account: ProviderAccount) -> None:
    at = NOON + timedelta(microseconds=123_456)
    job = make_job(account, changed_at=at)
    assert reader.get(f"/jobs/{job.pk}").body["changed_at"] == "2026-03-14T12:00:00.123Z"
    # so a script that passes it back misses nothing
    assert reader.get("/jobs?changed_after=2026-03-14T12:00:00.123Z").body["results"]


def test_the_providers_body(reader: ApiClient, account: ProviderAccount) -> None:
    job, bare = make_job(account), make_job(account)
    make_body(job, {"job": {"id": 2**63, "state": "finished"}})
    assert reader.get(f"/jobs/{job.pk}/raw").body == {"job": {"id": 2**63, "state": "finished"}}
    assert reader.get(f"/jobs/{bare.pk}/raw").body["error"]["code"] == "no_body"


def test_a_detail_costs_the_same_however_rich_it_is(
    reader: ApiClient, account: ProviderAccount, django_assert_num_queries: Any
) -> None:
    reader.get("/jobs")
    for size in (1, 9):
        job = make_job(account, submitted_by=make_user())
        for _ in range(size):
            make_output(job, preset=make_preset(account))
            make_event(job, actor=make_user())
            make_job(account, retry_of=job)
        # the token, the job, its retries, outputs and events, and retries of those
        with django_assert_num_queries(7):
            assert len(reader.get(f"/jobs/{job.pk}").body["outputs"]) == size
