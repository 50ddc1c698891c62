"""An unresponsive host is probed by one short call at a time, and costs the others nothing."""

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
from jobs.sync.on_demand import request_sync
from jobs.sync.runner import sync_account
from jobs.workqueue.circuit_breaker import (
    FIRST_RESPONSE,
    PAUSE,
    PROBE_MARGIN_S,
    WAITING,
    begin_probe,
    mark_responding,
)
from jobs.workqueue.slots import small_share
from organizations.models import Organization
from providers.core.types import JobRequest, Rendition
from providers.http.client import READ_S
from tests.jobs.factories import NOON, make_account
from tests.jobs.fake_zencoder import FakeZencoder, unreachable
from tests.threads import together

pytestmark = [pytest.mark.django_db, pytest.mark.integration]

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
    """Run a tick and all that it dispatches; how many messages there were of each task."""
    messages: list[tuple[str, tuple[int, ...]]] = []

    def publish(name: str, args: tuple[int, ...], **options: object) -> None:
        messages.append((name, args))

    monkeypatch.setattr(current_app, "send_task", publish)

    def run() -> Counter[str]:
        messages.clear()
        with django_capture_on_commit_callbacks(execute=True):
            tasks.tick()
        dispatched = list(messages)
        for name, args in dispatched:
            current_app.tasks[name](*args)
        return Counter(name.removeprefix("jobs.tasks.") for name, _ in dispatched)

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


def test_live_accounts_are_all_dispatched_and_dead_ones_a_few_at_a_time(
    organization: Organization, tick: Tick, clock: time_machine.Traveller
) -> None:
    live = make_accounts(organization, "live", 5)
    ProviderHost.objects.bulk_create([ProviderHost(name=a.host, is_healthy=True) for a in live])
    make_accounts(organization, "dead", 8 * SHARE)
    for _ in range(8):
        ProviderAccount.objects.filter(host__startswith="live").update(next_sync_at=timezone.now())
        assert tick() == {"sync_account": 5 + SHARE}, _
        clock.shift(2)
    assert not ProviderAccount.objects.filter(
        host__startswith="live", last_success_at__lt=timezone.now() - timedelta(seconds=2)
    ).exists()
    # every one of them had its turn before one of them had its second
    tried = ProviderHost.objects.filter(name__startswith="dead", failures=1)
    assert tried.count() == 8 * SHARE


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


def test_forty_submissions_to_one_unresponsive_host_are_one_short_read_at_a_time(
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


def test_the_nightly_comparison_leaves_unresponsive_hosts_out(
    organization: Organization, tick: Tick, clock: time_machine.Traveller
) -> None:
    """It has a thread of the worker, and would wait there for each account of such a host."""
    make_accounts(organization, "dead", 3)
    [live] = make_accounts(organization, "live", 1)
    ProviderHost.objects.create(name=live.host, is_healthy=True)
    clock.shift(1)
    tasks.reconcile()
    live.refresh_from_db()
    assert (asked(tick, "dead"), live.last_success_at) == (Counter(), timezone.now())


def test_a_host_that_comes_and_goes_leaves_no_submission_unconfirmed(
    account: ProviderAccount, zencoder: FakeZencoder, clock: time_machine.Traveller
) -> None:
    """Each time it responds again the job is searched for at once, which alone confirms nothing."""
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
    assert counts == [9, 9]


def test_a_host_that_may_not_be_called_is_not_unresponsive(
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
    "fault", [{"consecutive_failures": 1}, {"latency_ms": 20_000}], ids=["failing", "slow"]
)
def test_accounts_that_fail_or_are_slow_at_hosts_that_answer_take_turns_after_all_others(
    organization: Organization, tick: Tick, fault: dict[str, int]
) -> None:
    accounts = make_accounts(organization, "live", 8)
    ProviderHost.objects.bulk_create([ProviderHost(name=a.host, is_healthy=True) for a in accounts])
    well = accounts[6:]
    ProviderAccount.objects.exclude(pk__in=[account.pk for account in well]).update(**fault)
    assert tick() == {"sync_account": len(well) + SHARE}
    synced = ProviderAccount.objects.filter(last_success_at=NOON, dispatched_until=None)
    assert {account.pk for account in well} <= set(synced.values_list("pk", flat=True))
