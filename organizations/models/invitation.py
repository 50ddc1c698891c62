"""An invitation of an e-mail address to an organization, accepted through a link."""

import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from organizations.fields import NormalizedEmailField
from organizations.models.organization import Organization, Role
from organizations.models.token import digest_of

LIFE = timedelta(days=7)
# How long one that expired is still listed, and can be sent again
KEPT = timedelta(days=30)


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def for_organization(self, organization: Organization) -> "InvitationQuerySet":
        return self.filter(organization=organization)

    def open(self, now: datetime) -> "InvitationQuerySet":
        """Neither accepted, nor withdrawn, nor expired."""
        return self.filter(accepted_at__isnull=True, withdrawn_at__isnull=True, expires_at__gt=now)

    def delete_expired(self, now: datetime) -> int:
        """Delete what was not accepted, some time after it ended; returns how many."""
        return self.filter(accepted_at__isnull=True, expires_at__lt=now - KEPT).delete()[0]


class Invitation(models.Model):
    """The link's secret is kept as a digest. Inviting an address again renews its invitation."""

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="invitations"
    )
    email = NormalizedEmailField("e-mail address")
    role = models.PositiveSmallIntegerField(choices=Role.choices, default=Role.VIEWER)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(role__in=Role.values), name="invitation_role_known"),
            models.UniqueConstraint(
                "organization",
                Lower("email"),
                condition=Q(accepted_at__isnull=True, withdrawn_at__isnull=True),
                name="invitation_one_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.email} to {self.organization}: {Role(self.role).label}"

    def renew_secret(self, now: datetime) -> str:
        """Set a new secret and expiry, unsaved, and return the secret: links before it end."""
        text = secrets.token_urlsafe(32)
        self.digest, self.expires_at = digest_of(text), now + LIFE
        return text
