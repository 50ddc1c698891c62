"""A silent host is tried by one short call at a time, and costs the others nothing."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import requests
import responses
import time_machine
from celery import current_app
from django.conf import LazySettings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from jobs import tasks
from jobs.models import Job, ProviderAccount, ProviderHost, Submission, SubmissionState
from jobs.submission.service import submit
from jobs.submission.worker import run_submission
from jobs.sync.request import request_sync
from jobs.sync.runner import sync_account
from jobs.workqueue.circuit_breaker import (
    FIRST_RESPONSE,
    PAUSE,
    PROBE_MARGIN_S,
    WAITING,
    begin_probe,
    mark_responding,
)
from jobs.workqueue.slots import Slots, Work, small_share
from organizations.models import Organization
from providers.core.types import JobRequest, Rendition
from providers.http.client import READ_S
from tests.jobs.factories import NOON, make_account
from tests.jobs.fake_zencoder import FakeZencoder, unreachable
from tests.threads import together

pytestmark = pytest.mark.django_db

SHARE = small_share(8)
DEAD = re.compile(r"https://dead-\d+\.example/.*")
Tick = Callable[[], Counter[str]]


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def tick(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Tick]:
    """Run a tick and all that it hands out; how many messages there were of each task."""
    messages: list[tuple[str, tuple[int, ...]]] = []

    def publish(name: str, args: tuple[int, ...], **options: object) -> None:
        messages.append((name, args))

    monkeypatch.setattr(current_app, "send_task", publish)

    def run() -> Counter[str]:
        messages.clear()
        with django_capture_on_commit_callbacks(execute=True):
            tasks.tick()
        handed_out = list(messages)
        for name, args in handed_out:
            current_app.tasks[name](*args)
        return Counter(name.removeprefix("jobs.tasks.") for name, _ in handed_out)

    with responses.RequestsMock(assert_all_requests_are_fired=False) as wire:
        for method in ("GET", "POST"):
            wire.add_callback(method, re.compile(r"https://live-.*"), callback=_answer)
            wire.add_callback(method, DEAD, callback=_hang)
        run.wire = wire  # type: ignore[attr-defined]
        yield run


def _answer(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
    body = {"id": 501, "outputs": []} if request.method == "POST" else []
    return 201 if body else 200, {"Content-Type": "application/json"}, json.dumps(body)


def _hang(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
    raise requests.ReadTimeout("Nobody answers.")


def make_accounts(organization: Organization, kind: str, count: int) -> list[ProviderAccount]:
    """Never tried yet, each at a host of its own."""
    found = [
        make_account(organization, base_url=f"https://{kind}-{number}.example/api/v2")
        for number in range(count)
    ]
    ProviderHost.objects.filter(name__startswith=f"{kind}-").delete()
    return found


def send(account: ProviderAccount) -> Job:
    return submit(
        organization=account.organization,
        account=account,
        request=JobRequest("s3://rushes/harbour.mov", renditions=(Rendition("mp4", (360,)),)),
        allow_duplicate=True,
    ).job


def asked(tick: Tick, kind: str) -> Counter[str]:
    """Requests by method to the hosts of `kind`, and forgotten with that."""
    wire = tick.wire  # type: ignore[attr-defined]
    found = Counter(
        str(call.request.method) for call in wire.calls if f"//{kind}-" in str(call.request.url)
    )
    wire.calls.reset()
    return found


def test_live_accounts_are_all_handed_out_and_dead_ones_a_few_at_a_time(
    organization: Organization, tick: Tick, clock: time_machine.Traveller
) -> None:
    live = make_accounts(organization, "live", 5)
    ProviderHost.objects.bulk_create([ProviderHost(name=a.host, is_healthy=True) for a in live])
    make_accounts(organization, "dead", 40)
    for _ in range(20):
        ProviderAccount.objects.filter(host__startswith="live").update(next_sync_at=timezone.now())
        assert tick() == {"sync_account": 5 + SHARE}, _
        clock.shift(2)
    assert not ProviderAccount.objects.filter(
        host__startswith="live", last_success_at__lt=timezone.now() - timedelta(seconds=2)
    ).exists()
    # every one of them had its turn before one of them had its second
    tried = ProviderHost.objects.filter(name__startswith="dead", failures=1)
    assert tried.count() == 40


def make_queue(organization: Organization) -> ProviderAccount:
    """Far more accounts at one busy host than there are threads; another host, due after them."""
    busy = make_accounts(organization, "live", 1)[0].base_url
    for _ in range(120):
        make_account(organization, base_url=busy, next_sync_at=NOON - timedelta(minutes=1))
    other = make_account(organization, base_url="https://live-other.example/api/v2")
    ProviderHost.objects.update(is_healthy=True)
    return other


def test_a_long_queue_of_accounts_at_one_host_hides_no_other_host(
    organization: Organization, tick: Tick, clock: time_machine.Traveller
) -> None:
    other = make_queue(organization)
    ProviderAccount.objects.filter(pk=other.pk).update(next_sync_at=NOON)
    clock.shift(1)
    tick()
    other.refresh_from_db()
    assert other.last_success_at == timezone.now()


def test_a_long_queue_of_submissions_to_one_host_hides_no_other_host(
    organization: Organization, tick: Tick, clock: time_machine.Traveller
) -> None:
    other = make_queue(organization)
    ProviderAccount.objects.update(next_sync_at=NOON + timedelta(days=1))
    busy = ProviderAccount.objects.exclude(pk=other.pk)[0]
    for _ in range(110):
        send(busy)
    clock.shift(1)
    job = send(other)
    tick()
    assert Submission.objects.get(pk=job.pk).state == SubmissionState.DONE


def test_a_new_host_is_tried_before_those_that_failed(
    organization: Organization, tick: Tick, clock: time_machine.Traveller
) -> None:
    """Its first submission does not wait for those that nobody answers."""
    dead = make_accounts(organization, "dead", 10)
    ProviderAccount.objects.update(next_sync_at=NOON + timedelta(days=1))
    ProviderHost.objects.bulk_create([ProviderHost(name=a.host, failures=9) for a in dead])
    for account in dead:
        send(account)
    clock.shift(1)
    [live] = make_accounts(organization, "live", 1)
    job = send(live)
    tick()
    assert Submission.objects.get(pk=job.pk).state == SubmissionState.DONE


def test_forty_submissions_to_one_silent_host_are_one_short_read_at_a_time(
    organization: Organization, tick: Tick, clock: time_machine.Traveller
) -> None:
    [dead] = make_accounts(organization, "dead", 1)
    ProviderAccount.objects.update(next_sync_at=NOON + timedelta(days=1))
    jobs = [send(dead) for _ in range(40)]
    assert tick() == {"run_submission": 1}
    assert asked(tick, "dead") == {"GET": 1}
    assert tick() == {}
    clock.shift(PAUSE.first_s)
    assert tick() == {"run_submission": 1}
    # as their first messages do, which came at once
    for job in jobs:
        run_submission(job.pk)
    assert asked(tick, "dead") == {"GET": 1}
    waiting = Submission.objects.filter(state=SubmissionState.DUE, sends=0, failures=0)
    assert waiting.filter(note=WAITING).count() == 40


def test_they_all_go_as_soon_as_it_answers(
    organization: Organization, tick: Tick, clock: time_machine.Traveller
) -> None:
    [dead] = make_accounts(organization, "dead", 1)
    ProviderAccount.objects.update(next_sync_at=NOON + timedelta(days=1))
    for _ in range(3):
        run_submission(send(dead).pk)
    clock.shift(PAUSE.cap_s)
    assert asked(tick, "dead") == {"GET": 1}
    wire = tick.wire  # type: ignore[attr-defined]
    wire.remove("GET", DEAD)
    wire.remove("POST", DEAD)
    for method in ("GET", "POST"):
        wire.add_callback(method, DEAD, callback=_answer)
    tick()
    assert asked(tick, "dead") == {"GET": 1, "POST": 1}  # the read, and the first of them
    tick()
    assert asked(tick, "dead")["POST"] == 2


def test_the_nightly_comparison_leaves_silent_hosts_out(
    organization: Organization, tick: Tick, clock: time_machine.Traveller
) -> None:
    """It has a thread of the worker, and would wait there for each account of a silent host."""
    make_accounts(organization, "dead", 3)
    [live] = make_accounts(organization, "live", 1)
    ProviderHost.objects.create(name=live.host, is_healthy=True)
    clock.shift(1)
    tasks.reconcile()
    live.refresh_from_db()
    assert (asked(tick, "dead"), live.last_success_at) == (Counter(), timezone.now())


def test_a_host_that_comes_and_goes_leaves_no_submission_in_doubt(
    account: ProviderAccount, zencoder: FakeZencoder, clock: time_machine.Traveller
) -> None:
    """Each time it answers again the job is looked for at once: that alone proves nothing."""
    zencoder.faults["create"] = _hang
    job = send(account)
    run_submission(job.pk)
    del zencoder.faults["create"]
    for _ in range(8):
        ProviderHost.objects.update(is_healthy=False, next_probe_at=timezone.now())
        clock.shift(3)
        sync_account(account.pk, foreground=True)
        run_submission(job.pk)
    assert Submission.objects.get().state == SubmissionState.VERIFYING
    assert zencoder.asked["create"] == 1
    clock.shift(60)
    for _ in range(2):
        run_submission(job.pk)
    assert (Submission.objects.get().state, zencoder.asked["create"]) == (SubmissionState.DONE, 2)


def test_what_could_not_be_sent_goes_as_soon_as_the_host_answers(
    account: ProviderAccount, zencoder: FakeZencoder, clock: time_machine.Traveller
) -> None:
    zencoder.faults["create"] = unreachable
    job = send(account)
    run_submission(job.pk)
    assert Submission.objects.get().note == WAITING
    del zencoder.faults["create"]
    clock.shift(1)
    sync_account(account.pk, foreground=True)
    run_submission(job.pk)
    assert Submission.objects.get().state == SubmissionState.DONE


def test_the_pauses_of_a_host_grow_and_a_person_may_cut_them_short(
    organization: Organization, tick: Tick, clock: time_machine.Traveller
) -> None:
    [dead, other] = make_accounts(organization, "dead", 2)
    pauses = []
    for _ in range(8):
        clock.shift(PAUSE.cap_s)
        sync_account(dead.pk)
        host = ProviderHost.objects.get(name=dead.host)
        pauses.append((host.next_probe_at - timezone.now()).total_seconds())
    assert pauses == [2, 4, 8, 16, 32, 60, 60, 60]
    assert sync_account(dead.pk) is None
    request_sync(dead)
    assert sync_account(dead.pk)
    assert sync_account(other.pk)


def test_a_first_answer_has_little_time_until_the_host_gave_one(
    organization: Organization, tick: Tick, clock: time_machine.Traveller
) -> None:
    [dead] = make_accounts(organization, "dead", 1)
    timeouts = []

    def hang(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        timeouts.append(round(request.req_kwargs["timeout"][1]))  # type: ignore[attr-defined]
        return _hang(request)

    wire = tick.wire  # type: ignore[attr-defined]
    wire.remove("GET", DEAD)
    wire.add_callback("GET", DEAD, callback=hang)
    for _ in range(6):
        clock.shift(PAUSE.cap_s)
        sync_account(dead.pk)
    # a host that is only slow is given its time in the end
    assert timeouts == [5, 5, 5, 10, 20, READ_S]
    ProviderHost.objects.update(failures=100_000)  # dead for weeks
    clock.shift(PAUSE.cap_s)
    sync_account(dead.pk)
    assert timeouts[-1] == READ_S
    mark_responding(dead.host)
    sync_account(dead.pk)
    assert timeouts[-1] == READ_S


def test_one_silence_is_enough_and_one_answer_ends_it_for_all_accounts_of_the_host(
    account: ProviderAccount, zencoder: FakeZencoder, clock: time_machine.Traveller
) -> None:
    other = make_account(account.organization, name="other")
    zencoder.faults["list"] = unreachable
    sync_account(account.pk)
    assert sync_account(other.pk) is None
    zencoder.faults.clear()
    clock.shift(PAUSE.first_s)
    zencoder.key = "key-of-other"
    assert sync_account(other.pk)
    account.refresh_from_db()
    assert account.next_sync_at <= timezone.now()  # its own pause is over with that
    assert ProviderHost.objects.get().is_healthy


def test_while_a_host_is_probed_nobody_else_calls_it_and_a_killed_one_ends(
    organization: Organization, tick: Tick, clock: time_machine.Traveller
) -> None:
    [dead] = make_accounts(organization, "dead", 1)
    assert begin_probe(dead.host, FIRST_RESPONSE.first_s)
    assert sync_account(dead.pk) is None
    dead.refresh_from_db()
    assert (dead.lease, dead.consecutive_failures) == (None, 0)
    assert tick() == {}
    clock.shift(FIRST_RESPONSE.first_s + PROBE_MARGIN_S + 1)
    assert tick() == {"sync_account": 1}


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_one_probes_it() -> None:
    leases: list[object] = []
    together(*[lambda: leases.append(begin_probe("dead.example", 5))] * 6)
    assert sum(lease is not None for lease in leases) == 1


def test_a_calm_tick_asks_the_same_few_questions_however_many_accounts_there_are(
    organization: Organization, tick: Tick
) -> None:
    counts = []
    for count in (3, 30):
        make_accounts(organization, f"live-{count}", count)
        ProviderAccount.objects.update(next_sync_at=NOON + timedelta(minutes=1))
        with CaptureQueriesContext(connection) as queries:
            assert tick() == {}
        counts.append(len(queries))
    assert counts == [5, 5]


def test_a_host_that_may_not_be_called_is_no_silent_one(
    organization: Organization, settings: LazySettings
) -> None:
    """It never answers, so a submission must not wait for that."""
    settings.ALLOW_PRIVATE_ADDRESSES = False
    account = make_account(organization, base_url="http://127.0.0.1:1/api/v2")
    ProviderHost.objects.update(is_healthy=False)
    job = send(account)
    run_submission(job.pk)
    submission = Submission.objects.get()
    assert submission.state == SubmissionState.REFUSED
    assert "127.0.0.1" in submission.note


def test_a_sync_in_the_foreground_shows_that_a_host_answers(
    organization: Organization, tick: Tick
) -> None:
    [live] = make_accounts(organization, "live", 1)
    assert sync_account(live.pk, foreground=True)
    assert ProviderHost.objects.get().is_healthy


@pytest.mark.parametrize(
    "doubt", [{"consecutive_failures": 1}, {"latency_ms": 20_000}], ids=["failing", "slow"]
)
def test_accounts_that_fail_or_are_slow_at_hosts_that_answer_take_turns_after_all_others(
    organization: Organization, tick: Tick, doubt: dict[str, int]
) -> None:
    accounts = make_accounts(organization, "live", 8)
    ProviderHost.objects.bulk_create([ProviderHost(name=a.host, is_healthy=True) for a in accounts])
    well = accounts[6:]
    ProviderAccount.objects.exclude(pk__in=[account.pk for account in well]).update(**doubt)
    assert tick() == {"sync_account": len(well) + SHARE}
    synced = ProviderAccount.objects.filter(last_success_at=NOON, dispatched_until=None)
    assert {account.pk for account in well} <= set(synced.values_list("pk", flat=True))


class Full:
    """A worker's threads, and what is held of them until the test ends."""

    def __init__(self, size: int = 8) -> None:
        self.slots = Slots(lambda: size)
        self.held = []  # type: ignore[var-annotated]

    def take(self, host: str, work: Work = Work.SYNC, *, is_unreliable: bool = False) -> bool:
        slot = self.slots.hold(host, work, is_unreliable=is_unreliable)
        self.held.append(slot)
        return slot.__enter__()


def test_one_host_holds_half_of_the_threads_at_the_most_with_any_work() -> None:
    full = Full()
    assert [full.take("a", Work.INTERACTIVE) for _ in range(2)] == [True] * 2
    assert [full.take("a") for _ in range(3)] == [True, True, False]
    assert full.take("b")


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("host", ["a", "b"])
def test_in_a_small_worker_a_long_pass_leaves_a_thread_to_people(size: int, host: str) -> None:
    full = Full(size)
    assert [full.take("a"), full.take("b")] == [True, False]
    full.slots.mark_response()
    assert [full.take(host, Work.INTERACTIVE), full.take("c", Work.INTERACTIVE)] == [True, False]


def test_each_kind_of_work_leaves_threads_to_the_other_and_all_leave_one_to_the_ticks() -> None:
    full = Full()
    assert [full.take(f"sync-{number}") for number in range(6)] == [True] * 5 + [False]
    people = [full.take(f"send-{number}", Work.INTERACTIVE) for number in range(3)]
    assert people == [True, True, False]


def test_all_doubtful_work_together_has_a_small_share() -> None:
    full = Full()
    doubtful = [full.take(f"dead-{number}", is_unreliable=True) for number in range(4)]
    assert doubtful == [True] * SHARE + [False, False]
    full.slots.mark_response()  # they all are this thread's
    assert full.take("dead-9", is_unreliable=True)


def test_a_host_that_stops_answering_gets_no_more_work_before_the_first_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    full = Full()
    assert full.take("a")
    full.slots._taken[0].taken_at -= 6
    assert not full.take("a")
    full.slots.mark_response()
    assert full.take("a")


def test_an_account_that_is_known_to_be_slow_keeps_nobody_from_its_host() -> None:
    full = Full()
    assert full.take("a", is_unreliable=True)
    full.slots._taken[0].taken_at -= 6
    assert full.take("a")


def test_what_was_turned_away_is_handed_out_when_a_thread_is_free_again() -> None:
    full = Full()
    for _ in range(5):
        full.take("a")
    assert not full.slots.take_wakeup()
    full.held[0].__exit__(None, None, None)
    assert full.slots.take_wakeup()
    assert not full.slots.take_wakeup()
