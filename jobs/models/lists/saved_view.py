"""Lists of jobs that people keep: a query with its order and columns, under a name."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from organizations.models import Membership, Organization, User

MAX_QUERY = 2_000


class SavedViewQuerySet(models.QuerySet["SavedView"]):
    def visible_to(self, organization: Organization, user: User) -> "SavedViewQuerySet":
        """The user's own and those that the organization shares, which come first."""
        found = self.filter(Q(owner=user) | Q(owner=None), organization=organization)
        return found.order_by(F("owner").asc(nulls_first=True), "name")


class SavedView(models.Model):
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="saved_views"
    )
    # null for one that all members share
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="saved_views",
    )
    name = models.CharField(max_length=60)
    # in the query language
    query = models.CharField(max_length=MAX_QUERY, blank=True)
    # as in the URL of the list; empty for the order that suits the query
    sort = models.CharField(max_length=20, blank=True)
    # the columns shown; empty for the usual ones
    columns = models.JSONField(default=list, blank=True)
    # how many jobs it has, counted by jobs.query.view_counts; null where that would be slow
    count = models.PositiveIntegerField(null=True, blank=True)

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "name"],
                condition=Q(owner=None),
                name="saved_view_shared_name",
            ),
            models.UniqueConstraint(
                fields=["organization", "owner", "name"],
                condition=Q(owner__isnull=False),
                name="saved_view_own_name",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_shared(self) -> bool:
        return self.owner_id is None


class DefaultView(models.Model):
    """The view that a member's list of jobs begins with."""

    membership = models.OneToOneField(
        Membership, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    view = models.ForeignKey(SavedView, on_delete=models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return str(self.view)


class ViewCounting(models.Model):
    """When the views of an organization are to be counted again, at the earliest."""

    organization = models.OneToOneField(
        Organization, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    due_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"Counting of organization {self.pk}"
