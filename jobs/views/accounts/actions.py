"""What the buttons of an account do: sync, check, pause, resume; and its plan and usage."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from jobs.accounts.interactive import ask
from jobs.accounts.service import set_enabled
from jobs.models import ProviderAccount
from jobs.sync import on_demand
from jobs.views.accounts.account import find_account
from jobs.views.shared.layout import HtmxRequest, render_page
from organizations.access import Access, requires
from organizations.permissions import Permission
from providers.core.errors import CLASSES, ProviderError
from providers.core.types import Capability


@require_POST
@requires(Permission.SYNC)
def sync_now(request: HttpRequest, access: Access, pk: int) -> HttpResponse:
    account = find_account(access, pk)
    if account.enabled:
        on_demand.request_sync(account)
        messages.success(request, f"Sync scheduled for {account}.")
    else:
        messages.error(request, f"{account} is paused. Resume it first.")
    return _go_back(request, access, account)


@require_POST
@requires(Permission.ACCOUNTS)
def check_credentials(request: HttpRequest, access: Access, pk: int) -> HttpResponse:
    """Ask the provider whether it accepts the credentials; if so, a stopped account syncs again."""
    account = find_account(access, pk)
    if not account.adapter_class.supports(Capability.CHECK_CREDENTIALS):
        raise Http404("This provider does not support checking credentials.")
    try:
        is_resumed = on_demand.check_credentials(account)
    except ProviderError as error:
        known = CLASSES[error.error_class]
        messages.error(request, f"{account}: {error} {known.hint}")
        return _go_back(request, access, account)
    text = f"{account.provider_label} accepted the credentials of {account}."
    if is_resumed:
        text += " Sync scheduled."
    messages.success(request, text)
    return _go_back(request, access, account)


@require_safe
@requires(Permission.SYNC)
def usage(request: HtmxRequest, access: Access, pk: int) -> HttpResponse:
    """Plan and usage as the provider reports them now: as a page, or as a part of one."""
    account = find_account(access, pk)
    if not account.adapter_class.supports(Capability.USAGE):
        raise Http404("This provider does not report usage.")
    context: dict[str, Any] = {"access": access, "account": account, "now": timezone.now()}
    try:
        context["usage"] = ask(account, lambda adapter: adapter.usage())
    except ProviderError as error:
        context["refusal"] = str(error)
    if request.htmx:
        return render(request, "jobs/accounts/_usage.html", context)
    return render_page(
        request, access, "jobs/accounts/account_usage.html", context, section="accounts"
    )


@require_POST
@requires(Permission.ACCOUNTS)
def pause(request: HttpRequest, access: Access, pk: int) -> HttpResponse:
    return _set_enabled(request, access, pk, enabled=False)


@require_POST
@requires(Permission.ACCOUNTS)
def resume(request: HttpRequest, access: Access, pk: int) -> HttpResponse:
    return _set_enabled(request, access, pk, enabled=True)


def _set_enabled(request: HttpRequest, access: Access, pk: int, *, enabled: bool) -> HttpResponse:
    account = find_account(access, pk)
    set_enabled(account, enabled, user=access.user)
    text = "resumed" if enabled else "paused. Its submissions wait until it is resumed"
    messages.success(request, f"{account} is {text}.")
    return _go_back(request, access, account)


def _go_back(request: HttpRequest, access: Access, account: ProviderAccount) -> HttpResponse:
    """To the page that the button is on: the account's own, or the list."""
    if request.POST.get("from") == "account":
        return redirect("jobs:account_edit", access.organization.slug, account.pk)
    return redirect("jobs:accounts", access.organization.slug)
