"""What the tests of bulk actions share: somebody who starts them, and workers that take turns."""

from collections.abc import Callable
from typing import Any

import pytest

from jobs.actions.worker import run_action
from jobs.bulk.actions.choosing import FIELDS, Chosen, read_options
from jobs.bulk.service import BulkRequest, start
from jobs.bulk.worker import run_bulk
from jobs.models import (
    ActionState,
    BulkAction,
    BulkKind,
    Job,
    JobAction,
    ProviderAccount,
    Submission,
    SubmissionState,
)
from jobs.query.visibility import Visibility
from jobs.submission.service import submit
from jobs.submission.worker import run_submission
from organizations.models import Membership, Organization, Role, User
from providers.core.types import JobRequest, Rendition
from tests.factories import make_membership
from tests.jobs.factories import make_account

Start = Callable[..., BulkAction]


REQUEST = JobRequest(
    input="https://rushes.example/harbour.mov?Signature=abcdef0123",
    destination="s3://site/harbour/",
    renditions=(Rendition("mp4", (360, 540)),),
    priority=3,
)


def fail(account: ProviderAccount, request: JobRequest = REQUEST) -> Job:
    """A job that was submitted here, and has failed."""
    job = submit(
        organization=account.organization, account=account, request=request, allow_duplicate=True
    ).job
    Submission.objects.filter(pk=job.pk).update(state="done")
    Job.objects.filter(pk=job.pk).update(
        status="failed", error_class="unknown", remote_id=f"r{job.pk}"
    )
    job.refresh_from_db()
    return job


def make_backup(organization: Organization) -> ProviderAccount:
    """Another account with the key of `main`, without a limit either."""
    return make_account(
        organization,
        name="backup",
        credentials={"api_key": "key-of-main"},
        options={"requests_per_minute": "100000"},
    )


@pytest.fixture
def operator(account: ProviderAccount) -> User:
    membership: Membership = make_membership(account.organization, Role.OPERATOR)
    return membership.user


@pytest.fixture
def begin(account: ProviderAccount, operator: User) -> Start:
    def begin(kind: str, query: str = "", **options: Any) -> BulkAction:
        key = options.pop("key", None)
        visible = options.pop("visible", Visibility(account.organization))
        chosen = Chosen(**{name: options.pop(name) for name in FIELDS if name in options})
        options["options"] = read_options(BulkKind(kind), visible, chosen)
        request = BulkRequest(BulkKind(kind), visible, query, **options)
        return start(request, user=operator, key=key)

    return begin


def work(bulk: BulkAction, rounds: int = 30) -> BulkAction:
    """Have workers take what is due, one after the other, until the action has ended."""
    for _ in range(rounds):
        BulkAction.objects.filter(pk=bulk.pk, next_at__isnull=False).update(next_at=bulk.created_at)
        run_bulk(bulk.pk)
        answer_all()
        bulk.refresh_from_db()
        if bulk.next_at is None:
            break
    return bulk


def answer_all() -> None:
    """Carry out what has been requested."""
    for pk in JobAction.objects.filter(state=ActionState.DUE).values_list("pk", flat=True):
        run_action(pk)
    for pk in Submission.objects.filter(state=SubmissionState.DUE).values_list("pk", flat=True):
        run_submission(pk)


def outcomes(bulk: BulkAction) -> dict[int, str]:
    return dict(bulk.targets.values_list("job", "outcome"))
