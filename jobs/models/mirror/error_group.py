"""Failures that have one cause, as far as their messages show, across accounts and providers."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import F, Prefetch, Q

from organizations.models import Membership, Organization
from providers.core.errors import CLASSES, ErrorClass
from providers.parsing.text import make_visible
from providers.parsing.urls import parse_url

MAX_MESSAGE = 500
# How long a group is marked as new or returned, if nobody does anything about it.
MARKED_FOR = timedelta(days=7)


def prefetch_assignees() -> Prefetch:
    """A join would cost each row of a list, of which few are assigned."""
    members = Membership.objects.select_related("user").defer("user__password")
    return Prefetch("assignee", members)


class GroupState(models.TextChoices):
    OPEN = "open", "Open"
    MUTED = "muted", "Muted"
    RESOLVED = "resolved", "Resolved"


class GroupMark(models.TextChoices):
    """Why an open group asks for attention."""

    NONE = "", "None"
    NEW = "new", "New"
    RETURNED = "returned", "Returned"


class JobErrorGroupQuerySet(models.QuerySet["JobErrorGroup"]):
    def for_organization(self, organization: Organization) -> "JobErrorGroupQuerySet":
        return self.filter(organization=organization)

    def roots(self) -> "JobErrorGroupQuerySet":
        """Groups that are shown: those merged into another one are a part of it."""
        return self.filter(merged_into__isnull=True)

    def with_assignees(self) -> "JobErrorGroupQuerySet":
        """With who looks after each: one query where any of them is assigned, else none."""
        return self.prefetch_related(prefetch_assignees())

    def marked(self, now: datetime) -> "JobErrorGroupQuerySet":
        """New or returned ones."""
        return self.filter(
            ~Q(mark=GroupMark.NONE), state=GroupState.OPEN, marked_at__gt=now - MARKED_FOR
        )


class JobErrorGroup(models.Model):
    """One fingerprint of failures, and what people did about it.

    The mirror's writer makes it, gives it to each job that fails, and reopens it; how many jobs it
    has is counted when somebody asks. A job keeps the group of its own fingerprint when that is
    merged into another one, so merging rewrites no job and can be undone.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="error_groups", db_index=False
    )
    # with the version of the rule that made both: see jobs.mirror.rules.fingerprint
    fingerprint = models.CharField(max_length=32)
    version = models.PositiveSmallIntegerField()
    error_class = models.CharField(max_length=40)
    # normalized: `<n>` and the like stand where jobs differ
    message = models.CharField(max_length=MAX_MESSAGE, blank=True)
    # one level: what is merged into a group that is merged itself moves on with it
    merged_into = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="merged"
    )

    state = models.CharField(max_length=8, choices=GroupState.choices, default=GroupState.OPEN)
    mark = models.CharField(max_length=8, choices=GroupMark.choices, blank=True)
    marked_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    # failures up to then are resolved; kept when it reopens
    resolved_at = models.DateTimeField(null=True, blank=True)
    muted_at = models.DateTimeField(null=True, blank=True)
    # a muted group opens again at this time, after that many failures more, or at that many in an
    # hour; with none of the three it stays muted
    muted_until = models.DateTimeField(null=True, blank=True)
    muted_count = models.PositiveIntegerField(null=True, blank=True)
    muted_rate_per_hour = models.PositiveIntegerField(null=True, blank=True)
    mute_reason = models.CharField(max_length=500, blank=True)

    # the member who looks after it; a membership, so that whoever leaves keeps nothing
    assignee = models.ForeignKey(
        Membership, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    ticket_url = models.URLField(max_length=500, blank=True)

    objects = JobErrorGroupQuerySet.as_manager()

    class Meta:
        verbose_name = "error group"
        constraints = [
            models.UniqueConstraint("organization", "fingerprint", name="error_group_identity"),
            models.CheckConstraint(
                condition=Q(state__in=GroupState.values), name="error_group_state_known"
            ),
            models.CheckConstraint(
                condition=~Q(merged_into=F("id")), name="error_group_not_merged_into_itself"
            ),
        ]
        indexes = [
            # the tabs and their counts
            models.Index(fields=["organization", "state"], name="error_group_state"),
        ]

    def __str__(self) -> str:
        return make_visible(f"{self.known.title}: {self.message}".removesuffix(": "))

    @property
    def assignee_name(self) -> str | None:
        """The e-mail address of who looks after it, if anybody does."""
        return self.assignee.user.email if self.assignee else None

    @property
    def root_id(self) -> int:
        """The group that people see it as a part of; its own id, unless it was merged."""
        return self.merged_into_id or self.pk

    @property
    def ticket_link(self) -> str:
        """The ticket's URL where a browser may be sent to it, whatever wrote it; else empty."""
        return self.ticket_url if parse_url(self.ticket_url).is_web else ""

    @property
    def known(self) -> ErrorClass:
        """What its class means."""
        return CLASSES.get(self.error_class, CLASSES["unknown"])

    def current_mark(self, now: datetime) -> GroupMark:
        """Whether it is new, or returned, as `marked` says."""
        is_over = self.marked_at is None or self.marked_at <= now - MARKED_FOR
        if self.state != GroupState.OPEN or is_over:
            return GroupMark.NONE
        return GroupMark(self.mark)
