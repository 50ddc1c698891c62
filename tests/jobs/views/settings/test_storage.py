"""Stored sources and destinations in the settings: no page shows a secret, none is lost."""

from typing import Any

import pytest
import responses
from django.test import Client

from jobs.models import StoredLocation
from organizations.models import Organization
from tests.jobs.factories import make_account, make_location

STORAGE = "/o/harbour-studio/settings/destinations/"
FILLED = {
    "name": "ingest-studio",
    "kind": "s3",
    "is_source": "on",
    "endpoint": "https://store.example",
    "region": "eu-central-1",
    "bucket": "ingest",
    "prefix": "/2026/",
    "key_id": "AKIACANARYKEYID00000",
    "secret": "canary-secret",
}
LISTED = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"


def page(client: Client, path: str = "") -> str:
    response = client.get(STORAGE + path)
    assert response.status_code == 200
    html: str = response.content.decode()
    assert "canary" not in html.lower()
    return html


@responses.activate
def test_a_bucket_is_checked_saved_and_changed_without_its_secret_being_shown(
    manager: Client, viewer: Client, studio: Organization
) -> None:
    responses.get("https://store.example/ingest/", LISTED, content_type="application/xml")
    assert manager.post(f"{STORAGE}new/", FILLED).status_code == 302
    stored = StoredLocation.objects.get()
    assert (stored.prefix, stored.credentials["secret"]) == ("2026/", "canary-secret")
    assert "s3://ingest/2026/" in page(viewer)
    assert "Edit" not in page(viewer)
    assert "Under another name" in page(manager, f"{stored.pk}/")
    assert "Under another name" not in page(manager, "new/")
    changed = FILLED | {"bucket": "other", "key_id": "", "secret": ""}
    responses.get("https://store.example/other/", LISTED, content_type="application/xml")
    manager.post(f"{STORAGE}{stored.pk}/", changed)
    stored = StoredLocation.objects.get()
    assert (stored.bucket, stored.credentials["secret"]) == ("other", "canary-secret")


@responses.activate
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "a/b"}, "name"),
        ({"name": "taken"}, "name"),
        ({"is_source": ""}, "is_source"),
        ({"bucket": ""}, "bucket"),
        ({"secret": ""}, "secret"),
        ({"endpoint": "https://store.example/?x"}, "endpoint"),
        ({"kind": "url", "url": "nothing"}, "url"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    manager: Client, studio: Organization, changes: dict[str, Any], field: str
) -> None:
    make_location(studio, "taken")
    responses.get("https://store.example/ingest/", LISTED, content_type="application/xml")
    response = manager.post(f"{STORAGE}new/", FILLED | changes)
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert "canary" not in response.content.decode().lower()
    assert StoredLocation.objects.count() == 1


def test_one_is_deleted_after_a_question(manager: Client, studio: Organization) -> None:
    stored = make_location(studio, "old")
    path = f"{stored.pk}/delete/"
    assert "Delete old?" in page(manager, path).replace("<bdi>", "").replace("</bdi>", "")
    manager.post(STORAGE + path)
    assert not StoredLocation.objects.exists()


def test_the_form_for_a_new_job_suggests_them(operator: Client, studio: Organization) -> None:
    make_account(studio)
    make_location(studio, "both")
    make_location(studio, "out-only", is_source=False)
    html = operator.get("/o/harbour-studio/jobs/new/").content.decode()
    sources = html.partition('id="stored-input"')[2].partition("</datalist>")[0]
    destinations = html.partition('id="stored-destination"')[2].partition("</datalist>")[0]
    assert "both/" in sources
    assert "out-only" not in sources
    assert "out-only/" in destinations
    assert 'list="stored-input"' in html
