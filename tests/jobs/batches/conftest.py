"""What the tests of batches share: somebody who starts them, and workers that take turns."""

from collections.abc import Callable
from typing import Any

import pytest

from jobs.batches.lines import Line
from jobs.batches.service import NewBatch, create
from jobs.batches.worker import run_batch
from jobs.models import Batch, ProviderAccount, Submission, SubmissionState
from jobs.query.visibility import Visibility
from jobs.submission.worker import run_submission
from organizations.models import Role, User
from providers.core.types import JobRequest, Rendition
from tests.factories import make_membership

Begin = Callable[..., Batch]
SHARED = JobRequest("", renditions=(Rendition("mp4", (720,)),), metadata={"show": "night"})


@pytest.fixture
def operator(account: ProviderAccount) -> User:
    return make_membership(account.organization, Role.OPERATOR).user


@pytest.fixture
def begin(account: ProviderAccount, operator: User) -> Begin:
    """Starts a batch of some lines, or of as many as are asked for."""

    def begin(lines: int | list[Line] = 3, name: str = "reels", **options: Any) -> Batch:
        if isinstance(lines, int):
            lines = [Line(f"s3://rushes/{name}-{number}.mov") for number in range(1, lines + 1)]
        visible = Visibility(account.organization)
        key = options.pop("key", None)
        new = NewBatch(visible, account, name, options.pop("request", SHARED), lines, **options)
        return create(new, user=operator, key=key)

    return begin


def work(batch: Batch, rounds: int = 30) -> Batch:
    """Have workers take what is due, one after the other, until all has been submitted."""
    for _ in range(rounds):
        Batch.objects.filter(pk=batch.pk, next_at__isnull=False).update(next_at=batch.created_at)
        run_batch(batch.pk)
        send_all()
        batch.refresh_from_db()
        if batch.next_at is None:
            break
    return batch


def send_all() -> None:
    for pk in Submission.objects.filter(state=SubmissionState.DUE).values_list("pk", flat=True):
        run_submission(pk)
