"""Stored locations: checked when saved, listed, and named in requests without their secrets."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import responses

from jobs.models import Job, ProviderAccount, StoredLocation, Submission
from jobs.storage.references import LocationRefused, resolve
from jobs.storage.service import LocationInvalid, delete_location, save_location
from jobs.submission.service import submit
from jobs.submission.validation import SubmissionRefused, check, preview
from jobs.submission.worker import run_submission
from organizations.models import AuditEntry, Organization, User
from providers.core.types import JobRequest, Rendition
from tests.factories import make_organization
from tests.jobs.factories import BUCKET_KEY_ID, BUCKET_SECRET, make_account
from tests.jobs.fake_zencoder import FakeZencoder
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.django_db

CREDENTIALS = {"key_id": BUCKET_KEY_ID, "secret": BUCKET_SECRET}
MP4 = (Rendition("mp4", (360,)),)


@pytest.fixture
def stored(location: StoredLocation, s3: Any, user: User) -> StoredLocation:
    return save_location(location, CREDENTIALS, user).location


@pytest.fixture
def account(studio: Organization) -> ProviderAccount:
    return make_account(studio, name="main")


def request(**fields: Any) -> JobRequest:
    given = {"input": "https://rushes.example/a.mov", "renditions": MP4} | fields
    return JobRequest(**given)


def test_a_bucket_is_checked_by_listing_it_and_its_secret_is_encrypted(
    stored: StoredLocation,
) -> None:
    assert stored.checked_at is not None
    [row] = StoredLocation.objects.values()
    rows = f"{row} {list(AuditEntry.objects.values())}"
    assert "canary" not in rows.lower()
    assert stored.credentials == CREDENTIALS
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.details) == (
        "destination.added",
        {"credentials": ["key_id", "secret"]},
    )


def test_what_the_storage_refuses_is_not_saved(
    location: StoredLocation, s3: Any, user: User
) -> None:
    location.bucket = "nowhere"
    with pytest.raises(LocationInvalid) as refused:
        save_location(location, CREDENTIALS, user)
    assert refused.value.field == "bucket"
    assert not StoredLocation.objects.exists()


@responses.activate
@pytest.mark.parametrize(
    ("status", "headers", "field"),
    [
        (403, {}, "secret"),
        (404, {}, "bucket"),
        (301, {"Location": "http://10.0.0.1/"}, "secret"),
        (400, {}, "secret"),
    ],
)
def test_each_refusal_is_said_at_a_field(
    location: StoredLocation, user: User, status: int, headers: dict[str, str], field: str
) -> None:
    location.endpoint = "https://store.example"
    url = "https://store.example/ingest/"
    asked = responses.get(url, status=status, headers=headers)
    with pytest.raises(LocationInvalid) as refused:
        save_location(location, CREDENTIALS, user)
    assert refused.value.field == field
    assert BUCKET_SECRET not in str(refused.value)
    [call] = asked.calls
    assert call.request.headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIA")
    assert len(responses.calls) == 1


@responses.activate
def test_without_an_answer_it_is_saved_as_not_checked(location: StoredLocation, user: User) -> None:
    location.endpoint = "https://store.example"
    responses.get("https://store.example/ingest/", body=requests.ConnectionError())
    saved = save_location(location, CREDENTIALS, user)
    assert saved.warning.startswith("Saved without a check")
    assert StoredLocation.objects.get().checked_at is None


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:9", "http://[::1]", "http://10.1.2.3"])
def test_a_private_endpoint_is_refused_at_save(
    location: StoredLocation, user: User, endpoint: str, settings: Any
) -> None:
    settings.ALLOW_PRIVATE_ADDRESSES = False
    location.endpoint = endpoint
    with pytest.raises(LocationInvalid, match="private address") as refused:
        save_location(location, CREDENTIALS, user)
    assert refused.value.field == "endpoint"


@pytest.mark.parametrize("url", ["https://u:p@127.0.0.1/in/", "sftp://u:p@localhost/in/"])
def test_a_private_url_is_refused_at_save(
    location: StoredLocation, user: User, url: str, settings: Any
) -> None:
    settings.ALLOW_PRIVATE_ADDRESSES = False
    location.kind = "url"
    with pytest.raises(LocationInvalid, match="private address"):
        save_location(location, {"url": url}, user)


def test_credentials_that_are_left_empty_stay(stored: StoredLocation, user: User) -> None:
    stored.name = "renamed"
    save_location(stored, {"key_id": "", "secret": ""}, user)
    assert StoredLocation.objects.get().credentials == CREDENTIALS
    entry = AuditEntry.objects.get(action="destination.changed")
    assert (entry.after, entry.details) == ({"name": "renamed"}, {"credentials": []})


def test_a_source_becomes_a_link_that_opens_the_file(
    stored: StoredLocation, account: ProviderAccount, s3: Any
) -> None:
    s3.put_object(Bucket="ingest", Key="2026/reel 1+.mov", Body=b"moving")
    made = resolve(account, request(input="ingest-studio/reel 1+.mov"))
    assert requests.get(made.input, timeout=PATIENCE_S).content == b"moving"
    assert BUCKET_SECRET not in made.input


@pytest.mark.parametrize(
    ("provider", "expected"), [("zencoder", ""), ("tpstreams", "access_key secret_key region")]
)
def test_a_destination_becomes_what_the_provider_takes(
    stored: StoredLocation, studio: Organization, provider: str, expected: str
) -> None:
    there = make_account(studio, provider=provider)
    if not expected:
        with pytest.raises(LocationRefused, match="only writes to buckets at AWS"):
            resolve(there, request(destination="ingest-studio/out/"))
        StoredLocation.objects.update(endpoint="https://s3.eu-west-1.amazonaws.com")
    url = resolve(there, request(destination="ingest-studio/out/")).destination
    parts = urlsplit(url or "")
    assert parts.scheme == "s3"
    assert parts.path.rstrip("/").endswith("2026/out")
    query = parse_qs(parts.query)
    assert list(query) == expected.split()
    if query:
        assert query["secret_key"] == [BUCKET_SECRET]


def test_a_url_with_credentials_is_continued_by_the_path(
    location: StoredLocation, user: User, account: ProviderAccount
) -> None:
    location.kind = "url"
    saved = save_location(location, {"url": "sftp://ann:canary@files.example/in/"}, user)
    assert "only http and https URLs are checked" in saved.warning
    assert saved.location.url == "sftp://REDACTED@files.example/in/"
    made = resolve(account, request(input="ingest-studio/reel 1.mov"))
    assert made.input == "sftp://ann:canary@files.example/in/reel%201.mov"


def test_a_job_keeps_the_name_and_only_what_is_sent_has_the_secret(
    stored: StoredLocation, account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    StoredLocation.objects.update(endpoint="")
    made = request(input="ingest-studio/a.mov", destination="ingest-studio/out/")
    assert not [one for one in check(account, made) if one.blocking]
    assert "X-Amz-Signature=REDACTED" in preview(account, made)["input"]
    job = submit(organization=account.organization, account=account, request=made).job
    assert (job.input_url, job.name) == ("s3://ingest/2026/a.mov", "a.mov")
    assert Submission.objects.get().request["destination"] == "ingest-studio/out/"
    run_submission(job.pk)
    [sent] = zencoder.sent
    assert "X-Amz-Signature=" in sent["input"]
    assert sent["outputs"][0]["base_url"] == "s3://ingest/2026/out/"
    rows = [*Job.objects.values(), *AuditEntry.objects.values()]
    assert "canary" not in str(rows).lower()


def test_one_that_is_deleted_before_the_job_is_sent_fails_it(
    stored: StoredLocation, account: ProviderAccount, zencoder: FakeZencoder, user: User
) -> None:
    stored.endpoint = ""
    stored.save()
    made = request(destination="ingest-studio/out/")
    job = submit(organization=account.organization, account=account, request=made).job
    stored.is_destination = False
    stored.save()
    run_submission(job.pk)
    job.refresh_from_db()
    assert job.status == "failed"
    assert "ingest-studio is not stored as a destination." in job.error_message
    assert zencoder.sent == []
    delete_location(stored, user)
    assert AuditEntry.objects.filter(action="destination.deleted").exists()


@pytest.mark.parametrize(
    ("field", "text", "message"),
    [
        ("input", "ingest-studio", "Add the path of the file"),
        ("input", "ingest-studio/../secret.mov", "is not valid"),
        ("destination", "ingest-studio/a/./b", "is not valid"),
        ("destination", "ingest-studio/a?b", "Remove"),
    ],
)
def test_a_path_that_leads_elsewhere_is_refused_at_its_field(
    stored: StoredLocation, account: ProviderAccount, field: str, text: str, message: str
) -> None:
    with pytest.raises(LocationRefused, match=message) as refused:
        resolve(account, request(**{field: text}))
    assert refused.value.field == field
    made = request(**{field: text})
    with pytest.raises(SubmissionRefused):
        submit(organization=account.organization, account=account, request=made)


def test_a_source_that_is_deleted_before_the_job_is_sent_is_not_looked_for_at_the_provider(
    stored: StoredLocation, studio: Organization, user: User
) -> None:
    """It reads paths in its own storage, and this would be one."""
    there = make_account(studio, provider="xvid", options={"pipeline_id": "1"})
    made = request(input="ingest-studio/a.mov", extra={"presets": ["web"]})
    job = submit(organization=studio, account=there, request=made).job
    delete_location(stored, user)
    run_submission(job.pk)
    job.refresh_from_db()
    assert job.status == "failed"
    assert "has been deleted" in job.error_message


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("region", "x.example/"),
        ("region", "us-east-1\n"),
        ("bucket", "../other"),
        ("bucket", ".."),
        ("bucket", "a b"),
        ("bucket", "a\nb"),
        ("prefix", "a/../b"),
        ("prefix", "a?b"),
        ("endpoint", "https://s3.example.com/path"),
    ],
)
@responses.activate
def test_what_would_lead_elsewhere_is_not_saved(
    location: StoredLocation, user: User, field: str, value: str
) -> None:
    location.endpoint = ""
    setattr(location, field, value)
    with pytest.raises(LocationInvalid) as refused:
        save_location(location, CREDENTIALS, user)
    assert refused.value.field == field
    assert not responses.calls


def test_the_location_of_another_organization_is_a_plain_text(
    stored: StoredLocation, user: User
) -> None:
    theirs = make_account(make_organization("elsewhere"))
    made = request(input="ingest-studio/a.mov")
    assert resolve(theirs, made) is made
    assert [one.field for one in check(theirs, made)] == ["input"]
