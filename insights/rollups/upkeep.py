"""Keeping the sums right, in short steps, each of them one transaction.

A step locks the organization's state, sums up some time anew from the jobs, and moves the state.
One that is killed has done nothing, and of two at once one leaves. Summed up anew are the hours of

- jobs that changed since the last time, wherever in the past they ended,
- ends that moved away or were deleted, which the mirror's writer notes down (MovedEnd),
- what has ended since, up to a quarter hour or two ago,
- the last 48 hours, four times an hour, and one older day each time, whatever happened to them:
  so what nobody noted, such as a row that was changed by hand, is corrected as well.

The history before the first time is summed up one day after the other, the last one first.
"""

import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from django.db import transaction

from insights.models import RollupState
from insights.rollups.facts import Quarter, ended, read_quarter
from insights.rollups.spans import (
    FIRST,
    HOUR,
    QUARTER,
    Window,
    day_of,
    days_between,
    floor,
    merge,
    start_of,
)
from insights.rollups.write import write_days, write_quarters
from jobs.models import Job, MovedEnd
from jobs.query.paging.keyset import sort
from jobs.query.paging.orderings import Ordering
from organizations.models import Organization
from organizations.profile.time_zones import zone_named

# What ended less than this ago is counted when somebody asks, so that answers that come a little
# late make no sum wrong.
YOUNG = timedelta(minutes=15)
# A change may be committed that long after the time that it is stamped with.
LATE_COMMITS = timedelta(minutes=2)
RECENT = timedelta(hours=48)
RECENT_EVERY = timedelta(minutes=15)
# What one step does at most, since SQLite has one writer at a time. More is noted down.
MAX_HOURS = 200
MAX_MOVED = 20_000
MAX_WINDOW = timedelta(days=3)
# of a run, for all organizations together: the next one is a minute later
BUDGET_S = 40.0

Step = Callable[[RollupState, datetime], bool]


def keep_up(now: datetime) -> None:
    """Bring the sums of all organizations up to `now`, as far as the time allows."""
    deadline = time.monotonic() + BUDGET_S
    organizations = list(Organization.objects.order_by("pk"))
    for step in (catch_up, check):
        for organization in organizations:
            repeat(step, organization, now, deadline)
    for number, organization in enumerate(organizations):
        # to each its share, so that a long history holds up nobody
        left_s = max(deadline - time.monotonic(), 0) / (len(organizations) - number)
        repeat(go_back, organization, now, time.monotonic() + left_s)


def repeat(step: Step, organization: Organization, now: datetime, deadline: float) -> None:
    """Take the step until nothing is left to do, somebody else does it, or the time is over."""
    while _take(step, organization, now) and time.monotonic() < deadline:
        pass


def _take(step: Step, organization: Organization, now: datetime) -> bool:
    """Whether there may be more to do."""
    with transaction.atomic():
        known = RollupState.objects.filter(pk=organization.pk)
        locked = known.select_for_update(of=("self",), skip_locked=True)
        state = locked.select_related("organization").first()
        if state is not None:
            return step(state, now)
        if known.exists():
            return False  # another process works on it
        RollupState.objects.bulk_create([_begin(organization, now)], ignore_conflicts=True)
    return True


def _begin(organization: Organization, now: datetime) -> RollupState:
    reached = floor(now - YOUNG)
    return RollupState(
        organization=organization,
        time_zone=organization.time_zone,
        seen_at=now,
        reached_from=reached,
        reached_to=reached,
        checked_at=now,
        checked_to=reached,
    )


def catch_up(state: RollupState, now: datetime) -> bool:
    """Sum up what has changed, what has moved, and what has ended since the last time."""
    if state.time_zone != state.organization.time_zone:
        # days begin at other times: the whole history once more
        _begin(state.organization, now).save(force_update=True)
        return True
    target = floor(now - YOUNG)
    moved = list(MovedEnd.objects.filter(organization=state.organization)[:MAX_MOVED])
    hours = {floor(row.at, HOUR) for row in moved if row.at < target}
    if state.seen_at != now:  # else a step before this one, of the same run, has seen to them
        hours.update(_hours_of_changes(state, target))
    latest = sorted(hours, reverse=True)
    MovedEnd.objects.filter(pk__in=[row.pk for row in moved]).delete()
    MovedEnd.record(state.organization_id, latest[MAX_HOURS:])
    windows = [(at, at + HOUR) for at in latest[:MAX_HOURS]]
    reached = max(state.reached_to, min(target, state.reached_to + MAX_WINDOW))
    windows.append((state.reached_to, reached))
    state.reached_to = reached
    _write(state, windows)
    state.seen_at = now
    state.save(update_fields=["seen_at", "reached_to"])
    return len(latest) > MAX_HOURS or len(moved) == MAX_MOVED or reached < target


def _hours_of_changes(state: RollupState, target: datetime) -> list[datetime]:
    """When the jobs that changed since the last time ended, if before `target`. One query."""
    jobs = Job.objects.for_organization(state.organization).filter(
        changed_at__gte=state.seen_at - LATE_COMMITS, ended_at__gte=FIRST, ended_at__lt=target
    )
    quarters = jobs.order_by().annotate(quarter=Quarter("ended_at")).values_list("quarter")
    return [floor(read_quarter(number), HOUR) for (number,) in quarters.distinct()]


def check(state: RollupState, now: datetime) -> bool:
    """Sum up the last two days anew, and a day before them."""
    if timedelta() <= now - state.checked_at < RECENT_EVERY:
        return False
    zone = zone_named(state.time_zone)
    recent = state.reached_to - RECENT
    end = state.checked_to if state.reached_from < state.checked_to <= recent else recent
    day = start_of(day_of(end - QUARTER, zone), zone)
    _write(state, [(recent, state.reached_to), (day, end)])
    state.checked_at, state.checked_to = now, day
    state.save(update_fields=["checked_at", "checked_to"])
    return False


def go_back(state: RollupState, now: datetime) -> bool:
    """Sum up the last day with jobs among those before all that is summed up."""
    if state.reached_from <= FIRST:
        return False
    jobs = Job.objects.for_organization(state.organization)
    before = sort(ended(jobs, FIRST, state.reached_from), Ordering("finished"))
    last_at = before.values_list("ended_at", flat=True).first()
    zone, end = zone_named(state.time_zone), state.reached_from
    begins = FIRST if last_at is None else start_of(day_of(last_at, zone), zone)
    state.reached_from = max(begins, FIRST)
    _write(state, [(state.reached_from, end)])
    state.save(update_fields=["reached_from"])
    return state.reached_from > FIRST


def _write(state: RollupState, windows: Iterable[Window]) -> None:
    """Sum up anew what of `windows` is summed up at all, and the days that are over then."""
    clipped = (
        (max(start, state.reached_from), min(end, state.reached_to)) for start, end in windows
    )
    merged = merge(window for window in clipped if window[0] < window[1])
    for window in merged:
        write_quarters(state.organization, window)
    zone = zone_named(state.time_zone)
    days = []
    for window in merged:
        begins = start_of(day_of(window[0], zone), zone)
        *_, (_, ends) = days_between(window[1] - QUARTER, window[1], zone)
        if ends > state.reached_to:
            ends = start_of(day_of(window[1] - QUARTER, zone), zone)
        days.append((begins, ends))
    for window in merge(days):
        write_days(state.organization, window, zone)
