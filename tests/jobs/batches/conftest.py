"""What the tests of batches share: starting them, and workers that take turns."""

from collections.abc import Callable
from typing import Any

import pytest

from jobs.batches.lines import Line
from jobs.batches.service import NewBatch, create
from jobs.batches.worker import run_batch
from jobs.models import Batch, ProviderAccount
from jobs.query.visibility import Visibility
from organizations.models import User
from providers.core.types import JobRequest, Rendition
from tests.jobs.taking_turns import finish

Begin = Callable[..., Batch]
SHARED = JobRequest("", renditions=(Rendition("mp4", (720,)),), metadata={"show": "night"})


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
    return finish(batch, run_batch, rounds)
