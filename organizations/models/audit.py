"""Who did what, when: written once, never changed."""

from collections.abc import Mapping
from typing import Any, NoReturn

from django.conf import settings
from django.db import models

from organizations.models.organization import Organization
from organizations.models.token import ApiToken
from organizations.models.user import User


class AppendOnly(Exception):
    """Somebody tried to rewrite the audit trail."""


class AuditQuerySet(models.QuerySet["AuditEntry"]):
    """Refuses bulk changes. (Deleting a user still nulls `actor`; `actor_name` stays.)"""

    def for_organization(self, organization: Organization) -> "AuditQuerySet":
        """Newest first, as the audit page lists them."""
        return self.filter(organization=organization).order_by("-at", "-pk")

    def update(self, **fields: Any) -> NoReturn:
        raise AppendOnly("Audit entries are never changed.")

    def delete(self) -> NoReturn:
        raise AppendOnly("Audit entries are never deleted one by one.")


class AuditEntry(models.Model):
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    token = models.ForeignKey(
        ApiToken, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    # as they were called then; both rows above may be renamed or go
    actor_name = models.CharField(max_length=254)
    action = models.CharField(max_length=60)
    target = models.CharField(max_length=200)
    details = models.JSONField(default=dict, blank=True)

    objects = AuditQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "audit entries"
        indexes = [
            # the audit page: one organization's entries, newest first
            models.Index(fields=["organization", "-at", "-id"], name="audit_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_name}: {self.action} {self.target}"

    @classmethod
    def record(
        cls,
        organization: Organization,
        action: str,
        target: object,
        *,
        actor: User | None = None,
        token: ApiToken | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> "AuditEntry":
        """Write down that `actor`, or an API `token`, did `action` to `target`.

        `action` is noun and past participle (`job.cancelled`); `target` is what a person would
        call the object. `details` are JSON values and come here redacted: of a credential they
        name the field, never the value. With neither actor nor token, it was done on the
        command line.
        """
        return cls.objects.create(
            organization=organization,
            actor=actor,
            token=token,
            actor_name=str(actor or (f"token {token}" if token else "command line")),
            action=action,
            target=str(target)[:200],
            details=dict(details or {}),
        )
