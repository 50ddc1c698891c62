"""A batch from a bucket on the site: listing it into the form, and submitting what was found."""

from typing import Any

import pytest
import requests
import responses
from django.test import Client

from jobs.batches.worker import run_batch
from jobs.models import Batch, BatchInput, Job, ProviderAccount, Submission
from jobs.storage.references import resolve
from jobs.submission.stored_request import load_request
from organizations.models import AuditEntry, Organization
from tests.factories import make_organization
from tests.jobs.factories import BUCKET_SECRET, make_location
from tests.jobs.views.test_batches import NEW, fields, left_out
from tests.jobs.views.test_bulk import text_of
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.django_db

ODD = '<script>alert("1")</script>.mp4'


def chosen(account: ProviderAccount, source: str, pattern: str = "", **more: Any) -> dict[str, Any]:
    listing = {"bucket-source": source, "bucket-begins": "reels/", "bucket-pattern": pattern}
    return fields(account, **{"list": "yes", **listing, **more})


def test_the_objects_of_a_bucket_are_listed_checked_and_submitted(
    operator: Client,
    account: ProviderAccount,
    studio: Organization,
    s3: Any,
    s3_url: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    make_location(studio, "ingest", endpoint=s3_url, region="us-east-1", bucket="ingest")
    for name in ("a, b.mp4", ODD, "x/../y.mp4", "notes.txt"):
        s3.put_object(Bucket="ingest", Key=f"series/reels/{name}", Body=b"moving")
    assert "From a stored source" in operator.get(NEW).content.decode()
    response = operator.post(NEW, chosen(account, "ingest", "*.mp4", file=""))
    page, text = response.content.decode(), text_of(response)
    assert "3 objects, 18 B, are listed below." in text
    assert "4 The path after ingest/ is not valid." in text
    assert ("Submit 2 jobs" in page, ODD in page, Batch.objects.exists()) == (True, False, False)
    typed = response.context["form"]["inputs"].value()
    sent = fields(account, inputs=typed, submit="yes", left_out=left_out(page))
    operator.post(NEW, sent)
    batch = Batch.objects.get()
    run_batch(batch.pk)
    assert sorted(Job.objects.values_list("input_url", flat=True)) == [
        f"s3://ingest/series/reels/{ODD}", "s3://ingest/series/reels/a, b.mp4"
    ]  # fmt: skip
    for stored in Submission.objects.all():
        link = resolve(account, load_request(stored.request)).input
        assert requests.get(link, timeout=PATIENCE_S).content == b"moving"
    pages = [page, operator.get(f"/o/harbour-studio/batches/{batch.pk}/").content.decode()]
    rows = [model.objects.values() for model in (Batch, BatchInput, Job, AuditEntry)]
    assert BUCKET_SECRET not in f"{pages} {list(map(list, rows))} {caplog.text}"


@responses.activate
@pytest.mark.parametrize(
    ("source", "answer", "message"),
    [
        ("far", {"status": 403}, "The storage refuses these credentials"),
        ("far", {"body": requests.ConnectionError()}, "No connection to the storage"),
        ("far", {"body": "<ListBucketResult/>"}, "There is no object in far/reels/."),
        ("theirs", {}, "Select a valid choice"),
        ("nowhere", {}, "Select a valid choice"),
    ],
)
def test_what_cannot_be_listed_is_said_and_the_lines_stay(
    operator: Client,
    account: ProviderAccount,
    studio: Organization,
    source: str,
    answer: dict[str, Any],
    message: str,
) -> None:
    place = {"endpoint": "https://store.example", "bucket": "site", "prefix": ""}
    make_location(studio, "far", **place)
    make_location(make_organization("elsewhere"), "theirs", **place)
    responses.get("https://store.example/site/", **answer)
    response = operator.post(NEW, chosen(account, source))
    assert response.status_code == 422
    assert message in text_of(response)
    assert response.context["form"]["inputs"].value() == "s3://a/1.mov\ns3://a/2.mov"
    assert len(responses.calls) == (source == "far")


def test_a_viewer_lists_nothing(
    viewer: Client, account: ProviderAccount, studio: Organization
) -> None:
    make_location(studio, "far")
    assert viewer.post(NEW, chosen(account, "far")).status_code == 403
