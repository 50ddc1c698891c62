"""One error group: what to do, how often it happens, which jobs, and why they are one group."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_safe

from insights.errors.bars import bars_of
from insights.errors.counts import (
    HOUR,
    day_edges,
    failures,
    hour_edges,
    members_of,
    read_totals,
    read_trends,
)
from insights.views.rows import build_row
from jobs.mirror.rules.fingerprint import Part, split_message
from jobs.models import Job, JobErrorGroup
from jobs.query.visibility import Visibility
from jobs.views.notes.panel import notes_context
from jobs.views.shared.audit_rows import list_rows
from jobs.views.shared.layout import layout_context, render_page
from organizations.access import Access, requires
from organizations.models import AuditEntry
from organizations.permissions import Permission

JOBS_SHOWN = 5
# The latest jobs of a group that are looked at for different messages, and how many are shown.
SAMPLED, SAMPLES_SHOWN = 50, 3
HISTORY_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Cause:
    """One fingerprint of the group, with original messages of its jobs."""

    group: JobErrorGroup
    samples: list[list[Part]]


def find_group(access: Access, pk: int) -> JobErrorGroup:
    groups = JobErrorGroup.objects.for_organization(access.organization).with_assignees()
    return get_object_or_404(groups.select_related("organization"), pk=pk)


@require_safe
@requires(Permission.READ)
def error(request: HttpRequest, access: Access, group_pk: int) -> HttpResponse:
    group = find_group(access, group_pk)
    if group.merged_into_id is not None:
        return redirect("insights:error", access.organization.slug, group.merged_into_id)
    visible, now = Visibility(access.organization), timezone.now()
    # before the layout, which counts what is unread
    notes = notes_context(access, group)
    context = layout_context(access, "errors") | notes
    accounts = {state.account.pk: state.account for state in context["health"]}
    members = members_of([group.pk])
    totals = read_totals(visible, members)[group.pk]
    by_hour = request.GET.get("trend") == "hours"
    edges = hour_edges(now) if by_hour else day_edges(now)
    bars = bars_of(group, edges, read_trends(visible, members, edges)[group.pk])
    row = build_row(group, totals, bars, accounts)
    latest = list(_latest(visible, members)[:SAMPLED])
    context |= {
        "group": group,
        "row": row,
        "by_hour": by_hour,
        "shares": [(account, totals.accounts[account.pk]) for account in row.accounts],
        "in_last_hour": _count_last_hour(visible, members, now),
        "jobs": latest[:JOBS_SHOWN],
        "causes": list(_causes(members, latest)),
        "history": _history(access, group),
    }
    return render_page(request, access, "insights/errors/error.html", context, section="errors")


def _latest(visible: Visibility, members: Iterable[int]) -> QuerySet[Job]:
    return failures(visible, members).for_list().order_by("-ended_at", "-pk")


def _count_last_hour(visible: Visibility, members: Mapping[int, int], now: datetime) -> int:
    edges = [now - HOUR, now]
    return sum(sum(trend) for trend in read_trends(visible, members, edges).values())


def _causes(members: Mapping[int, int], latest: Iterable[Job]) -> Iterable[Cause]:
    """The group's own fingerprint first."""
    groups = JobErrorGroup.objects.in_bulk(list(members))
    messages: dict[int, dict[str, None]] = {}
    for job in latest:
        if job.error_message and job.error_group_id is not None:
            messages.setdefault(job.error_group_id, {})[job.error_message] = None
    for pk in sorted(members, key=lambda pk: (pk != members[pk], pk)):
        samples = [split_message(text) for text in list(messages.get(pk, {}))[:SAMPLES_SHOWN]]
        yield Cause(groups[pk], samples)


def _history(access: Access, group: JobErrorGroup) -> list[Any]:
    if not access.allows(Permission.AUDIT):
        return []
    return list_rows(access, AuditEntry.objects.about(group)[:HISTORY_SHOWN])
