"""All provider accounts of an organization, and how each is doing."""

from typing import Any

from django.db.models import OuterRef, Subquery
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from jobs.accounts.freshness import Freshness, describe_list, freshness
from jobs.models import ProviderAccount, Verdict, WebhookDelivery
from jobs.views.accounts.figures import Figures, read_figures
from jobs.views.shared.layout import render_page
from organizations.access import Access, requires
from organizations.permissions import Permission
from providers.core.errors import CLASSES
from providers.core.types import Capability
from providers.parsing.urls import parse_url


@require_safe
@requires(Permission.READ)
def account_list(request: HttpRequest, access: Access) -> HttpResponse:
    now = timezone.now()
    last = WebhookDelivery.objects.filter(account=OuterRef("pk")).order_by("-received_at", "-pk")
    accounts = ProviderAccount.objects.for_organization(access.organization).annotate(
        last_delivery_at=Subquery(last.values("received_at")[:1]),
        last_verdict=Subquery(last.values("verdict")[:1]),
    )
    states = [freshness(account, now) for account in accounts.order_by("name", "pk")]
    figures = read_figures([state.account for state in states], now)
    context = {"cards": [_card(state, figures[state.account.pk]) for state in states]}
    return render_page(request, access, "jobs/accounts/accounts.html", context, section="accounts")


def _card(state: Freshness, figures: Figures) -> dict[str, Any]:
    """What the page shows of one account."""
    account = state.account
    adapter_class = account.adapter_class
    has_webhook = adapter_class.supports(Capability.WEBHOOK)
    verdict = getattr(account, "last_verdict", None)
    is_importing = account.is_importing and not account.list_error
    return {
        "state": state,
        "account": account,
        "host": parse_url(account.base_url).netloc,
        "error_class": CLASSES.get(account.last_error_class),
        "list_notice": describe_list(account),
        # counted only while it grows: an account's first import
        "imported": account.jobs.count() if is_importing else None,
        "has_webhook": has_webhook,
        "has_check": adapter_class.supports(Capability.CHECK_CREDENTIALS),
        "figures": figures,
        "last_verdict": str(dict(Verdict.choices).get(verdict or "", "")).lower(),
    }
