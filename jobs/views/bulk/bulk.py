"""A bulk action while it runs and after it, and those that there were."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from jobs.bulk import service
from jobs.bulk.actions.registry import ACTIONS, RELATED, UNUSED, action_of
from jobs.bulk.left_out import describe_left_out
from jobs.bulk.results import ResultFilter, find_bulk
from jobs.models import BulkAction
from jobs.query.references import read_id
from jobs.query.visibility import Visibility
from jobs.views.shared.first_page import redirect_to_first_page
from jobs.views.shared.layout import HtmxRequest, render_page, running_bulk
from jobs.views.shared.long_work import act_on
from organizations.access import Access, requires
from organizations.permissions import Permission

LISTED = 50
# a part of the bar that is there is seen
LEAST = 0.35


@dataclass(frozen=True, slots=True)
class Part:
    """One outcome: how many jobs, where it is in the bar (percent), and its list."""

    name: str
    label: str
    count: int
    x: str
    width: str
    url: str
    is_current: bool


@require_safe
@requires(Permission.READ)
def bulk(request: HtmxRequest, access: Access, bulk_pk: int) -> HttpResponse:
    action = _find(access, bulk_pk)
    filters = ResultFilter.parse(request.GET, Visibility(access.organization))
    try:
        page = filters.page(action, has_problems_first=True)
    except ValueError:
        return redirect_to_first_page(request, filters)
    path = request.path
    context = {
        "access": access,
        "bulk": action,
        "title": describe(action),
        "makes_jobs": ACTIONS[action.kind_value].MAKES_JOBS,
        "parts": _parts(action, filters, path),
        "all_url": path,
        "is_all": not filters.outcome,
        "rows": page.rows,
        "older_url": page.next and f"{path}?{filters.query(cursor=page.next)}",
        "newer_url": filters.cursor and f"{path}?{filters.query()}",
        "kept_days": settings.BULK_RESULTS_DAYS,
        "live_url": request.get_full_path(),
        "left_out": [
            (row.sentence, row.count, None)
            for row in describe_left_out(Visibility(access.organization), action.left_out)
        ],
        "jobs_query": _jobs_query(action, filters),
    }
    if request.htmx and not request.htmx.history_restore_request:
        if action.next_at is None:
            # the last poll of this page: the sidebar ends with it
            context["bulk_running"] = running_bulk(access.organization).count()
        return render(request, "jobs/bulk/_live.html", context | {"is_update": True})
    return render_page(request, access, "jobs/bulk/bulk.html", context, section="jobs")


@require_safe
@requires(Permission.READ)
def bulk_list(request: HttpRequest, access: Access) -> HttpResponse:
    """All that were started, newest first."""
    rows = BulkAction.objects.for_organization(access.organization)
    before = read_id(request.GET.get("before", ""))
    if before is not None:
        rows = rows.filter(pk__lt=before)
    rows = rows.select_related("actor", "token", *RELATED).defer(*UNUSED)
    found = list(rows[: LISTED + 1])
    path = reverse("jobs:bulk_list", args=[access.organization.slug])
    context = {
        "rows": [(row, describe(row)) for row in found[:LISTED]],
        "older_url": f"{path}?before={found[LISTED - 1].pk}" if len(found) > LISTED else "",
        "newer_url": path if before is not None else "",
    }
    return render_page(request, access, "jobs/bulk/bulk_list.html", context, section="jobs")


@require_POST
@requires(Permission.ACT)
def bulk_stop(request: HttpRequest, access: Access, bulk_pk: int) -> HttpResponse:
    text = "Stopped. What was under way is still answered."
    return act_on(request, access, _find(access, bulk_pk), service.stop, text, "jobs:bulk")


@require_POST
@requires(Permission.ACT)
def bulk_resume(request: HttpRequest, access: Access, bulk_pk: int) -> HttpResponse:
    text = "The rest is being run."
    return act_on(request, access, _find(access, bulk_pk), service.resume, text, "jobs:bulk")


def _find(access: Access, pk: int) -> BulkAction:
    found = find_bulk(Visibility(access.organization), str(pk))
    if found is None:
        raise Http404("No such bulk action.")
    return found


def describe(bulk: BulkAction) -> str:
    """`Retry of 1,251 jobs`; how many there are is not known at first."""
    count = bulk.targets_found
    jobs = f"{count:,} job{'' if count == 1 else 's'}"
    return action_of(bulk).title("jobs" if bulk.is_open and not count else jobs)


def _jobs_query(action: BulkAction, filters: ResultFilter) -> str:
    """What finds the jobs of the results that are shown."""
    ids = [f"{action.pk}/{outcome}" for outcome in sorted(filters.outcome)] or [str(action.pk)]
    return f"bulk:{','.join(ids)}"


def _parts(action: BulkAction, filters: ResultFilter, path: str) -> list[Part]:
    counts: list[tuple[str, str, int]] = [
        ("done", "done", action.done),
        ("refused", "refused", action.refused),
        ("failed", "failed", action.failed),
        ("pending", "waiting", action.remaining),
    ]
    total = max(sum(count for _, _, count in counts), 1)
    parts: list[Part] = []
    x = 0.0
    for name, label, count in counts:
        width = max(count / total * 100, LEAST) if count else 0.0
        url = f"{path}?{filters.query(outcome=name)}"
        is_current: Any = filters.outcome == {name}
        parts.append(Part(name, label, count, f"{x:.2f}%", f"{width:.2f}%", url, is_current))
        x += width
    return parts
