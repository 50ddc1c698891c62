"""Bearer tokens of the REST API, stored as digests."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from organizations.audit.origin import current_origin
from organizations.models.organization import Organization
from organizations.models.user import User

# A fixed beginning lets secret scanners, and people, see what a found string opens
MARK = "rb_"

# Before a token's name, where an e-mail address may stand as well
TOKEN_PREFIX = "token:"  # noqa: S105 - no secret

# `last_used_at` answers "is it still in use?"; to the second it would cost a write per request
LAST_USED_STEP = timedelta(minutes=10)
# and `last_used_from` "by whom?": another address is noted sooner
ADDRESS_STEP = timedelta(minutes=1)


class Scope(models.TextChoices):
    READ = "read", "Read"
    OPERATE = "operate", "Read and operate"
    MANAGE = "manage", "Read, operate and manage accounts"


class TokenState(StrEnum):
    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"


def digest_of(text: str) -> str:
    # A plain hash serves: the text has 256 random bits, so there is nothing to guess slowly
    return hashlib.sha256(text.encode()).hexdigest()


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def for_organization(self, organization: Organization) -> "ApiTokenQuerySet":
        return self.filter(organization=organization)

    def usable(self, now: datetime) -> "ApiTokenQuerySet":
        """Neither revoked nor expired."""
        return self.filter(
            Q(expires_at__isnull=True) | Q(expires_at__gt=now), revoked_at__isnull=True
        )

    def count_active(self, organization: Organization) -> int:
        return self.for_organization(organization).usable(timezone.now()).count()


class ApiToken(models.Model):
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="api_tokens"
    )
    name = models.CharField(max_length=100)
    scope = models.CharField(max_length=10, choices=Scope.choices, default=Scope.READ)
    # the accounts it may use, by id; null for all of them, later ones too
    account_ids = models.JSONField(null=True, blank=True)
    # enough of the clear text to distinguish tokens on screen
    prefix = models.CharField(max_length=12, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_from = models.GenericIPAddressField(null=True, blank=True, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(scope__in=Scope.values), name="token_scope_known"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def reference(self) -> str:
        """How it is called beside e-mail addresses."""
        return f"{TOKEN_PREFIX}{self.name}"

    @classmethod
    def issue(
        cls,
        organization: Organization,
        name: str,
        scope: Scope = Scope.READ,
        *,
        created_by: User | None = None,
        expires_at: datetime | None = None,
        account_ids: Iterable[int] | None = None,
    ) -> tuple["ApiToken", str]:
        """Store a new token and return it with its clear text, which is kept nowhere."""
        text = MARK + secrets.token_urlsafe(32)
        token = cls.objects.create(
            organization=organization,
            name=name,
            scope=scope,
            prefix=text[: len(MARK) + 6],
            digest=digest_of(text),
            created_by=created_by,
            expires_at=expires_at,
            account_ids=None if account_ids is None else sorted(set(account_ids)),
        )
        return token, text

    @classmethod
    def authenticate(cls, text: str) -> "ApiToken | None":
        """The usable token with this clear text, its organization loaded; else None.

        Any text costs one hash and one lookup, whatever is wrong with it; and since the
        lookup is by digest, its timing says nothing about how near a guess came.
        """
        now = timezone.now()
        token = (
            cls.objects.usable(now)
            .select_related("organization")
            .filter(digest=digest_of(text))
            .first()
        )
        if token:
            token._note_used(now, current_origin().address)
        return token

    def _note_used(self, now: datetime, address: str | None) -> None:
        step = LAST_USED_STEP if address == self.last_used_from else ADDRESS_STEP
        if self.last_used_at is None or now - self.last_used_at >= step:
            self.last_used_at, self.last_used_from = now, address
            self.save(update_fields=["last_used_at", "last_used_from"])

    @property
    def state(self) -> TokenState:
        if self.revoked_at is not None:
            return TokenState.REVOKED
        is_past = self.expires_at is not None and self.expires_at <= timezone.now()
        return TokenState.EXPIRED if is_past else TokenState.ACTIVE

    @property
    def is_active(self) -> bool:
        return self.state == TokenState.ACTIVE

    def revoke(self) -> bool:
        """End it for good; a second call keeps the first time, and returns False."""
        now = timezone.now()
        rows = ApiToken.objects.filter(pk=self.pk, revoked_at__isnull=True).update(revoked_at=now)
        self.refresh_from_db(fields=["revoked_at"])
        return rows > 0


# Who does something to a job
Actor = User | ApiToken


def name_actor(user: User | None, token: ApiToken | None) -> str | None:
    """An e-mail address or `token:NAME`; None where neither is known."""
    if user is not None:
        return user.email
    return token.reference if token is not None else None
