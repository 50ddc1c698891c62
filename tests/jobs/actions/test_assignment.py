"""Assigning failed jobs to members, who keep nothing when they leave."""

from typing import Any

import pytest

from jobs.actions.assignment import AssignmentRefused, assign
from jobs.models import Job, JobErrorGroup
from organizations.models import AuditEntry, Membership, Organization, Role
from organizations.people.members import remove
from tests.factories import make_membership, make_organization, make_user
from tests.jobs.factories import make_account, make_job
from tests.threads import together

pytestmark = pytest.mark.django_db


@pytest.fixture
def studio() -> Organization:
    return make_organization("harbour-studio")


@pytest.fixture
def ann(studio: Organization) -> Membership:
    return make_membership(studio, Role.OPERATOR, user=make_user("ann@studio.example"))


@pytest.fixture
def failed(studio: Organization) -> Job:
    return make_job(make_account(studio), status="failed")


def test_assigning_is_audited_and_brings_open_pages_the_row(failed: Job, ann: Membership) -> None:
    boss = make_membership(failed.organization, Role.OWNER).user
    assign(failed, ann, actor=boss)
    assign(failed, ann, actor=boss)  # again: nothing
    found = Job.objects.get()
    assert (found.assignee, found.version) == (ann, failed.version + 1)
    assert found.changed_at == failed.changed_at
    assign(failed, None, actor=ann.user)
    assert Job.objects.get().assignee is None
    entries = AuditEntry.objects.order_by("pk")
    assert [(one.action, one.actor_id, one.before, one.after) for one in entries] == [
        ("job.assigned", boss.pk, {"assignee": None}, {"assignee": "ann@studio.example"}),
        ("job.unassigned", ann.user.pk, {"assignee": "ann@studio.example"}, {"assignee": None}),
    ]


def test_a_job_that_has_not_failed_and_a_stranger_are_refused(
    studio: Organization, failed: Job, ann: Membership
) -> None:
    fine = make_job(failed.account)
    elsewhere = make_membership(make_organization("elsewhere"), user=ann.user)
    for job, member, code in ((fine, ann, "not_failed"), (failed, elsewhere, "no_member")):
        with pytest.raises(AssignmentRefused) as refused:
            assign(job, member, actor=ann.user)
        assert refused.value.code == code
    assert not Job.objects.exclude(assignee=None).exists()
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("way", ["leaves", "is deleted"])
def test_whoever_leaves_or_is_deleted_keeps_nothing(failed: Job, ann: Membership, way: str) -> None:
    boss = make_membership(failed.organization, Role.OWNER).user
    group = failed.error_group
    assert group is not None
    assign(failed, ann, actor=boss)
    JobErrorGroup.objects.update(assignee=ann)
    if way == "leaves":
        remove(ann, by=boss)
    else:
        ann.user.delete()
    failed.refresh_from_db()
    group.refresh_from_db()
    assert (failed.assignee, group.assignee) == (None, None)


@pytest.mark.django_db(transaction=True)
def test_leaving_while_something_is_assigned_leaves_no_trace(failed: Job, ann: Membership) -> None:
    boss = make_membership(failed.organization, Role.OWNER).user
    outcomes: list[Any] = []

    def give() -> None:
        try:
            assign(failed, ann, actor=boss)
        except AssignmentRefused as refused:
            outcomes.append(refused.code)

    together(give, lambda: remove(ann, by=boss), give)
    assert Job.objects.get().assignee is None
    assert set(outcomes) <= {"no_member"}
