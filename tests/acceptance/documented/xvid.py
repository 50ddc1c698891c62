"""Xvid MediaHub, as documented: its own grant type, slashes that matter, milliseconds,
references that are expanded or not."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

from tests.acceptance.documented.server import Answer, Documented, Request

SECRET = "s3cr3t"
CLIENT_SECRET = f"{SECRET}+se/cret&of=the%20app"
TOKEN = f"{SECRET}-access-token-of-two-hours"
BEGAN_MS = 1_777_890_000_087
FILLERS = 104


def object_id(number: int) -> str:
    return f"69f8{number:020x}"


def at(offset_ms: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=BEGAN_MS + offset_ms)


def reference(kind: str, number: int) -> dict[str, Any]:
    return {
        "id": object_id(number),
        "href": f"https://api.xvid.example/v1/{kind}/{object_id(number)}",
    }


def preset(number: int, name: str) -> dict[str, Any]:
    return {
        "name": name,
        "description": f"{name} for the web",
        "type": "custom",
        "target_format": {"extension": "mp4", "container": "mp4"},
        "settings": None,
        "user": reference("users", 0x51),
        "version": 1,
        "created_at": BEGAN_MS - 9_000_000,
        "updated_at": BEGAN_MS - 9_000_700,
        **reference("presets", number),
    }


SMALL, LARGE, UNUSED = preset(0xA1, "Small"), preset(0xA2, "Large"), preset(0xA3, "Never used")


def file(number: int, name: str, **reported: Any) -> dict[str, Any]:
    return {
        "storage": "intern",
        "name": name,
        "type": "file",
        "subtype": "video",
        "size": 7_340_032,
        "size_on_disk": 58_720_256,
        "finished_at": BEGAN_MS + 60_000,
        "expires_at": None,
        "uri": f"https://api.xvid.example/v1/files/downloads/?file_id={object_id(number)}",
        **reported,
        **reference("files", number),
    }


def tracks(width: int, height: int, kbps: int) -> dict[str, Any]:
    return {
        "container": "ISO MP4/M4A",
        "mime_type": "video/quicktime, variant=(string)iso",
        "duration": 94_200,
        "video_tracks": [
            {
                "video_codec": "H.264 / AVC",
                "video_bitrate": kbps,
                "width": width,
                "height": height,
                "framerate": 25,
                "video_duration": 94_200,
                "orientation": "rotate-0",
            }
        ],
        "audio_tracks": [
            {"audio_codec": "MPEG-4 AAC", "audio_bitrate": 96, "audio_duration": 94_190}
        ],
    }


def output(file: Any, preset: Any, name: str, **reported: Any) -> dict[str, Any]:
    return {
        "preset": preset,
        "file": file,
        "output_name": name,
        "percentage_completed": 0,
        "thumbnail_zip": None,
        "thumbnails": None,
        "logos": None,
        "settings": None,
        **reported,
    }


def job(number: int, status: str, offset_ms: int, outputs: list[Any], **reported: Any) -> Any:
    return {
        "pipeline": {
            **reference("pipelines", 0x41),
            "output_upload_dir": f"s3://AKIA:{SECRET}@eu-west-1/bucket/",
        },
        "application": reference("applications", 0x42),
        "user_data": None,
        "input": {
            "input_name": f"uploads/{number}/movie.mp4",
            "force_container": None,
            "force_aspect_ratio": None,
            "force_framerate": None,
            "force_interlaced": None,
            "file": reference("files", 0xF0),
        },
        "autograph": None,
        "output_prefix": f"{object_id(number)}/",
        "outputs": outputs,
        "status": status,
        "percentage_completed": 0,
        "error_msg": None,
        "error_code": None,
        "finished_at": None,
        "version": 1,
        "user": {**reference("users", 0x51), "email": "rosa@example.org"},
        "created_at": BEGAN_MS + offset_ms,
        "updated_at": BEGAN_MS + offset_ms - 502,
        **reference("jobs", number),
        **reported,
    }


INPUT_TRACKS: dict[str, Any] = {**tracks(1920, 1080, 8000), "container": "QuickTime"}
SUCCESS = job(
    0xD000,
    "SUCCESS",
    0,
    [
        output(
            file(0xE1, "quay-360.mp4", expires_at=BEGAN_MS + 600_000, **tracks(640, 360, 560)),
            SMALL,
            "quay-360",
            percentage_completed=100,
            thumbnail_zip={"file": file(0xE2, "thumbs.zip", subtype=None, size=40_960)},
            thumbnails=[
                {
                    "thumbnail_names": "quay_{resolution}",
                    "thumbnail_preset": "thumbnails_small",
                    "file": file(0xE3, "quay_160x90.jpg", video_tracks=[{"width": 160}]),
                }
            ],
            logos=[
                {"logo_image": f"https://logos.example.com/a.png?sig={SECRET}", "logo_preset": "br"}
            ],
        ),
        # neither of the two was expanded
        output(
            reference("files", 0xE4),
            reference("presets", 0xA2),
            "quay-720",
            percentage_completed=100,
        ),
    ],
    user_data="episode 12",
    percentage_completed=100,
    finished_at=BEGAN_MS + 67_787,
    input={
        "input_name": f"https://desk:{SECRET}@media.example.com/in/a81.mov",
        "file": file(0xE0, "Quay at noon.mov", **{**INPUT_TRACKS, "size": 104_857_600}),
    },
)
PROCESSING = job(
    0xD001,
    "PROCESSING",
    -1000,
    [output(None, LARGE, "a", percentage_completed=62), output(None, SMALL, "b")],
    percentage_completed=31,
)
QUEUED = job(0xD002, "QUEUED", -2000, [output(None, SMALL, "a"), output(None, LARGE, "b")])
FAILURE = job(
    0xD003,
    "FAILURE",
    -3000,
    [
        output(
            file(0xE5, "half.mp4", **tracks(640, 360, 560)), SMALL, "a", percentage_completed=100
        ),
        output(None, LARGE, "b", percentage_completed=12),
    ],
    error_code="0050001",
    error_msg=f"Invalid Input: https://u:{SECRET}@media.example.com/in/x.mov",
    finished_at=BEGAN_MS,
)
ODD = job(0xD004, "HELD", -4000, [])
JOBS = [SUCCESS, PROCESSING, QUEUED, FAILURE, ODD] + [
    job(
        0xC000 - number,
        "SUCCESS",
        -10_000 - number,
        [output(reference("files", 0x9000 + number), SMALL, "only", percentage_completed=100)],
        finished_at=BEGAN_MS - 5_000,
    )
    for number in range(FILLERS)
]


def answer(request: Request, is_later: bool) -> Answer:
    if request.path == "/v1/oauth2/token/" and request.method == "POST":
        form = {name: values[0] for name, values in parse_qs(request.body).items()}
        good = {
            "grant_type": "client_credential",
            "client_id": "reel-app",
            "client_secret": CLIENT_SECRET,
        }
        if form != good:
            return 400, {"error": {"error_code": "0x0000002", "error_message": "Bad client"}}
        return 200, {"access_token": TOKEN, "expires_in": "7200"}
    if request.headers.get("authorization") != f"Bearer {TOKEN}":
        reported = {"error_code": "0x0000003", "error_message": "Invalid access token"}
        return 403, {"error": reported}
    if request.path == "/v1/presets/":
        presets = [UNUSED, LARGE, SMALL]
        return 200, {"presets": cut(presets, request), "total": len(presets)}
    if request.path == "/v1/jobs/":
        jobs = JOBS
        if request.query.get("inprogress") == "true":
            jobs = [PROCESSING, QUEUED]
        return 200, {"jobs": cut(jobs, request), "total": len(jobs), "start": 0, "limit": 1000}
    found = re.fullmatch(r"/v1/jobs/([0-9a-f]{24})", request.path)
    for item in JOBS:
        if found and item["id"] == found[1]:
            return 200, {"job": item}
    return 404, {"error": {"error_code": "0x0050005", "error_message": "Job does not exist"}}


def cut(items: list[Any], request: Request) -> list[Any]:
    start, limit = int(request.query["start"]), int(request.query["limit"])
    return items[start : start + limit]


DOCUMENTED = Documented(
    slug="xvid",
    base_path="/v1",
    credentials={"client_id": "reel-app", "client_secret": CLIENT_SECRET},
    answer=answer,
    total=len(JOBS),
    later=0,
    list_path="/v1/jobs/",
    secret=SECRET,
    jobs={
        object_id(0xD000): {
            "name": "Quay at noon.mov",
            "status": "succeeded",
            "provider_status": "SUCCESS",
            "progress": 100.0,
            "input_url": "https://REDACTED@media.example.com/in/a81.mov",
            "input_duration_ms": 94_200,
            "input_size_bytes": 104_857_600,
            "input_width": 1920,
            "input_height": 1080,
            "input_frame_rate": 25.0,
            "input_bitrate_kbps": 8096,
            "input_video_codec": "H.264 / AVC",
            "input_audio_codec": "MPEG-4 AAC",
            "error_class": "",
            "errors": [],
            "metadata": "episode 12",
            "outputs_total": 3,  # two videos and the archive of thumbnails
            "outputs_succeeded": 3,
            "created_at": at(0),
            "finished_at": at(67_787),
        },
        object_id(0xD001): {
            "name": "movie.mp4",
            "status": "running",
            "provider_status": "PROCESSING",
            "progress": 31.0,
            "finished_at": None,
        },
        object_id(0xD002): {"status": "queued", "provider_status": "QUEUED", "progress": 0.0},
        object_id(0xD003): {
            "status": "failed",
            "error_class": "settings.invalid",
            "error_code": "0050001",
            "error_message": "Invalid Input: https://REDACTED@media.example.com/in/x.mov",
            "errors": [
                {
                    "class": "settings.invalid",
                    "code": "0050001",
                    "message": "Invalid Input: https://REDACTED@media.example.com/in/x.mov",
                    "origin": "job",
                }
            ],
            "outputs_succeeded": 1,
            "outputs_failed": 1,
            "is_partial": True,
        },
        object_id(0xD004): {"status": "unknown", "provider_status": "HELD"},
    },
    outputs={
        (object_id(0xD000), object_id(0xE1)): {
            "position": 0,
            "kind": "video",
            "label": "quay-360",
            "preset": object_id(0xA1),
            "format": "ISO MP4/M4A",
            "width": 640,
            "height": 360,
            "frame_rate": 25.0,
            "video_codec": "H.264 / AVC",
            "audio_codec": "MPEG-4 AAC",
            "video_bitrate_kbps": 560,
            "audio_bitrate_kbps": 96,
            "duration_ms": 94_200,
            "size_bytes": 7_340_032,
            "url": f"https://api.xvid.example/v1/files/downloads/?file_id={object_id(0xE1)}",
            "expires_at": at(600_000),
            "status": "succeeded",
            "progress": 100.0,
        },
        (object_id(0xD000), object_id(0xE2)): {"kind": "archive", "size_bytes": 40_960},
        (object_id(0xD000), object_id(0xE3)): {"kind": "image", "width": 160},
        (object_id(0xD000), object_id(0xE4)): {
            "position": 3,
            "label": "quay-720",
            "preset": object_id(0xA2),
            "width": None,
        },
        (object_id(0xD001), "0"): {"status": "running", "progress": 62.0},
        (object_id(0xD003), object_id(0xE5)): {"status": "succeeded", "error_class": ""},
        (object_id(0xD003), "1"): {
            "status": "failed",
            "progress": 12.0,
            "error_class": "settings.invalid",
            "error_code": "0050001",
            "error_message": "Invalid Input: https://REDACTED@media.example.com/in/x.mov",
        },
    },
    presets={
        object_id(0xA1): {
            "name": "Small",
            "kind": "custom",
            "settings": {
                "description": "Small for the web",
                "target_format": {"extension": "mp4", "container": "mp4"},
                "settings": None,
            },
        },
        object_id(0xA2): {"name": "Large", "kind": "custom"},
        object_id(0xA3): {"name": "Never used", "kind": "custom"},
    },
    not_reported={
        "phase": "no step is reported",
        "started_at": "there is no start time",
        "is_test": "there is no test mode",
        "priority": "there is none",
        "console_url": "none is documented",
    },
    outputs_not_reported={
        "provider_status": "outputs have no status of their own",
        "secret_url": "the URL of a file carries no secret: it opens with the token",
    },
)
