"""A second factor at sign-in: how its secrets are kept, and its entries in the audit log."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import wraps
from typing import Any

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern, URLResolver, include, path
from django.utils import timezone

from organizations import encryption
from organizations.models import User
from organizations.sign_in.history import record
from organizations.sign_in.passkeys import relying_party

View = Callable[..., HttpResponseBase]

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


def record_changes(patterns: Iterable[URLPattern | URLResolver]) -> Iterator[Any]:
    """The same pages, which write what they change of a user's second factors to the audit log.

    Both or neither: allauth's signals come after the change is committed.
    """
    for one in patterns:
        if isinstance(one, URLResolver):
            yield path(str(one.pattern), include([*record_changes(one.url_patterns)]))
        else:
            yield path(str(one.pattern), _recording(one.callback), name=one.name)


def _recording(view: View) -> View:
    @wraps(view)
    def recording(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        user = request.user
        if request.method != "POST" or not isinstance(user, User):
            return view(request, *args, **kwargs)
        with transaction.atomic():
            User.objects.select_for_update(no_key=True).get(pk=user.pk)  # one change at a time
            before = _types(user)
            response = view(request, *args, **kwargs)
            _record_difference(user, before, _types(user))
        return response

    return recording


def _types(user: User) -> dict[int, str]:
    """Of the user's second factors, by id."""
    return dict(Authenticator.objects.filter(user=user).values_list("pk", "type"))


def _record_difference(user: User, before: dict[int, str], after: dict[int, str]) -> None:
    added = [after[pk] for pk in after.keys() - before.keys()]
    removed = [before[pk] for pk in before.keys() - after.keys()]
    for kind in sorted({*added, *removed}):
        is_renewed = kind in added and kind in removed
        verb = "renewed" if is_renewed else "added" if kind in added else "removed"
        record(f"second_factor.{verb}", user, actor=user, type=kind)
