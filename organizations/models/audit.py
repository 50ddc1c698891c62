"""Who did what, when and from where: written once, never changed (`organizations.audit`)."""

from collections.abc import Mapping
from typing import Any

from django.db import models

from organizations.audit.origin import current_origin
from organizations.models.organization import Organization
from organizations.models.token import ApiToken
from organizations.models.user import User

MAX_REASON = 500


class AuditQuerySet(models.QuerySet["AuditEntry"]):
    def for_organization(self, organization: Organization) -> "AuditQuerySet":
        """Newest first, as the audit page lists them."""
        return self.filter(organization=organization).order_by("-at", "-pk")

    def about(self, target: models.Model) -> "AuditQuerySet":
        """What was done to one object, newest first."""
        found = self.filter(target_kind=target._meta.model_name, target_id=target.pk)
        return found.order_by("-at", "-pk")


class AuditEntry(models.Model):
    # null: about the board itself, such as the deletion of an organization
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    at = models.DateTimeField(auto_now_add=True)
    # plain ids: a foreign key would be set to null when its row goes
    actor_id = models.BigIntegerField(null=True, blank=True)
    token_id = models.BigIntegerField(null=True, blank=True)
    # as they were called then: an e-mail address, `token:NAME`, a rule or `command line`
    actor_name = models.CharField(max_length=254)
    address = models.GenericIPAddressField("from", null=True, blank=True)
    action = models.CharField(max_length=60)
    # what a person would call the object, and which row it is
    target = models.CharField(max_length=200)
    target_kind = models.CharField(max_length=40, blank=True)
    target_id = models.BigIntegerField(null=True, blank=True)
    # what was changed: the same keys in both, redacted
    before = models.JSONField(default=dict, blank=True)
    after = models.JSONField(default=dict, blank=True)
    details = models.JSONField(default=dict, blank=True)
    reason = models.CharField(max_length=MAX_REASON, blank=True)
    # the same for all entries of one larger action
    action_id = models.CharField(max_length=64)

    objects = AuditQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "audit entries"
        indexes = [
            # the audit page: one organization's entries, newest first
            models.Index(fields=["organization", "-at", "-id"], name="audit_newest"),
            # what belongs to one action, in its order
            models.Index(fields=["organization", "action_id", "id"], name="audit_action"),
            # the page of a job: what was done to it
            models.Index(fields=["target_kind", "target_id", "-at", "-id"], name="audit_target"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_name}: {self.action} {self.target}"

    @property
    def label(self) -> str:
        """The action as a person reads it: `Account integration mode switched`."""
        return self.action.replace(".", " ").replace("_", " ").capitalize()

    @property
    def is_by_person(self) -> bool:
        return self.actor_id is not None

    @classmethod
    def record(
        cls,
        organization: Organization | None,
        action: str,
        target: object,
        *,
        actor: User | None = None,
        token: ApiToken | None = None,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
        details: Mapping[str, Any] | None = None,
        reason: str = "",
    ) -> "AuditEntry":
        """Write down that `actor`, or an API `token`, did `action` to `target`.

        `action` is noun and past participle (`job.cancelled`). `before` and `after` name what was
        changed. They and `details` are JSON values and come here redacted: of a credential they
        name the field, never the value. With neither actor nor token, it was done on the command
        line or by the board itself: see `Origin.name`.
        """
        origin = current_origin()
        row = target if isinstance(target, models.Model) else None
        return cls.objects.create(
            organization=organization,
            actor_id=actor.pk if actor else None,
            token_id=token.pk if token else None,
            actor_name=str(actor or (f"token:{token.name}" if token else origin.name))[:254],
            address=origin.address,
            action=action,
            target=str(target)[:200],
            target_kind=str(row._meta.model_name) if row else "",
            target_id=row.pk if row else None,
            before=dict(before or {}),
            after=dict(after or {}),
            details=dict(details or {}),
            reason=reason[:MAX_REASON],
            action_id=origin.action_id[:64],
        )
