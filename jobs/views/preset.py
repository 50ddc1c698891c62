"""One preset: what it is set to, how it fares, and the jobs that used it."""

from itertools import groupby, islice
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from jobs.display.flatten import flatten
from jobs.models import Job, Preset
from jobs.query.parameters import read_time
from jobs.query.presets import WINDOW, Usage, count_causes, count_usage, read_latest
from jobs.views.presets import row_of
from jobs.views.shared.causes import list_causes
from jobs.views.shared.layout import render_page
from organizations.access import Access, requires
from organizations.permissions import Permission
from providers.core.types import Capability

JOBS_SHOWN = 5
SETTINGS_SHOWN = 300


@require_safe
@requires(Permission.READ)
def preset(request: HttpRequest, access: Access, preset_pk: int) -> HttpResponse:
    found = get_object_or_404(
        Preset.objects.for_organization(access.organization).select_related("account"),
        pk=preset_pk,
    )
    since = read_time(WINDOW, timezone.now())
    usage = count_usage([found.pk], since).get(found.pk, Usage())
    latest = read_latest(found)
    jobs = Job.objects.for_list().in_bulk(latest.job_ids[:JOBS_SHOWN])
    row = row_of(found, usage, WINDOW, access.organization.slug)
    context = {
        "preset": found,
        "row": row,
        "latest": latest,
        "jobs": [jobs[pk] for pk in latest.job_ids[:JOBS_SHOWN] if pk in jobs],
        "causes": list_causes(count_causes(found, since), row.failed_url) if usage.failed else [],
        "groups": _groups(found.settings),
        "new_url": _new_job_url(access, found),
    }
    return render_page(request, access, "jobs/presets/preset.html", context, section="presets")


def _groups(settings: Any) -> list[tuple[str, list[tuple[str, Any]]]]:
    """The settings by the part that they belong to: `video`, with `codec.profile` and its value."""
    leaves = islice(flatten(settings), SETTINGS_SHOWN)
    rows = [([str(part) for part in path], value) for path, value in leaves]
    # what belongs to no part comes first
    rows.sort(key=lambda one: len(one[0]) > 1)
    return [
        (group, [(".".join(path[1:] if group else path), value) for path, value in leaves])
        for group, leaves in groupby(rows, lambda one: one[0][0] if len(one[0]) > 1 else "")
    ]


def _new_job_url(access: Access, found: Preset) -> str:
    """The form for a new job with this preset; empty where it offers none."""
    adapter_class = found.account.adapter_class
    if not (
        access.allows(Permission.SUBMIT)
        and adapter_class.supports(Capability.SUBMIT)
        and adapter_class.preset_field
    ):
        return ""
    query = urlencode({"account": found.account_id, "preset": found.remote_id})
    return f"{reverse('jobs:new', args=[access.organization.slug])}?{query}"
