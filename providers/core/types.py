"""What adapters return and accept: plain frozen values with units in their names.

`None` (or an empty tuple) always means "not reported", never zero and never "it is gone": the
mirror keeps what it knew before.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from providers.core.status import JobStatus, OutputStatus


class Capability(StrEnum):
    """What a provider can do beyond listing and reading jobs. Pages ask these, never names."""

    SUBMIT = "submit"
    CANCEL = "cancel"
    RESUBMIT = "resubmit"  # natively, under the same remote id
    PROGRESS = "progress"  # reports a percentage
    FIND_BY_KEY = "find_by_key"
    PRESETS = "presets"
    WEBHOOK = "webhook"
    WEBHOOK_SECRET = "webhook_secret"  # noqa: S105 - each delivery carries a shared secret
    JOB_WEBHOOK = "job_webhook"  # a job says where it is to be reported
    CHECK_CREDENTIALS = "check_credentials"
    USAGE = "usage"
    INTEGRATION_MODE = "integration_mode"  # all new jobs of the account become test jobs
    TEST_MODE = "test_mode"
    PRIORITY = "priority"
    THUMBNAILS = "thumbnails"
    OUTPUT_LINKS = "output_links"  # an output opens at a URL that is made on request


class OutputKind(StrEnum):
    VIDEO = "video"
    AUDIO = "audio"
    PLAYLIST = "playlist"
    IMAGE = "image"
    ARCHIVE = "archive"
    CAPTIONS = "captions"


@dataclass(frozen=True, slots=True)
class Field:
    """One credential or option of an account: the form and `add_account` are made from it."""

    name: str
    label: str
    help: str = ""
    secret: bool = False
    required: bool = True


@dataclass(frozen=True, slots=True)
class RemoteError:
    """One fault as the provider reported it.

    `error_class` is from our closed tree (`providers.core.errors.CLASSES`), `code` and `message`
    are the provider's own (redacted; both may be empty), `origin` is `job`, `input` or
    `output:<remote_id>`.
    """

    error_class: str
    code: str = ""
    message: str = ""
    origin: str = "job"


@dataclass(frozen=True, slots=True)
class RemoteInput:
    """`fetched_percent`: how much of it the provider has fetched, while the job runs."""

    url: str | None = None  # redacted
    secret_url: str | None = None  # original; only when redaction took something away
    duration_ms: int | None = None
    size_bytes: int | None = None
    width: int | None = None
    height: int | None = None
    frame_rate: float | None = None
    video_codec: str | None = None
    audio_codec: str | None = None
    bitrate_kbps: int | None = None
    fetched_percent: float | None = None


@dataclass(frozen=True, slots=True)
class RemoteOutput:
    """One file (or package) that a job makes. `remote_id` is unique within its job.

    It is the provider's own id of the file where there is one. Where that comes only with the
    file, `slot` names its place in the job from the beginning, and is the `remote_id` until then.
    """

    remote_id: str
    kind: OutputKind = OutputKind.VIDEO
    status: OutputStatus = OutputStatus.UNKNOWN
    provider_status: str = ""
    label: str | None = None
    preset_id: str | None = None  # remote id of a RemotePreset
    format: str | None = None
    width: int | None = None
    height: int | None = None
    frame_rate: float | None = None
    video_codec: str | None = None
    audio_codec: str | None = None
    video_bitrate_kbps: int | None = None
    audio_bitrate_kbps: int | None = None
    duration_ms: int | None = None
    size_bytes: int | None = None
    url: str | None = None  # redacted
    secret_url: str | None = None  # the one that opens, only when redaction took something away
    expires_at: datetime | None = None
    progress: float | None = None  # 0-100
    error: RemoteError | None = None
    slot: str = ""


@dataclass(frozen=True, slots=True)
class OutputLink:
    """A URL at which a browser opens one output, until it expires."""

    url: str = field(repr=False)
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RemotePreset:
    """A preset of the account. `name` is empty where only its id is reported."""

    remote_id: str
    name: str
    kind: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RemoteJob:
    """One job as the provider reported it in one answer. Times are aware UTC.

    `updated_at` is set only where the provider's value can be trusted to order answers.
    `raw` is the redacted body the values came from. `metadata` is the customer's own value
    with our key taken off (`key`).
    """

    remote_id: str
    status: JobStatus
    provider_status: str = ""
    name: str | None = None
    progress: float | None = None  # 0-100
    phase: str | None = None  # the provider's name of the step, e.g. Transcoding
    created_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    updated_at: datetime | None = None
    input: RemoteInput = field(default_factory=RemoteInput)
    outputs: tuple[RemoteOutput, ...] = ()
    presets: tuple[RemotePreset, ...] = ()
    errors: tuple[RemoteError, ...] = ()
    metadata: Any = None
    key: str | None = None  # our submission key, where the body echoes it
    is_test: bool | None = None
    priority: int | None = None
    console_url: str | None = None
    raw: Any = None
    # from a list or a first answer that leaves keys out: `raw` replaces no fuller one
    is_partial: bool = False
    # whether the payload lists the outputs: without this, no outputs means "not reported"
    lists_outputs: bool = False
    # whether the provider was asked to encode only a part of the input
    is_clip: bool | None = None

    def read(self) -> "RemoteJob":
        """Return the job itself, as a listed one does when it is asked for."""
        return self


@dataclass(frozen=True, slots=True)
class ListedJob:
    """One job of a list, of which the rest is read when it is asked for.

    `payload` is the provider's object as it came, secrets included: to be compared, never kept.
    """

    remote_id: str
    status: JobStatus
    is_partial: bool
    payload: Any = field(repr=False)
    read_once: Callable[[], RemoteJob] = field(repr=False, compare=False)

    def read(self) -> RemoteJob:
        return self.read_once()


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a provider's list.

    `cursor` resumes after it, in 500 characters at the most; None when it was the last. `total` is
    how many jobs the whole list had when this page was read, where the provider reports it.
    """

    listed: tuple[ListedJob | RemoteJob, ...]
    cursor: str | None = None
    total: int | None = None

    @property
    def jobs(self) -> tuple[RemoteJob, ...]:
        """All jobs of the page, read."""
        return tuple(listed.read() for listed in self.listed)


@dataclass(frozen=True, slots=True)
class Bucket:
    """A place in an S3-compatible bucket; `key` is a file, a folder or the beginning of keys.

    Without an `endpoint`, which has no path, the bucket is at AWS.
    """

    name: str
    key: str
    region: str
    endpoint: str
    key_id: str = field(repr=False)
    secret: str = field(repr=False)

    @property
    def is_at_aws(self) -> bool:
        host = urlsplit(self.endpoint).hostname or ""
        return not self.endpoint or f".{host}".endswith((".amazonaws.com", ".amazonaws.com.cn"))


@dataclass(frozen=True, slots=True)
class Rendition:
    packaging: str  # "mp4" or "hls"
    heights: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Thumbnails:
    """Exactly one of `count`, `interval_s` and `timestamps` (in seconds) is set.

    Without formats, filters or a size these are the provider's to choose.
    """

    count: int | None = None
    interval_s: float | None = None
    timestamps: tuple[float, ...] = ()
    formats: tuple[str, ...] = ()  # of jpg, png and webp
    width: int | None = None
    height: int | None = None
    filters: tuple[str, ...] = ()  # of none and blur

    @property
    def placement(self) -> str:
        """The name of the field that says how many there are, and where."""
        if self.timestamps:
            return "timestamps"
        return "count" if self.interval_s is None else "interval_s"

    @property
    def number(self) -> int:
        """How many of each are asked for; 0 where that depends on the length of the video."""
        return len(self.timestamps) or self.count or 0


@dataclass(frozen=True, slots=True)
class JobRequest:
    """A submission to any provider; `extra` is merged into the provider's body and wins."""

    input: str
    destination: str | None = None
    renditions: tuple[Rendition, ...] = ()
    thumbnails: Thumbnails | None = None
    metadata: Any = None
    test: bool = False
    priority: int | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """What a delivery is about: only a hint to re-read that job. `remote_id` None: not a job."""

    remote_id: str | None
    description: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """Account facts for the account page: (label, value) pairs, no personal or billing data."""

    facts: tuple[tuple[str, str], ...] = ()
    is_test_mode: bool | None = None
