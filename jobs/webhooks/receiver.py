"""Our webhook URLs: verify a delivery, store it, answer, and have its job refreshed.

A delivery only says which job to read. Its body is never applied: nothing signs it, and it may be
late.
"""

import hmac
import re

from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from jobs.models import ProviderAccount, Verdict
from jobs.webhooks.storage import store_delivery
from jobs.workqueue.enqueue import enqueue_on_commit
from providers.core.errors import WebhookRefused
from providers.core.types import Capability

# A job with twenty outputs and a hundred thumbnails each stays well below.
MAX_BODY = 1_000_000

_LENGTH = re.compile(r"[0-9]{1,20}")


@csrf_exempt
@require_POST
def receive(request: HttpRequest, provider: str, account_id: int, secret: str) -> HttpResponse:
    """200 accepted, 400 not authentic or not readable, 413 too large; 500 asks to send again."""
    account = ProviderAccount.objects.filter(pk=account_id, provider=provider).first()
    if account is None or not hmac.compare_digest(account.hook_secret.encode(), secret.encode()):
        return _respond(400, "Not authentic.")
    if not account.adapter_class.supports(Capability.WEBHOOK):
        return _respond(400, "Not expected.")
    length = str(request.META.get("CONTENT_LENGTH") or 0)
    if not _LENGTH.fullmatch(length):
        return _respond(400, "Not readable.")
    if int(length) > MAX_BODY:
        return _respond(413, "Too large.")
    try:
        body = request.body
    except UnreadablePostError:
        return _respond(400, "Not readable.")
    return _accept(request, account, body)


def _accept(request: HttpRequest, account: ProviderAccount, body: bytes) -> HttpResponse:
    headers = {name.lower(): value for name, value in request.headers.items()}
    webhook_secret = str(account.credentials.get("webhook_secret") or "")
    try:
        event = account.adapter_class.read_webhook(headers, body, webhook_secret)
    except WebhookRefused as error:
        store_delivery(account, headers, body, Verdict.REFUSED, str(error))
        return _respond(400, "Refused.")
    verdict = Verdict.ACCEPTED if event.remote_id is not None else Verdict.IGNORED
    delivery = store_delivery(
        account, headers, body, verdict, event.description, event.remote_id or ""
    )
    if verdict == Verdict.ACCEPTED:
        enqueue_on_commit("handle_delivery", delivery.pk)
    return _respond(200, "Accepted.")


def _respond(status: int, text: str) -> HttpResponse:
    return HttpResponse(f"{text}\n", status=status, content_type="text/plain")
