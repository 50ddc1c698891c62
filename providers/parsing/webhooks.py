"""What the webhooks of several providers have in common."""

import hmac
from collections.abc import Mapping
from typing import Any

from providers.core.errors import WebhookRefused
from providers.http.answers import read_json


def check_secret(headers: Mapping[str, str], name: str, secret: str) -> None:
    """Compare the shared secret in the header `name` in constant time. Raises WebhookRefused.

    Without a `secret` to compare, our secret URL is what proves the sender.
    """
    given = headers.get(name, "").encode(errors="replace")
    if secret and not hmac.compare_digest(given, secret.encode(errors="replace")):
        raise WebhookRefused("The delivery does not carry the account's secret.")


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object that a delivery is. Raises WebhookRefused."""
    try:
        data = read_json(body.decode())
    except ValueError:
        raise WebhookRefused("The delivery is not JSON.") from None
    if not isinstance(data, dict):
        raise WebhookRefused("The delivery is not a JSON object.")
    return data
