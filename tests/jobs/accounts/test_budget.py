"""The rate limit: no minute holds more requests than it allows, whoever sends them."""

import random
from datetime import datetime, timedelta

import pytest

from jobs.accounts.budget import MINUTE_S, reserve_request
from jobs.models import ProviderAccount, RateBudget
from tests.jobs.factories import NOON
from tests.threads import together

pytestmark = pytest.mark.django_db


def admitted(account: ProviderAccount, at: datetime, tries: int, *, per_minute: int = 10) -> int:
    """How many of so many requests are let through at a moment."""
    waits = [reserve_request(account.pk, "list", per_minute, at) for _ in range(tries)]
    return waits.count(0)


def test_two_minutes_that_touch_do_not_let_twice_as_many_through(account: ProviderAccount) -> None:
    assert admitted(account, NOON, 1) == 1
    assert admitted(account, NOON + timedelta(seconds=59), 20) == 9
    assert admitted(account, NOON + timedelta(seconds=60), 20) == 1
    assert admitted(account, NOON + timedelta(seconds=118), 20) == 0
    assert admitted(account, NOON + timedelta(seconds=119), 20) == 9


def test_each_kind_of_call_has_a_limit_of_its_own_and_says_how_long_to_wait(
    account: ProviderAccount,
) -> None:
    assert [reserve_request(account.pk, "list", 3, NOON) for _ in range(5)] == [0, 0, 0, 60, 60]
    assert reserve_request(account.pk, "details", 3, NOON) == 0
    later = NOON + timedelta(seconds=60)
    assert [reserve_request(account.pk, "list", 2, later) for _ in range(3)] == [0, 0, 60]


def test_no_minute_holds_more_than_the_limit_and_a_steady_sender_loses_little(
    account: ProviderAccount,
) -> None:
    at, let_through = NOON, list[datetime]()
    for _ in range(400):
        at += timedelta(seconds=random.expovariate(1.0))
        if reserve_request(account.pk, "list", 20, at) == 0:
            let_through.append(at)
    for begin in let_through:
        end = begin + timedelta(seconds=MINUTE_S)
        assert sum(begin <= one < end for one in let_through) <= 20
    minutes = (at - NOON).total_seconds() / MINUTE_S
    assert len(let_through) >= 0.85 * 20 * minutes
    assert len(RateBudget.objects.get().sent) <= 61


def test_the_clock_of_a_worker_that_is_ahead_blocks_nobody_for_long(
    account: ProviderAccount,
) -> None:
    assert admitted(account, NOON + timedelta(hours=9), 20) == 10
    assert admitted(account, NOON, 20) == 10


@pytest.mark.django_db(transaction=True)
def test_workers_that_ask_at_once_share_one_limit(account: ProviderAccount) -> None:
    let_through: list[int] = []
    together(*[lambda: let_through.append(admitted(account, NOON, 10, per_minute=25))] * 4)
    assert sum(let_through) == 25
