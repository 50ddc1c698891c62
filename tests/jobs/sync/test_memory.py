"""A pass over a long list, or of large answers, takes no more memory than one over a short one."""

import gc
import weakref
from collections.abc import Callable

import pytest

from jobs.models import Job, ProviderAccount
from jobs.sync.crawl.findings import REFRESH_JOBS, Findings
from jobs.sync.crawl.page_turns import IDS_KEPT, PAGES_KEPT, PageTurns
from jobs.sync.crawl.seen_ids import SeenIds
from jobs.sync.runner import sync_account
from providers.core.status import JobStatus
from providers.core.types import Page, RemoteJob
from providers.http import bodies
from tests.jobs.factories import make_job
from tests.jobs.fake_zencoder import FakeZencoder

PAGE_SIZE = 50


class RemoteId(str):
    """Text that can be watched."""


def count_kept(read: Callable[[Page], None], pages: int) -> int:
    """How many ids of a long list are still held after `read` was given all its pages."""
    ids: weakref.WeakSet[RemoteId] = weakref.WeakSet()
    for number in range(pages):
        jobs = []
        for place in range(PAGE_SIZE):
            remote_id = RemoteId(number * PAGE_SIZE + place)
            ids.add(remote_id)
            jobs.append(RemoteJob(remote_id, JobStatus.RUNNING))
        read(Page(tuple(jobs), str(number + 1)))
    gc.collect()
    return len(ids)


def test_what_a_pass_remembers_of_a_list_does_not_grow_with_it() -> None:
    findings = Findings()
    assert count_kept(findings.note_page, 60) <= REFRESH_JOBS + PAGE_SIZE
    assert len(findings.running) == REFRESH_JOBS


def test_what_a_crawl_remembers_of_its_pages_does_not_grow_with_them() -> None:
    turns = PageTurns()

    def read(page: Page) -> None:
        turns.add(str(page.cursor), page, may_slip=lambda _: False)

    assert count_kept(read, 600) <= IDS_KEPT + PAGES_KEPT * PAGE_SIZE
    assert turns.last_cursor == "600"


def test_an_id_that_was_seen_is_always_found_and_another_one_hardly_ever() -> None:
    seen = SeenIds()
    for number in range(5_000):
        seen.add(str(number))
        seen.add(str(number))
    assert all(str(number) in seen for number in range(5_000))
    assert sum(str(number) in seen for number in range(5_000, 10_000)) < 5
    assert 4_995 <= seen.count <= 5_000


@pytest.mark.django_db
def test_answers_that_are_too_large_together_are_read_one_after_the_other(
    account: ProviderAccount, zencoder: FakeZencoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "MAX_BYTES", 20_000)
    for number in range(1, 5):
        make_job(account, remote_id=str(number), status="running")
        zencoder.add(number, labels="x" * (8_000 if number < 4 else 30_000))
    zencoder.faults["list"] = lambda request: (200, {"Content-Type": "application/json"}, "[]")
    assert sync_account(account.pk)
    ended = Job.objects.filter(status="succeeded").values_list("remote_id", flat=True)
    assert set(ended) == {"1", "2", "3"}  # the fourth is too large by itself
    assert zencoder.asked["details"] > 4
