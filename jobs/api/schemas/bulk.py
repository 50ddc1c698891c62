"""Bulk actions and their results."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from ninja import Field, Schema
from pydantic import AfterValidator, BeforeValidator, WithJsonSchema, model_validator

from jobs.api.requests import MAX_RENDITIONS, Strict, as_whole
from jobs.api.schemas.fields import AccountReference, BatchReference, Id, Text
from jobs.api.schemas.parameters import TEXT_PATTERN
from jobs.bulk.actions.choosing import Chosen
from jobs.bulk.left_out import SENTENCES
from jobs.bulk.service import MAX_IDS
from jobs.models import BulkKind, BulkState
from jobs.models.batch.batch import MAX_NAME
from jobs.query.language.grammar import MAX_LENGTH
from jobs.query.references import ID_PATTERN, has_control_characters, read_id
from organizations.models.audit import MAX_REASON

MAX_JOBS = 1_000_000
# `sent` counts as pending: nothing is known of it so far
OUTCOMES = ("done", "refused", "failed", "pending")


def _check_id(text: str) -> str:
    if read_id(text) is None:
        raise ValueError("Use the id of a job.")
    return text


def _check_text(text: str) -> str:
    if has_control_characters(text):
        raise ValueError("Remove the control characters.")
    return text


JobId = Annotated[str, Field(json_schema_extra={"pattern": ID_PATTERN}), AfterValidator(_check_id)]
Reason = Annotated[
    str,
    Field(max_length=MAX_REASON, json_schema_extra={"pattern": r"^[^\x00-\x1f\x7f]*$"}),
    AfterValidator(_check_text),
]
Query = Annotated[str, Field(max_length=MAX_LENGTH, json_schema_extra={"pattern": TEXT_PATTERN})]
Reference = Annotated[str, Field(min_length=1, max_length=100)]
NewName = Annotated[
    str,
    Field(min_length=1, max_length=MAX_NAME, json_schema_extra={"pattern": TEXT_PATTERN}),
]
Jobs = Annotated[int, Field(ge=1, le=MAX_JOBS), BeforeValidator(as_whole)]
_CHOICE: dict[str, Any] = {
    "oneOf": [
        {"required": ["q"], "properties": {"q": {"type": "string"}}},
        {"required": ["ids"], "properties": {"ids": {"type": "array", "items": {}}}},
    ]
}


def _with(actions: Sequence[str], needed: str = "") -> dict[str, Any]:
    """These actions take nothing beside the jobs but `needed`, and `presets` with `account`."""
    nothing: dict[str, Any] = {"type": "null"}
    taken = {name: nothing for name in ("account", "batch", "new_batch") if name != needed}
    if needed:
        taken[needed] = {"type": "string"}
    if needed != "account":
        taken["presets"] = {"type": "array", "items": {}, "maxItems": 0}
    required = {"required": [needed]} if needed else {}
    return {**required, "properties": {"action": {"enum": list(actions)}, **taken}}


_BY_ACTION: dict[str, Any] = {
    "oneOf": [
        _with(["cancel", "resubmit"]),
        _with(["resubmit_elsewhere"], "account"),
        _with(["add_to_batch"], "batch"),
        _with(["add_to_batch"], "new_batch"),
    ]
}


class BulkRequestBody(Strict):
    """The jobs of a query, or with some ids: exactly one of `q` and `ids`."""

    model_config = {"json_schema_extra": {"allOf": [_CHOICE, _BY_ACTION]}}

    action: Literal["cancel", "resubmit", "resubmit_elsewhere", "add_to_batch"] = Field(
        description="What is done to each job."
    )
    q: Query | None = Field(
        None,
        description="The jobs that fit this query, as in `GET /jobs`. Ages such as `2d` count back "
        "from this call, and jobs that come later are none of them.",
    )
    ids: list[JobId] | None = Field(
        None, min_length=1, max_length=MAX_IDS, description="The jobs with these ids."
    )
    account: Reference | None = Field(
        None,
        description="Of `resubmit_elsewhere`, which needs it: id or exact name of the account at "
        "which each job is run as a new one.",
    )
    presets: list[Annotated[str, Field(min_length=1, max_length=255)]] = Field(
        [],
        max_length=MAX_RENDITIONS,
        description="Of `resubmit_elsewhere`: ids or names of presets there, one for each output, "
        "at a provider that needs some.",
    )
    batch: Reference | None = Field(
        None,
        description="Of `add_to_batch`: id or exact name of the batch. Exactly one of `batch` and "
        "`new_batch` is needed.",
    )
    new_batch: NewName | None = Field(
        None,
        description="Of `add_to_batch`: the name of a batch that is made for the jobs; no other "
        "batch may have it.",
    )
    limit: Jobs | None = Field(
        None, description="Act on at most this many jobs: the first in the order of the list."
    )
    reason: Reason = Field("", description="Why, for the audit log.")
    dry_run: bool = Field(False, description="Only say what would be done.")

    def chosen(self) -> Chosen:
        """What is chosen beside the jobs."""
        return Chosen(self.account or "", self.presets, self.batch or "", self.new_batch or "")

    @model_validator(mode="after")
    def check_one(self) -> Self:
        if (self.q is None) == (self.ids is None):
            raise ValueError("Give exactly one of q and ids.")
        if self.q is not None and (not self.q.strip() or has_control_characters(self.q)):
            raise ValueError("Enter a query, without control characters.")
        return self


class LeftOut(Schema):
    reason: Annotated[
        str, WithJsonSchema({"type": "string", "enum": sorted(map(str, SENTENCES))})
    ] = Field(description="Why, for programs.")
    message: str = Field(description="Why, for people.")
    count: int = Field(description="How many jobs.")


class AccountJobs(AccountReference):
    jobs: int = Field(description="How many of its jobs are acted on.")


class BulkFacts(Schema):
    action: BulkKind = Field(description="What is done to each job.")
    account: AccountReference | None = Field(
        description="Where the jobs are retried; null for other actions, and once it has been "
        "deleted."
    )
    batch: BatchReference | None = Field(
        description="Where the jobs are put; null for other actions, in the dry run of a new "
        "batch, and once it has been deleted."
    )
    matched: int = Field(
        description="How many jobs the query found so far, those left out included; with `limit`, "
        "up to the last job that is acted on."
    )
    complete: bool = Field(description="Whether all jobs have been found. A dry run counts 10,000.")
    left_out: list[LeftOut] = Field(description="The jobs that are not acted on, by reason.")
    accounts: list[AccountJobs] = Field(description="The jobs that are acted on, by account.")
    done: int = Field(description="Jobs whose provider has accepted it, or that were added.")
    refused: int = Field(description="Jobs whose provider refused it, or that changed meanwhile.")
    failed: int = Field(description="Jobs without a clear answer, or with an internal error.")
    remaining: int = Field(description="Jobs that wait or are under way.")


class RequestChange(Schema):
    reason: str = Field(description="Why, for people.")
    jobs: int = Field(description="How many jobs of the sample.")
    before: Text = Field(description="The setting of one of them.")
    after: Text = Field(description="What it becomes there; null where it is left out.")


class RequestSample(Schema):
    """The requests of the first jobs, in the terms of the other account's provider."""

    jobs: int = Field(description="How many jobs were looked at: the first 50.")
    unchanged: int = Field(description="How many would be sent as they were.")
    approximated: list[RequestChange] = Field(description="Settings that become others.")
    dropped: list[RequestChange] = Field(description="Settings that are left out.")
    refused: list[RequestChange] = Field(description="Why jobs cannot be sent.")


class BulkPreview(BulkFacts):
    """What would be done."""

    sample: RequestSample | None = Field(
        description="What becomes of the settings at another account; null for other actions."
    )


class BulkShape(BulkFacts):
    id: Id = Field(description="Our id of the bulk action.")
    state: BulkState = Field(
        description="`preparing`: jobs are still looked for, and the first are acted on already."
    )
    note: Text = Field(description="Why it was stopped, where nobody stopped it.")
    q: Text = Field(description="The query; null where ids were given.")
    limit: int | None = Field(description="How many jobs are acted on at most.")
    reason: Text = Field(description="Why, as it was given.")
    requested_by: str | None = Field(description="An e-mail address, or `token:NAME`.")
    created_at: datetime = Field(description="When it was requested.")
    ended_at: datetime | None = Field(description="When it ended or was stopped.")


class BulkResult(Schema):
    job: Id = Field(description="Our id of the job.")
    outcome: Annotated[str, WithJsonSchema({"type": "string", "enum": list(OUTCOMES)})] = Field(
        description="What became of it."
    )
    reason: Text = Field(
        description="Why it was refused or failed; of `resubmit_elsewhere`, what changed."
    )
    new_job: Id | None = Field(description="The attempt that runs, of a retry.")


class BulkResults(Schema):
    results: list[BulkResult] = Field(description="The results of this page.")
    next: str | None = Field(description="The cursor of the next page; null on the last one.")
