"""An invitation of an e-mail address to an organization, accepted through a link."""

import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

from organizations.fields import NormalizedEmailField
from organizations.models.organization import Organization, Role

LIFE = timedelta(days=7)
# How long one that expired is still listed, and can be sent again
KEPT = timedelta(days=30)


def new_nonce() -> str:
    return secrets.token_hex(16)


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def for_organization(self, organization: Organization) -> "InvitationQuerySet":
        return self.filter(organization=organization)

    def open(self, now: datetime) -> "InvitationQuerySet":
        """Neither accepted, nor withdrawn, nor expired."""
        return self.pending().filter(expires_at__gt=now)

    def pending(self) -> "InvitationQuerySet":
        """Neither accepted nor withdrawn; expired or not."""
        return self.filter(accepted_at__isnull=True, withdrawn_at__isnull=True)

    def delete_expired(self, now: datetime) -> int:
        """Delete what was not accepted, some time after it ended; returns how many."""
        return self.filter(accepted_at__isnull=True, expires_at__lt=now - KEPT).delete()[0]


class Invitation(models.Model):
    """Its link is made of SECRET_KEY and of the nonce, so that a row alone opens nothing.

    Inviting an address again renews its invitation: links before that end.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="invitations"
    )
    email = NormalizedEmailField("e-mail address")
    role = models.PositiveSmallIntegerField(choices=Role.choices, default=Role.VIEWER)
    nonce = models.CharField(max_length=32, default=new_nonce, editable=False)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    # when a mail server took the message with the present link
    mailed_at = models.DateTimeField(null=True, blank=True, editable=False)
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
        return self.email

    @property
    def secret(self) -> str:
        text = f"{self.pk} {self.nonce}"
        return salted_hmac("organizations.invitation", text, algorithm="sha256").hexdigest()

    def has_secret(self, text: str) -> bool:
        return constant_time_compare(text, self.secret)

    @property
    def link(self) -> str:
        """Under BASE_URL, not the host of any request: that one is whatever the client sent."""
        path = reverse("organizations:invitation", args=[self.pk, self.secret])
        return settings.BASE_URL.rstrip("/") + path

    @property
    def role_label(self) -> str:
        return Role(self.role).label

    @property
    def renewed_at(self) -> datetime:
        return self.expires_at - LIFE

    def renew(self, now: datetime) -> None:
        """Begin anew, unsaved: another link, which nobody was mailed, for another seven days."""
        self.nonce, self.expires_at, self.mailed_at = new_nonce(), now + LIFE, None
