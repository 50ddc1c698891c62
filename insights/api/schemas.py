"""Error groups as the API has them."""

from datetime import datetime
from typing import Annotated

from django.utils import timezone
from ninja import Field, Schema
from pydantic import BeforeValidator, WithJsonSchema

from insights.forms import MAX_FAILURES
from jobs.api.requests import Strict, as_whole
from jobs.api.schemas.fields import AccountReference, ErrorClassName, Id, Text
from jobs.api.schemas.parameters import TEXT_PATTERN
from jobs.models import GroupState
from jobs.query.parameters import read_time
from organizations.models.audit import MAX_REASON


class ErrorGroupShape(Schema):
    id: Id = Field(description="Our id of the group.")
    class_: ErrorClassName = Field(alias="class", description="The error class of its jobs.")
    title: str = Field(description="What people read for the class.")
    message: str = Field(
        description="The message that its jobs share, with `<n>`, `<url>` and the like where they "
        "differ; the class's sentence where the provider gave none."
    )
    state: GroupState = Field(description="A later failure opens a resolved group again.")
    new: bool = Field(description="Seen first in the last 7 days, and nobody dealt with it.")
    returned: bool = Field(description="Opened again by a failure in the last 7 days.")
    jobs: int = Field(description="Failed jobs that have this error.")
    unresolved: int = Field(description="Those of them that no later attempt fixed.")
    providers: list[str] = Field(description="Slugs, the one with most failures first.")
    accounts: list[AccountReference] = Field(description="The one with most failures first.")
    first_seen_at: datetime | None = Field(description="When the first of the jobs failed.")
    last_seen_at: datetime | None = Field(description="When the last of the jobs failed.")
    hint: str = Field(description="What to do about it.")
    transient: bool = Field(description="Whether it goes away by itself.")
    mute_reason: Text = Field(description="Why it is muted.")
    muted_until: datetime | None = Field(description="When the mute ends, if at a time.")
    assignee: str | None = Field(description="The e-mail address of the member who looks after it.")
    html_url: str = Field(description="Its page on the board.")


class ErrorGroupList(Schema):
    results: list[ErrorGroupShape] = Field(description="The groups of this page.")
    next: str | None = Field(description="The cursor of the next page; null on the last one.")


def _read_moment(value: object) -> datetime:
    """ISO 8601; UTC where it names no offset."""
    if not isinstance(value, str):
        raise ValueError("Enter a time such as 2026-05-04T12:00:00Z.")
    try:
        return read_time(value, timezone.now())
    except ValueError:
        raise ValueError("Enter a time such as 2026-05-04T12:00:00Z.") from None


Moment = Annotated[
    datetime,
    BeforeValidator(_read_moment),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
Failures = Annotated[int, Field(ge=1, le=MAX_FAILURES), BeforeValidator(as_whole)]


Reason = Annotated[str, Field(max_length=MAX_REASON, json_schema_extra={"pattern": TEXT_PATTERN})]


class MuteRequest(Strict):
    """When the mute ends: one of the three at most; without any it lasts until a reopening."""

    reason: Reason = Field(description="Why.")
    until: Moment | None = Field(None, description="At this time, which is to come.")
    count: Failures | None = Field(None, description="When so many more jobs have failed.")
    rate_per_hour: Failures | None = Field(
        None, description="When so many jobs fail within an hour."
    )
