"""Webhook deliveries of one account: what came, and what became of it.

Every member sees when something came and whether it was accepted. Its content is for operators: a
refused delivery holds whatever a stranger cared to send.
"""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe

from jobs.models import WebhookDelivery
from jobs.query.paging import keyset
from jobs.query.paging.orderings import Ordering
from jobs.query.parameters import DEFAULT_LIMIT
from jobs.views.accounts.account import find_account
from jobs.views.shared.layout import HtmxRequest, render_page
from jobs.webhooks.deliveries import deliveries_of, with_jobs
from organizations.access import Access, requires
from organizations.permissions import Permission
from providers.core.types import Capability


@require_safe
@requires(Permission.READ)
def delivery_list(request: HtmxRequest, access: Access, pk: int) -> HttpResponse:
    account = find_account(access, pk)
    cursor = request.GET.get("cursor", "")
    try:
        page = keyset.page(
            deliveries_of(account),
            Ordering("received"),
            DEFAULT_LIMIT,
            cursor,
            scope=f"deliveries of account {account.pk}",
        )
    except ValueError:
        # a cursor that somebody cut short
        return redirect(request.path)
    context = {
        "account": account,
        "rows": with_jobs(account, page.rows),
        "newer_url": page.previous and f"{request.path}?cursor={page.previous}",
        "older_url": page.next and f"{request.path}?cursor={page.next}",
        "has_webhook": account.adapter_class.supports(Capability.WEBHOOK),
    }
    return render_page(
        request, access, "jobs/deliveries/deliveries.html", context, section="accounts"
    )


@require_safe
@requires(Permission.DELIVERIES)
def delivery(request: HtmxRequest, access: Access, pk: int, delivery_pk: int) -> HttpResponse:
    """What one delivery held, redacted: as a page, or as a part of the list."""
    account = find_account(access, pk)
    found = get_object_or_404(WebhookDelivery, pk=delivery_pk, account=account)
    if request.htmx:
        return render(request, "jobs/deliveries/_body.html", {"delivery": found})
    context = {"account": account, "rows": with_jobs(account, [found]), "delivery": found}
    return render_page(
        request, access, "jobs/deliveries/delivery.html", context, section="accounts"
    )
