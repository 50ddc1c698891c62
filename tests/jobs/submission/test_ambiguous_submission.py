"""After an ambiguous end: the key search, sending again, and a person's decision."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

import pytest
import requests
import time_machine

from jobs.models import Job, ProviderAccount, Submission, SubmissionState
from jobs.submission.resolution import bind_found_job, send_again
from jobs.submission.service import submit
from jobs.submission.validation import SubmissionRefused
from jobs.submission.worker import run_submission
from jobs.workqueue.leases import CALL_LEASE
from organizations.models import Organization
from providers.core import registry
from providers.core.contract import Found
from providers.core.errors import NotFound
from providers.core.types import Capability, JobRequest, Rendition
from providers.zencoder.adapter import Zencoder
from tests.factories import make_user
from tests.jobs.answers import apply, reported
from tests.jobs.factories import NOON, make_account
from tests.jobs.fake_zencoder import Answer, FakeZencoder, failing

pytestmark = pytest.mark.django_db

REQUEST = JobRequest("s3://rushes/harbour.mov", renditions=(Rendition("mp4", (360,)),))


@dataclass
class Clock:
    """Time that passes only on request."""

    traveller: time_machine.Traveller

    def run(self, job: Job, after: float = 0) -> Submission:
        self.traveller.shift(timedelta(seconds=after))
        run_submission(job.pk)
        job.refresh_from_db()
        return Submission.objects.get(pk=job.pk)


@pytest.fixture
def clock() -> Iterator[Clock]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield Clock(traveller)


def send(account: ProviderAccount) -> Job:
    return submit(
        organization=account.organization, account=account, request=REQUEST, allow_duplicate=True
    ).job


def test_a_lost_answer_makes_no_second_job(
    account: ProviderAccount, zencoder: FakeZencoder, clock: Clock
) -> None:
    zencoder.loses_answers_of.add("create")
    job = send(account)
    submission = clock.run(job)
    assert (submission.state, job.status) == (SubmissionState.VERIFYING, "submitting")
    assert clock.run(job, after=1).state == SubmissionState.VERIFYING
    assert zencoder.asked == {"create": 1}
    assert clock.run(job, after=1).state == SubmissionState.DONE
    assert (job.status, job.remote_id) == ("queued", "501")
    assert len(zencoder.jobs) == Job.objects.count() == 1


def test_it_is_sent_again_only_after_its_absence_was_confirmed(
    account: ProviderAccount, zencoder: FakeZencoder, clock: Clock
) -> None:
    zencoder.faults["create"] = failing(500)
    job = send(account)
    clock.run(job)
    for after, lookups in ((2, 1), (5, 2), (15, 3)):
        assert clock.run(job, after=after - 0.5).empty_lookups == lookups - 1
        submission = clock.run(job, after=0.5)
        assert (submission.state, submission.empty_lookups) == (SubmissionState.VERIFYING, lookups)
    zencoder.faults.clear()
    assert clock.run(job, after=60).state == SubmissionState.DUE
    assert zencoder.asked["create"] == 1
    assert clock.run(job).state == SubmissionState.DONE
    assert (zencoder.asked["create"], len(zencoder.jobs)) == (2, 1)
    assert job.events.filter(message__contains="two complete lookups").exists()


def test_lookups_that_were_cut_short_confirm_nothing_and_get_rarer(
    account: ProviderAccount, zencoder: FakeZencoder, clock: Clock
) -> None:
    zencoder.faults |= {"create": failing(500), "list": failing(500)}
    job = send(account)
    clock.run(job)
    for after in (2, 5, 15, 60, 60, 60, 60):
        submission = clock.run(job, after=after)
        assert (submission.state, submission.empty_lookups) == (SubmissionState.VERIFYING, 0)
    assert zencoder.asked == {"create": 1, "list": 7}
    assert clock.run(job, after=10).failures == 7


def test_each_send_needs_a_confirmation_of_its_own_and_there_are_three(
    account: ProviderAccount, zencoder: FakeZencoder, clock: Clock
) -> None:
    lookups_before: list[int] = []

    def refuse(request: requests.PreparedRequest) -> Answer | None:
        lookups_before.append(zencoder.asked["list"])
        return failing(503)(request)

    zencoder.faults["create"] = refuse
    job = send(account)
    for _ in range(30):
        submission = clock.run(job, after=60)
    assert lookups_before == [0, 2, 4]
    assert (submission.state, job.status) == (SubmissionState.UNCONFIRMED, "submitting")


def test_a_worker_that_died_while_sending_is_an_ambiguous_end(
    account: ProviderAccount, zencoder: FakeZencoder, clock: Clock
) -> None:
    job = send(account)
    Submission.objects.update(
        state=SubmissionState.SENDING,
        sent_at=NOON,
        sends=1,
        leased_until=NOON + CALL_LEASE,
    )
    key = Submission.objects.get().key
    zencoder.add(640, "waiting", pass_through=f"rb:{key}")
    clock.run(job, after=10)
    assert zencoder.asked == {}
    assert clock.run(job, after=100).state == SubmissionState.DONE
    assert (job.remote_id, zencoder.asked["create"]) == ("640", 0)


class Silent(Zencoder):
    """A provider that can be searched but is not known to return the key."""

    slug = "silent"
    label = "Silent"
    echoes_key = False


class Guessing(Silent):
    """Finds by input and time alone, as where the key is not known to come back."""

    slug = "guessing"
    label = "Guessing"

    def find_by_key(self, key: str, request: Any, since: datetime) -> Found:
        return Found(self.get_job("640"))


class Blind(Zencoder):
    """A provider that cannot be searched."""

    slug = "blind"
    label = "Blind"
    capabilities: ClassVar[Any] = Zencoder.capabilities - {Capability.FIND_BY_KEY}


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> None:
    for adapter in (Silent, Guessing, Blind):
        monkeypatch.setitem(registry._PROVIDERS, adapter.slug, adapter)


@pytest.mark.usefixtures("listed")
@pytest.mark.parametrize("provider", ["silent", "blind"])
def test_where_the_key_may_not_come_back_a_person_decides(
    organization: Organization, zencoder: FakeZencoder, clock: Clock, provider: str
) -> None:
    account = make_account(organization, name="main", provider=provider)
    zencoder.faults["create"] = failing(500)
    job = send(account)
    for _ in range(9):
        submission = clock.run(job, after=60)
    assert (submission.state, job.status) == (SubmissionState.UNCONFIRMED, "submitting")
    assert "may or may not have accepted" in submission.note
    assert zencoder.asked["create"] == 1


@pytest.mark.usefixtures("listed")
def test_a_likely_job_that_another_submission_made_is_not_bound(
    organization: Organization, zencoder: FakeZencoder, clock: Clock
) -> None:
    account = make_account(organization, name="main", provider="guessing")
    zencoder.faults["create"] = failing(500)
    zencoder.add(640, "processing")
    first, second = send(account), send(account)
    assert clock.run(first, after=60).state == SubmissionState.VERIFYING
    assert clock.run(first, after=60).state == SubmissionState.DONE
    for _ in range(9):
        submission = clock.run(second, after=60)
    assert (submission.state, second.remote_id) == (SubmissionState.UNCONFIRMED, None)
    assert first.remote_id == "640"


@pytest.mark.usefixtures("listed")
def test_a_likely_job_that_was_here_before_ours_was_sent_is_not_bound(
    organization: Organization, zencoder: FakeZencoder, clock: Clock
) -> None:
    account = make_account(organization, name="main", provider="guessing")
    zencoder.faults["create"] = failing(500)
    zencoder.add(640, "processing")
    apply(account, reported(remote_id="640"))
    clock.traveller.shift(1)
    job = send(account)
    for _ in range(9):
        submission = clock.run(job, after=60)
    assert (submission.state, job.remote_id) == (SubmissionState.UNCONFIRMED, None)


def test_a_job_with_our_key_that_another_submission_is_bound_to_is_not_sent_again(
    account: ProviderAccount, zencoder: FakeZencoder, clock: Clock
) -> None:
    """The provider answered the other one with a wrong id."""
    zencoder.loses_answers_of.add("create")
    job, other = send(account), send(account)
    clock.run(job)
    Job.objects.filter(pk=other.pk).update(remote_id="501", status="queued")
    for _ in range(4):
        submission = clock.run(job, after=60)
    assert submission.state == SubmissionState.UNCONFIRMED
    assert f"job {other.pk}" in submission.note
    assert zencoder.asked["create"] == 1


@pytest.fixture
def unconfirmed(account: ProviderAccount, zencoder: FakeZencoder) -> Job:
    job = send(account)
    Submission.objects.update(state=SubmissionState.UNCONFIRMED, sent_at=NOON, sends=1)
    return job


def test_a_person_may_have_it_sent_again(
    unconfirmed: Job, zencoder: FakeZencoder, clock: Clock
) -> None:
    user = make_user()
    for _ in range(2):
        send_again(unconfirmed, user=user)
    assert clock.run(unconfirmed, after=1).state == SubmissionState.DONE
    assert zencoder.asked["create"] == 1
    assert unconfirmed.events.filter(actor=user).count() == 1


def test_a_list_with_the_key_confirms_it(account: ProviderAccount, unconfirmed: Job) -> None:
    apply(account, reported("640", key=unconfirmed.submission.key))
    unconfirmed.refresh_from_db()
    assert unconfirmed.remote_id == "640"
    assert unconfirmed.submission.state == SubmissionState.DONE


def test_a_person_may_say_which_one_it_is_though_the_list_brought_it(
    account: ProviderAccount, unconfirmed: Job, zencoder: FakeZencoder
) -> None:
    zencoder.add(640, "processing")
    apply(account, reported("640"))
    bind_found_job(unconfirmed, "640")
    unconfirmed.refresh_from_db()
    assert (unconfirmed.remote_id, unconfirmed.status) == ("640", "running")
    assert Job.objects.count() == 1
    assert Submission.objects.get().state == SubmissionState.DONE


def test_what_is_not_there_or_anothers_cannot_be_claimed(
    account: ProviderAccount, unconfirmed: Job, zencoder: FakeZencoder
) -> None:
    other = send(account)
    with pytest.raises(NotFound):
        bind_found_job(unconfirmed, "999")
    apply(account, reported("640", key=Submission.objects.get(pk=other.pk).key))
    with pytest.raises(SubmissionRefused, match=f"job {other.pk}"):
        bind_found_job(unconfirmed, "640")
    assert Submission.objects.get(pk=unconfirmed.pk).state == SubmissionState.UNCONFIRMED
