"""Video SDK, as it was documented: a bare token, `pageInfo`, absent keys."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt

from tests.acceptance.documented.server import NOT_FOUND, Answer, Documented, Request

SECRET = "s3cr3t"
KEY = f"{SECRET}-api-key-of-the-dashboard"
SIGNING_SECRET = f"{SECRET}-that-signs-the-tokens-of-this-account"
PER_PAGE = 20
FILLERS = 21


def object_id(number: int) -> str:
    return f"69f86a{number:018x}"


def stamp(second: int) -> str:
    moment = datetime(2026, 5, 4, 9, 30, tzinfo=UTC) + timedelta(seconds=second)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.125Z")


def at(second: int) -> datetime:
    return datetime(2026, 5, 4, 9, 30, 0, 125000, tzinfo=UTC) + timedelta(seconds=second)


def job(number: int, status: str, second: int, **reported: Any) -> dict[str, Any]:
    return {
        "status": status,
        "presets": [
            {"resolutions": ["240", "360"], "id": object_id(number + 1), "format": "hls"},
            {"resolutions": ["360"], "id": object_id(number + 2), "format": "mp4"},
        ],
        "webhookUrl": f"https://board.example.org/hooks/videosdk/7/{SECRET}-hook/",
        "createdAt": stamp(second),
        "updatedAt": stamp(second + 1),
        "id": object_id(number),
        **reported,
    }


def file(number: int, kind: str, url: str, size: int, **reported: Any) -> dict[str, Any]:
    return {
        **reported,
        "jobId": object_id(0xA000),
        "filePath": f"files/{url}",
        "size": size,
        "type": kind,
        "createdAt": stamp(12),
        "updatedAt": stamp(12),
        "fileUrl": f"https://cdn.example.net/files/{url}",
        "id": object_id(number),
    }


def meta(width: int, height: int, form: str) -> dict[str, Any]:
    return {"resolution": {"width": width, "height": height}, "format": form, "duration": 18.36}


COMPLETED = job(
    0xA000,
    "completed",
    3600,
    videoId=object_id(0xFF),
    thumbnails=[
        {
            "resolutions": ["360"],
            "formats": ["jpg", "webp"],
            "filters": ["none", "blur"],
            "id": object_id(0xA009),
            "timestamp": "00:00:06",
        }
    ],
    userData={"desk": "news", "api_key": f"{SECRET}-of-the-customer"},
    user={"id": object_id(5), "name": "Rosa Vidal", "email": "rosa@example.org"},
    startedAt=stamp(3602),
    finishedAt=stamp(3620),
    files=[
        file(
            0xB001,
            "video",
            f"videos/pier.mp4?token={SECRET}&expires=1999999999",
            1_618_402,
            meta=meta(360, 640, "mov,mp4,m4a,3gp,3g2,mj2"),
        ),
        file(0xB002, "x-tar", "videos/pier/index.m3u8", 5_204_317, meta=meta(480, 854, "hls")),
        file(0xB003, "image", "images/pier.jpg", 21_870),
        file(0xB004, "image", "images/pier.webp", 13_344),
    ],
)
PROCESSING = job(
    0xA100,
    "processing",
    3000,
    videoUrl=f"https://desk:{SECRET}@ingest.example.com/rushes/Pier%20two.mov",
    startedAt=stamp(3003),
)
QUEUED = job(0xA200, "queued", 2900, videoId=object_id(0xFE))
FAILED = job(
    0xA300, "failed", 2800, videoId=object_id(0xFD), startedAt=stamp(2801), finishedAt=stamp(2802)
)
ODD = job(0xA400, "Paused", 2700, videoId=object_id(0xFC))
JOBS = [COMPLETED, PROCESSING, QUEUED, FAILED, ODD] + [
    job(0xC000 + 16 * number, "completed", 2000 - number, videoId=object_id(number))
    for number in range(FILLERS)
]


def answer(request: Request, is_later: bool) -> Answer:
    try:  # bare: with `Bearer ` before it, it is none
        token = jwt.decode(request.headers["authorization"], SIGNING_SECRET, algorithms=["HS256"])
    except (KeyError, jwt.InvalidTokenError):
        return 401, {"message": "Token is invalid"}
    if token["apikey"] != KEY:
        return 401, {"message": "API key is unknown"}
    if request.path == "/v1/encoder/jobs/":
        page, per_page = int(request.query["page"]), int(request.query["perPage"])
        last = -(-len(JOBS) // per_page)
        return 200, {
            "pageInfo": {"currentPage": page, "perPage": per_page, "lastPage": last},
            "data": JOBS[(page - 1) * per_page : page * per_page],
        }
    found = re.fullmatch(r"/v1/encoder/jobs/([0-9a-f]{24})", request.path)
    return next(((200, item) for item in JOBS if found and item["id"] == found[1]), NOT_FOUND)


DOCUMENTED = Documented(
    slug="videosdk",
    base_path="/v1",
    credentials={"api_key": KEY, "secret": SIGNING_SECRET},
    answer=answer,
    total=len(JOBS),
    later=0,
    list_path="/v1/encoder/jobs/",
    secret=SECRET,
    jobs={
        object_id(0xA000): {
            "name": object_id(0xFF),
            "status": "succeeded",
            "provider_status": "completed",
            "progress": 100.0,
            "input_url": object_id(0xFF),
            "error_class": "",
            "errors": [],
            "metadata": {"desk": "news", "api_key": "REDACTED"},
            "outputs_total": 2,
            "outputs_succeeded": 2,
            "outputs_failed": 0,
            "created_at": at(3600),
            "started_at": at(3602),
            "finished_at": at(3620),
        },
        object_id(0xA100): {
            "name": "Pier two.mov",
            "status": "running",
            "provider_status": "processing",
            "progress": None,
            "input_url": "https://REDACTED@ingest.example.com/rushes/Pier%20two.mov",
            "started_at": at(3003),
            "finished_at": None,
        },
        object_id(0xA200): {"status": "queued", "provider_status": "queued", "started_at": None},
        object_id(0xA300): {
            "status": "failed",
            "error_class": "unknown",
            "errors": [{"class": "unknown", "code": "", "message": "", "origin": "job"}],
            "outputs_failed": 2,
        },
        object_id(0xA400): {"status": "unknown", "provider_status": "Paused"},
    },
    outputs={
        (object_id(0xA000), object_id(0xB001)): {
            "position": 1,
            "kind": "video",
            "label": "360p",
            "preset": "mp4:360",
            "format": "mp4",
            "width": 360,
            "height": 640,
            "duration_ms": 18_360,
            "size_bytes": 1_618_402,
            "url": "https://cdn.example.net/files/videos/pier.mp4?token=REDACTED&expires=1999999999",
            "secret_url": "https://cdn.example.net/files/videos/pier.mp4"
            f"?token={SECRET}&expires=1999999999",
            "expires_at": datetime(2033, 5, 18, 3, 33, 19, tzinfo=UTC),
            "status": "succeeded",
        },
        (object_id(0xA000), object_id(0xB002)): {
            "position": 0,
            "kind": "playlist",
            "label": "480p",
            "preset": "hls:240,360",
            "format": "hls",
            "width": 480,
            "height": 854,
            "duration_ms": 18_360,
            "size_bytes": 5_204_317,
            "url": "https://cdn.example.net/files/videos/pier/index.m3u8",
            "secret_url": None,
        },
        (object_id(0xA000), object_id(0xB003)): {
            "kind": "image",
            "format": "jpg",
            "size_bytes": 21_870,
            "width": None,
        },
        (object_id(0xA000), object_id(0xB004)): {"kind": "image", "format": "webp"},
        (object_id(0xA100), object_id(0xA101)): {
            "kind": "playlist",
            "label": "360p",
            "status": "running",
            "provider_status": "processing",
        },
        (object_id(0xA100), f"{object_id(0xA102)}:360"): {
            "kind": "video",
            "label": "360p",
            "status": "running",
        },
    },
    presets={
        "hls:240,360": {
            "name": "HLS 240p, 360p",
            "kind": "hls",
            "settings": {"format": "hls", "resolutions": ["240", "360"]},
        },
        "mp4:360": {
            "name": "MP4 360p",
            "kind": "mp4",
            "settings": {"format": "mp4", "resolutions": ["360"]},
        },
    },
    not_reported={
        "phase": "none",
        "input_duration_ms": "a source is an id or an url",
        "input_size_bytes": "as above",
        "input_width": "as above",
        "input_height": "as above",
        "input_frame_rate": "as above",
        "input_bitrate_kbps": "as above",
        "input_video_codec": "as above",
        "input_audio_codec": "as above",
        "error_code": "no field for the reason of a failure",
        "error_message": "as above",
        "is_test": "there is no test mode",
        "priority": "there is none",
        "console_url": "none is documented",
    },
    outputs_not_reported={
        "frame_rate": "not in `meta`",
        "video_codec": "not in `meta`",
        "audio_codec": "not in `meta`",
        "video_bitrate_kbps": "not in `meta`",
        "audio_bitrate_kbps": "not in `meta`",
        "error_class": "a file has no error",
        "error_code": "as above",
        "error_message": "as above",
        "progress": "none is reported; a file that is there is done",
    },
)
