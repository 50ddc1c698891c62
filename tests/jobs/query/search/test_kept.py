"""Whoever writes a job, it is found by what it says now."""

import pytest
from django.core.management import call_command

from jobs.actions.watching import watch_job
from jobs.mirror.attempts import fail_attempt, open_attempt
from jobs.mirror.endings import fail_unsent
from jobs.models import EventSource, Job, JobSearch, ProviderAccount
from jobs.submission.service import submit
from providers.core.errors import ProviderError
from providers.core.types import JobRequest, Rendition
from tests.jobs.factories import make_job
from tests.jobs.query.search.conftest import Search

REQUEST = JobRequest(
    input="https://user:word@rushes.example/harbour.mov?Signature=abcdef0123",
    destination="s3://site/harbour/",
    renditions=(Rendition("mp4", (240,)),),
    metadata={"order": "PO-4711"},
)


@pytest.fixture
def submitted(account: ProviderAccount) -> Job:
    return submit(organization=account.organization, account=account, request=REQUEST).job


def test_a_submission_is_found_before_the_provider_answers(search: Search, submitted: Job) -> None:
    for text in ("harbour.mov", "po-4711", f"#{submitted.pk}"):
        assert search(text) == {submitted}
    assert search("abcdef0123") == search("word") == set()


def test_a_refusal_is_found(search: Search, submitted: Job) -> None:
    error = ProviderError("The bucket is sealed.", error_class="output.access_denied")
    fail_unsent(submitted, error, source=EventSource.SUBMIT)
    assert search("sealed") == search("output.access_denied") == {submitted}


def test_an_attempt_under_the_same_id_is_found_with_the_one_before(
    search: Search, account: ProviderAccount
) -> None:
    job = make_job(account, remote_id="5512377", status="failed")
    attempt = open_attempt(job, source=EventSource.ACTION)
    assert search("5512377") == {job, attempt}
    fail_attempt(attempt, ProviderError("Quota spent"), source=EventSource.ACTION, actor=None)
    assert search("quota spent") == {attempt}


def test_a_watched_job_is_found_by_its_id(search: Search, account: ProviderAccount) -> None:
    job, _ = watch_job(account, "tape-8812")
    assert search("tape-88") == {job}


def test_texts_are_written_anew(search: Search, account: ProviderAccount) -> None:
    job = make_job(account, name="harbour.mov")
    JobSearch.objects.update(text="stale", trigrams=[])
    assert search("harbour") == set()
    call_command("rebuild_search", "--json")
    assert search("harbour") == {job}


def test_what_is_deleted_leaves_nothing_behind(search: Search, account: ProviderAccount) -> None:
    make_job(account, name="harbour.mov")
    account.jobs.all().delete()
    again = make_job(account, name="harbour again.mov")
    assert search("harbour") == {again}
