"""The poll that keeps a list current, and on other pages the state of the accounts."""

import re
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.views.decorators.http import require_safe

from jobs.accounts.freshness import fingerprint, freshness
from jobs.actions.end_notices import read_notices
from jobs.display.phases import SUBMITTING_NOW, WAITING_HERE, live_version
from jobs.models import Job, ProviderAccount
from jobs.models.mirror.job import JobQuerySet
from jobs.query import arrivals
from jobs.query.arrivals import read_versions
from jobs.query.jobs import JobFilter
from jobs.stuck.time_left import times_left
from jobs.submission.waiting import find_waiting, note_waiting
from jobs.views.shared.columns import add_accounts, columns_context, load_rows
from jobs.views.shared.job_filters import PageFilter, read_job_filters
from jobs.views.shared.layout import column_of, health_context
from jobs.views.shared.poll_query import poll_accounts
from jobs.views.shared.tabs import tabs_context
from organizations.access import Access, requires
from organizations.permissions import Permission

# What one poll may ask about, and how many new jobs are counted before it is "100+".
MAX_ROWS = 200
NEW_CAP = 100
_PAIR = re.compile(r"(\d{1,18})\.(\d{1,9}s?[uw]?)", re.ASCII)


@require_safe
@requires(Permission.READ)
def live(request: HttpRequest, access: Access) -> HttpResponse:
    """What changed on a list since it was rendered, each part to be swapped where it is.

    `rows` holds `id.version` of the rows shown, `since` the accounts' revisions when the page was
    rendered, `revision` when its tabs were, `new` and `health` what it says of new jobs and
    accounts, `notices` what it has of jobs that ended and of mentions, `bulk` how many bulk
    actions run. 204 when all of that is still true.
    """
    # most polls bring nothing and need none
    filters = cast("PageFilter", SimpleLazyObject(partial(read_job_filters, request, access)))
    shown = dict(_PAIR.findall(request.GET.get("rows", ""))[:MAX_ROWS])
    # before the jobs that came: what is written between is still new to the next poll
    accounts, now = poll_accounts(access, list(map(int, shown))), timezone.now()
    states = [freshness(account, now) for account in accounts]
    path = reverse("jobs:list", args=[access.organization.slug])
    news: dict[str, Any] = {}
    if "since" in request.GET:
        news |= _list_news(request, access, filters, shown, accounts, path)
    if changed := _changed(access, filters, shown, accounts):
        news |= {"changed": changed, "times_left": times_left(changed, now)}
    if fingerprint(states) != request.GET.get("health"):
        news |= health_context(states)
    notices = read_notices(column_of(states, "notices"), column_of(states, "mentions"))
    if notices.fingerprint != request.GET.get("notices", notices.fingerprint):
        news["notices"] = notices
    running = column_of(states, "bulk_running") or 0
    if str(running) != request.GET.get("bulk", str(running)):
        news |= {"bulk_running": running, "has_bulk_news": True}
    if not news:
        return HttpResponse(status=204)
    context = {"access": access, "filters": filters, "list_path": path, **columns_context(filters)}
    return render(request, "jobs/live/_update.html", context | news)


def _list_news(
    request: HttpRequest,
    access: Access,
    filters: JobFilter,
    shown: Mapping[str, str],
    accounts: list[ProviderAccount],
    path: str,
) -> dict[str, Any]:
    """The tabs and the number of new jobs, once a job of any account has changed."""
    since = request.GET["since"]
    revision = arrivals.fingerprint(arrivals.mark(accounts))
    if revision == request.GET.get("revision", arrivals.fingerprint(since)):
        return {}
    jobs = Job.objects.for_organization(access.organization)
    news = {**tabs_context(jobs, filters, path, revision, is_poll=True), "revision": revision}
    came = arrivals.arrivals(jobs, filters, since, accounts).exclude(pk__in=list(map(int, shown)))
    new = came[: NEW_CAP + 1].count()
    if str(new) != request.GET.get("new"):
        news |= {"new_count": new, "new_cap": NEW_CAP, "first_url": f"{path}?{filters.query()}"}
    return news


def _changed(
    access: Access,
    filters: PageFilter,
    shown: Mapping[str, str],
    accounts: list[ProviderAccount],
) -> list[Job]:
    """The jobs among those shown whose row is another one by now."""
    now = timezone.now()
    by_id = {account.pk: account for account in accounts}
    versions = getattr(accounts[0], "shown", None) if accounts else None
    marks = SUBMITTING_NOW + WAITING_HERE
    moved = [
        pk
        for pk, version, is_active, account in read_versions(versions)
        # that of an account that was added in between comes with the next poll
        if account in by_id
        and live_version(version, is_active, by_id[account]) != shown.get(pk, "").rstrip(marks)
    ]
    jobs = Job.objects.for_organization(access.organization)
    moved += _find_turned(jobs, shown, now)
    if not moved:
        return []
    changed = list(load_rows(jobs, filters).filter(pk__in=moved))
    add_accounts(changed, accounts)
    note_waiting(changed, now)
    return changed


def _find_turned(jobs: JobQuerySet, shown: Mapping[str, str], now: datetime) -> list[str]:
    """Those among `shown` that wait here by now, or do so no longer.

    No query where no row is of a job that is being submitted.
    """
    is_shown_waiting = {
        pk: version.endswith(WAITING_HERE)
        for pk, version in shown.items()
        if version.endswith((SUBMITTING_NOW, WAITING_HERE))
    }
    if not is_shown_waiting:
        return []
    rows = list(jobs.filter(pk__in=is_shown_waiting).only("status", "account_id"))
    waiting = find_waiting(rows, now)
    return [str(job.pk) for job in rows if (job.pk in waiting) is not is_shown_waiting[str(job.pk)]]
