"""Deliveries from providers: verify, store, answer; then re-read that one job.

A delivery is only a hint. Its body is never applied: nothing signs it, and it may be late.
"""

import hmac
import json
import re
from collections.abc import Mapping
from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from jobs.mirror.storable import clean_json
from jobs.models import EventSource, ProviderAccount, Verdict, WebhookDelivery
from jobs.sync.runner import refresh_one
from jobs.workqueue.admission import NotAdmitted, admit
from jobs.workqueue.enqueue import enqueue_on_commit
from jobs.workqueue.reconnect import DISCONNECTED, retry_on_disconnect
from jobs.workqueue.slots import Work
from providers.core.errors import ProviderError, WebhookRefused
from providers.core.types import Capability
from providers.http.answers import read_json
from providers.http.redaction import redact, redact_text
from providers.parsing.text import make_storable_id

# A job with twenty outputs and a hundred thumbnails each stays well below.
MAX_BODY = 1_000_000
STORED_BODY = 64_000
# Not the headers that carry secrets: those are all the others.
STORED_HEADERS = ("content-type", "content-length", "user-agent", "date")
RETRY_S = 30
# Longer than the read that it is held for.
LEASE = timedelta(seconds=100)
DEADLINE_S = 75.0
_LENGTH = re.compile(r"[0-9]{1,20}")


@csrf_exempt
@require_POST
def receive(request: HttpRequest, provider: str, account_id: int, secret: str) -> HttpResponse:
    """200 taken, 400 not authentic or not readable, 413 too large; 500 asks to send again."""
    account = ProviderAccount.objects.filter(pk=account_id, provider=provider).first()
    if account is None or not hmac.compare_digest(account.hook_secret.encode(), secret.encode()):
        return HttpResponse("Not authentic.\n", status=400, content_type="text/plain")
    if not account.adapter_class.supports(Capability.WEBHOOK):
        return HttpResponse("Not expected.\n", status=400, content_type="text/plain")
    length = str(request.META.get("CONTENT_LENGTH") or 0)
    if not _LENGTH.fullmatch(length):
        return HttpResponse("Not readable.\n", status=400, content_type="text/plain")
    if int(length) > MAX_BODY:
        return HttpResponse("Too large.\n", status=413, content_type="text/plain")
    headers = {name.lower(): value for name, value in request.headers.items()}
    body = request.body
    try:
        event = account.adapter_class.read_webhook(
            headers, body, str(account.credentials.get("webhook_secret") or "")
        )
    except WebhookRefused as error:
        _store(account, headers, body, Verdict.REFUSED, str(error))
        return HttpResponse("Refused.\n", status=400, content_type="text/plain")
    if event.remote_id is None:
        _store(account, headers, body, Verdict.IGNORED, event.description)
    else:
        delivery = _store(
            account, headers, body, Verdict.ACCEPTED, event.description, event.remote_id
        )
        enqueue_on_commit("handle_delivery", delivery.pk)
    return HttpResponse("Taken.\n", content_type="text/plain")


def handle_delivery(delivery_id: int) -> None:
    """Re-read the job that a stored delivery is about; later again when the provider fails.

    Safe to run twice at a time: its due time is moved past the read, and is its lease.
    """
    now = timezone.now()
    due = WebhookDelivery.objects.due(now).filter(pk=delivery_id)
    delivery = due.select_related("account").first()
    if delivery is None:
        return
    # whatever came for the same job before this read is answered, or put off, with it
    answered = WebhookDelivery.objects.filter(
        account=delivery.account,
        remote_id=delivery.remote_id,
        handled_at__isnull=True,
        received_at__lte=now,
    )
    if not answered.filter(pk=delivery.pk, next_at=delivery.next_at).update(next_at=now + LEASE):
        return
    answered.update(next_at=now + LEASE, dispatched_until=None)
    try:
        with admit(delivery.account.host, Work.INTERACTIVE):
            refresh_one(
                delivery.account,
                delivery.remote_id,
                source=EventSource.WEBHOOK,
                deadline_s=DEADLINE_S,
            )
    except NotAdmitted as error:
        answered.update(next_at=timezone.now() + timedelta(seconds=error.wait_s or RETRY_S))
    except DISCONNECTED:
        retry_on_disconnect(lambda: answered.update(next_at=timezone.now()))
        raise
    except ProviderError as error:
        next_at = timezone.now() + timedelta(seconds=max(RETRY_S, error.wait_s or 0))
        answered.update(result=str(error)[:500], next_at=next_at)
    else:
        answered.update(handled_at=timezone.now(), result="Job refreshed.")


def _redact_body(body: bytes, secrets: list[str]) -> str:
    """As JSON where it is that, since any character of a JSON text may be written as an escape."""
    text = body.decode(errors="replace")
    try:
        return json.dumps(redact(read_json(text), secrets), ensure_ascii=False)
    except ValueError:
        return redact_text(text, secrets)


def _store(
    account: ProviderAccount,
    headers: Mapping[str, str],
    body: bytes,
    verdict: Verdict,
    result: str,
    remote_id: str = "",
) -> WebhookDelivery:
    now = timezone.now()
    secrets = [value for value in account.credentials.values() if isinstance(value, str)]
    text = _redact_body(body, [*secrets, account.hook_secret])
    return WebhookDelivery.objects.create(
        account=account,
        received_at=now,
        headers=clean_json(
            {name: headers[name][:200] for name in STORED_HEADERS if name in headers}
        ),
        body=clean_json(text)[:STORED_BODY],
        verdict=verdict,
        result=result[:500],
        remote_id=make_storable_id(remote_id),
        next_at=now,
        handled_at=None if verdict == Verdict.ACCEPTED else now,
    )
