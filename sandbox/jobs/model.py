"""The core model that every provider's API is translated to and from.

Times are seconds since the epoch, None until they happened. Facts of a file are None until
the file was inspected. The states are the richest set that any of the providers has.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class JobState(StrEnum):
    PENDING = "pending"  # taken, not yet in the queue
    WAITING = "waiting"
    PROCESSING = "processing"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"


class MediaState(StrEnum):
    WAITING = "waiting"
    QUEUED = "queued"
    ASSIGNING = "assigning"
    READY = "ready"  # the input is there, the encoder is not
    PROCESSING = "processing"
    UPLOADING = "uploading"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"
    NO_INPUT = "no_input"
    SKIPPED = "skipped"


ACTIVE_JOB = (JobState.PENDING, JobState.WAITING, JobState.PROCESSING)
TERMINAL_JOB = (JobState.FINISHED, JobState.FAILED, JobState.CANCELLED)
TERMINAL_MEDIA = (
    MediaState.FINISHED,
    MediaState.FAILED,
    MediaState.CANCELLED,
    MediaState.NO_INPUT,
    MediaState.SKIPPED,
)


class Event(StrEnum):
    DOWNLOADING = "Downloading"
    INSPECTING = "Inspecting"
    TRANSCODING = "Transcoding"
    UPLOADING = "Uploading"


class Mode(StrEnum):
    ENCODE = "encode"  # FFmpeg does the work
    CLOCK = "clock"  # time alone moves the job


class Origin(StrEnum):
    API = "api"
    HISTORY = "history"
    TRICKLE = "trickle"


class ProblemKind(StrEnum):
    """What really went wrong; each provider has its own name for it."""

    INPUT_NOT_FOUND = "input_not_found"
    INPUT_DENIED = "input_denied"
    INPUT_TIMEOUT = "input_timeout"
    INPUT_MOVED = "input_moved"
    INPUT_UNREACHABLE = "input_unreachable"
    INPUT_BUCKET_NOT_FOUND = "input_bucket_not_found"
    INPUT_IS_A_DOCUMENT = "input_is_a_document"
    INPUT_HAS_NO_MEDIA = "input_has_no_media"
    INPUT_UNREADABLE = "input_unreadable"
    INPUT_TRUNCATED = "input_truncated"
    ENCODE_FAILED = "encode_failed"
    THUMBNAILS_FAILED = "thumbnails_failed"
    NO_SOURCES = "no_sources"
    OUTPUT_DENIED = "output_denied"
    OUTPUT_BUCKET_NOT_FOUND = "output_bucket_not_found"
    OUTPUT_UNREACHABLE = "output_unreachable"
    UNEXPECTED = "unexpected"


@dataclass
class Problem:
    """`kind` is a ProblemKind, or (in seeded history) the provider's own value."""

    kind: str
    message: str | None = None


@dataclass
class MediaInfo:
    """Facts of one file, as FFmpeg reads them; the picture as it is shown, rotation applied.

    `pixel_aspect` is the width of a pixel in its heights. `video_ms` ends the picture where the
    sound continues.
    """

    format: str | None = None
    duration_ms: int | None = None
    frame_rate: float | None = None
    width: int | None = None
    height: int | None = None
    video_codec: str | None = None
    audio_codec: str | None = None
    audio_sample_rate: int | None = None
    channels: int | None = None
    audio_bitrate_kbps: int | None = None
    video_bitrate_kbps: int | None = None
    total_bitrate_kbps: int | None = None
    size_bytes: int | None = None
    md5: str | None = None
    rfc6381_video: str | None = None
    rfc6381_audio: str | None = None
    pixel_aspect: float | None = None
    is_hdr: bool = False
    video_ms: int | None = None


@dataclass
class ImageSet:
    """Thumbnails to make: by `number`, every `interval_s`, or at `times`. `short_side` is the
    smaller of width and height, whichever that is."""

    label: str | None = None
    number: int | None = None
    interval_s: float | None = None
    times: list[float] = field(default_factory=list)
    format: str = "png"
    width: int | None = None
    height: int | None = None
    prefix: str = "frame"
    at_start: bool = False
    short_side: int | None = None
    blur: bool = False


@dataclass
class OutputSpec:
    """What one output is to be. `kind`: file, hls (one rendition), playlist or copy.
    `short_side` is the smaller of width and height, whichever that is."""

    kind: str = "file"
    container: str = "mp4"
    width: int | None = None
    height: int | None = None
    short_side: int | None = None
    upscale: bool = False
    video: bool = True
    audio: bool = True
    video_codec: str | None = None
    video_bitrate_kbps: int | None = None
    audio_bitrate_kbps: int | None = None
    frame_rate: float | None = None
    max_frame_rate: float | None = None
    quality: int = 3
    start_s: float = 0
    clip_s: float | None = None
    segment_s: float = 4
    streams: list[dict[str, Any]] = field(default_factory=list)
    image_sets: list[ImageSet] = field(default_factory=list)
    skip: dict[str, float] = field(default_factory=dict)
    md5: bool = False


@dataclass
class Image:
    id: int
    label: str | None
    path: str  # below the media root
    format: str
    width: int
    height: int
    size_bytes: int
    created_at: float


@dataclass
class Media:
    """An input or an output. `path` is set where the sandbox itself serves the file."""

    id: int = 0
    state: str = MediaState.WAITING
    url: str | None = None
    path: str | None = None
    label: str | None = None
    spec: OutputSpec = field(default_factory=OutputSpec)
    info: MediaInfo = field(default_factory=MediaInfo)
    problem: Problem | None = None
    event: str | None = None
    event_progress: float | None = None
    progress: float | None = None
    images: list[Image] = field(default_factory=list)
    notifications: list[dict[str, Any]] = field(default_factory=list)
    created_at: float = 0
    updated_at: float = 0
    finished_at: float | None = None

    @property
    def is_terminal(self) -> bool:
        return self.state in TERMINAL_MEDIA

    def end(self, state: MediaState, now: float, problem: Problem | None = None) -> None:
        self.state, self.problem = state, problem
        self.event = self.event_progress = self.progress = None
        self.updated_at = self.finished_at = now


@dataclass
class Script:
    """How a clock-moved job passes: seconds spent in each phase, and what goes wrong."""

    wait_s: float
    input_s: float
    encode_s: float
    elapsed_s: float = 0
    input_info: MediaInfo = field(default_factory=MediaInfo)
    input_problem: Problem | None = None
    output_problems: dict[str, Problem] = field(default_factory=dict)  # by index
    skipped: list[int] = field(default_factory=list)


@dataclass
class Job:
    """`token` is the unguessable path segment below which the job's files are served;
    `expires_at` ends the signed links to them. `reported_state` overrides the state, for
    states that are not documented. `own` is what only this provider's API knows of a job."""

    provider: str
    account: str
    token: str
    input: Media
    outputs: list[Media]
    id: int = 0
    state: str = JobState.PENDING
    mode: str = Mode.ENCODE
    origin: str = Origin.API
    reported_state: str | None = None
    progress: float | None = None
    metadata: str | None = None
    grouping: str | None = None
    test: bool = False
    private: bool = False
    attempt: int = 1
    created_at: float = 0
    submitted_at: float = 0
    updated_at: float = 0
    finished_at: float | None = None
    expires_at: float = 0
    notifications: list[dict[str, Any]] = field(default_factory=list)
    script: Script | None = None
    own: dict[str, Any] = field(default_factory=dict)

    @property
    def is_active(self) -> bool:
        return self.state in ACTIVE_JOB

    def output_by_id(self, file_id: int) -> Media:
        return next(output for output in self.outputs if output.id == file_id)

    def end(self, state: JobState, now: float) -> None:
        self.state, self.progress = state, None
        self.updated_at = self.finished_at = now

    def fail_input(self, problem: Problem, now: float) -> None:
        """No output can come of it."""
        self.input.end(MediaState.FAILED, now, problem)
        for output in self.outputs:
            output.end(MediaState.NO_INPUT, now)
        self.end(JobState.FAILED, now)

    def cancel(self, now: float) -> None:
        for media in (self.input, *self.outputs):
            if not media.is_terminal:
                media.end(MediaState.CANCELLED, now)
        self.end(JobState.CANCELLED, now)

    def conclude(self, now: float) -> None:
        """End a job whose outputs have all ended: one failed output fails it."""
        failed = any(output.state == MediaState.FAILED for output in self.outputs)
        self.end(JobState.FAILED if failed else JobState.FINISHED, now)

    def restart(self, now: float, expires_at: float) -> None:
        """Start over under the same ids (a resubmission, or a sandbox that was killed)."""
        for media in (self.input, *self.outputs):
            media.state, media.problem, media.info = MediaState.WAITING, None, MediaInfo()
            media.event = media.event_progress = media.progress = media.finished_at = None
            media.images = []
            media.updated_at = now
        self.input.state = MediaState.QUEUED
        self.state, self.progress, self.finished_at, self.reported_state = (
            JobState.PENDING,
            None,
            None,
            None,
        )
        self.updated_at = self.submitted_at = now
        self.expires_at = expires_at
        if self.script:
            self.script.elapsed_s = 0
