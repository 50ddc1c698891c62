"""Core jobs as TPStreams writes them. List, details, creation and webhook differ in their keys,
in the case of the status and in how they write times and lengths."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from sandbox.jobs.model import Job, JobState, MediaState, Problem, ProblemKind
from sandbox.tpstreams import ids

STATUSES = {
    JobState.PENDING: "Queued",
    JobState.WAITING: "Queued",
    JobState.PROCESSING: "Transcoding",
    JobState.FINISHED: "Completed",
    JobState.FAILED: "Error",
    JobState.CANCELLED: "Cancelled",
}
INDIA = timezone(timedelta(hours=5, minutes=30))

# There are no codes: one sentence says what went wrong.
UNREADABLE_SOURCE = "The specified input URL does not exist or cannot be accessed"
SENTENCES = {
    ProblemKind.INPUT_NOT_FOUND: UNREADABLE_SOURCE,
    ProblemKind.INPUT_BUCKET_NOT_FOUND: UNREADABLE_SOURCE,
    ProblemKind.INPUT_MOVED: UNREADABLE_SOURCE,
    ProblemKind.INPUT_DENIED: "Access denied while reading the input",
    ProblemKind.INPUT_TIMEOUT: "The download of the input timed out",
    ProblemKind.INPUT_UNREACHABLE: "The download of the input failed",
    ProblemKind.INPUT_IS_A_DOCUMENT: "The input is not a video file",
    ProblemKind.INPUT_HAS_NO_MEDIA: "The input has no video or audio stream",
    ProblemKind.INPUT_UNREADABLE: "Invalid data found when decoding the input",
    ProblemKind.INPUT_TRUNCATED: "The input is incomplete or damaged",
    ProblemKind.ENCODE_FAILED: "Transcoding failed",
    ProblemKind.NO_SOURCES: "Packaging failed: no rendition was made",
    ProblemKind.OUTPUT_DENIED: "Access denied while writing to the output path",
    ProblemKind.OUTPUT_BUCKET_NOT_FOUND: "The bucket of the output path does not exist",
    ProblemKind.OUTPUT_UNREACHABLE: "The upload to the output path failed",
    ProblemKind.UNEXPECTED: "Internal error",
}


def listed(job: Job) -> dict[str, Any]:
    """In the list: lower case, the DRM flag, no metadata."""
    length = job.input.info.duration_ms
    return {
        **_head(job, None if length is None else _clock(length)),
        "status": status_label(job).lower(),
        "enable_drm": job.own["enable_drm"],
        **_tail(job, UTC),
    }


def details(job: Job) -> dict[str, Any]:
    """Alone: capitalised, the length in seconds, the metadata, no DRM."""
    length = job.input.info.duration_ms
    return {
        **_head(job, None if length is None else round(length / 1000)),
        "status": status_label(job),
        **_tail(job, INDIA),
        "client_metadata": job.own["client_metadata"],
    }


def created(job: Job) -> dict[str, Any]:
    """All keys at once."""
    return {**details(job), **_drm(job)}


def notified(job: Job) -> dict[str, Any]:
    """As created, but in lower case, and with the DRM id in groups."""
    body = {**created(job), "status": status_label(job).lower(), **_tail(job, UTC)}
    if drm := body.get("drm_content_id"):
        body["drm_content_id"] = "-".join((drm[:8], drm[8:12], drm[12:16], drm[16:20], drm[20:]))
    return body


def asset_event(job: Job) -> dict[str, Any]:
    """What the organization's webhooks hear as well: an asset, which is no job."""
    return {
        "id": f"{job.token[:8]}-asset",
        "title": "An asset of the same organization",
        "bytes": None,
        "type": "video",
        "video": {
            "progress": 0,
            "thumbnails": [],
            "status": "Completed",
            "format": "abr",
            "resolutions": resolutions(job),
            "enable_drm": False,
            "tracks": [],
            "inputs": [{"url": "https://media.example.com/asset.mp4"}],
        },
    }


def resolutions(job: Job) -> list[str]:
    return [output.label or "" for output in job.outputs if output.spec.kind == "hls"]


def status_label(job: Job) -> str:
    return job.reported_state or STATUSES[JobState(job.state)]


def timestamp(at: float | None, zone: timezone) -> str | None:
    """Django's form: with the fraction where there is one, and Z for UTC."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, zone).isoformat().replace("+00:00", "Z")


def _clock(length_ms: int) -> str:
    seconds, rest = divmod(length_ms, 1000)
    fraction = f".{rest:03}000" if rest else ""
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{fraction}"


def _head(job: Job, length: str | int | None) -> dict[str, Any]:
    return {
        "id": ids.to_public(job.id),
        "resolutions": resolutions(job),
        "video_duration": length,
        "input_url": job.input.url,
        "output_path": job.outputs[0].url,
    }


def _tail(job: Job, zone: timezone) -> dict[str, Any]:
    """A job that failed has no end time, as captured."""
    has_begun = job.input.state in (MediaState.FINISHED, MediaState.FAILED)
    has_failed = job.state == JobState.FAILED
    return {
        "start_time": timestamp(job.input.finished_at if has_begun else None, zone),
        "end_time": timestamp(None if has_failed else job.finished_at, zone),
        "error_message": _sentence(job) if has_failed else None,
    }


def _drm(job: Job) -> dict[str, Any]:
    content_id = job.own["drm_content_id"]
    drm = {"drm_content_id": content_id} if content_id else {}
    return {"enable_drm": job.own["enable_drm"], **drm}


def _sentence(job: Job) -> str | None:
    """The input's problem before any output's. A kind that is none is seeded: its own message."""
    problems: list[Problem] = [
        media.problem for media in (job.input, *job.outputs) if media.problem
    ]
    if not problems:
        return None
    kind, message = problems[0].kind, problems[0].message
    return SENTENCES[ProblemKind(kind)] if kind in SENTENCES else message
