"""When an unfinished job was last confirmed: only ever later."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection

from jobs.models import JobPoll, ProviderAccount
from providers.core.types import RemoteJob
from tests.jobs.answers import after, apply, reported

pytestmark = pytest.mark.django_db


@contextmanager
def overtaken(overtake: Callable[[], Any]) -> Iterator[None]:
    """Another worker does this just before polls are written."""
    left = [overtake]

    def execute(run: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if left and sql.startswith(('UPDATE "jobs_jobpoll"', 'INSERT INTO "jobs_jobpoll"')):
            left.pop()()
        return run(sql, params, many, context)

    with connection.execute_wrapper(execute):
        yield
    assert not left


@pytest.mark.parametrize(
    "answer", [reported(), reported(progress=40.0)], ids=["unchanged", "changed"]
)
def test_a_confirmation_that_is_overtaken_moves_nothing_back(
    account: ProviderAccount, answer: RemoteJob
) -> None:
    apply(account, reported(), at=10)
    later = {"confirmed_at": after(30), "next_at": after(90)}
    with overtaken(lambda: JobPoll.objects.update(**later)):
        apply(account, answer, at=20)
    assert JobPoll.objects.values(*later).get() == later


def test_a_job_that_was_seen_to_end_meanwhile_gets_no_poll_again(account: ProviderAccount) -> None:
    apply(account, reported(), at=10)
    with overtaken(lambda: JobPoll.objects.all().delete()):
        apply(account, reported(), at=20)
    assert not JobPoll.objects.exists()
