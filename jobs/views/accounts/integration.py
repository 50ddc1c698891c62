"""Integration mode: what it is now, and a manager's switch, which asks for confirmation."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from jobs.accounts.integration import read_integration_mode, switch_integration_mode
from jobs.models import ProviderAccount
from jobs.views.accounts.account import find_account
from jobs.views.shared.layout import HtmxRequest, render_page
from organizations.access import Access, requires
from organizations.permissions import Permission
from providers.core.errors import ProviderError
from providers.core.types import Capability

MODES = {"on": True, "off": False}


@require_safe
@requires(Permission.SYNC)
def account_integration(request: HtmxRequest, access: Access, pk: int) -> HttpResponse:
    """The mode as the provider reports it now; with `?to=` the question whether to switch it.

    As a page, or as a part of the account's.
    """
    account = _find(access, pk)
    target = request.GET.get("to")
    context: dict[str, Any] = {"access": access, "account": account, "now": timezone.now()}
    if target in MODES and access.allows(Permission.ACCOUNTS):
        context["target"] = target
    else:
        try:
            context["is_on"] = read_integration_mode(account)
        except ProviderError as error:
            context["refusal"] = str(error)
    if request.htmx:
        return render(request, "jobs/accounts/_integration.html", context)
    return render_page(
        request, access, "jobs/accounts/account_integration.html", context, section="accounts"
    )


@require_POST
@requires(Permission.ACCOUNTS)
def account_switch(request: HttpRequest, access: Access, pk: int) -> HttpResponse:
    account = _find(access, pk)
    mode = request.POST.get("mode", "")
    if mode not in MODES:
        messages.error(request, "Choose on or off.")
        return redirect("jobs:account_edit", access.organization.slug, pk)
    try:
        switch_integration_mode(account, MODES[mode], user=access.user)
    except ProviderError as error:
        messages.error(request, f"Integration mode of {account} not switched. {error}")
    else:
        messages.success(request, f"Integration mode of {account} is {mode}.")
    return redirect("jobs:account_edit", access.organization.slug, pk)


def _find(access: Access, pk: int) -> ProviderAccount:
    account = find_account(access, pk)
    if not account.adapter_class.supports(Capability.INTEGRATION_MODE):
        raise Http404("This provider has no integration mode.")
    return account
