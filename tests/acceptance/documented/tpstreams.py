"""TPStreams, as documented: pages that name the next one, statuses in any case, credentials
in every `output_path`, other keys in the list than in the details."""

import re
from datetime import UTC, datetime
from typing import Any

from tests.acceptance.documented.server import NOT_FOUND, Answer, Documented, Request

SECRET = "s3cr3t"
TOKEN = f"{SECRET}0a1b2c3d4e5f60718293a4b5c6d7e8f"
JOBS_PATH = "/api/v1/6dkmpn/transcoding_jobs/"
PER_PAGE = 3
STORE = f"?access_key=AK{SECRET}&secret_key={SECRET}/K+9z=&region=eu-central-1"
PRESIGNED = (
    "https://s3.eu-central-1.example.com/ingest/private/9d1f4c.mp4"
    "?response-content-disposition=attachment%3B+filename%3DField+Trip+%23+4.mp4"
    "&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA0000000000000002%2F20260504"
    "%2Feu-central-1%2Fs3%2Faws4_request&X-Amz-Date=20260504T062222Z&X-Amz-Expires=3600"
    f"&X-Amz-SignedHeaders=host&X-Amz-Signature={SECRET}9f"
)


def job(remote_id: str, status: str, **reported: Any) -> dict[str, Any]:
    return {
        "id": remote_id,
        "resolutions": ["240p", "480p"],
        "video_duration": None,
        "status": status,
        "input_url": f"https://media.example.com/in/{remote_id}.mp4",
        "output_path": f"s3://wasabi.example.com/out/{remote_id}/{STORE}",
        "start_time": None,
        "end_time": None,
        "type": "transcoding_job",
        "error_message": None,
        **reported,
    }


TRANSCODING = job(
    "BQq1xcuzupQ", "Transcoding", input_url=PRESIGNED, start_time="2026-05-04T12:50:29.668814+05:30"
)
ERROR = job(
    "8sb6CfXy6bY",
    "Error",
    video_duration="00:01:43",
    start_time="2026-05-04T16:01:42.881334+05:30",
    error_message="The specified input URL does not exist or cannot be accessed",
)
COMPLETED = job(
    "5KQfnXCg8Qh",
    "completed",
    video_duration=120,
    start_time="2026-05-04T23:20:06.034924+12:00",
    end_time="2026-05-04T23:40:06.034924+12:00",
)
QUEUED = job("UBzx3BF6Rpg", "queued")
ODD = job("9hJk2LmNoPq", "Awaiting Approval")
# begins after the first pass; only the details carry what the customer gave along
LATER = job("ZZzx3BF6Rp9", "Queued", video_duration="1 02:03:04")
METADATA = {"desk": "news", "password": f"{SECRET}-of-the-customer"}
JOBS = [TRANSCODING, ERROR, COMPLETED, QUEUED, ODD]


def answer(request: Request, is_later: bool) -> Answer:
    if request.headers.get("authorization") != f"Token {TOKEN}":
        return 401, {"detail": "Invalid token."}
    jobs = [LATER, *JOBS] if is_later else JOBS
    if request.path == JOBS_PATH:
        page = int(request.query.get("page", 1))
        end = page * PER_PAGE
        following = f"{request.origin}{JOBS_PATH}?ordering=-created&page={page + 1}"
        return 200, {
            "count": len(jobs),
            "next": following if end < len(jobs) else None,
            "previous": None,
            "results": jobs[end - PER_PAGE : end],
        }
    found = re.fullmatch(rf"{JOBS_PATH}(\w+)/", request.path)
    for item in jobs:
        if found and item["id"] == found[1]:
            return 200, {**item, "client_metadata": METADATA}
    return NOT_FOUND


STARTED = datetime(2026, 5, 4, 11, 20, 6, 34924, tzinfo=UTC)
SHOWN_STORE = "?access_key=REDACTED&secret_key=REDACTED&region=eu-central-1"

DOCUMENTED = Documented(
    slug="tpstreams",
    base_path="/api/v1",
    credentials={"token": TOKEN},
    options={"organization_id": "6dkmpn"},
    answer=answer,
    total=len(JOBS),
    later=1,
    list_path=JOBS_PATH,
    secret=SECRET,
    jobs={
        "BQq1xcuzupQ": {
            "name": "Field Trip # 4.mp4",
            "status": "running",
            "provider_status": "Transcoding",
            "progress": None,
            "started_at": datetime(2026, 5, 4, 7, 20, 29, 668814, tzinfo=UTC),
            "finished_at": None,
            "input_duration_ms": None,
        },
        "8sb6CfXy6bY": {
            "name": "8sb6CfXy6bY.mp4",
            "status": "failed",
            "provider_status": "Error",
            "error_class": "input.not_found",
            "error_code": "",
            "error_message": "The specified input URL does not exist or cannot be accessed",
            "errors": [
                {
                    "class": "input.not_found",
                    "code": "",
                    "message": "The specified input URL does not exist or cannot be accessed",
                    "origin": "job",
                }
            ],
            "input_duration_ms": 103_000,
            "outputs_failed": 2,
        },
        "5KQfnXCg8Qh": {
            "status": "succeeded",
            "provider_status": "completed",
            "progress": 100.0,
            "input_url": "https://media.example.com/in/5KQfnXCg8Qh.mp4",
            "input_duration_ms": 120_000,
            "started_at": STARTED,
            "finished_at": STARTED.replace(minute=40),
            "error_class": "",
            "outputs_total": 2,
            "outputs_succeeded": 2,
        },
        "UBzx3BF6Rpg": {"status": "queued", "provider_status": "queued"},
        "9hJk2LmNoPq": {"status": "unknown", "provider_status": "Awaiting Approval"},
        "ZZzx3BF6Rp9": {
            "status": "queued",
            "provider_status": "Queued",
            "input_duration_ms": 93_784_000,
            "metadata": {"desk": "news", "password": "REDACTED"},
        },
    },
    outputs={
        ("5KQfnXCg8Qh", "240p"): {
            "position": 0,
            "kind": "video",
            "label": "240p",
            "height": 240,
            "status": "succeeded",
            "provider_status": "completed",
            "progress": 100.0,
            "url": f"s3://wasabi.example.com/out/5KQfnXCg8Qh/{SHOWN_STORE}",
        },
        ("5KQfnXCg8Qh", "480p"): {"position": 1, "label": "480p", "height": 480},
        ("BQq1xcuzupQ", "480p"): {"status": "running", "provider_status": "Transcoding"},
        ("8sb6CfXy6bY", "240p"): {"status": "failed", "provider_status": "Error"},
    },
    presets={},
    not_reported={
        "phase": "no progress is reported",
        "created_at": "a job has no time of creation",
        "input_size_bytes": "only the length of the source is reported",
        "input_width": "as above",
        "input_height": "as above",
        "input_frame_rate": "as above",
        "input_bitrate_kbps": "as above",
        "input_video_codec": "as above",
        "input_audio_codec": "as above",
        "error_code": "there are no codes",
        "is_test": "there is no test mode",
        "priority": "there is none",
        "console_url": "none is documented",
    },
    outputs_not_reported=dict.fromkeys(
        (
            *("preset", "format", "width", "frame_rate", "video_codec", "audio_codec"),
            *("video_bitrate_kbps", "audio_bitrate_kbps", "duration_ms", "size_bytes"),
            *("expires_at", "error_class", "error_code", "error_message"),
            "secret_url",  # no browser opens s3://, so the whole one is not kept
        ),
        "of a rendition its height is reported, and where all of them go",
    ),
)
