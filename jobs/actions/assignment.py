"""Giving a failed job to the member who looks after it."""

from django.db import transaction
from django.db.models import F

from jobs.models import Job
from organizations.models import Actor, ApiToken, AuditEntry, Membership, User
from organizations.people.members import lock_people


class AssignmentRefused(Exception):
    """Not done, for the reason that `str()` gives. `code` is for the API."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def assign(job: Job, member: Membership | None, *, actor: Actor) -> None:
    """Have `member` look after the job, or nobody. The same again changes nothing.

    Raises AssignmentRefused: for a job that has not failed, and for somebody who is no member, or
    not any more.
    """
    with transaction.atomic():
        # so that nobody leaves meanwhile
        lock_people(job.organization)
        jobs = Job.objects.select_for_update(no_key=True, of=("self",))
        current = jobs.select_related("assignee__user").get(pk=job.pk)
        if member is not None:
            if current.status != "failed":
                raise AssignmentRefused("not_failed", "Only a failed job can be assigned.")
            check_member(member, job.organization_id)
        if current.assignee_id == (member and member.pk):
            return
        # as the mirror's writer does: open pages bring the row anew
        Job.objects.filter(pk=job.pk).update(assignee=member, version=F("version") + 1)
        AuditEntry.record(
            job.organization,
            "job.assigned" if member else "job.unassigned",
            job,
            actor=actor if isinstance(actor, User) else None,
            token=actor if isinstance(actor, ApiToken) else None,
            before={"assignee": current.assignee_name},
            after={"assignee": member.user.email if member else None},
        )


def check_member(member: Membership, organization_id: int) -> None:
    """Refuse somebody who is no member of the organization, under the lock of its people."""
    found = Membership.objects.filter(pk=member.pk, organization=organization_id)
    if not found.exists():
        message = "This person is no longer a member of the organization."
        raise AssignmentRefused("no_member", message)
