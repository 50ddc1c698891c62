"""Presets of all accounts, with how often each is used and how that ends."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from jobs.models import Preset, ProviderAccount
from jobs.query import presets
from jobs.query.presets import PresetFilter, PresetPage, Usage
from jobs.views.shared.filter_form import SPANS, filter_form, place_selects
from jobs.views.shared.layout import HtmxRequest, layout_context
from organizations.access import authorize
from organizations.models import Organization
from providers.core.status import TERMINAL
from providers.core.types import Capability


@dataclass(frozen=True, slots=True)
class PresetRow:
    """A preset with its use, and for each figure the list of the very jobs that it counts."""

    preset: Preset
    usage: Usage
    jobs_url: str
    succeeded_url: str
    failed_url: str
    ended_url: str
    files_url: str

    @property
    def summary(self) -> str:
        return presets.summarise(self.preset.settings)


@require_safe
def preset_list(request: HtmxRequest, org: str) -> HttpResponse:
    access = authorize(request, org)
    wanted = PresetFilter.parse(request.GET, access.organization)
    found = wanted.apply(Preset.objects.for_organization(access.organization))
    try:
        page = presets.page(found, wanted.since, wanted.limit, wanted.cursor)
    except ValueError:
        # a cursor that somebody cut short
        return redirect(f"{request.path}?{wanted.query()}")
    context = {
        "access": access,
        "wanted": wanted,
        "without": _accounts_without(access.organization, wanted),
        **_results(page, wanted, request.path, org),
    }
    if request.htmx and not request.htmx.history_restore_request:
        return render(request, "jobs/presets/_results.html", context)
    context |= layout_context(access, "presets")
    context |= _form(wanted, [state.account for state in context["health"]], request.path)
    return render(request, "jobs/presets/presets.html", context)


def _results(page: PresetPage, wanted: PresetFilter, path: str, org: str) -> dict[str, Any]:
    return {
        "rows": [_row(preset, usage, wanted, org) for preset, usage in page.rows],
        "window": dict(SPANS).get(wanted.window, f"Since {wanted.window}"),
        "list_url": path,
        "newer_url": wanted.cursor and f"{path}?{wanted.query()}",
        "older_url": page.next and f"{path}?{wanted.query(cursor=page.next)}",
    }


def _row(preset: Preset, usage: Usage, wanted: PresetFilter, org: str) -> PresetRow:
    def jobs_url(*statuses: str) -> str:
        query = [("preset", preset.pk), ("created_after", wanted.window)]
        query += [("status", status) for status in statuses]
        return f"{reverse('jobs:list', args=[org])}?{urlencode(query)}"

    return PresetRow(
        preset,
        usage,
        jobs_url=jobs_url(),
        succeeded_url=jobs_url("succeeded"),
        failed_url=jobs_url("failed"),
        ended_url=jobs_url(*sorted(TERMINAL)),
        files_url=f"{reverse('jobs:files', args=[org])}?preset={preset.pk}",
    )


def _accounts_without(organization: Organization, wanted: PresetFilter) -> list[ProviderAccount]:
    """The accounts looked at whose provider keeps no presets, and whose jobs named none."""
    accounts = (
        ProviderAccount.objects.for_organization(organization)
        .filter(presets__isnull=True)
        .defer("credentials", "hook_secret", "options")
        .order_by("name", "pk")
    )
    if wanted.account_ids is not None:
        accounts = accounts.filter(pk__in=sorted(wanted.account_ids))
    return [one for one in accounts if not one.adapter_class.supports(Capability.PRESETS)]


def _form(wanted: PresetFilter, accounts: list[ProviderAccount], path: str) -> dict[str, Any]:
    offered = {
        **place_selects(accounts),
        "created_after": ("Use counted over", "", _windows(wanted)),
    }
    # the address need not name the span that is counted by default
    chosen = {"created_after": wanted.window}
    return filter_form(
        wanted,
        path,
        offered,
        accounts,
        text_hint="Name, id or kind",
        presets=wanted.presets,
        chosen=chosen,
    )


def _windows(wanted: PresetFilter) -> list[tuple[str, str]]:
    known = dict(SPANS)
    given = [] if wanted.window in known else [(wanted.window, f"Since {wanted.window}")]
    return [*SPANS, *given]
