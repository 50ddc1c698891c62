"""URLs that a strict reader refuses, as providers mirror them and people submit them."""

import json
from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.test import Client

from jobs.models import Job, ProviderAccount
from organizations.models import ApiToken, Organization, Role, Scope
from providers.core import registry
from tests.factories import make_membership, make_organization
from tests.jobs.factories import make_account
from tests.jobs.fake_zencoder import FakeZencoder, serve
from tests.markup import without_isolation

pytestmark = pytest.mark.django_db

# what one provider or another requires
OPTIONS = {"pipeline_id": "5260e39d84aea12008b69bc0", "organization_id": "6dnpyx"}
PRESETS = {"presets": ["5260e39d84aea12008b69bc1"]}

# the name that is shown of each
ODD = {
    "s3://[bucket]/clip.mp4": "clip.mp4",
    "https://[::1/x.mp4": "x.mp4",
    "file://なぜ？.mp4": "なぜ？.mp4",
    "http://a／b.example/wide.mp4": "wide.mp4",
    "https://host:99999/port.mp4": "port.mp4",
    "s3://bucket-a/Show #12 - What?.mov": "Show #12 - What?.mov",
    "gs://bucket-a/Gang #7?.mov": "Gang #7?.mov",
    "sftp://host/in/Reel #9 - Why?.mov": "Reel #9 - Why?.mov",
    "//[": "[",
}


@pytest.fixture
def organization() -> Organization:
    return make_organization("studio")


@pytest.fixture
def account(organization: Organization) -> ProviderAccount:
    return make_account(organization, name="main")


@pytest.fixture
def zencoder() -> Iterator[FakeZencoder]:
    yield from serve(FakeZencoder())


@pytest.fixture
def member(organization: Organization) -> Client:
    client = Client()
    client.force_login(make_membership(organization, Role.OPERATOR).user)
    return client


def test_each_page_shows_jobs_with_odd_urls_by_the_names_in_them(
    account: ProviderAccount, zencoder: FakeZencoder, member: Client
) -> None:
    for number, url in enumerate(ODD, start=501):
        job = zencoder.add(number)
        job["input_media_file"]["url"] = url
        job["output_media_files"][0]["url"] = url
    zencoder.add(601)
    call_command("sync")
    jobs = {job.input_url: job for job in Job.objects.all()}
    rows = "_".join(f"{job.pk}.0" for job in jobs.values())
    job_list = member.get("/o/studio/jobs/")
    live = member.get(f"/o/studio/jobs/live/?rows={rows}")
    files = member.get("/o/studio/files/")
    for url, name in ODD.items():
        assert jobs[url].name == name
        for response in (job_list, live, files):
            assert response.status_code == 200
            assert f">{name}<" in without_isolation(response.content.decode())
        detail = member.get(f"/o/studio/jobs/{jobs[url].pk}/")
        assert url in without_isolation(detail.content.decode())
        for output in jobs[url].outputs.all():
            opened = member.get(f"/o/studio/jobs/{jobs[url].pk}/outputs/{output.pk}/open/")
            assert opened.status_code in (200, 302)
        assert member.get(f"/o/studio/jobs/{jobs[url].pk}/input/open/").status_code == 200
    assert "reel-601.mov" in job_list.content.decode()


@pytest.mark.parametrize("slug", [slug for slug, _ in registry.choices()])
def test_an_odd_input_is_submitted_or_refused(organization: Organization, slug: str) -> None:
    account = make_account(organization, name="other", provider=slug, options=OPTIONS)
    client = Client(headers={"authorization": f"Bearer {issue(organization)}"})
    inputs = [*ODD, "//[MP4_720p]_D16.mp4", "folder/Show #12 - What?.mp4", "\\\\[x", "a:b//[", "%"]
    for url in inputs:
        body = {
            "account": str(account.pk),
            "input": url,
            "destination": url,
        }
        for other in ({}, {"destination": None}, {"destination": None, "extra": PRESETS}):
            response = client.post(
                "/api/v1/jobs", json.dumps(body | other), content_type="application/json"
            )
            assert response.status_code in (201, 409, 422), (url, response.content)


def test_a_bare_path_keeps_its_name(organization: Organization) -> None:
    account = make_account(organization, name="store", provider="xvid", options=OPTIONS)
    client = Client(headers={"authorization": f"Bearer {issue(organization)}"})
    body = {
        "account": str(account.pk),
        "input": "folder/Show #12 - What?.mp4",
        "extra": PRESETS,
    }
    response = client.post("/api/v1/jobs", json.dumps(body), content_type="application/json")
    assert response.status_code == 201, response.content
    assert response.json()["name"] == "Show #12 - What?.mp4"


def issue(organization: Organization) -> str:
    return ApiToken.issue(organization, "token", Scope.OPERATE)[1]
