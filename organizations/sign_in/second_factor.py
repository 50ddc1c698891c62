"""A second factor at sign-in: how its secrets are kept, and its entries in the audit log."""

from datetime import UTC, datetime
from typing import Any

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added, authenticator_removed, authenticator_reset
from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone

from organizations import encryption
from organizations.models import User
from organizations.sign_in.history import record
from organizations.sign_in.passkeys import relying_party

NAME = "A second factor"
PERIOD_S: int = settings.MFA_TOTP_PERIOD


class MFAAdapter(DefaultMFAAdapter):
    """Keeps secrets encrypted, with the keys that provider credentials have."""

    def encrypt(self, text: str) -> str:
        return encryption.encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        """Raises Undecryptable: without its key a secret cannot be compared with anything."""
        return encryption.decrypt(encrypted_text, NAME)

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {"id": relying_party(), "name": "Reelboard"}

    def generate_authenticator_name(self, user: User, type: str) -> str:
        """What the form suggests."""
        count = Authenticator.objects.filter(user=user, type=type).count()
        return f"Passkey {count + 1}"


def claim_time_step(authenticator: Authenticator) -> bool:
    """Whether no code of the current time step was used yet; from now on one was.

    allauth remembers used codes in the cache, which processes may not share.
    """
    now = timezone.now()
    step_began = datetime.fromtimestamp(now.timestamp() // PERIOD_S * PERIOD_S, UTC)
    unused = Q(last_used_at__isnull=True) | Q(last_used_at__lt=step_began)
    rows = Authenticator.objects.filter(unused, pk=authenticator.pk)
    return rows.update(last_used_at=now) == 1


def watch() -> None:
    """Have every change of a second factor written to the audit log."""
    for signal, action in (
        (authenticator_added, "second_factor.added"),
        (authenticator_removed, "second_factor.removed"),
        (authenticator_reset, "second_factor.renewed"),
    ):
        signal.connect(_receiver(action), weak=False, dispatch_uid=action)


def _receiver(action: str) -> Any:
    def receive(request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:
        record(action, user, actor=user, type=authenticator.type)

    return receive
