"""Retrying a job at another account: kept, approximated, dropped, and the new job."""

from dataclasses import replace
from typing import Any

import pytest

from jobs.actions.elsewhere.comparison import compare
from jobs.actions.elsewhere.service import Elsewhere, request_elsewhere, translate_job
from jobs.actions.elsewhere.translation import Line, Translation
from jobs.actions.offers import ActionRefused
from jobs.actions.resubmission import RetryUnfinished
from jobs.models import Job, ProviderAccount, StoredLocation
from jobs.storage.references import resolve
from jobs.submission.idempotency import caller_key
from jobs.submission.service import submit
from jobs.submission.stored_request import find_sent_request
from jobs.submission.validation import SubmissionRefused
from organizations.models import AuditEntry, Organization
from providers.core.types import JobRequest, Rendition, Thumbnails
from tests.factories import make_user
from tests.jobs.factories import NOON, make_account, make_job, make_output

pytestmark = pytest.mark.django_db

REQUEST = JobRequest(
    input="https://rushes.example/harbour.mov?Signature=abcdef0123",
    destination="s3://site/harbour/",
    renditions=(Rendition("mp4", (360, 540)), Rendition("hls", (720,))),
    thumbnails=Thumbnails(count=3, formats=("jpg",), width=320),
    metadata={"reel": 12},
    extra={"region": "europe"},
)

AS = " as JPG, 320 px wide"


@pytest.fixture
def videosdk(organization: Organization) -> ProviderAccount:
    credentials = {"api_key": "k", "secret": "s"}
    return make_account(organization, provider="videosdk", name="V", credentials=credentials)


@pytest.fixture
def tpstreams(organization: Organization) -> ProviderAccount:
    return make_account(
        organization,
        provider="tpstreams",
        name="T",
        credentials={"token": "t"},
        options={"organization_id": "6dnpyx"},
    )


@pytest.fixture
def failed(account: ProviderAccount) -> Job:
    return fail(account, REQUEST)


def fail(account: ProviderAccount, request: JobRequest) -> Job:
    job = submit(
        organization=account.organization, account=account, request=request, allow_duplicate=True
    ).job
    Job.objects.filter(pk=job.pk).update(
        status="failed",
        error_class="unknown",
        remote_id=f"r{job.pk}",
        input_duration_ms=120_000,
    )
    job.refresh_from_db()
    return job


def texts(lines: tuple[Line, ...]) -> list[str]:
    return [f"{one.before} > {one.after}" if one.after else one.before for one in lines]


def translate(job: Job, account: ProviderAccount, **options: Any) -> Translation:
    return translate_job(job, Elsewhere(account, **options))


def test_what_another_provider_lacks_is_approximated_or_dropped_with_its_reason(
    failed: Job, videosdk: ProviderAccount
) -> None:
    found = translate(failed, videosdk)
    assert not found.refusals
    assert texts(found.kept) == [
        "Input https://rushes.example/harbour.mov?Signature=REDACTED",
        "MP4 360p",
        "HLS 720p",
        "Metadata",
    ]
    assert texts(found.approximated) == [
        "MP4 540p > MP4 480p",
        f"3 thumbnails{AS} > 3 thumbnails at 0:00, 0:40, 1:20{AS}",
        f"3 thumbnails at 0:00, 0:40, 1:20{AS} > 3 thumbnails at 0:00, 0:40, 1:20 as JPG",
    ]
    assert texts(found.dropped) == ["region in extra", "Destination s3://site/harbour/"]
    assert [one.reason for one in found.dropped] == [
        "A setting of Zencoder alone.",
        "Video SDK stores outputs itself and cannot deliver them elsewhere.",
    ]
    assert found.request == replace(
        REQUEST,
        destination=None,
        renditions=(Rendition("mp4", (360, 480)), Rendition("hls", (720,))),
        thumbnails=Thumbnails(timestamps=(0.0, 40.0, 80.0), formats=("jpg",)),
        extra={},
    )


def test_no_secret_of_the_request_is_in_the_lists(
    failed: Job, videosdk: ProviderAccount, tpstreams: ProviderAccount
) -> None:
    for account in (videosdk, tpstreams):
        found = translate(failed, account)
        assert "abcdef0123" not in str((found.kept, found.approximated, found.dropped))
        assert "abcdef0123" not in repr(found)


def test_what_the_provider_decides_is_approximated(failed: Job, tpstreams: ProviderAccount) -> None:
    found = translate(failed, tpstreams)
    assert not found.refusals
    assert "TPStreams chooses the packaging itself." in [one.reason for one in found.approximated]
    assert "3 thumbnails as JPG, 320 px wide" in texts(found.dropped)
    assert "Destination s3://site/harbour/" in texts(found.kept)


def test_a_test_is_not_sent_where_it_would_be_paid_for(
    account: ProviderAccount, videosdk: ProviderAccount
) -> None:
    job = fail(account, replace(REQUEST, test=True))
    [refusal] = translate(job, videosdk).refusals
    assert refusal.code == "test_mode_unsupported"
    with pytest.raises(SubmissionRefused):
        request_elsewhere(job, Elsewhere(videosdk))
    assert Job.objects.count() == 1


def test_extra_settings_stay_at_another_account_of_the_same_provider(
    organization: Organization, failed: Job
) -> None:
    found = translate(failed, make_account(organization, name="second"))
    assert (found.approximated, found.dropped) == ((), ())
    assert found.request == REQUEST


def test_the_new_job_is_linked_and_made_once(failed: Job, videosdk: ProviderAccount) -> None:
    user = make_user()
    target = Elsewhere(videosdk, priority=5, reason="Failed twice")
    key = caller_key("k", "resubmit", {}, user=user)
    made = [request_elsewhere(failed, target, user=user, key=key) for _ in range(2)]
    job = made[0].job
    assert [one.created for one in made] == [True, False]
    assert made[1].job == job
    assert (job.retry_of, job.account, job.priority) == (failed, videosdk, 5)
    sent = find_sent_request(job)
    assert sent is not None
    assert (sent.input, sent.destination) == (REQUEST.input, None)
    assert any("stores outputs itself" in remark for remark in job.submission.remarks)
    entry = AuditEntry.objects.get(action="job.retried_elsewhere")
    assert (entry.actor_id, entry.reason) == (user.pk, "Failed twice")
    assert entry.details == {"account": "V", "job": job.pk}
    with pytest.raises(RetryUnfinished):
        request_elsewhere(failed, target, user=user)


def test_only_what_has_ended_and_was_submitted_here_is_retried(
    account: ProviderAccount, videosdk: ProviderAccount
) -> None:
    for job in (make_job(account, status="running"), make_job(account, status="failed")):
        with pytest.raises(ActionRefused):
            request_elsewhere(job, Elsewhere(videosdk))


def test_attempts_are_compared_by_time_and_by_what_they_made(account: ProviderAccount) -> None:
    before, after = make_job(account, status="failed"), make_job(account, status="succeeded")
    make_output(before, height=720, width=1280, size_bytes=9_000_000)
    make_output(before, height=360, status="failed")
    make_output(after, height=720, width=1280, size_bytes=7_000_000)
    rows = {row.label: row for row in compare(before, after, NOON).outputs}
    assert (rows["All files"].before, rows["All files"].after) != ("", "")
    same = rows["Video 720p"]
    assert (same.before, same.after, same.difference) == (
        "1280 × 720, 9 MB",
        "1280 × 720, 7 MB",
        "2 MB less",
    )
    assert (rows["Video 360p"].before, rows["Video 360p"].after) == ("Failed", "None")


@pytest.fixture
def stored(organization: Organization) -> StoredLocation:
    """A bucket at AWS for both uses, as `save_location` stores it."""
    return StoredLocation.objects.create(
        organization=organization,
        name="studio",
        is_source=True,
        is_destination=True,
        region="us-east-1",
        bucket="ingest",
        credentials={"key_id": "AKIACANARYKEYID00000", "secret": "canary/secret"},
    )


HEIGHT = (Rendition("mp4", (360,)),)
BY_NAME = replace(REQUEST, input="studio/a.mov", destination="studio/out/", extra={})


def test_names_of_stored_locations_go_along_and_suit_the_other_provider(
    account: ProviderAccount, tpstreams: ProviderAccount, stored: StoredLocation
) -> None:
    found = translate(fail(account, replace(BY_NAME, metadata=None)), tpstreams)
    assert not found.refusals
    assert (found.request.input, found.request.destination) == ("studio/a.mov", "studio/out/")
    assert "secret_key=canary" in str(resolve(tpstreams, found.request).destination)
    assert {"Input studio/a.mov", "Destination studio/out/"} <= set(texts(found.kept))
    assert "canary" not in f"{found} {found.kept}"


@pytest.mark.parametrize(
    ("provider", "reason"),
    [
        ("zencoder", "Zencoder only writes to buckets at AWS; studio is at another store."),
        ("videosdk", "Video SDK stores outputs itself and cannot deliver them elsewhere."),
        ("xvid", "can only be a folder there."),
    ],
)
def test_a_bucket_at_another_store_is_dropped_where_the_provider_cannot_reach_it(
    account: ProviderAccount,
    tpstreams: ProviderAccount,
    stored: StoredLocation,
    provider: str,
    reason: str,
) -> None:
    """At AWS, the bucket of that name is somebody else's."""
    StoredLocation.objects.update(endpoint="https://s3.example.com")
    job = fail(tpstreams, replace(BY_NAME, metadata=None, thumbnails=None, renditions=HEIGHT))
    other = account if provider == "zencoder" else make_account(
        account.organization, provider=provider, options={"pipeline_id": "1"}
    )  # fmt: skip
    [line] = [one for one in translate(job, other).dropped if "Destination" in one.before]
    assert line.before == "Destination studio/out/"
    assert line.reason.endswith(reason)
    assert translate(job, other).request.destination is None


def test_what_is_in_the_storage_of_one_provider_goes_to_no_other(
    account: ProviderAccount, videosdk: ProviderAccount, stored: StoredLocation
) -> None:
    job = fail(account, BY_NAME)
    options = {"pipeline_id": "1"}
    xvid = make_account(account.organization, provider="xvid", options=options)
    stored.delete()
    found = translate(job, xvid)
    assert [one.code for one in found.refusals] == ["input_in_storage"]
    assert "Destination studio/out/" in texts(found.dropped)
