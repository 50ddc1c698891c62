"""Jobs: in lists, in detail, and as answers to actions."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from ninja import Field, Schema
from pydantic import SerializerFunctionWrapHandler, model_serializer

from jobs.actions.offers import AvailableAction, cannot_act
from jobs.api.errors import ErrorDetail
from jobs.api.schemas.errors import ErrorInfo, ListedError
from jobs.api.schemas.fields import AccountReference, BatchReference, Id, SearchedList, Text
from jobs.api.schemas.outputs import OutputCounts, OutputShape
from jobs.api.schemas.presets import PresetShape
from jobs.api.schemas.templates import TemplateReference
from jobs.display.errors import describe_error
from jobs.display.stuck import stuck_sentence
from jobs.models import AutomaticRetry, EndSource, EventSource, Job, JobEvent
from jobs.retry_rules.service import find_origin, find_waiting
from providers.core.status import JobStatus


class InputFacts(Schema):
    url: Text = Field(validation_alias="input_url", description="Without signatures and keys.")
    duration_ms: int | None = Field(
        validation_alias="input_duration_ms", description="In milliseconds."
    )
    size_bytes: int | None = Field(validation_alias="input_size_bytes", description="In bytes.")
    width: int | None = Field(validation_alias="input_width", description="In pixels.")
    height: int | None = Field(validation_alias="input_height", description="In pixels.")
    video_codec: Text = Field(
        validation_alias="input_video_codec", description="The video codec, such as `prores`."
    )
    audio_codec: Text = Field(
        validation_alias="input_audio_codec", description="The audio codec, such as `pcm`."
    )


class InputDetail(InputFacts):
    frame_rate: float | None = Field(
        validation_alias="input_frame_rate", description="Frames per second."
    )
    bitrate_kbps: int | None = Field(
        validation_alias="input_bitrate_kbps", description="In kbit/s."
    )
    fetched_percent: float | None = Field(
        validation_alias="input_fetched_percent",
        description="0 to 100, of what the provider fetches before it encodes; null: not reported, "
        "or the job has ended.",
    )


class EventShape(Schema):
    at: datetime = Field(description="When it was recorded.")
    source: EventSource = Field(description="What it was noticed or caused by.")
    from_: JobStatus | None = Field(alias="from", description="The status before.")
    to: JobStatus | None = Field(description="The status after.")
    message: Text = Field(description="What happened, if it is more than a change of status.")
    actor: str | None = Field(
        validation_alias="actor_name", description="Who did it: an e-mail address, or `token:NAME`."
    )

    @staticmethod
    def resolve_from(event: JobEvent) -> JobStatus | None:
        return _read_status(event.from_status)

    @staticmethod
    def resolve_to(event: JobEvent) -> JobStatus | None:
        return _read_status(event.to_status)


def _read_status(text: str) -> JobStatus | None:
    # the columns of events hold any text
    if not text:
        return None
    return JobStatus(text) if text in list(JobStatus) else JobStatus.UNKNOWN


class ActionOffer(Schema):
    allowed: bool = Field(description="Whether it can be requested now.")
    reason: Text = Field(description="Why it is not allowed now.")


class JobActions(Schema):
    cancel: ActionOffer = Field(description="Ask the provider to stop it.")
    resubmit: ActionOffer = Field(description="Run it again.")


class JobShape(Schema):
    """What a listed job and a job in detail share."""

    id: Id = Field(description="Our id of the job.")
    organization: str = Field(validation_alias="organization.slug", description="Its slug.")
    account: AccountReference = Field(description="Where it runs.")
    remote_id: str | None = Field(description="The provider's id; null until it has named it.")
    attempt: int = Field(description="1; more, if the provider ran it again under the same id.")
    batch: BatchReference | None = Field(
        description="The batch that it was submitted with, or added to."
    )
    name: Text = Field(description="The file name of its input, unless the provider has a name.")
    status: JobStatus = Field(description="The same words for every provider.")
    provider_status: Text = Field(description="The provider's own status.")
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
    stuck: bool = Field(
        validation_alias="is_stuck",
        description="Unfinished, and takes far longer than comparable jobs, or does not move on.",
    )
    stuck_reason: Text = Field(description="Why, in a sentence.")
    waiting_reason: Text = Field(
        description="Why it is not sent yet: its account has as many unfinished jobs as it may."
    )
    gone_at: datetime | None = Field(
        description="When the provider no longer knew it; `status` is what it last reported."
    )
    progress: float | None = Field(description="0 to 100; null: not reported.")
    phase: Text = Field(description="What the provider is doing with it.")
    input: InputFacts = Field(description="The source file.")
    error: ErrorInfo | None = Field(description="Never null on a failed job, null on all others.")
    created_at: datetime | None = Field(description="The provider's, as the next two are.")
    started_at: datetime | None = Field(description="When it began to run.")
    finished_at: datetime | None = Field(description="When it ended; see `ended_at`.")
    ended_at: datetime | None = Field(
        description="What `finished_after` and the sort by `finished` use; null while active."
    )
    ended_at_source: EndSource | None = Field(
        description="`provider`: its time; `observed`: when we saw that it had ended; `estimated`: "
        "from its start or creation, since it had ended before we saw it. Null while active."
    )
    sort_at: datetime = Field(
        description="What `created_after` and the sort by `created` use: the creation; when we "
        "first saw the job where the provider's clock is ahead of ours."
    )
    first_seen_at: datetime = Field(description="When we first read it.")
    synced_at: datetime | None = Field(description="When the provider last confirmed all this.")
    changed_at: datetime = Field(description="When its status or a fact last changed.")
    submitted_by: str | None = Field(
        validation_alias="submitter_name", description="An e-mail address, or `token:NAME`."
    )
    assignee: str | None = Field(
        validation_alias="assignee_name",
        description="The e-mail address of the member who looks after it.",
    )
    retry_of: Id | None = Field(
        validation_alias="retry_of_id", description="The job that it is a retry of."
    )
    retries: list[Id] = Field(description="The retries of it, oldest first.")
    metadata: Any = Field(description="The customer's own value, unchanged.")
    test: bool = Field(validation_alias="is_test", description="Submitted as a test.")
    priority: int | None = Field(description="As it was submitted.")
    template: TemplateReference | None = Field(
        validation_alias="template_version", description="The template that it was submitted with."
    )
    html_url: str = Field(description="Its page on the board.")
    console_url: Text = Field(description="The job in the provider's own console.")
    actions: JobActions = Field(description="What can be done with the job as it is.")

    @staticmethod
    def resolve_ended_at_source(job: Job) -> str | None:
        return job.ended_at_source or None

    @staticmethod
    def resolve_stuck_reason(job: Job) -> str:
        return stuck_sentence(job, timezone.now())

    @staticmethod
    def resolve_waiting_reason(job: Job) -> str:
        return str(job.__dict__["waiting"] or "")

    @staticmethod
    def resolve_html_url(job: Job) -> str:
        page = reverse("jobs:detail", args=[job.organization.slug, job.pk])
        return f"{settings.BASE_URL}{page}"

    @staticmethod
    def resolve_input(job: Job) -> Job:
        return job

    @staticmethod
    def resolve_error(job: Job) -> dict[str, Any] | None:
        if job.status != "failed":
            return None
        return describe_error(job.error_class or "unknown", job.error_code, job.error_message)

    @staticmethod
    def resolve_actions(job: Job) -> dict[str, Any]:
        offers: list[AvailableAction] = job.__dict__["offers"]
        lacking = {"allowed": False, "reason": str(cannot_act(job))}
        found = {offer.name: offer for offer in offers}
        return {name: found.get(name, lacking) for name in ("cancel", "resubmit")}

    @staticmethod
    def resolve_retries(job: Job) -> list[int]:
        return [retry.pk for retry in job.retries.all()]


class ListedJob(JobShape):
    outputs: OutputCounts = Field(description="How many it makes, without images.")

    @staticmethod
    def resolve_outputs(job: Job) -> Job:
        return job


class JobList(SearchedList):
    results: list[ListedJob] = Field(description="The jobs of this page.")


class RuleRetry(Schema):
    rule: Text = Field(validation_alias="rule_name", description="The retry rule, by name.")
    number: int = Field(description="Which retry of the job it is; the first is 1.")
    of: int = Field(validation_alias="max_retries", description="How many retries the rule allows.")


class WaitingRetry(RuleRetry):
    at: datetime = Field(validation_alias="next_at", description="When it is made, or soon after.")


class JobDetail(JobShape):
    input: InputDetail = Field(description="The source file.")
    request: dict[str, Any] | None = Field(
        description="What was sent to the provider's adapter, with secrets redacted; null for a "
        "job that was not submitted here."
    )
    outputs: list[OutputShape] = Field(description="What it makes, in the provider's order.")
    presets: list[PresetShape] = Field(description="The presets of its outputs.")
    error_group: Id | None = Field(
        description="The group of failures with the same cause; null on jobs that have not failed."
    )
    errors: list[ListedError] = Field(description="All errors; `error` is the first.")
    events: list[EventShape] = Field(description="Its history, oldest first.")
    waiting_retry: WaitingRetry | None = Field(
        description="The retry that a retry rule is about to make of it; null: none."
    )
    made_by_rule: RuleRetry | None = Field(
        description="The retry rule that made this attempt; null: a person or a program did, or "
        "it is no retry."
    )

    @staticmethod
    def resolve_waiting_retry(job: Job) -> AutomaticRetry | None:
        return find_waiting(job)

    @staticmethod
    def resolve_made_by_rule(job: Job) -> AutomaticRetry | None:
        return find_origin(job)

    @staticmethod
    def resolve_error_group(job: Job) -> int | None:
        return job.error_group.root_id if job.error_group else None

    @staticmethod
    def resolve_presets(job: Job) -> list[Any]:
        return list({output.preset: None for output in job.outputs.all() if output.preset})

    @staticmethod
    def resolve_errors(job: Job) -> list[dict[str, Any]]:
        return [
            describe_error(error["class"], error["code"], error["message"])
            | {"origin": error["origin"]}
            for error in job.errors
        ]


class SubmittedJob(JobDetail):
    warnings: list[str] = Field(
        [],
        description="What the provider approximates, leaves out or decides by itself, and why the "
        "job is not sent right after. Left out where there is nothing to say.",
    )

    @staticmethod
    def resolve_warnings(job: Job) -> list[str]:
        return list(getattr(job, "warnings", ()))

    @model_serializer(mode="wrap")
    def leave_out_none(self, serialize: SerializerFunctionWrapHandler):  # type: ignore[no-untyped-def]
        # pydantic would document a type of the result in place of the fields
        shape: dict[str, Any] = serialize(self)
        if not self.warnings:
            del shape["warnings"]
        return shape


class ConflictBody(Schema):
    """Why it cannot be done now, and the job that is in its way, if there is one."""

    error: ErrorDetail = Field(description="Why it cannot be done.")
    job: JobDetail | None = Field(None, description="Left out, if no job is in the way.")
