"""The poll that keeps a list true, and on other pages what the frame says of the accounts."""

import re
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_safe

from jobs.filters import JobFilter
from jobs.freshness import fingerprint
from jobs.models import Job
from jobs.models.job import JobQuerySet
from jobs.views.job_list import second_time, tabs_of
from jobs.views.page import freshness_of
from organizations.access import authorize

# What one poll may ask about, and how many new jobs are counted before it is "100+".
MAX_ROWS = 200
NEW_CAP = 100
_PAIR = re.compile(r"(\d{1,18})\.(\d{1,9})", re.ASCII)


@require_safe
def live(request: HttpRequest, org: str) -> HttpResponse:
    """What changed on a list since it was rendered, each part to be swapped where it stands.

    `rows` holds `id.version` of the rows shown, `since` the time above the first of them, `new`
    and `health` what the page says of new jobs and accounts. 204 when all of that is true still.
    """
    access = authorize(request, org)
    wanted = JobFilter.parse(request.GET, access.organization)
    shown = {int(pk): int(version) for pk, version in _PAIR.findall(request.GET.get("rows", ""))}
    jobs = Job.objects.for_organization(access.organization)
    changed = _changed(jobs, shown)
    has_list = "since" in request.GET
    states = freshness_of(access.organization)
    context: dict[str, Any] = {"access": access, "wanted": wanted, "changed": changed}
    path = reverse("jobs:list", args=[org])
    new = _count_new(jobs, wanted, shown, request.GET.get("since", ""))
    if has_list and str(new) != request.GET.get("new"):
        context |= {"new_count": new, "new_cap": NEW_CAP, "first_url": f"{path}?{wanted.query()}"}
    if (mark := fingerprint(states)) != request.GET.get("health"):
        context |= {"health": states, "health_fingerprint": mark}
    if not changed and "new_count" not in context and "health" not in context:
        return HttpResponse(status=204)
    if changed or "new_count" in context:
        context |= tabs_of(jobs, wanted, path)
    context["second_time"] = second_time(wanted)
    return render(request, "jobs/_live.html", context)


def _changed(jobs: JobQuerySet, shown: dict[int, int]) -> list[Job]:
    """The jobs among those shown whose version is another one by now."""
    ids = list(shown)[:MAX_ROWS]
    versions = dict(jobs.filter(pk__in=ids).values_list("pk", "version"))
    moved = [pk for pk, version in versions.items() if version != shown[pk]]
    return list(jobs.for_list().filter(pk__in=moved)) if moved else []


def _count_new(jobs: JobQuerySet, wanted: JobFilter, shown: dict[int, int], since: str) -> int:
    """How many jobs would stand above the first row, counted to the cap."""
    moment = _read_moment(since)
    if moment is None:
        return 0
    above = (
        wanted.apply(jobs)
        .alias(sort_time=wanted.ordering.expression)
        .filter(sort_time__gte=moment)
        .exclude(pk__in=list(shown)[:MAX_ROWS])
    )
    return above[: NEW_CAP + 1].count()


def _read_moment(text: str) -> datetime | None:
    try:
        moment = parse_datetime(text.replace(" ", "+"))
        return moment.astimezone(UTC) if moment is not None and moment.tzinfo else None
    except (ValueError, OverflowError):
        return None
