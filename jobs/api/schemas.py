"""The shapes that the API answers in, read off the models."""

from datetime import datetime
from typing import Annotated, Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from ninja import Field, Schema
from pydantic import BeforeValidator, SerializerFunctionWrapHandler, model_serializer

from jobs.actions.attempts import retries_of
from jobs.actions.offers import available_actions
from jobs.models import Job, JobEvent, Output, ProviderAccount
from providers.core.errors import CLASSES

Id = Annotated[str, BeforeValidator(str)]
# The columns hold "" for what nobody told; that is null to the outside
Text = Annotated[str | None, BeforeValidator(lambda value: value or None)]


class AccountReference(Schema):
    id: Id
    name: str
    provider: str


class InputFacts(Schema):
    url: Text = Field(validation_alias="input_url", description="Without signatures and keys.")
    duration_ms: int | None = Field(validation_alias="input_duration_ms")
    size_bytes: int | None = Field(validation_alias="input_size_bytes")
    width: int | None = Field(validation_alias="input_width")
    height: int | None = Field(validation_alias="input_height")
    video_codec: Text = Field(validation_alias="input_video_codec")
    audio_codec: Text = Field(validation_alias="input_audio_codec")


class ErrorInfo(Schema):
    class_: str = Field(alias="class", description="One of the closed list of error classes.")
    code: Text = Field(description="The provider's own.")
    message: str = Field(description="The provider's words, else ours.")
    hint: str = Field(description="What to do about it.")
    transient: bool = Field(description="Whether it goes away by itself.")


class ListedError(ErrorInfo):
    origin: str = Field(description="`job`, `input` or `output:` and its remote id.")


class OutputCounts(Schema):
    """Images are not counted."""

    total: int = Field(validation_alias="outputs_total")
    succeeded: int = Field(validation_alias="outputs_succeeded")
    failed: int = Field(validation_alias="outputs_failed")


class OutputShape(Schema):
    id: Id
    remote_id: str
    kind: str
    label: Text
    format: Text
    width: int | None
    height: int | None
    duration_ms: int | None
    size_bytes: int | None
    url: Text = Field(description="Without signatures and keys.")
    open_url: str | None = Field(
        description="Ours: checks membership, renews an expired link where the provider can, then "
        "redirects. Null when nothing opens."
    )
    expires_at: datetime | None = Field(description="When the address stops opening, if known.")
    status: str
    provider_status: Text
    progress: float | None
    error: ErrorInfo | None

    @staticmethod
    def resolve_open_url(output: Output) -> str | None:
        return _open_url(output, output.job.organization.slug)

    @staticmethod
    def resolve_error(output: Output) -> dict[str, Any] | None:
        if not output.error_class:
            return None
        return _describe(output.error_class, output.error_code, output.error_message)


class PresetShape(Schema):
    id: Id
    remote_id: str
    name: str
    kind: Text
    settings: Any


class PresetWithUse(PresetShape):
    """A preset, and the jobs created since `created_after` that it made an output of."""

    account: AccountReference
    jobs: int
    succeeded: int
    failed: int
    cancelled: int
    success_rate: float | None = Field(
        description="The part of the ended jobs that succeeded, 0 to 1; null: none has ended."
    )
    last_used_at: datetime | None = Field(
        description="Creation of the newest job that used it, however long ago."
    )


class PresetList(Schema):
    results: list[PresetWithUse]
    next: str | None = Field(description="The cursor of the next page; null on the last one.")


class JobReference(Schema):
    id: Id
    name: Text
    status: str


class FileShape(Schema):
    """An output by itself, with the job that made it."""

    id: Id
    job: JobReference
    account: AccountReference
    remote_id: str
    kind: str
    label: Text
    format: Text
    width: int | None
    height: int | None
    duration_ms: int | None
    size_bytes: int | None
    video_codec: Text
    audio_codec: Text
    status: str
    url: Text = Field(description="Without signatures and keys.")
    open_url: str | None = Field(description="As in an output of a job.")
    expires_at: datetime | None = Field(description="When the address stops opening, if known.")

    @staticmethod
    def resolve_open_url(output: Output) -> str | None:
        return _open_url(output, output.organization.slug)


class FileList(Schema):
    results: list[FileShape]
    next: str | None = Field(description="The cursor of the next page; null on the last one.")


class EventShape(Schema):
    at: datetime
    source: str = Field(description="poll, webhook, submit, action or import.")
    from_: Text = Field(alias="from")
    to: Text = Field(validation_alias="to_status")
    message: Text
    actor: str | None = Field(description="E-mail address of who did it.")

    @staticmethod
    def resolve_from(event: JobEvent) -> str:
        return event.from_status

    @staticmethod
    def resolve_actor(event: JobEvent) -> str | None:
        return event.actor.email if event.actor else None


class JobShape(Schema):
    """What a listed job and a job in detail share."""

    id: Id
    organization: str = Field(validation_alias="organization.slug", description="Its slug.")
    account: AccountReference
    remote_id: str | None = Field(description="The provider's id; null until it has named it.")
    attempt: int
    batch: Text
    name: Text
    status: str = Field(
        description="submitting, queued, running, succeeded, failed, cancelled or unknown."
    )
    provider_status: Text = Field(description="The provider's own word.")
    partial: bool = Field(
        validation_alias="is_partial", description="Ended with usable and with failed outputs."
    )
    suspect: bool = Field(
        validation_alias="is_suspect",
        description="Succeeded, but outputs are missing or a figure cannot be true.",
    )
    suspect_reason: Text = Field(description="Why, in sentences.")
    unresolved: bool = Field(
        validation_alias="is_unresolved", description="Failed, and no later attempt succeeded."
    )
    stuck: bool | None = Field(None, description="Null: not determined in this version.")
    gone_at: datetime | None = Field(
        description="When the provider no longer knew it; `status` is what it last reported."
    )
    progress: float | None = Field(description="0 to 100; null: not reported.")
    phase: Text
    input: InputFacts
    error: ErrorInfo | None = Field(description="Never null on a failed job, null on all others.")
    created_at: datetime | None = Field(description="The provider's, as the next two are.")
    started_at: datetime | None
    finished_at: datetime | None
    ended_at: datetime | None = Field(
        description="What `finished_after` and the sort by `finished` use; null while active."
    )
    ended_at_source: Text = Field(
        description="`provider`: its time; `observed`: when we saw that it had ended; `estimated`: "
        "from its start or creation, since it had ended before we saw it. Null while active."
    )
    sort_at: datetime = Field(
        description="What `created_after` and the sort by `created` use: the creation; when we "
        "first saw the job where the provider's clock is ahead of ours."
    )
    first_seen_at: datetime
    synced_at: datetime | None = Field(description="When the provider last confirmed all this.")
    changed_at: datetime
    submitted_by: str | None = Field(description="E-mail address.")
    retry_of: Id | None = Field(validation_alias="retry_of_id")
    retries: list[Id]
    metadata: Any = Field(description="The customer's own value, whole.")
    console_url: Text = Field(description="The job in the provider's own console.")

    @staticmethod
    def resolve_input(job: Job) -> Job:
        return job

    @staticmethod
    def resolve_error(job: Job) -> dict[str, Any] | None:
        if job.status != "failed":
            return None
        return _describe(job.error_class or "unknown", job.error_code, job.error_message)

    @staticmethod
    def resolve_submitted_by(job: Job) -> str | None:
        return job.submitted_by.email if job.submitted_by else None

    @staticmethod
    def resolve_retries(job: Job) -> list[int]:
        return [retry.pk for retry in job.retries.all()]


class ListedJob(JobShape):
    outputs: OutputCounts

    @staticmethod
    def resolve_outputs(job: Job) -> Job:
        return job


class JobList(Schema):
    results: list[ListedJob]
    next: str | None = Field(description="The cursor of the next page; null on the last one.")


class ActionOffer(Schema):
    allowed: bool
    reason: Text = Field(description="Why it is not allowed now.")


class JobActions(Schema):
    cancel: ActionOffer
    resubmit: ActionOffer


class JobDetail(JobShape):
    outputs: list[OutputShape]
    presets: list[PresetShape]
    errors: list[ListedError]
    events: list[EventShape]
    actions: JobActions = Field(description="What can be done with the job as it is.")

    @staticmethod
    def resolve_actions(job: Job) -> dict[str, Any]:
        offers = {offer.name: offer for offer in available_actions(job, retries_of(job))}
        lacking = {"allowed": False, "reason": f"{job.account.provider_label} cannot do this."}
        return {name: offers.get(name, lacking) for name in ("cancel", "resubmit")}

    @staticmethod
    def resolve_presets(job: Job) -> list[Any]:
        return list({output.preset: None for output in job.outputs.all() if output.preset})

    @staticmethod
    def resolve_errors(job: Job) -> list[dict[str, Any]]:
        return [
            _describe(error["class"], error["code"], error["message"]) | {"origin": error["origin"]}
            for error in job.errors
        ]


class SubmittedJob(JobDetail):
    warnings: list[str] = Field(
        [], description="Why it is not sent right after. Left out where nothing holds it."
    )

    @staticmethod
    def resolve_warnings(job: Job) -> list[str]:
        return list(getattr(job, "warnings", ()))

    @model_serializer(mode="wrap")
    def leave_out_none(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        shape: dict[str, Any] = serialize(self)
        if not self.warnings:
            del shape["warnings"]
        return shape


class ConflictBody(Schema):
    """Why it cannot be done now, and the job that stands in its way, if one does."""

    error: Any
    job: JobDetail | None = None


class LastError(Schema):
    class_: str = Field(alias="class")
    message: str
    at: datetime | None


class Health(Schema):
    state: str = Field(description="unchecked, ok, failing, refused or paused.")
    late: bool = Field(
        description="No success for more than a minute after it was due, whatever the reason; "
        "never while paused."
    )
    last_success_at: datetime | None
    last_error: LastError | None
    consecutive_failures: int
    latency_ms: int | None
    rate_remaining: int | None

    @staticmethod
    def resolve_state(account: ProviderAccount) -> str:
        return account.health.value

    @staticmethod
    def resolve_late(account: ProviderAccount) -> bool:
        return account.is_late(timezone.now())

    @staticmethod
    def resolve_last_error(account: ProviderAccount) -> dict[str, Any] | None:
        if not account.last_error_class:
            return None
        return {
            "class": account.last_error_class,
            "message": account.last_error_message,
            "at": account.last_error_at,
        }


class AccountShape(Schema):
    id: Id
    organization: str = Field(validation_alias="organization.slug", description="Its slug.")
    provider: str
    name: str
    base_url: str
    enabled: bool
    capabilities: list[str]
    health: Health
    next_sync_at: datetime

    @staticmethod
    def resolve_capabilities(account: ProviderAccount) -> list[str]:
        return sorted(account.adapter_class.capabilities)

    @staticmethod
    def resolve_health(account: ProviderAccount) -> ProviderAccount:
        return account


class AccountList(Schema):
    results: list[AccountShape]
    next: None = Field(None, description="Always null: an organization's accounts fit on a page.")


def _open_url(output: Output, slug: str) -> str | None:
    if not output.is_web or not output.was_made:
        return None
    opener = reverse("jobs:output_open", args=[slug, output.job_id, output.pk])
    return f"{settings.BASE_URL}{opener}"


def _describe(error_class: str, code: str, message: str) -> dict[str, Any]:
    known = CLASSES.get(error_class, CLASSES["unknown"])
    return {
        "class": known.name,
        "code": code,
        "message": message or known.sentence,
        "hint": known.hint,
        "transient": known.is_transient,
    }
