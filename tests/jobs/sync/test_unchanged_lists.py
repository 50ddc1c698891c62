"""An unchanged job of a list costs a digest: it is recognized without being read."""

from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from jobs.models import Job, ProviderAccount
from jobs.sync.runner import sync_account
from organizations.models import Organization
from providers.core import registry, version
from providers.core.types import RemoteJob
from providers.parsing.payloads import Body
from providers.zencoder.adapter import Zencoder
from tests.jobs.factories import make_account
from tests.jobs.fake_zencoder import PAGE_SIZE, FakeZencoder

pytestmark = pytest.mark.django_db


class Counting(Zencoder):
    """Notes which jobs are read."""

    slug = "counting"
    label = "Counting"
    read_ids: ClassVar[list[str]] = []

    def translate(self, job: RemoteJob, body: Body) -> RemoteJob:
        self.read_ids.append(job.remote_id)
        return super().translate(job, body)


@pytest.fixture
def account(organization: Organization, monkeypatch: pytest.MonkeyPatch) -> ProviderAccount:
    monkeypatch.setitem(registry._PROVIDERS, "counting", Counting)
    return make_account(organization, provider="counting", name="main", imported_at=None)


def read_in_a_pass(account: ProviderAccount) -> list[str]:
    """The jobs that one pass reads."""
    Counting.read_ids.clear()
    report = sync_account(account.pk, foreground=True)
    assert report is not None
    assert report.ok, report.error
    return sorted(Counting.read_ids)


def sign(job: dict[str, Any], signature: str) -> None:
    for output in job["output_media_files"]:
        output["url"] = f"https://cdn.example.net/a.mp4?Signature={signature}&Expires=1{signature}"


def test_an_unchanged_page_reads_no_job(account: ProviderAccount, zencoder: FakeZencoder) -> None:
    for number in range(1, PAGE_SIZE):
        zencoder.add(number)
    assert len(read_in_a_pass(account)) == PAGE_SIZE - 1
    assert read_in_a_pass(account) == []
    assert Job.objects.count() == PAGE_SIZE - 1


def test_of_a_page_with_one_change_one_job_is_read(
    account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    for number in (1, 2, 3):
        zencoder.add(number)
    read_in_a_pass(account)
    zencoder.jobs[2]["pass_through"] = "another episode"
    assert read_in_a_pass(account) == ["2"]
    assert Job.objects.get(remote_id="2").metadata == "another episode"
    assert read_in_a_pass(account) == []


def test_a_new_signature_alone_has_no_job_read(
    account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    zencoder.add(1)
    sign(zencoder.jobs[1], "234")
    read_in_a_pass(account)
    sign(zencoder.jobs[1], "567")
    assert read_in_a_pass(account) == []
    output = zencoder.jobs[1]["output_media_files"][0]
    output["url"] = output["url"].replace("a.mp4", "b.mp4")
    assert read_in_a_pass(account) == ["1"]


@pytest.fixture
def other_code(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[None]:
    (tmp_path / "module.py").write_text("# reads more than it did\n")
    monkeypatch.setattr(version, "PROVIDERS", tmp_path)
    version.reading_version.cache_clear()
    yield
    version.reading_version.cache_clear()


def test_other_code_reads_each_job_once_more(
    account: ProviderAccount, zencoder: FakeZencoder, request: pytest.FixtureRequest
) -> None:
    zencoder.add(1)
    read_in_a_pass(account)
    request.getfixturevalue("other_code")
    assert read_in_a_pass(account) == ["1"]
    assert read_in_a_pass(account) == []
