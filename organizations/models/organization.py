"""The tenant, and who belongs to it in which role."""

from django.conf import settings
from django.db import models
from django.db.models import Q


class Role(models.IntegerChoices):
    """What a member may do. Each role may do all that a lower one may: compare with `>=`."""

    VIEWER = 10, "Viewer"
    OPERATOR = 20, "Operator"
    MANAGER = 30, "Manager"
    OWNER = 40, "Owner"


class Organization(models.Model):
    name = models.CharField(max_length=100)
    slug = models.SlugField(max_length=50, unique=True)
    # for dates without a reader: reports, alerts, the API
    time_zone = models.CharField(max_length=64, default="UTC")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name

    @property
    def path(self) -> str:
        """Of its first page."""
        return f"/o/{self.slug}/"


class Membership(models.Model):
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships"
    )
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="memberships"
    )
    role = models.PositiveSmallIntegerField(choices=Role.choices, default=Role.VIEWER)
    last_seen_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "organization"], name="membership_unique"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="membership_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.organization}: {self.role_label}"

    @property
    def role_label(self) -> str:
        return Role(self.role).label
