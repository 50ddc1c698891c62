"""What the nightly task deletes, beside the keys of calls."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from jobs import tasks
from organizations.models import Invitation
from tests.factories import make_organization

pytestmark = pytest.mark.django_db


def test_expired_sessions_and_old_invitations_go() -> None:
    now, organization = timezone.now(), make_organization()
    for name, hours in (("past", -1), ("live", 1)):
        Session.objects.create(
            session_key=name, session_data="x", expire_date=now + timedelta(hours=hours)
        )
    for name, days, accepted_at in (
        *(("old", -31, None), ("accepted", -31, now), ("recent", -29, None)),
        ("open", 1, None),
    ):
        Invitation.objects.create(
            organization=organization,
            email=f"{name}@guest.example",
            expires_at=now + timedelta(days=days),
            accepted_at=accepted_at,
        )
    tasks.prune()
    assert [one.session_key for one in Session.objects.all()] == ["live"]
    kept = {one.email.partition("@")[0] for one in Invitation.objects.all()}
    assert kept == {"accepted", "recent", "open"}
