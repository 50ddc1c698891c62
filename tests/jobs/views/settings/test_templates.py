"""Templates in the settings: saving versions, what they changed, and no secret on a page."""

from typing import Any

import pytest
from django.test import Client

from jobs.models import Job, ProviderAccount, RequestTemplate, TemplateVersion
from jobs.submission.service import submit
from jobs.submission.templates.settings import read_settings
from organizations.models import AuditEntry, Organization
from providers.core.types import JobRequest, Rendition, Thumbnails
from tests.factories import make_organization
from tests.jobs.factories import make_account, make_template
from tests.markup import without_isolation

TEMPLATES = "/o/harbour-studio/settings/templates/"
DESTINATION = "s3://AKIAABCDEFGHIJKL:canarysecret@site/series/"


@pytest.fixture
def version(studio: Organization) -> TemplateVersion:
    return make_template(
        studio,
        "Episodes",
        destination=DESTINATION,
        renditions=(Rendition("hls", (360, 720)),),
        thumbnails=Thumbnails(count=3),
        metadata={"series": "Salt Road", "api_key": "canarysecret"},
        extra={"region": "europe", "upload_token": "canarysecret"},
    )


def page(client: Client, path: str = "") -> str:
    response = client.get(TEMPLATES + path)
    assert response.status_code == 200
    html = response.content.decode()
    assert "canary" not in html
    return " ".join(without_isolation(html).split())


def fields(client: Client, path: str) -> dict[str, Any]:
    """What a browser would send of the form as it comes."""
    response = client.get(TEMPLATES + path)
    assert "canary" not in response.content.decode()
    form = response.context["form"]
    values = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in values.items() if value not in (None, False)}


def test_the_list_says_what_each_makes_and_where_it_is_the_default(
    viewer: Client, version: TemplateVersion, account: ProviderAccount, studio: Organization
) -> None:
    ProviderAccount.objects.update(default_template=version.template)
    html = page(viewer)
    assert "HLS 360p, 720p; thumbnails to s3://REDACTED@site/series/" in html
    assert account.name in html
    assert "New template" not in html


def test_a_new_template_is_saved_from_the_form(operator: Client, studio: Organization) -> None:
    sent = fields(operator, "new/") | {
        "name": "Films",
        "mp4": [1080],
        "thumbnails_by": "interval_s",
        "thumbnails": "5",
        "extra_zencoder": '{"region": "us"}',
        "priority": "7",
    }
    response = operator.post(f"{TEMPLATES}new/", sent)
    version = TemplateVersion.objects.get()
    assert response["Location"] == f"{TEMPLATES}{version.template_id}/"
    settings = read_settings(version)
    assert settings.request == JobRequest(
        input="",
        renditions=(Rendition("mp4", (1080,)),),
        thumbnails=Thumbnails(interval_s=5.0),
        priority=7,
    )
    assert settings.extra == {"zencoder": {"region": "us"}}
    assert version.saved_by is not None
    assert AuditEntry.objects.get().action == "template.created"


def test_a_value_left_redacted_keeps_its_secret(operator: Client, version: TemplateVersion) -> None:
    path = f"{version.template_id}/edit/"
    sent = fields(operator, path)
    assert sent["destination"] == "s3://REDACTED@site/series/"
    changed = sent["extra_zencoder"].replace("europe", "us")
    operator.post(TEMPLATES + path, sent | {"extra_zencoder": changed})
    newest = TemplateVersion.objects.get(is_newest=True)
    settings = read_settings(newest)
    assert newest.number == 2
    assert settings.request.destination == DESTINATION
    assert settings.request.metadata == {"series": "Salt Road", "api_key": "canarysecret"}
    assert settings.extra["zencoder"] == {"region": "us", "upload_token": "canarysecret"}
    html = page(operator, f"{version.template_id}/")
    [change] = html.split("extra zencoder region")[1:]
    assert change.index("europe") < change.index("us")


def test_a_redacted_value_that_stands_for_nothing_is_refused_at_its_field(
    operator: Client, version: TemplateVersion
) -> None:
    path = f"{version.template_id}/edit/"
    sent = fields(operator, path) | {"destination": "s3://REDACTED@other/"}
    response = operator.post(TEMPLATES + path, sent)
    assert response.status_code == 422
    assert list(response.context["form"].errors) == ["destination"]
    sent = fields(operator, path) | {"extra_videosdk": '{"token": "REDACTED"}'}
    response = operator.post(TEMPLATES + path, sent)
    assert list(response.context["form"].errors) == ["extra_videosdk"]
    assert TemplateVersion.objects.count() == 1


def test_what_somebody_saved_meanwhile_is_not_overwritten(
    operator: Client, version: TemplateVersion
) -> None:
    path = f"{version.template_id}/edit/"
    mine = fields(operator, path)
    operator.post(TEMPLATES + path, fields(operator, path) | {"metadata": "theirs"})
    response = operator.post(TEMPLATES + path, mine | {"metadata": "mine"})
    assert response.status_code == 422
    assert "Version 2 was saved meanwhile" in response.content.decode()
    assert TemplateVersion.objects.count() == 2


def test_the_settings_of_a_job_become_a_template(
    operator: Client, account: ProviderAccount, studio: Organization
) -> None:
    request = JobRequest(
        input="https://rushes.example/a.mov",
        destination=DESTINATION,
        renditions=(Rendition("mp4", (360,)),),
        extra={"region": "europe"},
    )
    job = submit(organization=studio, account=account, request=request).job
    path = f"new/?from={job.pk}"
    sent = fields(operator, path) | {"name": "As before"}
    operator.post(TEMPLATES + path, sent)
    settings = read_settings(TemplateVersion.objects.get())
    assert settings.request.destination == DESTINATION
    assert settings.extra == {"zencoder": {"region": "europe"}}


def test_a_foreign_job_gives_nothing(operator: Client, foreign_job: Job) -> None:
    for method in (operator.get, operator.post):
        assert method(f"{TEMPLATES}new/?from={foreign_job.pk}").status_code == 404


def test_new_jobs_begin_with_it_at_the_ticked_accounts(
    operator: Client, version: TemplateVersion, account: ProviderAccount, studio: Organization
) -> None:
    other = make_account(studio, name="other")
    foreign = make_account(make_organization("elsewhere"))
    path = f"{TEMPLATES}{version.template_id}/default/"
    operator.post(path, {"accounts": [account.pk, foreign.pk]})
    defaults = ProviderAccount.objects.exclude(default_template=None)
    assert list(defaults) == [account]
    operator.post(path, {"accounts": [other.pk]})
    assert list(defaults.all()) == [other]


def test_an_archived_template_is_restored_or_deleted(
    operator: Client, version: TemplateVersion
) -> None:
    detail = f"{TEMPLATES}{version.template_id}/"
    operator.post(f"{detail}archive/")
    assert "Archived" in page(operator)
    assert "no new job uses it" in page(operator, f"{version.template_id}/")
    operator.post(f"{detail}restore/")
    assert RequestTemplate.objects.active().exists()
    # one in use is not deleted
    operator.post(f"{detail}delete/")
    assert RequestTemplate.objects.exists()
    operator.post(f"{detail}archive/")
    operator.post(f"{detail}delete/")
    assert not RequestTemplate.objects.exists()


def test_the_list_costs_the_same_however_long_it_is(
    viewer: Client,
    studio: Organization,
    version: TemplateVersion,
    django_assert_max_num_queries: Any,
) -> None:
    page(viewer)
    costs = []
    for number in (1, 4):
        for _ in range(number):
            make_template(studio)
        with django_assert_max_num_queries(20) as queries:
            page(viewer)
        costs.append(len(queries))
    assert costs[0] == costs[1]
