"""Today against the days before."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from insights.rollups import upkeep
from insights.statistics.usual import read_today, usual_range
from jobs.models import ProviderAccount
from jobs.query.visibility import Visibility
from organizations.models import Organization
from tests.jobs.factories import make_account, make_job

pytestmark = [pytest.mark.django_db, pytest.mark.database]

# noon and a bit in Berlin
NOW = datetime(2026, 3, 30, 10, 7, tzinfo=UTC)


def end(account: ProviderAccount, at: datetime, status: str = "succeeded") -> None:
    make_job(account, status=status, created_at=at - timedelta(minutes=9), finished_at=at)


def test_today_is_compared_with_the_same_part_of_the_days_before(
    studio: Organization, account: ProviderAccount, django_assert_max_num_queries: Any
) -> None:
    end(account, NOW - timedelta(minutes=1))
    end(account, NOW - timedelta(hours=3), "failed")
    # the clocks went forward in the night to the day before: local times count
    end(account, datetime(2026, 3, 29, 9, 59, tzinfo=UTC))
    end(account, datetime(2026, 3, 29, 10, 1, tzinfo=UTC))
    end(account, datetime(2026, 3, 28, 10, 59, tzinfo=UTC))
    end(account, datetime(2026, 3, 28, 22, 59, tzinfo=UTC), "failed")
    end(account, datetime(2026, 3, 27, 11, 1, tzinfo=UTC))
    upkeep.keep_up(NOW)
    with django_assert_max_num_queries(16):
        today = read_today(Visibility(studio), NOW)
    total = today.statistics.total
    assert (total.succeeded, total.failed) == (1, 1)
    assert today.statistics.is_complete
    assert [day.total for day in today.before] == [1, 1, 0]
    assert [(day.succeeded, day.failed) for day in today.whole_days] == [(2, 0), (1, 1), (1, 0)]
    assert today.whole_days[0].run.percentile(0.5) == pytest.approx(520_000, rel=0.05)
    nobody = read_today(Visibility(studio, frozenset()), NOW)
    assert (nobody.statistics.total.total, nobody.before) == (0, [])


def test_without_sums_nothing_is_usual(studio: Organization, account: ProviderAccount) -> None:
    end(account, NOW - timedelta(days=1))
    end(account, NOW)
    today = read_today(Visibility(studio), NOW)
    assert (today.before, today.whole_days) == ([], [])
    assert make_account(studio)


def test_the_usual_range_leaves_out_the_extremes() -> None:
    assert usual_range([1, 2, 3, None]) is None
    assert usual_range([*range(100, 120), 0, 10_000]) == (101, 118)
