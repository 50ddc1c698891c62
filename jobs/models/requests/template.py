"""Saved settings of requests, under a name. What a job used is never changed: saving makes a
new version.
"""

from typing import Any

from django.db import models
from django.db.models import Q

from jobs.models.fields import EncryptedJSONField
from organizations.models import Organization, User
from providers.parsing.text import make_visible

MAX_NAME = 100


class RequestTemplateQuerySet(models.QuerySet["RequestTemplate"]):
    def for_organization(self, organization: Organization) -> "RequestTemplateQuerySet":
        """By name, those that are archived included."""
        return self.filter(organization=organization).order_by("name", "pk")

    def active(self) -> "RequestTemplateQuerySet":
        return self.filter(archived_at=None)


class RequestTemplate(models.Model):
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="request_templates"
    )
    name = models.CharField(max_length=MAX_NAME)
    # nobody chooses it any more; its name is free, and its versions stay for the jobs that used it
    archived_at = models.DateTimeField(null=True, blank=True)

    objects = RequestTemplateQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "name"],
                condition=Q(archived_at=None),
                name="request_template_name",
            ),
        ]

    def __str__(self) -> str:
        return make_visible(self.name)

    @property
    def is_archived(self) -> bool:
        return self.archived_at is not None

    @property
    def audit_id(self) -> str:
        """What the audit log finds its entries by."""
        return f"template-{self.pk}"


class TemplateVersionQuerySet(models.QuerySet["TemplateVersion"]):
    def for_organization(self, organization: Organization) -> "TemplateVersionQuerySet":
        """All versions, with their templates; without the secrets."""
        found = self.filter(template__organization=organization)
        return found.select_related("template").defer("settings")

    def selectable(self, organization: Organization) -> "TemplateVersionQuerySet":
        """The newest version of each template that is not archived, by name."""
        found = self.for_organization(organization).filter(is_newest=True)
        return found.filter(template__archived_at=None).order_by("template__name")


class TemplateVersion(models.Model):
    """The settings as they were saved once. Only `is_newest` ever changes."""

    template = models.ForeignKey(
        RequestTemplate, on_delete=models.CASCADE, related_name="versions", db_index=False
    )
    number = models.PositiveIntegerField(default=1)
    is_newest = models.BooleanField(default=True)
    # as jobs.submission.templates.settings dumps them
    settings = EncryptedJSONField()
    # the same, redacted: what pages, lists and the API show
    shown = models.JSONField(default=dict)
    saved_at = models.DateTimeField(auto_now_add=True)
    saved_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    objects = TemplateVersionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["template", "number"], name="template_version_number"),
            models.UniqueConstraint(
                fields=["template"], condition=Q(is_newest=True), name="template_version_newest"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.template}, version {self.number}"

    def shown_extra(self, provider: str) -> Any:
        """The redacted extra settings for one provider."""
        return self.shown.get("extra", {}).get(provider, {})
