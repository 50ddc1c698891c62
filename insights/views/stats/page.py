"""The page of statistics, its parts for htmx, and its tables as CSV."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_safe

from insights.statistics.reading import Statistics, read_statistics
from insights.statistics.tally import Outcomes
from insights.views.stats.charts import build_charts
from insights.views.stats.filter import SPANS, TABLES, PageStats
from insights.views.stats.links import JobLinks
from insights.views.stats.providers import LOW_RATE, find_worst
from insights.views.stats.tables import (
    bucket_rows,
    build_table,
    error_lines,
    error_rows,
    long_duration,
    preset_lines,
    preset_rows,
)
from jobs.display import formats
from jobs.display.csv_text import write_csv
from jobs.models import Preset, ProviderAccount, SavedView
from jobs.query.visibility import Visibility
from jobs.templatetags.figures import percent
from jobs.views.shared.filter_form import Choice, FilterMenu, account_menus, filter_form
from jobs.views.shared.job_filters import mark_error
from jobs.views.shared.layout import HtmxRequest, layout_context
from organizations.access import Access, requires
from organizations.permissions import Permission

SECTION = "stats"
# Tables of more lines are sent when somebody opens one.
MOST_AT_ONCE = 31
LINES_SHOWN = 8


@require_safe
@requires(Permission.READ)
def stats(request: HtmxRequest, access: Access) -> HttpResponse:
    filters = _read_filters(request, access)
    visible = Visibility(access.organization)
    links = JobLinks(reverse("jobs:list", args=[access.organization.slug]), filters)
    is_part = request.htmx and not request.htmx.history_restore_request
    if is_part and request.htmx.target == f"table-{filters.table}":
        found = read_statistics(visible, filters)
        split = find_worst(found, visible.accounts().only("pk", "provider").in_bulk())
        table = build_table(filters.table, found, filters, links, split)
        return render(request, "insights/stats/_table.html", {"table": table})
    found = read_statistics(visible, filters, with_causes=True)
    context = layout_context(access, SECTION)
    accounts = [state.account for state in context["health"]]
    context |= {
        "filters": filters,
        "found": found,
        "spans": _spans(filters, request.path),
        "query_error": mark_error(filters.jobs, keeps_list=False),
        "zone": str(filters.zone),
        **_content(access, found, filters, links, accounts),
        **_form(access, filters, accounts, context["views"], request.path),
    }
    template = "_results" if is_part else "stats"
    return render(request, f"insights/stats/{template}.html", context)


@require_GET
@requires(Permission.READ)
def stats_csv(request: HttpRequest, access: Access) -> HttpResponseBase:
    """The table that `table` names, whole; by default that of the outcomes."""
    filters = _read_filters(request, access)
    if filters.errors:
        text = "\n".join(filters.errors.values())
        return HttpResponse(text, status=422, content_type="text/plain; charset=utf-8")
    name = filters.table or TABLES[0]
    is_cause = name in ("errors", "presets")
    visible = Visibility(access.organization)
    found = read_statistics(visible, filters, with_causes=is_cause)
    links = JobLinks("", filters)
    rows: Iterable[Sequence[Any]]
    if name == "errors":
        rows = error_rows(error_lines(found, {}, links))
    elif name == "presets":
        rows = preset_rows(preset_lines(found, _presets(visible, found), links))
    else:
        rows = bucket_rows(name, found, filters.zone)
    file = f"statistics-{name}-{access.organization.slug}-{timezone.now():%Y-%m-%d}.csv"
    return StreamingHttpResponse(
        write_csv(rows),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{file}"'},
    )


def _read_filters(request: HttpRequest, access: Access) -> PageStats:
    """Dates in the query are days of the person who asks, as in the lists that figures lead to."""
    visible = Visibility(access.organization)
    return PageStats.parse(request.GET, visible, timezone.get_current_timezone())


def _content(
    access: Access,
    found: Statistics,
    filters: PageStats,
    links: JobLinks,
    accounts: Sequence[ProviderAccount],
) -> dict[str, Any]:
    visible = Visibility(access.organization)
    known = {account.pk: account for account in accounts}
    errors, split = error_lines(found, known, links), find_worst(found, known)
    presets = preset_lines(found, _presets(visible, found), links)
    is_short = len(found.buckets) <= MOST_AT_ONCE
    charts = build_charts(found, filters, split)
    open_tables = {chart.name for chart in charts} if is_short else {filters.table} & {*TABLES[:5]}
    return {
        "figures": list(_figures(found, _read_before(visible, filters), links)),
        "total": found.total,
        "charts": charts,
        "tables": {name: build_table(name, found, filters, links, split) for name in open_tables},
        "errors": errors[:LINES_SHOWN],
        "most_of_one_error": max((line.jobs for line in errors), default=1),
        "presets": presets[:LINES_SHOWN],
        "counts_presets": not (filters.is_summed_up and filters.jobs.error),
        "low_rate": LOW_RATE,
        "query": filters.query(table=None),
    }


def _presets(visible: Visibility, found: Statistics) -> dict[int, Preset]:
    rows = visible.presets().select_related("account")
    secret = ("account__credentials", "account__hook_secret", "account__options")
    return rows.defer("settings", *secret).in_bulk([pk for pk, _ in found.presets])


def _read_before(visible: Visibility, filters: PageStats) -> Outcomes | None:
    """The same length of time before; None where that would have to be searched for."""
    span = filters.end - filters.start
    if filters.is_unreadable or not filters.is_summed_up or filters.jobs.times:
        return None
    if span > timedelta(days=100):
        return None
    before = replace(filters, start=filters.start - span, end=filters.start)
    return read_statistics(visible, before).total


@dataclass(frozen=True, slots=True)
class Figure:
    """`before` is the same of the time before, empty where that is not known."""

    label: str
    value: str
    before: str
    url: str = ""
    is_bad: bool = False


def _figures(found: Statistics, before: Outcomes | None, links: JobLinks) -> Iterable[Figure]:
    total = found.total
    old = before or Outcomes()
    rate = total.success_rate
    url = links.all_ended() if total.total else ""
    yield Figure("Jobs finished", f"{total.total:,}", f"{old.total:,}" if before else "", url)
    judged = links.all_ended("succeeded", "failed") if rate is not None else ""
    yield Figure(
        "Success rate",
        percent(rate) or "–",
        percent(old.success_rate),
        judged,
        is_bad=rate is not None and rate < LOW_RATE,
    )
    for label, name, part in (
        ("Wait, median", "wait", 0.5),
        ("Run, median", "run", 0.5),
        ("Run, 95th percentile", "run", 0.95),
    ):
        now, then = (getattr(one, name).percentile(part) for one in (total, old))
        yield Figure(label, formats.duration(now) or "–", formats.duration(then))
    made = long_duration(total.output_ms)
    yield Figure("Output made", made, long_duration(old.output_ms) if before else "")


@dataclass(frozen=True, slots=True)
class SpanLink:
    name: str
    label: str
    url: str
    is_current: bool


def _spans(filters: PageStats, path: str) -> list[SpanLink]:
    others = dict.fromkeys(("from", "to", "through", "group", "table"))
    return [
        SpanLink(name, label, f"{path}?{filters.query(span=name, **others)}", filters.span == name)
        for name, (label, _) in SPANS.items()
    ]


def _form(
    access: Access,
    filters: PageStats,
    accounts: Sequence[ProviderAccount],
    views: Sequence[Any],
    path: str,
) -> dict[str, Any]:
    form = filter_form(
        filters,
        path,
        account_menus(accounts),
        accounts,
        placeholder="Count only jobs that fit, such as error:input.*",
        action=path,
    )
    form["chips"] = []
    form["menus"] = [_own_time(filters), *form["menus"], *_views(filters, views, path)]
    return form


def _own_time(filters: PageStats) -> FilterMenu:
    """From one day through another one, both with their names."""
    given = dict(filters.given)
    value = "" if filters.span else " – ".join(_days(filters))
    names = ("from", "to", "through", "span", "group", "table")
    return FilterMenu(
        "from",
        "From – to",
        [],
        value,
        f"?{filters.query(**dict.fromkeys(names))}" if value else "",
        sides=(
            ("from", "First day", given.get("from", "")),
            ("through", "Last day", given.get("through", "")),
        ),
        kept=tuple(pair for pair in filters.given if pair[0] not in names),
    )


def _days(filters: PageStats) -> list[str]:
    first = filters.start.astimezone(filters.zone)
    last = (filters.end - timedelta(microseconds=1)).astimezone(filters.zone)
    return list(dict.fromkeys(f"{at.day} {at:%b %Y}" for at in (first, last)))


def _views(filters: PageStats, views: Sequence[Any], path: str) -> list[FilterMenu]:
    """The saved views, of which one may be counted; none where there are none."""
    if not views:
        return []
    shown = {str(link.view.pk): link.view for link in views}.get(filters.view)
    query = dict(filters.given).get("q", "")
    is_shown = shown is not None and shown.query == query

    def url(view: SavedView | None) -> str:
        chosen = {"view": str(view.pk), "q": view.query} if view else {"view": None, "q": None}
        return f"{path}?{filters.query(**chosen, table=None)}"

    return [
        FilterMenu(
            "view",
            "View",
            [
                Choice(
                    link.view.name,
                    url(link.view),
                    is_shown and link.view == shown,
                )
                for link in views
            ],
            shown.name if shown is not None and is_shown else "",
            url(None),
        )
    ]
