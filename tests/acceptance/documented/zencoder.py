"""Zencoder, as documented: a bare array of wrapped jobs, progress apart, text errors."""

import re
from datetime import UTC, datetime
from typing import Any

from tests.acceptance.documented.server import NOT_FOUND, Answer, Documented, Request

SECRET = "s3cr3t"
KEY = f"{SECRET}-full-access-key"
PER_PAGE = 50
FILLERS = 55

SIGNED = (
    "https://zencoder-temp-storage.example.com/o/20260504/quay.mp4"
    f"?AWSAccessKeyId=AKIA0000000000000001&Signature={SECRET}%2Bsig%3D&Expires=1999999999"
)


def media(number: int, state: str, **reported: Any) -> dict[str, Any]:
    """An input or an output: every key is there, and null until it is known."""
    return {
        "audio_bitrate_in_kbps": None,
        "audio_codec": None,
        "audio_sample_rate": None,
        "channels": None,
        "created_at": "2026-05-04T10:00:01Z",
        "duration_in_ms": None,
        "error_class": None,
        "error_message": None,
        "file_size_bytes": None,
        "finished_at": None,
        "format": None,
        "frame_rate": None,
        "height": None,
        "id": number,
        "md5_checksum": None,
        "privacy": False,
        "state": state,
        "test": False,
        "total_bitrate_in_kbps": None,
        "updated_at": "2026-05-04T10:00:02Z",
        "url": None,
        "video_bitrate_in_kbps": None,
        "video_codec": None,
        "width": None,
        **reported,
    }


def job(
    number: int, state: str, source: Any, outputs: list[Any], **reported: Any
) -> dict[str, Any]:
    return {
        "job": {
            "created_at": "2026-05-04T10:00:00Z",
            "finished_at": None,
            "id": number,
            "pass_through": None,
            "privacy": False,
            "state": state,
            "submitted_at": "2026-05-04T10:00:00Z",
            "test": False,
            "updated_at": "2026-05-04T10:00:05Z",
            "input_media_file": source,
            "output_media_files": outputs,
            "thumbnails": [],
            "stream": None,
            **reported,
        }
    }


def source(number: int, state: str = "finished", **reported: Any) -> dict[str, Any]:
    return media(number, state, url=f"s3://rushes.example.com/quay-{number}.mov", **reported)


FINISHED = job(
    5656104500,
    "finished",
    media(
        8099001,
        "finished",
        url=f"ftp://desk:{SECRET}@ftp.example.com/in/Quay%20at%20noon.mov",
        audio_bitrate_in_kbps=192,
        audio_codec="aac",
        audio_sample_rate=48000,
        channels="2",
        duration_in_ms=64120,
        file_size_bytes=48318382,
        format="mpeg4",
        frame_rate=29.97,
        height=1080,
        total_bitrate_in_kbps=6028,
        video_bitrate_in_kbps=5836,
        video_codec="h264",
        width=1920,
    ),
    [
        media(
            5656204501,
            "finished",
            label="web-720",
            url=SIGNED,
            audio_bitrate_in_kbps=96,
            audio_codec="aac",
            channels="2",
            duration_in_ms=64128,
            file_size_bytes=14318382,
            finished_at="2026-05-04T10:01:40Z",
            format="mpeg4",
            frame_rate=29.97,
            height=720,
            total_bitrate_in_kbps=1786,
            video_bitrate_in_kbps=1690,
            video_codec="h264",
            width=1280,
            fragment_duration_in_ms=None,
            rfc_6381_audio_codec="mp4a.40.2",
            rfc_6381_video_codec="avc1.4d401f",
        ),
        media(
            5656204502,
            "finished",
            label="master",
            type="playlist",
            url="https://cdn.example.com/quay/master.m3u8",
            duration_in_ms=0,
            file_size_bytes=0,
            height=0,
            width=0,
        ),
    ],
    pass_through="desk=news",
    finished_at="2026-05-04T10:01:42+00:00",
    test=True,
    thumbnails=[
        {
            "created_at": "2026-05-04T10:01:20Z",
            "file_size_bytes": 9120,
            "format": "PNG",
            "group_label": "stills",
            "height": 180,
            "id": 778812,
            "updated_at": "2026-05-04T10:01:20Z",
            "url": "https://cdn.example.com/quay/still_0000.png",
            "width": 320,
        }
    ],
)
PROCESSING = job(
    5656104499,
    "processing",
    source(8099002, duration_in_ms=60000),
    [media(5656204503, "ready", label="a"), media(5656204504, "ready", label="b")],
)
PROGRESS = {
    "state": "processing",
    "progress": 41.5,
    "input": {"id": 8099002, "state": "finished"},
    "outputs": [
        {
            "id": 5656204503,
            "state": "processing",
            "current_event": "Transcoding",
            "current_event_progress": "62.5",
            "progress": "62.5",
        },
        {"id": 5656204504, "state": "waiting"},
    ],
}
WAITING = job(5656104498, "waiting", source(8099003, "pending"), [media(1, "waiting")])
NO_INPUT = job(
    5656104497,
    "failed",
    source(
        8099004,
        "failed",
        error_class="NoMediaError",
        error_message=f"https://u:{SECRET}@host.example.com/a.txt holds no audio or video tracks.",
    ),
    [media(5656204506, "no_input", label="a"), media(5656204507, "no_input", label="b")],
    finished_at="2026-05-04T10:00:09-05:00",
)
NOT_UPLOADED = job(
    5656104496,
    "failed",
    source(8099005),
    [
        media(5656204508, "finished", label="a", url="https://cdn.example.com/a.mp4"),
        media(
            5656204509,
            "failed",
            label="b",
            error_class="UploadAccessDeniedError",
            error_message="The bucket did not let us in.",
        ),
    ],
    finished_at="2026-05-04T10:00:19Z",
)
CANCELLED = job(5656104495, "cancelled", source(8099006), [media(5656204510, "cancelled")])
ODD = job(5656104494, "reviewing", source(8099007), [media(5656204511, "skipped")])

JOBS = [FINISHED, PROCESSING, WAITING, NO_INPUT, NOT_UPLOADED, CANCELLED, ODD] + [
    job(
        5656000000 - number,
        "finished",
        source(8000000 - number),
        [media(5656800000 - number, "finished", url=f"https://cdn.example.com/f{number}.mp4")],
        finished_at="2026-05-03T10:00:09Z",
    )
    for number in range(FILLERS)
]


def answer(request: Request, is_later: bool) -> Answer:
    if request.headers.get("zencoder-api-key") != KEY:
        return 401, {"errors": ["Invalid API key"]}
    path = request.path.removeprefix("/api/v2")
    if path == "/jobs":
        start = (int(request.query.get("page", 1)) - 1) * PER_PAGE
        return 200, JOBS[start : start + PER_PAGE]
    found = re.fullmatch(r"/jobs/(\d+)(/progress)?", path)
    held = {str(item["job"]["id"]): item for item in JOBS}
    if not found or found[1] not in held:
        return NOT_FOUND
    if not found[2]:
        return 200, held[found[1]]
    state = held[found[1]]["job"]["state"]
    return 200, PROGRESS if state == "processing" else {"state": state}


def at(hour: int, minute: int, second: int) -> datetime:
    return datetime(2026, 5, 4, hour, minute, second, tzinfo=UTC)


DOCUMENTED = Documented(
    slug="zencoder",
    base_path="/api/v2",
    credentials={"api_key": KEY},
    answer=answer,
    total=len(JOBS),
    later=0,
    list_path="/api/v2/jobs",
    secret=SECRET,
    jobs={
        "5656104500": {
            "name": "Quay at noon.mov",
            "status": "succeeded",
            "provider_status": "finished",
            "progress": 100.0,
            "phase": "",
            "input_url": "ftp://REDACTED@ftp.example.com/in/Quay%20at%20noon.mov",
            "input_duration_ms": 64120,
            "input_size_bytes": 48318382,
            "input_width": 1920,
            "input_height": 1080,
            "input_frame_rate": 29.97,
            "input_bitrate_kbps": 6028,
            "input_video_codec": "h264",
            "input_audio_codec": "aac",
            "error_class": "",
            "error_code": "",
            "error_message": "",
            "errors": [],
            "metadata": "desk=news",
            "is_test": True,
            "outputs_total": 2,
            "outputs_succeeded": 2,
            "outputs_failed": 0,
            "is_partial": False,
            "created_at": at(10, 0, 0),
            "finished_at": at(10, 1, 42),
        },
        "5656104499": {
            "status": "running",
            "provider_status": "processing",
            "progress": 41.5,
            "phase": "Transcoding",
            "is_test": False,
            "finished_at": None,
            "input_duration_ms": 60000,
        },
        "5656104498": {"status": "queued", "provider_status": "waiting", "progress": None},
        "5656104497": {
            "status": "failed",
            "error_class": "input.no_media",
            "error_code": "NoMediaError",
            "error_message": "https://REDACTED@host.example.com/a.txt holds no audio or video "
            "tracks.",
            "errors": [
                {
                    "class": "input.no_media",
                    "code": "NoMediaError",
                    "message": "https://REDACTED@host.example.com/a.txt holds no audio or video "
                    "tracks.",
                    "origin": "input",
                }
            ],
            "outputs_failed": 2,
            "is_partial": False,
            "finished_at": at(15, 0, 9),
        },
        "5656104496": {
            "status": "failed",
            "error_class": "output.access_denied",
            "error_code": "UploadAccessDeniedError",
            "outputs_succeeded": 1,
            "outputs_failed": 1,
            "is_partial": True,
        },
        "5656104495": {"status": "cancelled", "provider_status": "cancelled", "error_class": ""},
        "5656104494": {"status": "unknown", "provider_status": "reviewing", "error_class": ""},
    },
    outputs={
        ("5656104500", "5656204501"): {
            "position": 0,
            "kind": "video",
            "label": "web-720",
            "format": "mpeg4",
            "width": 1280,
            "height": 720,
            "frame_rate": 29.97,
            "video_codec": "h264",
            "audio_codec": "aac",
            "video_bitrate_kbps": 1690,
            "audio_bitrate_kbps": 96,
            "duration_ms": 64128,
            "size_bytes": 14318382,
            "url": "https://zencoder-temp-storage.example.com/o/20260504/quay.mp4"
            "?AWSAccessKeyId=REDACTED&Signature=REDACTED&Expires=1999999999",
            "secret_url": SIGNED,
            "expires_at": datetime(2033, 5, 18, 3, 33, 19, tzinfo=UTC),
            "status": "succeeded",
            "provider_status": "finished",
            "progress": 100.0,
            "error_class": "",
        },
        ("5656104500", "5656204502"): {
            "position": 1,
            "kind": "playlist",
            "label": "master",
            "url": "https://cdn.example.com/quay/master.m3u8",
            "secret_url": None,
            "width": None,
            "duration_ms": None,
            "size_bytes": None,
            "expires_at": None,
        },
        ("5656104500", "thumbnail:778812"): {
            "kind": "image",
            "label": "stills",
            "format": "png",
            "width": 320,
            "height": 180,
            "size_bytes": 9120,
            "url": "https://cdn.example.com/quay/still_0000.png",
        },
        ("5656104499", "5656204503"): {
            "status": "running",
            "provider_status": "processing",
            "progress": 62.5,
        },
        ("5656104499", "5656204504"): {"status": "queued", "provider_status": "ready"},
        ("5656104497", "5656204506"): {"status": "failed", "provider_status": "no_input"},
        ("5656104496", "5656204509"): {
            "status": "failed",
            "error_class": "output.access_denied",
            "error_code": "UploadAccessDeniedError",
            "error_message": "The bucket did not let us in.",
        },
        ("5656104494", "5656204511"): {"status": "skipped", "provider_status": "skipped"},
    },
    presets={},
    not_reported={
        "started_at": "a job has no start",
        "priority": "there is none",
        "console_url": "reported for the provider's own host alone",
    },
    outputs_not_reported={"preset": "the settings of an output are part of its job"},
)
