"""Which jobs statistics are of, from when to when, and by hour or by day."""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import ClassVar, Self

from django.db.models import Q
from django.utils import timezone

from insights.rollups.spans import FIRST, Window, days_between, hours_between
from jobs.query.jobs import JobFilter
from jobs.query.language.times import DAYS, read_moment
from jobs.query.list_filter import ListFilter
from jobs.query.parameters import Parameters, Params, read_time
from jobs.query.visibility import Visibility
from organizations.profile.time_zones import zone_named

USUAL_SPAN = timedelta(days=7)
# By the hour unless the time is longer
MOST_BY_HOUR = timedelta(days=2)
# So many are still drawn, and read, at once. Leap days and summer time are given.
LONGEST = {
    "hour": timedelta(days=14, hours=1),
    "day": timedelta(days=366, hours=1),
}
# how far ahead the end may be: nothing has ended there, but today ends there
LATEST = timedelta(days=366)

# the parameters of a list that the sums know
_SUMMED_UP = frozenset(
    {"status", "provider", "account", "error", "finished_after", "finished_before"}
)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


@dataclass(frozen=True)
class StatsFilter(ListFilter):
    """What statistics are of: jobs that ended from `start` up to `end`. Made by `parse`.

    `zone` is the organization's: its hours and days are those of the statistics.
    """

    CONDITIONS: ClassVar[tuple[str, ...]] = ("q",)
    OTHERS: ClassVar[tuple[str, ...]] = ("from", "to", "group")

    start: datetime = FIRST
    end: datetime = FIRST
    group: str = "day"
    zone: tzinfo = field(kw_only=True)
    jobs: JobFilter = field(kw_only=True)

    @classmethod
    def parse(cls, params: Params, visible: Visibility, zone: tzinfo | None = None) -> Self:
        """Read the query string; `zone` is that of dates in `q`, by default the organization's.

        Asks the database what JobFilter does.
        """
        read = cls.read(params, visible)
        own_zone = zone_named(visible.organization.time_zone)
        conditions = {name: list(read.several(name)) for name in cls.CONDITIONS}
        jobs = JobFilter.parse(conditions, visible, zone)
        start, end = cls.read_range(read, own_zone)
        group = _read_group(read, end - start)
        if not read.errors.keys() & {"from", "to", "group"}:
            _check_range(read, start, end, group)
        return cls(
            start=start,
            end=end,
            group=group,
            zone=own_zone,
            jobs=jobs,
            given=read.given,
            errors={**jobs.errors, **read.errors},
            unknown=read.unknown,
            organization_id=visible.organization.pk,
        )

    @classmethod
    def read_range(cls, read: Parameters, zone: tzinfo) -> Window:
        now = timezone.now()
        end = read_limit(read, "to", zone, now) or now
        try:
            return read_limit(read, "from", zone, now) or end - USUAL_SPAN, end
        except OverflowError:
            return end, end

    @property
    def is_unreadable(self) -> bool:
        """Whether anything could not be read."""
        return bool(self.errors)

    @property
    def buckets(self) -> list[Window]:
        """The hours or days, whole ones: the first may begin before `start`."""
        between = hours_between if self.group == "hour" else days_between
        return list(between(self.start, self.end, self.zone))

    @property
    def limits(self) -> Window:
        """When jobs ended that are counted: where `q` narrows the time as well, within both."""
        times = self.jobs.times
        start = min(max(self.start, times.get("finished_after", self.start)), self.end)
        return start, max(start, min(self.end, times.get("finished_before", self.end)))

    @property
    def is_summed_up(self) -> bool:
        """Whether the sums distinguish all that is asked for."""
        return self.jobs.condition == Q() and {name for name, _ in self.jobs.given} <= _SUMMED_UP


def read_limit(read: Parameters, name: str, zone: tzinfo, now: datetime) -> datetime | None:
    """As times are read everywhere, but that a date is a day of the organization's zone."""
    text = read.one(name)
    if not text:
        return None
    try:
        if _DATE.fullmatch(text) or text.lower() in DAYS:
            return read_moment(text, zone, now).start
        return read_time(text, now)
    except ValueError as error:
        read.errors[name] = str(error)
        return None


def _read_group(read: Parameters, span: timedelta) -> str:
    text = read.one("group")
    if text and text not in LONGEST:
        read.errors["group"] = "Use hour or day."
    return text or ("hour" if span <= MOST_BY_HOUR else "day")


def _check_range(read: Parameters, start: datetime, end: datetime, group: str) -> None:
    if start < FIRST:
        read.errors["from"] = f"Statistics begin with {FIRST:%Y-%m-%d}."
    elif end > timezone.now() + LATEST:
        read.errors["to"] = "Enter a time that is no more than a year ahead."
    elif start >= end:
        read.errors["from"] = "Enter a time before the end."
    elif end - start > LONGEST[group]:
        days = LONGEST[group].days
        more = " Use group=day, or a shorter time." if group == "hour" else ""
        read.errors["from"] = f"By the {group}, statistics are of {days} days at most.{more}"
