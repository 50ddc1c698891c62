"""Core jobs as Zencoder writes them: details, lists, progress, notifications."""

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from sandbox.jobs.model import TERMINAL_JOB, Image, Job, JobState, Media, MediaState, ProblemKind

# The provider's URL of a file below the media root, until this time.
Link = Callable[[str, float], str]

ERROR_CLASSES: dict[str, str] = {
    ProblemKind.INPUT_NOT_FOUND: "FileNotFoundError",
    ProblemKind.INPUT_DENIED: "DownloadAccessDeniedError",
    ProblemKind.INPUT_TIMEOUT: "DownloadTimeoutError",
    ProblemKind.INPUT_MOVED: "FilePermanentlyMovedError",
    ProblemKind.INPUT_UNREACHABLE: "DownloadFailureError",
    ProblemKind.INPUT_BUCKET_NOT_FOUND: "S3BucketNotFoundError",
    ProblemKind.INPUT_IS_A_DOCUMENT: "InvalidDownloadedFileTypeError",
    ProblemKind.INPUT_HAS_NO_MEDIA: "NoMediaError",
    ProblemKind.INPUT_UNREADABLE: "UnreadableFileError",
    ProblemKind.INPUT_TRUNCATED: "TruncatedFileError",
    ProblemKind.ENCODE_FAILED: "TranscodingError",
    ProblemKind.THUMBNAILS_FAILED: "ThumbnailError",
    ProblemKind.NO_SOURCES: "SkippedSourceError",
    ProblemKind.OUTPUT_DENIED: "UploadAccessDeniedError",
    ProblemKind.OUTPUT_BUCKET_NOT_FOUND: "S3BucketNotFoundError",
    ProblemKind.OUTPUT_UNREACHABLE: "UploadServerNotFoundError",
    ProblemKind.UNEXPECTED: "UnexpectedResultError",
}
# The progress calls know fewer states than the details.
PROGRESS_LABELS = {MediaState.ASSIGNING: "queued", MediaState.READY: "processing"}


class Writer:
    """Writes for one caller. `sanitised` leaves out URLs and messages, as a read-only key
    gets them."""

    def __init__(self, link: Link, sanitised: bool = False) -> None:
        self._link = link
        self._sanitised = sanitised

    def created(self, job: Job) -> dict[str, Any]:
        outputs = [
            {"id": each.id, "label": each.label, "url": self._media_url(job, each)}
            for each in job.outputs
        ]
        return {"id": job.id, "outputs": outputs, **({"test": True} if job.test else {})}

    def details(self, job: Job) -> dict[str, Any]:
        fields = {
            **self._head(job),
            "finished_at": timestamp(job.finished_at),
            "privacy": job.private,
            "test": job.test,
            "input_media_file": {**self._media(job, job.input), "audio_tracks": None},
            "output_media_files": [self._output(job, each) for each in job.outputs],
            "thumbnails": self._thumbnails(job),
        }
        return {"job": fields}

    def progress(self, job: Job) -> dict[str, Any]:
        return {
            "state": state_label(job),
            **_share(job.progress if job.state == JobState.PROCESSING else None),
            "input": {"id": job.input.id, **media_progress(job.input)},
            "outputs": [{"id": each.id, **media_progress(each)} for each in job.outputs],
        }

    def alone(self, job: Job, media: Media) -> dict[str, Any]:
        """An input or output by itself: flat, and with another name for its size."""
        fields = self._facts(media)
        fields["file_size_in_bytes"] = fields.pop("file_size_bytes")
        fields |= {
            "id": media.id,
            "job_id": job.id,
            "state": media.state,
            "privacy": job.private,
            "url": self._media_url(job, media),
            **self._error(media),
        }
        if media is not job.input:
            fields |= {"label": media.label, "thumbnails": self._grouped(job, media)}
        return fields

    def notification(self, job: Job, output: Media | None) -> dict[str, Any]:
        """About one output, or about the whole job when there is none."""
        source = self.alone(job, job.input)
        for name in ("url", "job_id"):  # notifications leave out the input's URL
            del source[name]
        about: dict[str, Any] = {"job": {**self._head(job), "test": job.test}, "input": source}
        if output is not None:
            return {**about, "output": self._notified(job, output)}
        return {**about, "outputs": [self._notified(job, each) for each in job.outputs]}

    def _notified(self, job: Job, output: Media) -> dict[str, Any]:
        fields = self.alone(job, output)
        del fields["job_id"]
        kinds = {"hls": "segmented", "playlist": "playlist", "copy": "transfer-only"}
        fields["type"] = kinds.get(output.spec.kind, "standard")
        if output.problem:
            fields["error_link"] = f"http://zencoder.com/docs/errors/#{fields['error_class']}"
        return fields

    def _head(self, job: Job) -> dict[str, Any]:
        return {
            "id": job.id,
            "state": state_label(job),
            "created_at": timestamp(job.created_at),
            "submitted_at": timestamp(job.submitted_at),
            "updated_at": timestamp(job.updated_at),
            "pass_through": job.metadata,
        }

    def _output(self, job: Job, output: Media) -> dict[str, Any]:
        return {
            **self._media(job, output),
            "label": output.label,
            "fragment_duration_in_ms": None,
            "rfc_6381_audio_codec": output.info.rfc6381_audio,
            "rfc_6381_video_codec": output.info.rfc6381_video,
        }

    def _media(self, job: Job, media: Media) -> dict[str, Any]:
        return {
            "id": media.id,
            "state": media.state,
            "url": self._media_url(job, media),
            **self._facts(media),
            **self._error(media),
            "privacy": job.private,
            "test": job.test,
            "created_at": timestamp(media.created_at),
            "updated_at": timestamp(media.updated_at),
            "finished_at": timestamp(media.finished_at),
        }

    def _facts(self, media: Media) -> dict[str, Any]:
        info = media.info
        return {
            "format": info.format,
            "duration_in_ms": info.duration_ms,
            "frame_rate": _plain(info.frame_rate),
            "width": info.width,
            "height": info.height,
            "video_codec": info.video_codec,
            "audio_codec": info.audio_codec,
            "audio_sample_rate": info.audio_sample_rate,
            "channels": str(info.channels) if info.channels else None,
            "audio_bitrate_in_kbps": info.audio_bitrate_kbps,
            "video_bitrate_in_kbps": info.video_bitrate_kbps,
            "total_bitrate_in_kbps": info.total_bitrate_kbps,
            "file_size_bytes": info.size_bytes,
            "md5_checksum": info.md5,
        }

    def _error(self, media: Media) -> dict[str, Any]:
        problem = media.problem
        return {
            "error_class": ERROR_CLASSES.get(problem.kind, problem.kind) if problem else None,
            "error_message": problem.message if problem and not self._sanitised else None,
        }

    def _media_url(self, job: Job, media: Media) -> str | None:
        if self._sanitised:
            return None
        if media.url is None and media.path:
            return self._link(media.path, job.expires_at)
        return media.url

    def _thumbnails(self, job: Job) -> list[dict[str, Any]]:
        """Empty until the job has ended."""
        if job.state not in TERMINAL_JOB:
            return []
        return [
            {
                "id": image.id,
                "url": self._image_url(job, image),
                "group_label": image.label,
                "format": image.format.upper(),
                "width": image.width,
                "height": image.height,
                "file_size_bytes": image.size_bytes,
                "created_at": timestamp(image.created_at),
                "updated_at": timestamp(image.created_at),
            }
            for output in job.outputs
            for image in output.images
        ]

    def _grouped(self, job: Job, output: Media) -> list[dict[str, Any]]:
        groups = groupby(output.images, key=lambda image: image.label)
        return [
            {
                "label": label,
                "images": [
                    {
                        "url": self._image_url(job, image),
                        "format": image.format.upper(),
                        "dimensions": f"{image.width}x{image.height}",
                        "file_size_bytes": image.size_bytes,
                    }
                    for image in images
                ],
            }
            for label, images in groups
        ]

    def _image_url(self, job: Job, image: Image) -> str | None:
        return None if self._sanitised else self._link(image.path, job.expires_at)


def media_progress(media: Media) -> dict[str, Any]:
    """What `/inputs/{id}/progress` and `/outputs/{id}/progress` return; what is not known, and
    everything but the state once it has ended, is left out."""
    fields: dict[str, Any] = {"state": PROGRESS_LABELS.get(MediaState(media.state), media.state)}
    fields |= _share(media.progress)
    if media.event:
        fields["current_event"] = media.event
        if media.event_progress is not None:
            fields["current_event_progress"] = media.event_progress
    return fields


def state_label(job: Job) -> str:
    return job.reported_state or job.state


def timestamp(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _share(progress: float | None) -> dict[str, float]:
    return {} if progress is None else {"progress": progress}


def _plain(number: float | None) -> float | int | None:
    """Whole rates are written without a point."""
    return int(number) if number is not None and number == int(number) else number
