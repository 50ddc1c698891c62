"""Core jobs and files as Video SDK writes them. What has not come yet has no key at all."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from sandbox.http.media import MediaLibrary
from sandbox.jobs.model import Image, Job, JobState, Media, MediaInfo, MediaState
from sandbox.videosdk import ids

CDN = "/videosdk/cdn/encoded"
# The path of a file has another id than its URL: neither follows from the other.
PATH_OFFSET = 1_000_000_000
# What ffprobe calls the family of MP4.
MP4_NAMES = "mov,mp4,m4a,3gp,3g2,mj2"
FORMAT_NAMES = {"mpeg4": MP4_NAMES, "webm": "matroska,webm", "mpeg-ts": "mpegts"}

# States that are reported. A deleted job is not, and there is no other way to cancel.
VISIBLE_STATES = (
    JobState.PENDING,
    JobState.WAITING,
    JobState.PROCESSING,
    JobState.FINISHED,
    JobState.FAILED,
)


def created(job: Job) -> dict[str, Any]:
    """The answer to a creation has no times."""
    return {
        "status": status_label(job),
        **_source(job),
        "presets": job.own["presets"],
        **({"webhookUrl": job.own["webhookUrl"]} if job.own["webhookUrl"] else {}),
        **({"thumbnails": job.own["thumbnails"]} if job.own["thumbnails"] else {}),
        "id": job_id(job),
    }


def details(job: Job, media: MediaLibrary) -> dict[str, Any]:
    """In the list and alone. `userData` does not come back, as in every sample."""
    body = created(job)
    begun_at = job.input.finished_at
    times = {
        "createdAt": job.created_at,
        "updatedAt": job.updated_at,
        "startedAt": begun_at,
        "finishedAt": job.finished_at,
    }
    body |= {name: timestamp(at) for name, at in times.items() if at is not None}
    if job.state == JobState.FINISHED:
        body["files"] = list(files_of(job, media))
    return body


def notified(job: Job, media: MediaLibrary) -> dict[str, Any]:
    """Not documented: the job, its status spelled as the dashboard does."""
    body = details(job, media)
    return {**body, "status": body["status"].capitalize()}


def job_id(job: Job) -> str:
    return ids.to_public(job.id, job.created_at)


def status_label(job: Job) -> str:
    """A job is queued until its source has been fetched. Never cancelled: it disappears."""
    if job.reported_state:
        return job.reported_state
    if job.state == JobState.PROCESSING:
        return "processing" if job.input.is_terminal else "queued"
    return {JobState.FINISHED: "completed", JobState.FAILED: "failed"}.get(
        JobState(job.state), "queued"
    )


def files_of(job: Job, media: MediaLibrary) -> Iterator[dict[str, Any]]:
    """MP4s, then the package of each HLS preset as one file, then pictures without
    what they show."""
    made = [output for output in job.outputs if output.state == MediaState.FINISHED]
    for output in made:
        if output.spec.kind == "file":
            url = f"{media.base_url}{CDN}/{job_id(job)}/{_file_id(output)}.mp4"
            path = f"videos/{ids.to_public(output.id + PATH_OFFSET, _at(output))}.mp4"
            yield _file(job, output, "video", url, path, _meta(output.info, MP4_NAMES))
    for output in made:
        if output.spec.kind == "playlist" and output.path:
            url = media.output_url(output.path, job.expires_at)
            path = f"videos/{_file_id(output)}"
            yield _file(job, output, "x-tar", url, path, _meta(_sum_up(job, output), "hls"))
    for image in images_of(job):
        name = f"{ids.to_public(image.id, image.created_at)}.{image.format}"
        url = f"{media.base_url}{CDN}/{job_id(job)}/{name}"
        yield _file(job, image, "image", url, f"images/{name}", None)


def images_of(job: Job) -> list[Image]:
    return [image for output in job.outputs for image in output.images]


def stored(record: dict[str, Any], url: str) -> dict[str, Any]:
    """An uploaded file: of no job."""
    info = MediaInfo(**record["info"])
    meta = _meta(info, FORMAT_NAMES.get(info.format or "", info.format)) if info.format else {}
    return {
        **meta,
        "jobId": None,
        "filePath": f"files/videos/{record['name']}",
        "size": info.size_bytes,
        "type": "video",
        "createdAt": timestamp(record["at"]),
        "updatedAt": timestamp(record["at"]),
        "fileUrl": url,
        "id": record["id"],
    }


def timestamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _source(job: Job) -> dict[str, Any]:
    file_id = job.own.get("videoId")
    return {"videoId": file_id} if file_id else {"videoUrl": job.input.url}


def _file(
    job: Job, media: Media | Image, kind: str, url: str, path: str, meta: dict[str, Any] | None
) -> dict[str, Any]:
    size = media.size_bytes if isinstance(media, Image) else media.info.size_bytes
    if kind == "x-tar" and isinstance(media, Media):
        size = _sum_up(job, media).size_bytes
    return {
        **(meta or {}),
        "jobId": job_id(job),
        "filePath": f"files/{path}",
        "size": size,
        "type": kind,
        "createdAt": timestamp(_at(media)),
        "updatedAt": timestamp(_at(media)),
        "fileUrl": url,
        "id": _file_id(media),
    }


def _meta(info: MediaInfo, form: str | None) -> dict[str, Any]:
    resolution = {"width": info.width, "height": info.height}
    duration = (info.duration_ms or 0) / 1000
    return {"meta": {"resolution": resolution, "format": form, "duration": duration}}


def _sum_up(job: Job, playlist: Media) -> MediaInfo:
    """A package: as large as all of it, its picture that of the largest rendition."""
    sources = {stream["source"] for stream in playlist.spec.streams}
    parts = [output.info for output in job.outputs if output.label in sources]
    largest = max(parts, key=lambda info: info.height or 0)
    size = sum(info.size_bytes or 0 for info in (*parts, playlist.info))
    return MediaInfo(
        width=largest.width,
        height=largest.height,
        duration_ms=largest.duration_ms,
        size_bytes=size,
    )


def _at(media: Media | Image) -> float:
    return media.created_at if isinstance(media, Image) else media.finished_at or media.updated_at


def _file_id(media: Media | Image) -> str:
    return ids.to_public(media.id, _at(media))
