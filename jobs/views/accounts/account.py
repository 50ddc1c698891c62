"""One provider account: what it is set up with, and jobs that are added to it by their ids."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from jobs.accounts.duplicates import describe_duplicates, find_duplicates
from jobs.accounts.freshness import describe_list, freshness
from jobs.accounts.service import CheckResult, CheckStatus
from jobs.accounts.webhook_urls import mask, webhook_url
from jobs.actions.watching import InvalidId, watch_job
from jobs.forms.accounts.account import AccountForm, AccountPageForm
from jobs.forms.accounts.watch import WatchForm
from jobs.models import ProviderAccount
from jobs.retry_rules.spent import find_spent
from jobs.views.accounts.figures import read_figures
from jobs.views.shared.audit_rows import list_rows
from jobs.views.shared.layout import render_page
from jobs.webhooks.deliveries import newest_deliveries
from organizations.access import Access, requires
from organizations.models import AuditEntry
from organizations.permissions import Permission
from providers.core import registry
from providers.core.contract import Provider
from providers.core.errors import CLASSES
from providers.core.registry import UnknownProvider
from providers.core.types import Capability

HISTORY_SHOWN = 5
ABILITIES = {
    Capability.SUBMIT: "submit",
    Capability.CANCEL: "cancel",
    Capability.RESUBMIT: "retry",
    Capability.PROGRESS: "report progress",
}


def find_account(access: Access, pk: int) -> ProviderAccount:
    """The account of the member's organization, else Http404."""
    accounts = ProviderAccount.objects.for_organization(access.organization)
    return get_object_or_404(accounts, pk=pk)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.ACCOUNTS)
def account_new(request: HttpRequest, access: Access) -> HttpResponse:
    first, *_ = registry.all_providers()
    try:
        adapter_class = registry.get(request.GET.get("provider", first.slug))
    except UnknownProvider as error:
        raise Http404(str(error)) from None
    account = ProviderAccount(organization=access.organization, provider=adapter_class.slug)
    form = _settings_form(adapter_class, account, request)
    if form.is_valid() and (saved := form.write(access.user)):
        return _show_saved(request, access, saved, form.checked)
    context = {"form": form, **_provider_context(adapter_class), "providers": registry.choices()}
    return _render(request, access, "jobs/accounts/account_new.html", context, is_bad=form.is_bound)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.SYNC, to_change=Permission.ACCOUNTS)
def account_edit(request: HttpRequest, access: Access, pk: int) -> HttpResponse:
    """The account's page, and its settings where they are sent by a manager."""
    account = find_account(access, pk)
    form = _settings_form(account.adapter_class, account, request)
    if form.is_valid() and (saved := form.write(access.user)):
        return _show_saved(request, access, saved, form.checked)
    return _render_account(request, access, account, form=form)


@require_POST
@requires(Permission.SUBMIT)
def account_watch(request: HttpRequest, access: Access, pk: int) -> HttpResponse:
    """Add one job by the provider's id."""
    account = find_account(access, pk)
    form = WatchForm(account, request.POST)
    if not form.is_valid():
        return _render_account(request, access, account, watch_form=form)
    try:
        job, is_due = watch_job(account, form.cleaned_data["remote_id"], user=access.user)
    except InvalidId as error:
        form.add_error("remote_id", str(error))
        return _render_account(request, access, account, watch_form=form)
    if is_due:
        messages.success(request, f"{job} added. It is read from {account} within seconds.")
    else:
        messages.info(request, f"{job} was here already.")
    return redirect("jobs:detail", access.organization.slug, job.pk)


def _settings_form(
    adapter_class: type[Provider], account: ProviderAccount, request: HttpRequest | None
) -> AccountForm:
    """The form, filled with what `request` posts."""
    form_class = AccountPageForm.for_provider(adapter_class, account if account.pk else None)
    is_sent = request is not None and request.method == "POST"
    return form_class(request.POST if request and is_sent else None, instance=account)


def _render_account(
    request: HttpRequest,
    access: Access,
    account: ProviderAccount,
    *,
    form: AccountForm | None = None,
    watch_form: WatchForm | None = None,
) -> HttpResponse:
    """The page; `form` and `watch_form` where one of them was sent with errors."""
    adapter_class = account.adapter_class
    context = {
        "form": form or _settings_form(adapter_class, account, None),
        "account": account,
        **_provider_context(adapter_class),
        **_state_context(access, account),
        "watch_form": watch_form or WatchForm(account),
        "has_check": adapter_class.supports(Capability.CHECK_CREDENTIALS),
        "has_usage": adapter_class.supports(Capability.USAGE),
        "has_integration": adapter_class.supports(Capability.INTEGRATION_MODE),
        **_webhook_context(access, account),
    }
    is_bad = watch_form is not None or (form is not None and form.is_bound)
    return _render(request, access, "jobs/accounts/account_edit.html", context, is_bad=is_bad)


def _state_context(access: Access, account: ProviderAccount) -> dict[str, Any]:
    now = timezone.now()
    entries = AuditEntry.objects.about(account)[:HISTORY_SHOWN]
    return {
        "state": freshness(account, now),
        "figures": read_figures([account], now)[account.pk],
        "list_notice": describe_list(account),
        "spent_rules": find_spent(access.organization).of_account(account),
        "duplicate_notice": _duplicate_notice(access, account),
        "error_class": CLASSES.get(account.last_error_class),
        "abilities": [
            text for one, text in ABILITIES.items() if account.adapter_class.supports(one)
        ],
        "history": list_rows(access, entries) if access.allows(Permission.AUDIT) else [],
    }


def _duplicate_notice(access: Access, account: ProviderAccount) -> str:
    accounts = ProviderAccount.objects.for_organization(access.organization)
    return describe_duplicates(account, find_duplicates(account, accounts))


def _webhook_context(access: Access, account: ProviderAccount) -> dict[str, Any]:
    """Where the provider's deliveries go, and the last of them. The whole URL is for managers."""
    adapter_class = account.adapter_class
    if not adapter_class.supports(Capability.WEBHOOK):
        return {"has_webhook": False}
    url = webhook_url(account)
    masked = mask(url)
    return {
        "has_webhook": True,
        "webhook_url": url if access.allows(Permission.ACCOUNTS) else "",
        "masked_url": masked,
        "webhook_steps": [step.replace("{url}", masked) for step in adapter_class.webhook_steps],
        "rows": newest_deliveries(account),
    }


def _provider_context(adapter_class: type[Provider]) -> dict[str, Any]:
    return {
        "provider_slug": adapter_class.slug,
        "provider_label": adapter_class.label,
        "docs_url": adapter_class.docs_url,
    }


def _render(
    request: HttpRequest, access: Access, template: str, context: dict[str, Any], *, is_bad: bool
) -> HttpResponse:
    status = 422 if is_bad else 200
    return render_page(request, access, template, context, section="accounts", status=status)


def _show_saved(
    request: HttpRequest, access: Access, account: ProviderAccount, checked: CheckResult
) -> HttpResponse:
    if checked.status == CheckStatus.UNANSWERED:
        text = f"{account} saved. Its credentials could not be checked yet. {checked.reason}"
        messages.warning(request, text)
    else:
        messages.success(request, f"{account} saved. The next sync starts within seconds.")
    if notice := _duplicate_notice(access, account):
        messages.warning(request, f"{account}: {notice}")
    return redirect("jobs:accounts", access.organization.slug)
