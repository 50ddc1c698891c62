"""Batches, and what may be sent to `POST /batches`."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from ninja import Field, Schema
from pydantic import AfterValidator, model_validator

from jobs.api.requests import (
    Json,
    OverridableSettings,
    RequestSettings,
    Source,
    Strict,
    TemplateName,
)
from jobs.api.schemas.fields import AccountReference, Id, Text
from jobs.batches.from_bucket import MAX_PATTERN, MAX_PREFIX
from jobs.batches.lines import MAX_INPUTS, Line
from jobs.batches.lines import MAX_NAME as MAX_JOB_NAME
from jobs.models.batch.batch import MAX_NAME
from jobs.models.requests.storage import MAX_NAME as MAX_SOURCE_NAME
from jobs.query.references import has_control_characters
from jobs.submission.stored_request import dump_request
from providers.core.types import JobRequest

BatchStateName = Literal["sending", "stopped", "running", "done"]
_ONE_LINE = r"^[^\x00-\x1f\x7f]*$"
_CHOICE: dict[str, Any] = {
    "oneOf": [
        {"required": ["inputs"], "properties": {"inputs": {"type": "array", "items": {}}}},
        {"required": ["inputs_from"], "properties": {"inputs_from": {"type": "object"}}},
    ]
}


def _check_text(text: str) -> str:
    if has_control_characters(text):
        raise ValueError("Remove the control characters.")
    return text.strip()


def _check_name(text: str) -> str:
    if not (text := _check_text(text)):
        raise ValueError("Enter a name.")
    return text


class BatchInputBody(Strict):
    """An input, and what its job differs in."""

    input: Source = Field(description="URL of the source file, or `NAME/path` of a stored source.")
    name: Annotated[
        str,
        Field(max_length=MAX_JOB_NAME, json_schema_extra={"pattern": _ONE_LINE}),
        AfterValidator(_check_text),
    ] = Field("", description="What the job is called; by default, as the file.")
    metadata: Json = Field(
        None, description="Instead of the request's; of two objects, its keys are added."
    )
    overrides: OverridableSettings | None = Field(
        None, description="Instead of these fields of the request; keys of `extra` are added."
    )

    def as_line(self) -> Line:
        given = self.overrides.given_fields() if self.overrides else {}
        dumped = dump_request(JobRequest(self.input, **given))
        overrides = {name: dumped[name] for name in given}
        return Line(self.input, self.name, self.metadata, overrides)


class BucketListing(Strict):
    """Objects of a stored source that is a bucket, in the order of the storage."""

    source: Annotated[
        str,
        Field(min_length=1, max_length=MAX_SOURCE_NAME, json_schema_extra={"pattern": _ONE_LINE}),
        AfterValidator(_check_text),
    ] = Field(description="Exact name of a stored source.")
    prefix: Annotated[
        str,
        Field(max_length=MAX_PREFIX, json_schema_extra={"pattern": _ONE_LINE}),
        AfterValidator(_check_text),
    ] = Field("", description="What the paths below the stored folder begin with; by default, all.")
    pattern: Annotated[
        str,
        Field(max_length=MAX_PATTERN, json_schema_extra={"pattern": _ONE_LINE}),
        AfterValidator(_check_text),
    ] = Field(
        "",
        description="What the names of the files are like, in any case: `*.mp4`; by default, all.",
    )


class BatchRequestBody(Strict):
    """Exactly one of `inputs` and `inputs_from`."""

    model_config = {"json_schema_extra": {"allOf": [_CHOICE]}}

    account: str = Field(
        min_length=1, max_length=100, description="Id or exact name of a provider account."
    )
    name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=MAX_NAME,
            json_schema_extra={
                "pattern": r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$"
            },
        ),
        AfterValidator(_check_name),
    ] = Field(description="What the batch is called; no other batch may have the name.")
    request: RequestSettings = Field(
        default_factory=lambda: RequestSettings.model_validate({}),
        description="The settings of all jobs, as in `POST /jobs`.",
    )
    template: TemplateName | None = Field(
        None,
        description="Id or exact name of a template, whose settings are used where `request` gives "
        "none; `extra` is merged into the template's.",
    )
    inputs: list[BatchInputBody] | None = Field(
        None,
        min_length=1,
        max_length=MAX_INPUTS,
        description="A job is made of each, in this order.",
    )
    inputs_from: BucketListing | None = Field(
        None, description="The objects of a bucket, which is listed now, as the inputs."
    )
    allow_duplicates: bool = Field(
        False,
        description="Submit inputs also where the same job ran within 24 hours, or is in the batch "
        "twice.",
    )

    @model_validator(mode="after")
    def check_one(self) -> Self:
        if (self.inputs is None) == (self.inputs_from is None):
            raise ValueError("Give exactly one of inputs and inputs_from.")
        return self


class BatchShape(Schema):
    id: Id = Field(description="Our id of the batch.")
    name: str = Field(description="Its name, which is unique in the organization.")
    account: AccountReference | None = Field(
        description="Where its inputs are submitted; null for one that jobs were only added to."
    )
    state: BatchStateName = Field(
        description="`sending`, or `stopped`, while inputs are not submitted; `running` until the "
        "last job has ended, then `done`."
    )
    note: Text = Field(description="Why it was stopped, where nobody stopped it.")
    total: int = Field(description="Inputs, and jobs that were added.")
    succeeded: int = Field(description="Jobs that succeeded, retries included.")
    failed: int = Field(description="Failed jobs without a retry, and inputs that were refused.")
    cancelled: int = Field(description="Cancelled jobs without a retry.")
    remaining: int = Field(description="Inputs not submitted, and jobs that have not ended.")
    submitted_by: str | None = Field(
        validation_alias="requester_name", description="An e-mail address, or `token:NAME`."
    )
    created_at: datetime = Field(description="When it was started.")


class RefusedInput(Schema):
    index: int = Field(description="Its place among the inputs, counted from 0.")
    input: str = Field(description="Its URL, redacted.")
    reason: Text = Field(description="Why it was refused.")


class BatchDetail(BatchShape):
    refused: list[RefusedInput] = Field(
        description="Inputs that turned out not to be submittable: the first 100."
    )


class BatchList(Schema):
    results: list[BatchShape] = Field(description="The batches of this page, newest first.")
    next: str | None = Field(description="The cursor of the next page; null on the last one.")
