"""Presets of all accounts, with how often each is used and how that ends."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from jobs.display.job_row import AccountLabel, label_account
from jobs.display.settings_summary import summarize
from jobs.models import Preset, ProviderAccount
from jobs.query import presets
from jobs.query.presets import PresetFilter, PresetPage, Usage
from jobs.query.visibility import Visibility
from jobs.views.shared.filter_form import SPANS, account_menus, filter_form
from jobs.views.shared.first_page import redirect_to_first_page
from jobs.views.shared.layout import HtmxRequest, layout_context
from organizations.access import Access, requires
from organizations.models import Organization
from organizations.permissions import Permission
from providers.core.status import TERMINAL
from providers.core.types import Capability

LOW_RATE = 0.9


@dataclass(frozen=True, slots=True)
class PresetRow:
    """A preset with its use, and for each figure the list of the very jobs that it counts."""

    preset: Preset
    usage: Usage
    url: str
    jobs_url: str
    succeeded_url: str
    failed_url: str
    ended_url: str
    files_url: str

    @property
    def account(self) -> AccountLabel:
        return label_account(self.preset.account.name, self.preset.account.provider_label)

    @property
    def is_low(self) -> bool:
        """Whether so few succeed that somebody should look."""
        return self.usage.success_rate is not None and self.usage.success_rate < LOW_RATE

    @property
    def summary(self) -> str:
        return summarize(self.preset.settings)


@require_safe
@requires(Permission.READ)
def preset_list(request: HtmxRequest, access: Access) -> HttpResponse:
    filters = PresetFilter.parse(request.GET, Visibility(access.organization))
    found = filters.apply(Preset.objects.for_organization(access.organization))
    try:
        page = presets.page(found, filters.since, filters.limit, filters.cursor, filters.scope)
    except ValueError:
        return redirect_to_first_page(request, filters)
    context = {
        **layout_context(access, "presets"),
        "filters": filters,
        "without": _accounts_without(access.organization, filters),
        **_results(page, filters, request.path, access.organization.slug),
    }
    context |= _form(filters, [state.account for state in context["health"]], request.path)
    if request.htmx and not request.htmx.history_restore_request:
        return render(request, "jobs/presets/_results.html", context)
    return render(request, "jobs/presets/presets.html", context)


def _results(page: PresetPage, filters: PresetFilter, path: str, org: str) -> dict[str, Any]:
    return {
        "rows": [row_of(preset, usage, filters.window, org) for preset, usage in page.rows],
        "window": dict(SPANS).get(filters.window, f"Since {filters.window}"),
        "list_url": path,
        "newer_url": filters.cursor and f"{path}?{filters.query()}",
        "older_url": page.next and f"{path}?{filters.query(cursor=page.next)}",
    }


def row_of(preset: Preset, usage: Usage, window: str, org: str) -> PresetRow:
    """`window` is the time that `usage` is counted over, as `created_after` has it."""

    def jobs_url(*statuses: str) -> str:
        query = [("preset", preset.pk), ("created_after", window)]
        query += [("status", status) for status in statuses]
        return f"{reverse('jobs:list', args=[org])}?{urlencode(query)}"

    return PresetRow(
        preset,
        usage,
        url=reverse("jobs:preset", args=[org, preset.pk]),
        jobs_url=jobs_url(),
        succeeded_url=jobs_url("succeeded"),
        failed_url=jobs_url("failed"),
        ended_url=jobs_url(*sorted(TERMINAL)),
        files_url=f"{reverse('jobs:files', args=[org])}?preset={preset.pk}",
    )


def _accounts_without(organization: Organization, filters: PresetFilter) -> list[ProviderAccount]:
    """The accounts shown whose provider has no presets, and whose jobs named none."""
    accounts = (
        ProviderAccount.objects.for_organization(organization)
        .filter(presets__isnull=True)
        .defer("credentials", "hook_secret", "options")
        .order_by("name", "pk")
    )
    if filters.account_ids is not None:
        accounts = accounts.filter(pk__in=sorted(filters.account_ids))
    return [one for one in accounts if not one.adapter_class.supports(Capability.PRESETS)]


def _form(filters: PresetFilter, accounts: list[ProviderAccount], path: str) -> dict[str, Any]:
    offered = {
        **account_menus(accounts),
        "created_after": ("Usage over", "", _windows(filters)),
    }
    # the URL need not name the default span
    chosen = {"created_after": filters.window}
    return filter_form(
        filters,
        path,
        offered,
        accounts,
        placeholder="Search presets by name, id or kind",
        presets=filters.presets,
        chosen=chosen,
    )


def _windows(filters: PresetFilter) -> list[tuple[str, str]]:
    known = dict(SPANS)
    given = [] if filters.window in known else [(filters.window, f"Since {filters.window}")]
    return [*SPANS, *given]
