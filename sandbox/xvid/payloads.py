"""Core jobs as Xvid writes them: jobs, files, and the references between them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from sandbox.jobs.model import (
    Image,
    Job,
    JobState,
    Media,
    MediaInfo,
    MediaState,
    Problem,
    ProblemKind,
)
from sandbox.xvid.ids import Kind, Name, write_id
from sandbox.xvid.presets import find_preset

KEPT_S = 7 * 86_400  # how long the provider keeps files

# CANCELED is a guess: what a cancelled job says is not documented.
STATUSES = {
    JobState.PENDING: "QUEUED",
    JobState.WAITING: "QUEUED",
    JobState.PROCESSING: "PROCESSING",
    JobState.FINISHED: "SUCCESS",
    JobState.FAILED: "FAILURE",
    JobState.CANCELLED: "CANCELED",
}
# The codes of jobs are not documented either: these only look like those of the API.
ERROR_CODES: dict[str, str] = {
    kind: f"0x{0x0020001 + number:07x}" for number, kind in enumerate(ProblemKind)
}
ERROR_MESSAGES = {
    ProblemKind.INPUT_NOT_FOUND: "Input file not found",
    ProblemKind.INPUT_DENIED: "Access denied to input file",
    ProblemKind.INPUT_TIMEOUT: "Download of input file timed out",
    ProblemKind.INPUT_IS_A_DOCUMENT: "Input is not a video file",
    ProblemKind.INPUT_HAS_NO_MEDIA: "Input contains no video track",
    ProblemKind.INPUT_UNREADABLE: "Input file is corrupt",
    ProblemKind.INPUT_TRUNCATED: "Input file is truncated",
    ProblemKind.ENCODE_FAILED: "Conversion failed",
    ProblemKind.OUTPUT_DENIED: "Upload failed: access denied",
}
CODECS = {
    "h264": "H.264 / AVC",
    "hevc": "H.265 / HEVC",
    "aac": "MPEG-4 AAC",
    "vp8": "On2 VP8",
    "vorbis": "Vorbis",
}
CONTAINERS = {
    "webm": ("Matroska", "video/webm"),
    "m4a": ("ISO MP4/M4A", "audio/x-m4a"),
}
MP4 = ("ISO MP4/M4A", "video/quicktime, variant=(string)iso")


@dataclass(frozen=True, slots=True)
class Owner:
    """The ids around an account's jobs."""

    account: str
    pipeline_id: str
    user_id: str
    application_id: str


class Writer:
    """`expand` are the references that are written out; `api_url` is where all of them lead."""

    def __init__(self, api_url: str, owner: Owner, expand: frozenset[str]) -> None:
        self._api_url = api_url
        self._owner = owner
        self._expand = expand

    def job(self, job: Job) -> dict[str, Any]:
        own = job.own
        job_id = id_of_job(job)
        problem = _problem_of(job)
        return {
            **self._owners(),
            "user_data": job.metadata,
            "input": {
                "input_name": own.get("input_name") or job.input.url,
                "start_time": None,
                "force_container": None,
                "force_aspect_ratio": None,
                "force_framerate": None,
                "force_interlaced": None,
                "file": self._refer_file(job, job.input)
                if job.input.state == MediaState.FINISHED
                else None,
            },
            "autograph": own.get("autograph"),
            "output_prefix": str(own.get("output_prefix") or "{job_id}/").replace(
                "{job_id}", job_id
            ),
            "outputs": [self._output(job, n, media) for n, media in enumerate(job.outputs)],
            "status": job.reported_state or STATUSES[JobState(job.state)],
            "percentage_completed": 100
            if job.state == JobState.FINISHED
            else round(job.progress or 0),
            "error_msg": _message(problem),
            "error_code": ERROR_CODES.get(problem.kind, problem.kind) if problem else None,
            "finished_at": milliseconds(job.finished_at),
            "version": 1,
            "created_at": milliseconds(job.created_at),
            # Earlier than the creation, and never moved: so the provider's own samples.
            "updated_at": (milliseconds(job.created_at) or 0) - 500 - job.id % 500,
            **self.link("jobs", job_id),
        }

    def file(self, job: Job, media: Media) -> dict[str, Any]:
        """An input or an output that is there."""
        info = media.info
        name = file_name(job, media)
        container, mime_type = CONTAINERS.get(name.rsplit(".", 1)[-1], MP4)
        kind = Kind.INPUT if media is job.input else Kind.OUTPUT
        return {
            **self._file(job, name, Name(kind, media.id), media.finished_at, info.size_bytes),
            "type": "file",
            "subtype": "video" if info.video_codec else "audio",
            "container": container,
            "mime_type": mime_type,
            "md5_checksum": info.md5,
            "duration": info.duration_ms,
            "video_tracks": _video_tracks(info),
            "audio_tracks": _audio_tracks(info),
        }

    def image(self, job: Job, output: Media, index: int) -> dict[str, Any]:
        image = output.images[index]
        name = _image_name(job, output, index, image)
        return {
            **self._file(
                job, name, Name(Kind.IMAGE, output.id, index), image.created_at, image.size_bytes
            ),
            "type": "file",
            "subtype": "image",
            "mime_type": "image/jpeg",
            "video_tracks": [{"width": image.width, "height": image.height}],
        }

    def archive(self, job: Job, output: Media) -> dict[str, Any]:
        size = sum(image.size_bytes for image in output.images)
        name = Name(Kind.ARCHIVE, output.id)
        return {
            **self._file(job, f"{output.label}_thumbnails.zip", name, output.finished_at, size),
            "type": "archive",
            "mime_type": "application/zip",
        }

    def files(self, job: Job) -> Iterator[dict[str, Any]]:
        """All that are there."""
        for media in (job.input, *job.outputs):
            if media.state == MediaState.FINISHED:
                yield self.file(job, media)
                yield from (self.image(job, media, n) for n in range(len(media.images)))
                if media.images:
                    yield self.archive(job, media)

    def preset(self, preset_id: str) -> dict[str, Any] | None:
        preset = find_preset(preset_id, self._owner.account)
        if preset is None:
            return None
        described = preset.describe(self.link("users", self._owner.user_id))
        return {**described, **self.link("presets", preset.id)}

    def pipeline(self) -> dict[str, Any]:
        """With the credentials of its storage unredacted, as the provider returns them: a client
        that shows them is found out."""
        return {
            "name": "Default Pipeline",
            "description": "Default Pipeline",
            "default_object_timeout": None,
            "cancel_timeout": None,
            "input_download_dir": None,
            "output_upload_dir": "s3://AKIASANDBOXPIPELINE0:pipeline-secret@eu-west-1/reels/",
            "ping_urls": {"error": None, "warning": None, "started": None, "finished": None},
            "version": 1,
            **self.link("pipelines", self._owner.pipeline_id),
        }

    def link(self, collection: str, item: str) -> dict[str, str]:
        return {"id": item, "href": f"{self._api_url}/{collection}/{item}"}

    def _owners(self) -> dict[str, Any]:
        return {
            "pipeline": self.pipeline()
            if "pipeline" in self._expand
            else self.link("pipelines", self._owner.pipeline_id),
            "application": self.link("applications", self._owner.application_id),
            "user": self.link("users", self._owner.user_id),
        }

    def _output(self, job: Job, index: int, media: Media) -> dict[str, Any]:
        kept = job.own["outputs"][index]
        is_made = media.state == MediaState.FINISHED
        preset_id = str(kept["preset"])
        has_images = is_made and bool(media.images)
        thumbnails = [
            {
                "thumbnail_names": each.get("thumbnail_names"),
                "thumbnail_preset": each.get("thumbnail_preset"),
                "file": self._refer(
                    "file",
                    "files",
                    file_id(job, Name(Kind.IMAGE, media.id, n)),
                    partial(self.image, job, media, n),
                )
                if is_made and n < len(media.images)
                else None,
            }
            for n, each in enumerate(kept.get("thumbnails") or [])
        ]
        archive_id = file_id(job, Name(Kind.ARCHIVE, media.id))
        return {
            "preset": self._refer(
                "preset", "presets", preset_id, lambda: self.preset(preset_id) or {}
            ),
            "file": self._refer_file(job, media) if is_made else None,
            "output_name": kept.get("output_name"),
            "percentage_completed": 100 if is_made else round(media.progress or 0),
            "thumbnail_zip": {
                "file": self._refer("file", "files", archive_id, lambda: self.archive(job, media))
            }
            if has_images
            else None,
            "thumbnails": thumbnails or None,
            "logos": kept.get("logos"),
            "settings": kept.get("settings"),
        }

    def _refer_file(self, job: Job, media: Media) -> dict[str, Any]:
        kind = Kind.INPUT if media is job.input else Kind.OUTPUT
        name = file_id(job, Name(kind, media.id))
        return self._refer("file", "files", name, lambda: self.file(job, media))

    def _refer(
        self, what: str, collection: str, item: str, write: Callable[[], dict[str, Any]]
    ) -> dict[str, Any]:
        return write() if what in self._expand else self.link(collection, item)

    def _file(
        self, job: Job, name: str, item: Name, finished_at: float | None, size: int | None
    ) -> dict[str, Any]:
        """What all kinds of files have; the facts of media are null until they are set."""
        at = milliseconds(finished_at)
        item_id = file_id(job, item)
        return {
            "storage": "intern",
            "title": name.rsplit(".", 1)[0],
            "name": name,
            "job": self.link("jobs", id_of_job(job)),
            "autograph": False,
            "container": None,
            "md5_checksum": None,
            "size": size,
            "size_on_disk": 8 * size if size is not None else None,
            "duration": None,
            "finished_at": at,
            "expires_at": at + KEPT_S * 1000 if at and item.kind is not Kind.INPUT else None,
            "elements": None,
            "video_tracks": None,
            "audio_tracks": None,
            "subtitle_tracks": None,
            "description": None,
            "user_data": None,
            "uri": f"{self._api_url}/files/downloads/?file_id={item_id}",
            "version": 1,
            "created_at": milliseconds(job.created_at),
            "updated_at": at,
            **self._owners(),
            **self.link("files", item_id),
        }


def id_of_job(job: Job) -> str:
    return write_id(Name(Kind.JOB, job.id), job.created_at)


def file_id(job: Job, name: Name) -> str:
    return write_id(name, job.created_at)


def file_name(job: Job, media: Media) -> str:
    if media is job.input:
        name = str(job.own.get("input_name") or job.input.url)
        return name.split("?")[0].rstrip("/").rsplit("/", 1)[-1]
    return (media.path or "").rsplit("/", 1)[-1]


def milliseconds(at: float | None) -> int | None:
    return None if at is None else round(at * 1000)


def without_nulls(value: Any) -> Any:
    """Keys that are not set are left out unless a caller wants to see them."""
    if isinstance(value, dict):
        return {key: without_nulls(each) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [without_nulls(each) for each in value]
    return value


def _image_name(job: Job, output: Media, index: int, image: Image) -> str:
    asked = job.own["outputs"][job.outputs.index(output)].get("thumbnails") or []
    template = (asked[index].get("thumbnail_names") if index < len(asked) else None) or "thumb"
    return str(template).replace("{resolution}", f"{image.width}x{image.height}") + ".jpg"


def _problem_of(job: Job) -> Problem | None:
    if job.state != JobState.FAILED:
        return None
    return next((media.problem for media in (job.input, *job.outputs) if media.problem), None)


def _message(problem: Problem | None) -> str | None:
    if problem is None:
        return None
    known = {str(kind): text for kind, text in ERROR_MESSAGES.items()}
    return known.get(problem.kind) or problem.message


def _video_tracks(info: MediaInfo) -> list[dict[str, Any]] | None:
    if not info.video_codec:
        return None
    return [
        {
            "video_codec": CODECS.get(info.video_codec, info.video_codec.upper()),
            "video_bitrate": info.video_bitrate_kbps,
            "width": info.width,
            "height": info.height,
            "framerate": info.frame_rate,
            "aspect_ratio": "1:1",
            "video_duration": info.duration_ms,
            "orientation": "rotate-0",
        }
    ]


def _audio_tracks(info: MediaInfo) -> list[dict[str, Any]] | None:
    if not info.audio_codec:
        return None
    return [
        {
            "audio_codec": CODECS.get(info.audio_codec, info.audio_codec.upper()),
            "audio_bitrate": info.audio_bitrate_kbps,
            "audio_width": 16,
            "samplingrate": info.audio_sample_rate,
            "nb_channels": info.channels,
            "audio_duration": info.duration_ms,
        }
    ]
