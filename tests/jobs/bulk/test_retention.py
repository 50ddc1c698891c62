"""What became of each job is kept for a while after a bulk action has ended; its counts stay."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from jobs import tasks
from jobs.bulk import retention
from jobs.bulk.service import BulkEnded, resume
from jobs.models import BulkAction, BulkTarget, ProviderAccount
from organizations.models import User
from tests.jobs.factories import make_bulk, make_job

pytestmark = pytest.mark.django_db


def make_ended(account: ProviderAccount, days: int, **fields: object) -> BulkAction:
    ended_at = timezone.now() - timedelta(days=days)
    values = {"state": "done", "next_at": None, "ended_at": ended_at, "done": 3, **fields}
    return make_bulk(make_job(account, status="failed"), **values)


def test_results_are_deleted_ninety_days_after_the_end(
    account: ProviderAccount, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    old = make_ended(account, 91)
    for _ in range(4):
        old.targets.create(job=make_job(account), account=account)
    stopped = make_ended(account, 91, state="stopped")
    kept = [
        make_ended(account, 89),
        # what it has under way is still to be settled
        make_ended(account, 91, state="stopped", next_at=timezone.now()),
        make_bulk(make_job(account, status="failed")),
    ]
    tasks.prune()
    assert {target.bulk_id for target in BulkTarget.objects.all()} == {bulk.pk for bulk in kept}
    old.refresh_from_db()
    assert (old.done, old.results_deleted_at is not None) == (3, True)
    with pytest.raises(BulkEnded, match="deleted"):
        resume(stopped, actor=operator)


def test_a_run_that_was_killed_is_made_up_for(account: ProviderAccount) -> None:
    old = make_ended(account, 91, results_deleted_at=timezone.now())
    assert retention.prune(timezone.now()) == 1
    assert not old.targets.exists()


def test_the_command_may_delete_sooner(
    account: ProviderAccount, capsys: pytest.CaptureFixture[str]
) -> None:
    make_ended(account, 8)
    call_command("prune_bulk_results")
    call_command("prune_bulk_results", days=7)
    assert capsys.readouterr().out == "0 results\n1 result\n"
