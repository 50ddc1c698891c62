"""Templates: listing them without their secrets, and submitting with one."""

from typing import Any

import pytest

from jobs.models import Job, ProviderAccount, TemplateVersion
from jobs.submission.stored_request import find_sent_request
from jobs.submission.templates.service import archive_template, set_default_template
from organizations.models import ApiToken, Organization, Scope
from providers.core.types import Rendition
from tests.factories import make_organization, make_user
from tests.jobs.api.conftest import ApiClient
from tests.jobs.factories import make_account, make_job, make_template

pytestmark = pytest.mark.django_db

DESTINATION = "s3://AKIAABCDEFGHIJKL:canarysecret@site/series/"
INPUT = "https://media.example.com/in.mov"


@pytest.fixture
def version(organization: Organization) -> TemplateVersion:
    return make_template(
        organization,
        "Episodes",
        destination=DESTINATION,
        metadata="series",
        extra={"region": "europe", "upload_token": "canarysecret"},
    )


def test_templates_are_listed_without_secrets(
    reader: ApiClient,
    account: ProviderAccount,
    version: TemplateVersion,
    django_assert_num_queries: Any,
) -> None:
    user = make_user()
    set_default_template(account, version.template, user)
    archived = make_template(account.organization, "Old")
    archive_template(archived.template, user)
    make_template(make_organization("south"), "Theirs")
    listed = reader.get("/templates")
    assert listed.status == 200
    [shown] = listed.body["results"]
    assert (shown["id"], shown["name"]) == (str(version.template_id), "Episodes")
    assert (shown["version"], shown["default_at"][0]["name"]) == (1, "main")
    assert shown["settings"]["renditions"] == [{"packaging": "mp4", "heights": [360]}]
    assert shown["settings"]["extra"] == {
        "zencoder": {"region": "europe", "upload_token": "REDACTED"}
    }
    assert "canary" not in str(listed.body)
    for name in ("Films", "Trailers"):
        with django_assert_num_queries(3):  # the token, the accounts, the versions
            reader.get("/templates")
        make_template(account.organization, name)
    assert reader.get("/templates?limit=5").fields == {"limit": "There is no such parameter."}


def test_a_token_of_some_accounts_learns_of_no_other(
    organization: Organization, account: ProviderAccount, version: TemplateVersion
) -> None:
    other = make_account(organization, name="other")
    set_default_template(other, version.template, make_user())
    token = ApiToken.issue(organization, "one", Scope.READ, account_ids=[account.pk])[1]
    [shown] = ApiClient(token).get("/templates").body["results"]
    assert shown["default_at"] == []


def test_a_job_takes_from_a_template_what_the_call_does_not_give(
    operator: ApiClient, account: ProviderAccount, version: TemplateVersion
) -> None:
    body = {"account": "main", "input": INPUT, "template": "Episodes"}
    answer = operator.post("/jobs", body)
    assert answer.status == 201, answer.body
    reference = {"id": str(version.template_id), "name": "Episodes", "version": 1}
    assert answer.body["template"] == reference
    assert "canary" not in str(answer.body)
    sent = find_sent_request(Job.objects.get())
    assert sent is not None
    assert (sent.destination, sent.metadata) == (DESTINATION, "series")
    assert sent.renditions == (Rendition("mp4", (360,)),)
    assert sent.extra == {"region": "europe", "upload_token": "canarysecret"}
    given = {
        "template": str(version.template_id),
        "metadata": None,
        "destination": None,
        "renditions": [{"packaging": "hls", "heights": [720]}],
        "extra": {"region": "us"},
    }
    answer = operator.post("/jobs", body | given)
    assert answer.status == 201, answer.body
    sent = find_sent_request(Job.objects.get(pk=answer.body["id"]))
    assert sent is not None
    assert (sent.destination, sent.metadata) == (None, None)
    assert sent.renditions == (Rendition("hls", (720,)),)
    assert sent.extra == {"region": "us", "upload_token": "canarysecret"}


def test_only_a_template_of_the_organization_is_known(
    operator: ApiClient, account: ProviderAccount, version: TemplateVersion
) -> None:
    theirs = make_template(make_organization("south"), "Theirs")
    archive_template(version.template, make_user())
    for name in ("Theirs", str(theirs.template_id), "Episodes", "No\x00ne", "9" * 30):
        body = {"account": "main", "input": INPUT, "template": name}
        answer = operator.post("/jobs", body)
        assert answer.fields == {"template": "No template has this id or name."}
    assert not Job.objects.exists()


def test_a_list_of_jobs_names_their_templates_in_no_more_queries(
    reader: ApiClient,
    account: ProviderAccount,
    version: TemplateVersion,
    django_assert_num_queries: Any,
) -> None:
    reader.get("/jobs")  # the first use of a token is noted
    for _ in range(2):
        make_job(account, template_version=version)
        with django_assert_num_queries(5) as queries:
            listed = reader.get("/jobs").body["results"]
    assert {job["template"]["name"] for job in listed} == {"Episodes"}
    assert '"settings"' not in str(queries.captured_queries)
