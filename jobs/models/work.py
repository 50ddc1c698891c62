"""Columns of rows that workers take: when each is due, and which run holds it."""

from datetime import datetime
from typing import ClassVar, Self, TypeVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from organizations.models import Actor, ApiToken, Organization, name_actor


def unleased(now: datetime) -> Q:
    """Rows that no worker holds; an expired lease holds nothing."""
    return Q(leased_until__isnull=True) | Q(leased_until__lt=now)


def undispatched(now: datetime) -> Q:
    """Rows without a message under way."""
    return Q(dispatched_until__isnull=True) | Q(dispatched_until__lte=now)


# What `priority` of a request may be
MAX_PRIORITY = 100


def precedence(priority: int | None, *, is_bulk: bool = False) -> int:
    """Where work stands among what waits at one account: the highest is sent first.

    At the same priority, what people ask for one by one comes before what is done in bulk.
    """
    bounded = max(-MAX_PRIORITY, min(priority or 0, MAX_PRIORITY))
    return 2 * bounded + (not is_bulk)


class DispatchedModel(models.Model):
    # until then a message that was sent for the row may still be under way
    dispatched_until = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        abstract = True


class LeasedModel(DispatchedModel):
    # the run that holds the row: see jobs.workqueue.leases
    lease = models.UUIDField(null=True, blank=True, editable=False)
    leased_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True


class WorkItem(LeasedModel):
    """One thing to do at a provider, which a worker tries until it has ended."""

    created_at = models.DateTimeField(auto_now_add=True)
    next_at = models.DateTimeField()
    failures = models.PositiveIntegerField(default=0)
    # see `precedence`; raised for each day that a submission waits
    precedence = models.SmallIntegerField(default=1)
    # why it waits, or how it ended
    note = models.CharField(max_length=500, blank=True)

    class Meta:
        abstract = True


DueRow = TypeVar("DueRow", bound=LeasedModel, covariant=True)


class DueQuerySet(models.QuerySet[DueRow, DueRow]):
    """Rows that are done in short runs; each has a `next_at`."""

    def due(self, now: datetime) -> Self:
        """What a worker may take now. Joins no table: see jobs.workqueue.leases.take."""
        return self.filter(unleased(now), next_at__lte=now).order_by("next_at", "pk")

    def undispatched(self, now: datetime) -> Self:
        return self.filter(undispatched(now))

    def being_run(self, now: datetime) -> Self:
        """Those that a worker has, or is about to have."""
        free = unleased(now) & undispatched(now)
        return self.filter(~free, next_at__isnull=False)


Row = TypeVar("Row", bound="LongWork", covariant=True)


class LongWorkQuerySet(DueQuerySet[Row]):
    def for_organization(self, organization: Organization) -> Self:
        """Newest first."""
        return self.filter(organization=organization).order_by("-pk")

    def running(self) -> Self:
        """Those that somebody may be watching. Few: by the index of what is due."""
        is_open = Q(state__in=self.model.OPEN_STATES)
        return self.filter(is_open, next_at__isnull=False)


class LongWork(LeasedModel):
    """What somebody has started for many jobs, done in short runs: see jobs.workqueue.short_runs.

    AUDIT_NAME begins the id that ties its audit entries together. `state` is one of OPEN_STATES
    while it is under way.
    """

    AUDIT_NAME: ClassVar[str]
    OPEN_STATES: ClassVar[tuple[str, ...]]
    state: models.CharField[str, str]

    # no index of its own: the one of its list begins with it
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    token = models.ForeignKey(
        ApiToken, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField()
    # null: nothing is left to do, unless somebody has the rest of a stopped one run
    next_at = models.DateTimeField(null=True, blank=True)
    # why it was stopped, where nobody did that
    note = models.CharField(max_length=500, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    # since something else became of a job
    internal_errors = models.PositiveIntegerField(default=0)

    class Meta:
        abstract = True

    @property
    def audit_id(self) -> str:
        """What ties the audit entries of all its jobs together."""
        return f"{self.AUDIT_NAME}-{self.pk}"

    @property
    def requested_by(self) -> Actor | None:
        return self.actor or self.token

    @property
    def requester_name(self) -> str | None:
        """An e-mail address or `token:NAME`; None where it has been deleted."""
        return name_actor(self.actor, self.token)

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN_STATES
