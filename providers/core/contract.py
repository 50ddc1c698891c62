"""The adapter contract: what a provider module declares, must do and may do.

An adapter translates. It never stores, schedules, caches or renders, and it sends only
through `providers.http.client.HttpClient`. Every method raises only
`providers.core.errors.ProviderError`.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from providers.core.issues import RequestIssue
from providers.core.status import JobStatus, OutputStatus
from providers.core.thumbnails import ThumbnailSupport
from providers.core.types import (
    Bucket,
    Capability,
    Field,
    JobRequest,
    OutputLink,
    Page,
    RemoteJob,
    RemotePreset,
    Usage,
    WebhookEvent,
)
from providers.http.client import HttpClient
from providers.parsing.customer_fields import CustomerField


@dataclass(frozen=True, slots=True)
class RateLimit:
    """How many requests per minute the provider allows for one kind of call (`bucket`)."""

    bucket: str
    per_minute: int


def per_minute(**limits: int) -> tuple[RateLimit, ...]:
    """List the rate limits of an account, by the kind of call."""
    return tuple(RateLimit(bucket, limit) for bucket, limit in limits.items())


@dataclass(frozen=True, slots=True)
class Account:
    """What an adapter knows of an account: no model, no database row."""

    base_url: str
    credentials: Mapping[str, str] = field(repr=False)
    options: Mapping[str, Any] = field(default_factory=dict)
    # where the provider is to report jobs that are submitted: a secret; empty for nowhere
    webhook_url: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Found:
    """The result of one search for a submission; not `complete` when the search was cut short."""

    job: RemoteJob | None
    complete: bool = True


class Unsupported(NotImplementedError):
    """A method was called whose capability the provider does not declare: our own mistake."""


class Provider(ABC):
    """One provider's API, translated."""

    slug: ClassVar[str]
    label: ClassVar[str]
    docs_url: ClassVar[str]
    default_base_url: ClassVar[str]
    capabilities: ClassVar[frozenset[Capability]]
    credential_fields: ClassVar[tuple[Field, ...]]
    # sets of credentials of which one is enough: the first that is complete is used
    credential_alternatives: ClassVar[tuple[tuple[str, ...], ...]] = ()
    option_fields: ClassVar[tuple[Field, ...]] = ()
    # keys are normalized (`providers.core.status.normalize_status`)
    job_statuses: ClassVar[Mapping[str, JobStatus]]
    output_statuses: ClassVar[Mapping[str, OutputStatus]] = {}
    # the provider's exact code of a job's fault -> a name in `providers.core.errors.CLASSES`
    error_classes: ClassVar[Mapping[str, str]] = {}
    rate_limits: ClassVar[tuple[RateLimit, ...]] = ()
    # the kinds of call that one `get_job`, and one `refresh_job`, may send
    read_buckets: ClassVar[tuple[str, ...]] = ()
    refresh_buckets: ClassVar[tuple[str, ...]] = ()
    min_poll_interval_s: ClassVar[int] = 5
    # the key, at a job or within it, of what the provider remarks without failing it
    warnings_field: ClassVar[str | None] = None
    # how far back the provider's list goes; None where it does not say
    history_days: ClassVar[int | None] = None
    cancellable: ClassVar[frozenset[JobStatus]] = frozenset({JobStatus.QUEUED, JobStatus.RUNNING})
    resubmittable: ClassVar[frozenset[JobStatus]] = frozenset(
        {JobStatus.FAILED, JobStatus.CANCELLED}
    )
    # whether outputs can be delivered to buckets; where not, `find_issues` refuses them all
    writes_to_buckets: ClassVar[bool] = True
    # whether the submission key is known to come back, so that two empty searches prove absence
    echoes_key: ClassVar[bool] = False
    # the field of a request that keeps metadata and our key for the customer
    customer_field: ClassVar[CustomerField | None] = None
    # the schemes of the URLs that inputs may be at; empty where any scheme may be
    input_schemes: ClassVar[tuple[str, ...]] = ()
    # whether inputs and destinations may be ids or paths in the provider's own storage, without a
    # scheme
    accepts_schemeless_inputs: ClassVar[bool] = False
    # the keys of a request's `extra` that name the input instead
    input_fields: ClassVar[frozenset[str]] = frozenset()
    # the keys of a request's `extra` that say what to make instead of renditions
    output_fields: ClassVar[tuple[str, ...]] = ()
    # the key of a request's `extra` that takes ids of the account's presets, which replace
    # renditions
    preset_field: ClassVar[str | None] = None
    # the settings of a request, at any depth, by which only a part of the input is encoded
    cut_fields: ClassVar[frozenset[str]] = frozenset()
    # the heights that can be made; empty where any can
    heights: ClassVar[tuple[int, ...]] = ()
    # the packagings that a rendition may name; empty where the provider decides
    packagings: ClassVar[tuple[str, ...]] = ("mp4", "hls")
    # what thumbnails can be; with the capability THUMBNAILS
    thumbnails: ClassVar[ThumbnailSupport | None] = None
    # a form's help for a field of JobRequest instead of the usual one; None where the field has no
    # meaning, so that the form leaves it out
    request_help: ClassVar[Mapping[str, str | None]] = {}
    # the header in which a delivery carries the account's `webhook_secret`
    webhook_secret_header: ClassVar[str | None] = None
    # how an integrator sets the webhook up, one sentence per step; `{url}` becomes ours
    webhook_steps: ClassVar[tuple[str, ...]] = ()

    def __init__(self, account: Account, http: HttpClient) -> None:
        self.account = account
        self.http = http

    @classmethod
    def supports(cls, capability: Capability) -> bool:
        return capability in cls.capabilities

    @classmethod
    def refuse(cls, field: str, code: str, /, **values: Any) -> RequestIssue:
        """Say that a request cannot be sent with `field` as it is."""
        return RequestIssue(field, code, {"provider": cls.label, **values})

    @classmethod
    def note(cls, field: str, code: str, /, **values: Any) -> RequestIssue:
        """Say what the provider leaves out or decides by itself."""
        return RequestIssue(field, code, {"provider": cls.label, **values}, blocking=False)

    @classmethod
    def bucket_url(cls, bucket: Bucket) -> str | None:
        """The URL by which the provider is to write to a folder of a bucket.

        Without the credentials, unless the provider takes them in the URL: then it has access to
        the bucket by itself, such as by a policy or with credentials that it keeps. None where its
        URLs always mean AWS and the bucket is elsewhere: at AWS, a bucket of the same name belongs
        to somebody else.
        """
        is_clear = bucket.is_at_aws or not cls.writes_to_buckets
        return f"s3://{bucket.name}/{bucket.key}" if is_clear else None

    # Reading

    @abstractmethod
    def list_jobs(self, cursor: str | None = None) -> Iterator[Page]:
        """Yield pages newest first, from `cursor` (a `Page.cursor` given before) or the top.

        One request per page, sent when the page is asked for, so that a caller stops early
        by not asking. The last page has no cursor. Items that cannot be read are left out; a page
        of which none can be read raises BadAnswer, since nobody knows what it held.
        """

    @abstractmethod
    def get_job(self, remote_id: str) -> RemoteJob:
        """Read all of one job, progress included. Raises NotFound when the provider lost it."""

    def refresh_job(self, job: RemoteJob) -> RemoteJob:
        """Complete a job just read from the list with what the list leaves out (progress).

        At most one request of each of `refresh_buckets`; returns `job` itself when there is nothing
        to add.
        """
        return job

    def list_unfinished(self) -> Iterator[Page]:
        """Yield pages of all unfinished jobs, and of some that ended lately, in any order.

        For providers that answer this in fewer requests than one per job. Yields nothing where
        there is no such call; a job that is not among them has not ended for that.
        """
        return iter(())

    def list_presets(self) -> Iterator[RemotePreset]:
        """Yield the account's presets. Capability PRESETS."""
        raise Unsupported(Capability.PRESETS)

    def resolve_output_url(self, job_id: str, output_id: str) -> OutputLink:
        """Have a URL made at which a browser opens an output (by the two remote ids) now.

        For providers whose stored URLs open with our credentials alone. Raises NotFound when
        there is no file. Capability OUTPUT_LINKS.
        """
        raise Unsupported(Capability.OUTPUT_LINKS)

    # Acting

    def check_request(self, request: JobRequest) -> list[RequestIssue]:
        """Say what the provider cannot do with `request` (blocking) or decides by itself.

        A request that names nothing to make is refused at `renditions`: a job is paid for.
        """
        return []

    def build_request(self, request: JobRequest, key: str | None = None) -> dict[str, Any]:
        """Translate into the body that `submit` sends, `extra` merged in and winning.

        `key` is appended to the field the provider keeps for the customer; None for a preview.
        Pure: sends nothing. Capability SUBMIT.
        """
        raise Unsupported(Capability.SUBMIT)

    def add_webhook(self, body: dict[str, Any], url: str) -> None:
        """Have the job of `body` reported to `url`; what it says already stays.

        Capability JOB_WEBHOOK.
        """
        raise Unsupported(Capability.JOB_WEBHOOK)

    def submit(self, request: JobRequest, key: str) -> RemoteJob:
        """Create the job once and return what the answer reports (often only an id).

        Raises Rejected when refused; an error whose `ambiguous` is True leaves open whether
        the job exists. Never tries again by itself. Capability SUBMIT.
        """
        raise Unsupported(Capability.SUBMIT)

    def cancel(self, remote_id: str) -> None:
        """Cancel an unfinished job; Conflict when it is done. Capability CANCEL."""
        raise Unsupported(Capability.CANCEL)

    def resubmit(self, remote_id: str) -> None:
        """Run the job again under its own id; Conflict when refused. Capability RESUBMIT."""
        raise Unsupported(Capability.RESUBMIT)

    def find_by_key(self, key: str, request: JobRequest, since: datetime) -> Found:
        """Search for the job of a submission made at or after `since`. Capability FIND_BY_KEY."""
        raise Unsupported(Capability.FIND_BY_KEY)

    # The account

    @classmethod
    def check_credentials_given(
        cls, credentials: Mapping[str, Any], options: Mapping[str, Any]
    ) -> dict[str, str]:
        """Say which fields of an account are missing, as sentences by field name. Pure."""
        return cls._check_alternatives(credentials) | {
            field.name: f"{cls.label} needs {field.label}."
            for fields, given in (
                (cls.credential_fields, credentials),
                (cls.option_fields, options),
            )
            for field in fields
            if field.required and not given.get(field.name)
        }

    @classmethod
    def _check_alternatives(cls, credentials: Mapping[str, Any]) -> dict[str, str]:
        """Say at the field that is missing which sets of credentials there are."""
        missing = [
            [name for name in names if not credentials.get(name)]
            for names in cls.credential_alternatives
        ]
        if not missing or not all(missing):
            return {}
        labels = {field.name: field.label for field in cls.credential_fields}
        sets = (" and ".join(map(labels.__getitem__, one)) for one in cls.credential_alternatives)
        sentence = f"{cls.label} needs {', or '.join(sets)}."
        begun = zip(cls.credential_alternatives, missing, strict=True)
        name = next((gaps[0] for names, gaps in begun if len(gaps) < len(names)), missing[-1][0])
        return {name: sentence}

    def check_credentials(self) -> None:
        """Return quietly when the credentials are good, else raise. CHECK_CREDENTIALS."""
        raise Unsupported(Capability.CHECK_CREDENTIALS)

    def usage(self) -> Usage:
        """Read plan and usage. Capability USAGE."""
        raise Unsupported(Capability.USAGE)

    def switch_integration_mode(self, is_on: bool) -> None:
        """Have all new jobs of the account be test jobs, or no longer. `usage` reports the mode.

        Capability INTEGRATION_MODE.
        """
        raise Unsupported(Capability.INTEGRATION_MODE)

    # Webhooks

    @classmethod
    def read_webhook(cls, headers: Mapping[str, str], body: bytes, secret: str) -> WebhookEvent:
        """Verify and read one delivery; `headers` have lower-case names.

        `secret` is the account's `webhook_secret`, empty when none is set. Raises
        `providers.core.errors.WebhookRefused` when it is not authentic or not readable. The body is
        a hint only: the caller reads the job anew. Capability WEBHOOK.
        """
        raise Unsupported(Capability.WEBHOOK)
