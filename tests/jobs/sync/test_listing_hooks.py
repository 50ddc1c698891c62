"""What a pass makes of the lists that only some providers have."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pytest
import time_machine
from django.utils import timezone

from jobs.models import Job, JobPoll, Preset, ProviderAccount
from jobs.sync.runner import sync_account
from jobs.tasks import reconcile
from organizations.models import Organization
from providers.core import registry
from providers.core.contract import Provider
from providers.core.errors import NotFound
from providers.core.status import JobStatus
from providers.core.types import Capability, Page, RemoteJob, RemotePreset
from tests.jobs.factories import make_account

pytestmark = pytest.mark.django_db

MORNING = datetime(2026, 3, 14, 8, tzinfo=UTC)


class Ledger(Provider):
    """Lists a part of each job, all unfinished ones at once, and presets."""

    slug = "ledger"
    label = "Ledger"
    docs_url = "https://ledger.example/docs"
    default_base_url = "https://ledger.example/v1"
    capabilities = frozenset({Capability.PRESETS})
    credential_fields = ()
    job_statuses: ClassVar[dict[str, JobStatus]] = {"busy": JobStatus.RUNNING}

    listed: ClassVar[list[RemoteJob]] = []
    details: ClassVar[dict[str, RemoteJob]] = {}
    asked: ClassVar[list[str]] = []

    def list_jobs(self, cursor: str | None = None) -> Iterator[Page]:
        self.asked.append("list")
        yield Page(tuple(self.listed))

    def get_job(self, remote_id: str) -> RemoteJob:
        self.asked.append(f"get {remote_id}")
        if remote_id not in self.details:
            raise NotFound("It is not there.")
        return self.details[remote_id]

    def list_unfinished(self) -> Iterator[Page]:
        self.asked.append("unfinished")
        yield Page(tuple(job for job in self.details.values() if job.status.is_active))

    def list_presets(self) -> Iterator[RemotePreset]:
        self.asked.append("presets")
        yield RemotePreset("p1", "House 720p", "mp4", {"height": 720})
        yield RemotePreset("p2", "House 1080p", "mp4", {"height": 1080})


@pytest.fixture
def ledger(monkeypatch: pytest.MonkeyPatch) -> type[Ledger]:
    monkeypatch.setitem(registry._PROVIDERS, "ledger", Ledger)
    for name, empty in (("listed", []), ("details", {}), ("asked", [])):
        monkeypatch.setattr(Ledger, name, empty)
    return Ledger


@pytest.fixture
def account(db: None, ledger: type[Ledger], organization: Organization) -> ProviderAccount:
    return make_account(organization, provider="ledger", name="books", imported_at=None)


def remote(number: int, status: JobStatus = JobStatus.SUCCEEDED, label: str = "Done") -> RemoteJob:
    return RemoteJob(
        str(number),
        status,
        provider_status=label,
        created_at=MORNING + timedelta(minutes=number),
        raw={"id": number, "from": "details"},
    )


def part(job: RemoteJob) -> RemoteJob:
    return replace(job, is_partial=True, raw={"id": job.remote_id, "from": "list"})


def test_presets_are_read_with_the_import_and_with_a_full_pass_alone(
    account: ProviderAccount, ledger: type[Ledger]
) -> None:
    sync_account(account.pk)
    assert set(Preset.objects.values_list("account", "remote_id", "name")) == {
        (account.pk, "p1", "House 720p"),
        (account.pk, "p2", "House 1080p"),
    }
    ledger.asked.clear()
    sync_account(account.pk)
    assert "presets" not in ledger.asked
    sync_account(account.pk, full=True)
    assert "presets" in ledger.asked


def test_new_jobs_of_a_partial_list_are_read_in_full_once(
    account: ProviderAccount, ledger: type[Ledger]
) -> None:
    sync_account(account.pk)
    for number in (1, 2):
        ledger.details[str(number)] = replace(remote(number), metadata={"reel": number})
    ledger.listed += [part(remote(2)), part(remote(1))]
    sync_account(account.pk)
    assert sorted(call for call in ledger.asked if call.startswith("get")) == ["get 1", "get 2"]
    assert Job.objects.get(remote_id="2").metadata == {"reel": 2}
    ledger.asked.clear()
    sync_account(account.pk)
    assert ledger.asked == ["list"]


def test_a_partial_answer_replaces_no_fuller_body(
    account: ProviderAccount, ledger: type[Ledger]
) -> None:
    sync_account(account.pk)
    ledger.details["1"] = replace(remote(1), metadata={"reel": 1})
    ledger.listed.append(part(remote(1)))
    sync_account(account.pk)
    ledger.listed[0] = replace(part(remote(1)), name="renamed.mov")
    sync_account(account.pk)
    job = Job.objects.get(remote_id="1")
    assert job.name == "renamed.mov"
    assert job.body.value["from"] == "details"


def test_a_status_label_in_another_case_is_no_change(
    account: ProviderAccount, ledger: type[Ledger]
) -> None:
    ledger.listed.append(remote(1, label="Completed"))
    sync_account(account.pk)
    version = Job.objects.get(remote_id="1").version
    ledger.listed[0] = remote(1, label="completed")
    sync_account(account.pk)
    job = Job.objects.get(remote_id="1")
    assert (job.version, job.provider_status) == (version, "Completed")


def test_unfinished_jobs_below_the_list_are_confirmed_in_one_request(
    account: ProviderAccount, ledger: type[Ledger]
) -> None:
    busy = [remote(number, JobStatus.RUNNING, "busy") for number in (1, 2, 3)]
    ledger.listed += busy
    ledger.details |= {job.remote_id: job for job in busy}
    sync_account(account.pk)
    ledger.listed.clear()
    ledger.asked.clear()
    ledger.details["3"] = remote(3)
    later = timezone.now() + timedelta(minutes=10)
    with time_machine.travel(later, tick=False):
        sync_account(account.pk)
    assert ledger.asked == ["list", "unfinished", "get 3"]
    confirmed = JobPoll.objects.filter(confirmed_at=later).values_list("job__remote_id", flat=True)
    assert set(confirmed) == {"1", "2"}
    assert Job.objects.get(remote_id="3").status == JobStatus.SUCCEEDED


@pytest.mark.django_db(transaction=True)
def test_the_nightly_comparison_takes_one_account_after_the_other(
    organization: Organization, ledger: type[Ledger], monkeypatch: pytest.MonkeyPatch
) -> None:
    from celery import current_app

    first, paused, second = (
        make_account(organization, provider="ledger", name=name, enabled=name != "paused")
        for name in ("first", "paused", "second")
    )
    sent: list[tuple[str, tuple[int, ...]]] = []
    monkeypatch.setattr(
        current_app, "send_task", lambda name, ids, **options: sent.append((name, ids))
    )
    reconcile()
    assert sent == [("jobs.tasks.reconcile", (first.pk,))]
    reconcile(first.pk)
    assert sent[1:] == [("jobs.tasks.reconcile", (second.pk,))]
    reconcile(second.pk)
    assert len(sent) == 2
    assert ledger.asked.count("presets") == 2
