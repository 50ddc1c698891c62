"""The batches that there are, and one of them: how far it has got, and its jobs."""

from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from jobs.batches import service
from jobs.batches.figures import Figures, count_causes, minutes_left, read_figures, state_of
from jobs.batches.listing import BatchFilter
from jobs.display.settings_summary import summarize_request
from jobs.models import Batch, BatchInput, InputOutcome, Job
from jobs.query.references import find_by_id, read_id
from jobs.query.visibility import Visibility
from jobs.views.shared.causes import list_causes
from jobs.views.shared.first_page import redirect_to_first_page
from jobs.views.shared.layout import HtmxRequest, render_page
from jobs.views.shared.long_work import act_on
from organizations.access import Access, requires
from organizations.encryption import Undecryptable
from organizations.permissions import Permission
from providers.http.redaction import redact

LISTED = 50
# a part of the bar that is there is seen
LEAST = 0.35
# What each list of jobs shows, by the name in the URL
STATUSES = {
    "active": ("submitting", "queued", "running", "unknown"),
    "failed": ("failed",),
    "succeeded": ("succeeded",),
    "cancelled": ("cancelled",),
}
UNSENT = "unsent"


@dataclass(frozen=True, slots=True)
class Part:
    """One outcome: how many jobs, and where it is in the bar (percent)."""

    name: str
    label: str
    count: int
    x: str
    width: str


@dataclass(frozen=True, slots=True)
class BatchRow:
    batch: Batch
    figures: Figures
    state: str
    parts: list[Part]


@require_safe
@requires(Permission.READ)
def batch_list(request: HttpRequest, access: Access) -> HttpResponse:
    """All that were started, newest first."""
    visible = Visibility(access.organization)
    filters = BatchFilter.parse(request.GET, visible)
    rows = visible.batches().select_related("account", "actor", "token")
    try:
        page = filters.page(rows.defer("account__credentials", "account__hook_secret"))
    except ValueError:
        return redirect_to_first_page(request, filters)
    path = request.path
    context = {
        "rows": read_rows(visible, page.rows),
        "newer_url": page.previous and f"{path}?{filters.query(cursor=page.previous)}",
        "older_url": page.next and f"{path}?{filters.query(cursor=page.next)}",
    }
    return render_page(request, access, "jobs/batches/batch_list.html", context, section="jobs")


@require_safe
@requires(Permission.READ)
def batch(request: HtmxRequest, access: Access, batch_pk: int) -> HttpResponse:
    found = _find(access, batch_pk)
    visible = Visibility(access.organization)
    [row] = read_rows(visible, [found])
    shown = request.GET.get("show", "")
    shown = shown if shown in STATUSES or shown == UNSENT else ""
    after = read_id(request.GET.get("after", ""))
    rows: list[Any] = _inputs(found, after) if shown == UNSENT else _jobs(found, shown, after)
    path = request.path
    query = f"{path}?show={shown}" if shown else path
    last = rows[LISTED - 1] if len(rows) > LISTED else None
    place = last and (last.position if shown == UNSENT else last.pk)
    context = {
        "access": access,
        "row": row,
        "batch": found,
        "tabs": _tabs(row, path, shown),
        "shown": shown,
        "rows": rows[:LISTED],
        "older_url": place and f"{path}?show={shown}&after={place}",
        "newer_url": query if after is not None else "",
        "live_url": request.get_full_path(),
        "minutes": minutes_left(found, row.figures, timezone.now()),
        "settings": _settings(found),
        "causes": list_causes(count_causes(visible, found), _failed_url(access, found)),
        "is_over": row.state == "done",
    }
    if request.htmx and not request.htmx.history_restore_request:
        return render(request, "jobs/batches/_live.html", context)
    return render_page(request, access, "jobs/batches/batch.html", context, section="jobs")


@require_POST
@requires(Permission.SUBMIT)
def batch_stop(request: HttpRequest, access: Access, batch_pk: int) -> HttpResponse:
    text = "Stopped. What has not been submitted stays here, and can be submitted later."
    return act_on(request, access, _find(access, batch_pk), service.stop, text, "jobs:batch")


@require_POST
@requires(Permission.SUBMIT)
def batch_resume(request: HttpRequest, access: Access, batch_pk: int) -> HttpResponse:
    text = "The rest is being submitted."
    return act_on(request, access, _find(access, batch_pk), service.resume, text, "jobs:batch")


def read_rows(visible: Visibility, batches: list[Batch]) -> list[BatchRow]:
    """Batches with their figures; two queries."""
    figures = read_figures(visible, batches)
    return [
        BatchRow(one, figures[one.pk], state_of(one, figures[one.pk]), _parts(figures[one.pk]))
        for one in batches
    ]


def _find(access: Access, pk: int) -> Batch:
    rows = Visibility(access.organization).batches()
    related = ("account", "actor", "token", "template_version__template")
    found = find_by_id(rows.select_related(*related), str(pk))
    if found is None:
        raise Http404("No such batch.")
    return found


def _jobs(batch: Batch, shown: str, after: int | None) -> list[Job]:
    jobs = Job.objects.filter(batch=batch).for_list()
    if shown:
        jobs = jobs.filter(status__in=STATUSES[shown])
    if after is not None:
        jobs = jobs.filter(pk__lt=after)
    return list(jobs.order_by("-pk")[: LISTED + 1])


def _inputs(batch: Batch, after: int | None) -> list[BatchInput]:
    rows = batch.inputs.exclude(outcome=InputOutcome.SUBMITTED).defer("line")
    if after is not None:
        rows = rows.filter(position__gt=after)
    return list(rows.order_by("position")[: LISTED + 1])


@dataclass(frozen=True, slots=True)
class Tab:
    label: str
    count: int | None
    url: str
    is_current: bool


def _tabs(row: BatchRow, path: str, shown: str) -> list[Tab]:
    figures = row.figures
    labels: list[tuple[str, str, int | None]] = [
        ("", "All jobs", None),
        ("active", "Waiting or running", figures.active),
        # attempts that were retried are among those listed
        ("failed", "Failed", None),
        ("succeeded", "Succeeded", figures.succeeded),
        ("cancelled", "Cancelled", None),
    ]
    if figures.unsent or figures.refused:
        labels.append((UNSENT, "Not submitted", figures.unsent + figures.refused))
    return [
        Tab(label, count, f"{path}?show={name}" if name else path, name == shown)
        for name, label, count in labels
    ]


def _failed_url(access: Access, batch: Batch) -> str:
    return f"{reverse('jobs:list', args=[access.organization.slug])}?batch={batch.pk}&status=failed"


def _settings(batch: Batch) -> str:
    """What its inputs make, without secrets; empty where it has none."""
    try:
        return "" if batch.request is None else summarize_request(redact(batch.request))
    except Undecryptable:
        return ""


def _parts(figures: Figures) -> list[Part]:
    counts = [
        ("done", f"of {figures.total:,} succeeded", figures.succeeded),
        ("refused", "failed", figures.failed),
        ("failed", "cancelled", figures.cancelled),
        ("pending", "left", figures.remaining),
    ]
    if figures.gone:
        counts.append(("failed", "no longer at the provider", figures.gone))
    total = max(sum(count for _, _, count in counts), 1)
    parts: list[Part] = []
    x = 0.0
    for name, label, count in counts:
        width = max(count / total * 100, LEAST) if count else 0.0
        parts.append(Part(name, label, count, f"{x:.2f}%", f"{width:.2f}%"))
        x += width
    return parts
