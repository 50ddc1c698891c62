"""When a mute ends: nobody has to look at the error for that."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from insights.errors.mutes import end_mutes
from insights.tasks import end_mutes as task
from jobs.models import JobErrorGroup, ProviderAccount
from organizations.models import AuditEntry
from tests.jobs.factories import make_job

HOUR = timedelta(hours=1)


def muted(account: ProviderAccount, now: datetime, **limits: Any) -> JobErrorGroup:
    """Muted two hours ago; one job failed before, three since then, of these two lately."""
    ends = [now - 3 * HOUR, now - 1.5 * HOUR, now - HOUR / 2, now - HOUR / 4]
    jobs = [make_job(account, status="failed", finished_at=at, created_at=at) for at in ends]
    group = jobs[0].error_group
    assert group is not None
    changed = {"state": "muted", "muted_at": now - 2 * HOUR, **limits}
    JobErrorGroup.objects.filter(pk=group.pk).update(**changed)
    return group


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({}, ("muted", "")),
        ({"muted_until": HOUR}, ("muted", "")),
        ({"muted_until": -HOUR}, ("open", "")),
        ({"muted_count": 3}, ("open", "returned")),
        ({"muted_count": 4}, ("muted", "")),
        ({"muted_rate_per_hour": 2}, ("open", "returned")),
        ({"muted_rate_per_hour": 3}, ("muted", "")),
    ],
)
def test_a_mute_ends_at_its_time_its_count_or_its_rate(
    account: ProviderAccount, limits: dict[str, Any], expected: tuple[str, str]
) -> None:
    now = timezone.now()
    if "muted_until" in limits:
        limits = {"muted_until": now + limits["muted_until"]}
    group = muted(account, now, **limits)
    assert end_mutes(now) == (expected[0] == "open")
    task()
    group.refresh_from_db()
    assert (group.state, group.mark) == expected
    is_open = expected[0] == "open"
    assert AuditEntry.objects.filter(action="error_group.unmuted").count() == is_open
