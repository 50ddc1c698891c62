"""`/stats`: how jobs ended, by the hour or by the day."""

from datetime import datetime
from typing import Annotated, Any

from ninja import Field, Query, Router, Schema
from pydantic import BaseModel

from insights.rollups.histogram import Histogram
from insights.statistics.filter import LONGEST, StatsFilter
from insights.statistics.reading import read_statistics
from insights.statistics.tally import Bucket
from jobs.api.auth import ApiRequest, visible_to
from jobs.api.errors import LIST_REFUSALS
from jobs.api.list_parameters import read_filters
from jobs.api.schemas.parameters import Text, documented

router = Router(tags=["statistics"], by_alias=True)

Moment = Annotated[
    str,
    documented(
        anyOf=[
            {"type": "string", "format": "date-time"},
            {"type": "string", "format": "date"},
            {"type": "string", "pattern": "^[0-9]{1,5}[smhdw]$"},
        ]
    ),
]


class StatsParameters(BaseModel):
    """Documents the query string; StatsFilter reads it, for the page as well."""

    from_: Moment = Field(
        "",
        alias="from",
        description="From this time on; by default 7 days before `to`. A date is a day of the "
        "organization's time zone.",
    )
    to: Moment = Field("", description="Up to, but without this time; by default now.")
    group: Annotated[str, documented(type="string", enum=list(LONGEST))] = Field(
        "",
        description="By the hour, of 14 days at most, or by the day, of 366; by default by the "
        "hour where the time is two days at most.",
    )
    q: Text = Field("", description="Only jobs that fit this query: see the guide.")


class Percentiles(Schema):
    p50: int | None = Field(description="The median; null without any.")
    p95: int | None = Field(description="The 95th percentile; null without any.")


class StatsBucket(Schema):
    at: datetime = Field(description="When the hour, or the organization's day, begins.")
    succeeded: int = Field(description="Jobs that ended in it and succeeded.")
    failed: int = Field(description="Jobs that failed in it, later fixed ones included.")
    cancelled: int = Field(description="Jobs that were cancelled in it.")
    wait_ms: Percentiles = Field(
        description="How long these jobs waited, from creation to start, within 5 %."
    )
    run_ms: Percentiles = Field(
        description="How long they ran, from start to end as the provider reports them, within 5 %."
    )
    output_ms: int = Field(
        description="Duration of the videos, audio files and playlists that they made."
    )


class StatsShape(Schema):
    from_: datetime = Field(alias="from", description="When the time begins.")
    to: datetime = Field(description="When it ends.")
    complete: bool = Field(
        description="Whether all jobs are counted as they are now. Sums of changed jobs are a "
        "minute late, and a query that needs the jobs themselves has two seconds."
    )
    buckets: list[StatsBucket] = Field(
        description="Each hour or day, the first one first. The first and the last one count "
        "within `from` and `to` alone."
    )


@router.get("", response={200: StatsShape, **LIST_REFUSALS}, summary="Read statistics")
def read_stats(request: ApiRequest, parameters: Query[StatsParameters]) -> dict[str, Any]:
    """How many jobs ended how, and how long they waited and ran. A job counts when it ended."""
    filters = read_filters(StatsFilter, request)
    found = read_statistics(visible_to(request), filters)
    return {
        "from": filters.start,
        "to": filters.end,
        "complete": found.is_complete,
        "buckets": [_shape(bucket) for bucket in found.buckets],
    }


def _shape(bucket: Bucket) -> dict[str, Any]:
    outcomes = bucket.outcomes
    return {
        "at": bucket.at,
        "succeeded": outcomes.succeeded,
        "failed": outcomes.failed,
        "cancelled": outcomes.cancelled,
        "wait_ms": _percentiles(outcomes.wait),
        "run_ms": _percentiles(outcomes.run),
        "output_ms": outcomes.output_ms,
    }


def _percentiles(histogram: Histogram) -> dict[str, int | None]:
    return {"p50": histogram.percentile(0.5), "p95": histogram.percentile(0.95)}
