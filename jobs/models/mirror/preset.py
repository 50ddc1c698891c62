"""The presets of accounts."""

from django.db import models

from jobs.models.account import ProviderAccount
from organizations.models import Organization
from providers.parsing.text import make_visible


class PresetQuerySet(models.QuerySet["Preset"]):
    def for_organization(self, organization: Organization) -> "PresetQuerySet":
        return self.filter(account__organization=organization)


class Preset(models.Model):
    account = models.ForeignKey(ProviderAccount, on_delete=models.CASCADE, related_name="presets")
    remote_id = models.CharField(max_length=255)
    name = models.CharField(max_length=255)
    kind = models.CharField(max_length=60, blank=True)
    settings = models.JSONField(default=dict, blank=True)
    first_seen_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    objects = PresetQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint("account", "remote_id", name="preset_identity"),
        ]

    def __str__(self) -> str:
        return make_visible(self.name or self.remote_id)
