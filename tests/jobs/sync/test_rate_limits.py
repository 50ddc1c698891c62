"""What a pass makes of limits, the provider's and ours, and of what is refused in passing."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import ClassVar

import pytest
import requests
import time_machine
from django.utils import timezone

from jobs.models import HealthState, Job, JobPoll, Preset, ProviderAccount
from jobs.sync import rate_limits
from jobs.sync.report import Report
from jobs.sync.runner import sync_account
from organizations.models import Organization
from providers.core import registry
from providers.core.contract import Provider
from providers.core.errors import AuthRefused, ProviderError, RateLimited
from providers.core.status import JobStatus
from providers.core.types import Capability, Page, RemoteJob, RemotePreset
from tests.jobs.factories import NOON, end_pauses, make_account, make_job
from tests.jobs.fake_zencoder import (
    MORNING,
    PAGE_SIZE,
    Answer,
    FakeZencoder,
    Fault,
    failing,
    unreachable,
)

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

MINUTE = timedelta(seconds=61)


def run(account: ProviderAccount, *, foreground: bool = False, full: bool = False) -> Report:
    report = sync_account(account.pk, foreground=foreground, full=full)
    assert report is not None
    account.refresh_from_db()
    return report


def once(fault: Fault) -> Fault:
    """The fault for the first request alone."""
    left = [fault]
    return lambda request: left.pop()(request) if left else None


def on_page(number: int, fault: Fault) -> Fault:
    return lambda request: fault(request) if f"page={number}&" in str(request.url) else None


def at_most_a_minute(number: int) -> Fault:
    """The provider's own limit of requests, of which it says when it is over."""
    asked: list[float] = []

    def limit(request: requests.PreparedRequest) -> Answer | None:
        now = timezone.now().timestamp()
        asked.append(now)
        is_over = sum(at > now - 60 for at in asked) > number
        return failing(429, Retry_After="60")(request) if is_over else None

    return limit


def test_a_pass_that_met_nothing_but_the_limit_is_no_success(
    account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    ProviderAccount.objects.update(consecutive_failures=2)
    zencoder.faults["list"] = failing(429)
    with time_machine.travel(NOON + timedelta(hours=9), tick=False):
        assert run(account).ok
    assert (account.last_success_at, account.consecutive_failures) == (NOON, 2)


def test_a_pass_that_read_something_before_the_limit_is_a_success(
    account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    for number in range(1, 2 * PAGE_SIZE):
        zencoder.add(number)
    ProviderAccount.objects.update(last_pass_at=MORNING, consecutive_failures=2)
    zencoder.faults["list"] = on_page(2, failing(429))
    later = NOON + timedelta(hours=9)
    with time_machine.travel(later, tick=False):
        assert run(account).created == PAGE_SIZE
    assert (account.last_success_at, account.consecutive_failures) == (later, 0)


def test_unfinished_jobs_are_confirmed_while_the_list_is_limited(
    account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    make_job(account, remote_id="3", status="running")
    zencoder.add(3)
    zencoder.faults["list"] = failing(429, Retry_After="130")
    with time_machine.travel(NOON + MINUTE, tick=False):
        run(account)
        assert account.next_sync_at == timezone.now() + timedelta(seconds=130)
    assert Job.objects.get(remote_id="3").status == "succeeded"
    assert account.last_success_at == NOON + MINUTE


def test_a_limit_of_everything_is_met_by_few_requests_and_its_longest_wait_is_obeyed(
    account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    for number in range(1, 41):
        make_job(account, remote_id=str(number), status="running")
    zencoder.faults["list"] = failing(429, Retry_After="20")
    zencoder.faults["details"] = failing(429, Retry_After="130")
    with time_machine.travel(NOON + MINUTE, tick=False):
        assert run(account).ok
        assert account.next_sync_at == timezone.now() + timedelta(seconds=130)
    assert zencoder.asked["details"] <= 2
    assert JobPoll.objects.filter(next_at=NOON).count() == 40


@pytest.mark.parametrize("whose", ["the provider's", "ours"])
def test_a_gap_that_no_limit_lets_through_at_once_is_closed(
    account: ProviderAccount, zencoder: FakeZencoder, whose: str
) -> None:
    pages = 9
    ProviderAccount.objects.update(last_pass_at=MORNING)
    for number in range(1, pages * PAGE_SIZE):
        zencoder.add(number)
    if whose == "ours":
        ProviderAccount.objects.update(options={"requests_per_minute": "5"})
    else:
        zencoder.faults["list"] = at_most_a_minute(5)
    with time_machine.travel(NOON, tick=False) as clock:
        for _ in range(6):
            assert run(account).ok
            clock.shift(MINUTE)
    assert Job.objects.count() == pages * PAGE_SIZE - 1
    assert not account.is_importing
    assert account.import_cursor == ""


@pytest.mark.parametrize("fault", [failing(429), failing(500), unreachable])
def test_a_crawl_cut_short_once_begins_at_the_top_again(
    account: ProviderAccount, zencoder: FakeZencoder, fault: Fault
) -> None:
    ProviderAccount.objects.update(last_pass_at=MORNING)
    for number in range(1, 3 * PAGE_SIZE):
        zencoder.add(number)
    zencoder.faults["list"] = on_page(2, fault)
    run(account)
    assert (account.is_importing, account.import_cursor) == (False, "")
    assert account.last_pass_at == MORNING
    zencoder.faults.clear()
    zencoder.asked.clear()
    end_pauses()
    assert run(account).created == 2 * PAGE_SIZE - 1
    assert zencoder.asked["list"] == 3 + 2  # two are read again


def test_a_fault_below_a_page_of_older_jobs_makes_no_import_however_often_it_comes(
    account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    for number in range(1, 2 * PAGE_SIZE):
        zencoder.add(number)
    zencoder.add(2 * PAGE_SIZE, "processing")  # so that each crawl asks for the second page
    run(account)
    zencoder.faults["list"] = on_page(2, failing(500))
    for _ in range(3):
        assert run(account).ok is False
    assert not account.is_importing


def test_the_foreground_waits_for_the_limit_of_single_jobs(
    account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    for number in range(1, 12):
        make_job(account, remote_id=str(number), first_seen_at=NOON - timedelta(days=9))
    zencoder.add(4)
    zencoder.faults["list"] = lambda request: (200, {"Content-Type": "application/json"}, "[]")
    zencoder.faults["details"] = once(failing(429, Retry_After="0.01"))
    report = run(account, foreground=True, full=True)
    assert (report.ok, report.gone) == (True, 10)
    assert zencoder.asked["details"] == 12


@pytest.mark.parametrize("kind", ["list", "details"])
def test_a_limit_without_end_is_an_error_in_the_foreground(
    account: ProviderAccount, zencoder: FakeZencoder, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(rate_limits, "PATIENCE_S", 0.05)
    make_job(account, remote_id="1", status="running")
    zencoder.faults[kind] = failing(429, Retry_After="0.01")
    report = run(account, foreground=True)
    assert (report.ok, account.last_error_class) == (False, "quota.rate")
    assert zencoder.asked[kind] == 6


def test_a_limit_amid_single_jobs_loses_no_answer_in_the_background(
    account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    for number in range(1, 5):
        make_job(account, remote_id=str(number), status="running")
    zencoder.add(1)
    zencoder.add(4)
    zencoder.faults["details 2"] = failing(429, Retry_After="40")
    zencoder.faults["list"] = lambda request: (200, {"Content-Type": "application/json"}, "[]")
    report = run(account)
    assert (report.ok, report.changed, report.gone) == (True, 2, 1)
    wait_s = (account.next_sync_at - timezone.now()).total_seconds()
    assert 30 < wait_s <= 40


def test_single_jobs_that_are_refused_are_left_alone_for_a_while(
    account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    for number in (1, 2):
        make_job(account, remote_id=str(number), status="running")
    zencoder.faults["details"] = failing(403)
    assert run(account).ok
    assert account.health == HealthState.OK
    later = timezone.now() + timedelta(minutes=4)
    assert JobPoll.objects.filter(next_at__gt=later).count() == 2


def test_a_sync_that_works_ends_a_refusal(account: ProviderAccount, zencoder: FakeZencoder) -> None:
    ProviderAccount.objects.update(refused_at=NOON)
    assert run(account, foreground=True).ok
    assert account.health == HealthState.OK
    assert ProviderAccount.objects.due(timezone.now() + timedelta(days=1)).exists()


@dataclass
class Stumble:
    """Raises the errors given, one each time it is passed."""

    errors: list[ProviderError] = field(default_factory=list)

    def pass_by(self) -> None:
        if self.errors:
            raise self.errors.pop(0)


class Shelf(Provider):
    """Lists unfinished jobs and presets on two pages each, and stumbles between them."""

    slug = "shelf"
    label = "Shelf"
    docs_url = "https://shelf.example/docs"
    default_base_url = "https://shelf.example/v1"
    capabilities = frozenset({Capability.PRESETS})
    credential_fields = ()
    job_statuses: ClassVar[dict[str, JobStatus]] = {"busy": JobStatus.RUNNING}

    presets: ClassVar[Stumble]
    unfinished: ClassVar[Stumble]

    def list_jobs(self, cursor: str | None = None) -> Iterator[Page]:
        yield Page(())

    def get_job(self, remote_id: str) -> RemoteJob:
        raise AssertionError("The lists bring all of them.")

    def list_unfinished(self) -> Iterator[Page]:
        yield Page((RemoteJob("1", JobStatus.RUNNING, "busy"),), "2")
        self.unfinished.pass_by()
        yield Page((RemoteJob("2", JobStatus.RUNNING, "busy"),))

    def list_presets(self) -> Iterator[RemotePreset]:
        yield RemotePreset("p1", "House 720p")
        self.presets.pass_by()
        yield RemotePreset("p2", "House 1080p")


@pytest.fixture
def shelf(organization: Organization, monkeypatch: pytest.MonkeyPatch) -> ProviderAccount:
    monkeypatch.setitem(registry._PROVIDERS, "shelf", Shelf)
    for name in ("presets", "unfinished"):
        monkeypatch.setattr(Shelf, name, Stumble(), raising=False)
    account = make_account(organization, provider="shelf", name="shelf", imported_at=None)
    for remote_id in ("1", "2"):
        make_job(account, remote_id=remote_id, status="running")
    return account


def test_lists_without_a_cursor_start_over_after_the_limit(shelf: ProviderAccount) -> None:
    for stumble in (Shelf.presets, Shelf.unfinished):
        stumble.errors.append(RateLimited("Not so fast.", wait_s=0.01))
    assert run(shelf, foreground=True).ok
    assert set(Preset.objects.values_list("remote_id", flat=True)) == {"p1", "p2"}
    assert JobPoll.objects.filter(confirmed_at__gt=NOON).count() == 2


def test_presets_that_may_not_be_read_stop_nothing_else(shelf: ProviderAccount) -> None:
    Shelf.presets.errors.append(AuthRefused("The key may not read presets."))
    assert run(shelf).ok
    assert shelf.health == HealthState.OK
    assert JobPoll.objects.filter(confirmed_at__gt=NOON).count() == 2
