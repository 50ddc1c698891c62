"""Deliveries as they are stored: redacted, cut, and with an allow-list of headers."""

import json
from collections.abc import Mapping

from django.utils import timezone

from jobs.mirror.storable import clean_json
from jobs.models import ProviderAccount, Verdict, WebhookDelivery
from providers.http.answers import read_json
from providers.http.redaction import redact, redact_text
from providers.parsing.text import make_storable_id

STORED_BODY = 64_000
# Not the headers that carry secrets: those are all the others.
STORED_HEADERS = ("content-type", "content-length", "user-agent", "date")


def store_delivery(
    account: ProviderAccount,
    headers: Mapping[str, str],
    body: bytes,
    verdict: Verdict,
    result: str,
    remote_id: str = "",
) -> WebhookDelivery:
    now = timezone.now()
    kept = {name: headers[name][:200] for name in STORED_HEADERS if name in headers}
    secrets = [value for value in account.credentials.values() if isinstance(value, str)]
    text = _redact_body(body, [*secrets, account.hook_secret])
    return WebhookDelivery.objects.create(
        account=account,
        received_at=now,
        headers=clean_json(kept),
        body=clean_json(text)[:STORED_BODY],
        verdict=verdict,
        result=result[:500],
        remote_id=make_storable_id(remote_id),
        next_at=now,
        handled_at=None if verdict == Verdict.ACCEPTED else now,
    )


def _redact_body(body: bytes, secrets: list[str]) -> str:
    """As JSON where it is that, since any character of a JSON text may be written as an escape."""
    text = body.decode(errors="replace")
    try:
        return json.dumps(redact(read_json(text), secrets), ensure_ascii=False)
    except ValueError:
        return redact_text(text, secrets)
