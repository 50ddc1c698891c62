"""The end of a mute: at a time, after so many failures, or at so many in an hour."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from insights.errors.counts import members_of
from jobs.models import GroupMark, GroupState, Job, JobErrorGroup
from organizations.models import AuditEntry

HOUR = timedelta(hours=1)


def end_mutes(now: datetime) -> int:
    """Open the muted groups whose limit is reached; how many. A time costs one query for all."""
    ends = Q(muted_until__lte=now) | Q(muted_count__isnull=False)
    ends |= Q(muted_rate_per_hour__isnull=False)
    muted = JobErrorGroup.objects.filter(ends, state=GroupState.MUTED).order_by("pk")
    return sum(_end(group, now) for group in muted if _has_ended(group, now))


def _has_ended(group: JobErrorGroup, now: datetime) -> bool:
    if group.muted_until is not None:
        return group.muted_until <= now
    limit = group.muted_count or group.muted_rate_per_hour
    if limit is None or group.muted_at is None:
        return False
    since = group.muted_at if group.muted_count else max(group.muted_at, now - HOUR)
    failures = Job.objects.filter(error_group__in=members_of([group.pk]), ended_at__gt=since)
    return len(failures.order_by().values_list("pk")[:limit]) == limit


def _end(group: JobErrorGroup, now: datetime) -> bool:
    """Whether nobody did anything about it meanwhile."""
    # of a time nothing is known but that it has passed; a limit says that it is back
    mark = GroupMark.NONE if group.muted_until else GroupMark.RETURNED
    with transaction.atomic():
        same = JobErrorGroup.objects.filter(
            pk=group.pk, state=GroupState.MUTED, muted_at=group.muted_at
        )
        if not same.update(
            state=GroupState.OPEN,
            mark=mark,
            marked_at=now if mark else None,
            muted_at=None,
            muted_until=None,
            muted_count=None,
            muted_rate_per_hour=None,
            mute_reason="",
        ):
            return False
        AuditEntry.record(
            group.organization,
            "error_group.unmuted",
            group,
            before={"state": GroupState.MUTED},
            after={"state": GroupState.OPEN},
        )
    return True
