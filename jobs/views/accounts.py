"""Provider accounts: how each is doing, and, for managers, what they are set up with."""

from typing import Any

from django.contrib import messages
from django.db.models import OuterRef, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from jobs.accounts.freshness import Freshness, freshness
from jobs.accounts.interactive import ask
from jobs.accounts.service import CheckResult, CheckStatus, set_enabled, webhook_url
from jobs.forms.account import AccountPageForm
from jobs.models import ProviderAccount, Verdict, WebhookDelivery
from jobs.sync.request import request_sync
from jobs.views.shared.layout import HtmxRequest, render_page
from jobs.webhooks.deliveries import newest_deliveries
from organizations.access import Access, authorize
from organizations.models import Role
from providers.core import registry
from providers.core.contract import Provider
from providers.core.errors import CLASSES, ProviderError
from providers.core.registry import UnknownProvider
from providers.core.types import Capability


def find_account(access: Access, pk: int) -> ProviderAccount:
    """The account of the member's organization, else Http404."""
    accounts = ProviderAccount.objects.for_organization(access.organization)
    return get_object_or_404(accounts, pk=pk)


@require_safe
def account_list(request: HttpRequest, org: str) -> HttpResponse:
    access = authorize(request, org)
    now = timezone.now()
    last = WebhookDelivery.objects.filter(account=OuterRef("pk")).order_by("-received_at", "-pk")
    accounts = ProviderAccount.objects.for_organization(access.organization).annotate(
        last_delivery_at=Subquery(last.values("received_at")[:1]),
        last_verdict=Subquery(last.values("verdict")[:1]),
    )
    states = [freshness(account, now) for account in accounts.order_by("name", "pk")]
    context = {"cards": [_card(access, state) for state in states]}
    return render_page(request, access, "jobs/accounts/accounts.html", context, section="accounts")


def _card(access: Access, state: Freshness) -> dict[str, Any]:
    """What the page shows of one account; its webhook URL to managers only."""
    account = state.account
    adapter_class = account.adapter_class
    has_webhook = adapter_class.supports(Capability.WEBHOOK)
    url = webhook_url(account) if has_webhook and access.can_manage else ""
    verdict = getattr(account, "last_verdict", None)
    return {
        "state": state,
        "account": account,
        "error_class": CLASSES.get(account.last_error_class),
        # counted only while it grows: an account's first import
        "imported": account.jobs.count() if account.is_importing else None,
        "has_webhook": has_webhook,
        "has_check": adapter_class.supports(Capability.CHECK_CREDENTIALS),
        "has_usage": adapter_class.supports(Capability.USAGE),
        "last_verdict": Verdict(verdict).label.lower() if verdict else "",
        "webhook_url": url,
        "webhook_steps": [step.replace("{url}", url) for step in adapter_class.webhook_steps],
    }


@require_http_methods(["GET", "HEAD", "POST"])
def account_new(request: HttpRequest, org: str) -> HttpResponse:
    access = authorize(request, org, Role.MANAGER)
    first, *_ = registry.all_providers()
    try:
        adapter_class = registry.get(request.GET.get("provider", first.slug))
    except UnknownProvider as error:
        raise Http404(str(error)) from None
    return _edit(request, access, adapter_class, None)


@require_http_methods(["GET", "HEAD", "POST"])
def account_edit(request: HttpRequest, org: str, pk: int) -> HttpResponse:
    access = authorize(request, org, Role.MANAGER)
    account = find_account(access, pk)
    return _edit(request, access, account.adapter_class, account)


def _edit(
    request: HttpRequest,
    access: Access,
    adapter_class: type[Provider],
    account: ProviderAccount | None,
) -> HttpResponse:
    instance = account or ProviderAccount(
        organization=access.organization, provider=adapter_class.slug
    )
    form_class = AccountPageForm.for_provider(adapter_class, account)
    form = form_class(request.POST if request.method == "POST" else None, instance=instance)
    if form.is_valid() and (saved := form.write(access.user)):
        _tell_saved(request, saved, form.checked)
        return redirect("jobs:accounts", access.organization.slug)
    context = {
        "form": form,
        "account": account,
        "provider_slug": adapter_class.slug,
        "provider_label": adapter_class.label,
        "docs_url": adapter_class.docs_url,
        "providers": registry.choices(),
        "has_webhook": account is not None and adapter_class.supports(Capability.WEBHOOK),
        "rows": newest_deliveries(account) if account else [],
    }
    return render_page(
        request,
        access,
        "jobs/accounts/account_edit.html",
        context,
        section="accounts",
        status=422 if form.is_bound else 200,
    )


def _tell_saved(request: HttpRequest, account: ProviderAccount, checked: CheckResult) -> None:
    if checked.status == CheckStatus.UNANSWERED:
        text = f"{account} saved. Its credentials could not be checked yet. {checked.reason}"
        messages.warning(request, text)
    else:
        messages.success(request, f"{account} saved. The next sync starts within seconds.")


@require_POST
def sync_now(request: HttpRequest, org: str, pk: int) -> HttpResponse:
    access = authorize(request, org, Role.OPERATOR)
    account = find_account(access, pk)
    if account.enabled:
        request_sync(account)
        messages.success(request, f"Sync scheduled for {account}.")
    else:
        messages.error(request, f"{account} is paused. Resume it first.")
    return redirect("jobs:accounts", org)


@require_POST
def check_credentials(request: HttpRequest, org: str, pk: int) -> HttpResponse:
    """Ask the provider whether it accepts the credentials; if so, a stopped account syncs again."""
    access = authorize(request, org, Role.OPERATOR)
    account = find_account(access, pk)
    if not account.adapter_class.supports(Capability.CHECK_CREDENTIALS):
        raise Http404("This provider does not support checking credentials.")
    try:
        ask(account, lambda adapter: adapter.check_credentials())
    except ProviderError as error:
        known = CLASSES[error.error_class]
        messages.error(request, f"{account}: {error} {known.hint}")
        return redirect("jobs:accounts", org)
    ProviderAccount.objects.filter(pk=account.pk).update(unchecked_since=None)
    text = f"{account.provider_label} accepted the credentials of {account}."
    if account.refused_at and account.enabled:
        request_sync(account)
        text += " Sync scheduled."
    messages.success(request, text)
    return redirect("jobs:accounts", org)


@require_safe
def usage(request: HtmxRequest, org: str, pk: int) -> HttpResponse:
    """Plan and usage as the provider reports them now: as a page, or as a part of one."""
    access = authorize(request, org, Role.OPERATOR)
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
def pause(request: HttpRequest, org: str, pk: int) -> HttpResponse:
    return _set_enabled(request, org, pk, enabled=False)


@require_POST
def resume(request: HttpRequest, org: str, pk: int) -> HttpResponse:
    return _set_enabled(request, org, pk, enabled=True)


def _set_enabled(request: HttpRequest, org: str, pk: int, *, enabled: bool) -> HttpResponse:
    access = authorize(request, org, Role.MANAGER)
    account = find_account(access, pk)
    set_enabled(account, enabled, user=access.user)
    text = "resumed" if enabled else "paused. Its submissions wait until it is resumed"
    messages.success(request, f"{account} is {text}.")
    return redirect("jobs:accounts", org)
