"""A new job from a template: what fills in the form, what differs, and saving what is filled in."""

import json
from typing import Any

import pytest
from django.test import Client

from jobs.models import Job, ProviderAccount, RequestTemplate, Submission, TemplateVersion
from jobs.submission.service import submit
from jobs.submission.templates.settings import read_settings, request_from
from organizations.models import Organization
from providers.core.types import Rendition, Thumbnails
from tests.factories import make_organization
from tests.jobs.factories import make_account, make_template

NEW = "/o/harbour-studio/jobs/new/"
INPUT = "https://rushes.example/a.mov"
DESTINATION = "s3://user:canarysecret@results/dawn/"


@pytest.fixture
def version(studio: Organization) -> TemplateVersion:
    return make_template(
        studio,
        "Episodes",
        destination=DESTINATION,
        renditions=(Rendition("hls", (360, 720)),),
        metadata={"ticket": 41, "api_key": "canarysecret"},
        extra={"region": "europe", "upload_token": "canarysecret"},
    )


@pytest.fixture
def other(studio: Organization) -> ProviderAccount:
    return make_account(studio, provider="tpstreams", name="lessons")


def values_of(response: Any) -> dict[str, Any]:
    """What a browser would send of the form as it is shown."""
    assert response.status_code == 200
    assert "canary" not in response.content.decode()
    form = response.context["form"]
    values = {name: form[name].value() for name in form.fields}
    sent = {name: value for name, value in values.items() if value not in (None, False)}
    return sent | {"fields_of": form.chosen.pk}


def choose(client: Client, sent: dict[str, Any], what: str = "yes") -> dict[str, Any]:
    return values_of(client.post(NEW, sent | {"choose": what}))


def newest() -> dict[str, Any]:
    stored: dict[str, Any] = Submission.objects.latest("pk").request
    return stored


def test_the_default_of_the_account_fills_in_the_form_and_its_secrets_are_sent(
    operator: Client, account: ProviderAccount, version: TemplateVersion
) -> None:
    assert "template" not in json.dumps(values_of(operator.get(NEW)).get("destination"))
    ProviderAccount.objects.update(default_template=version.template)
    response = operator.get(NEW)
    sent = values_of(response)
    assert "Episodes, version 1 (default here)" in response.content.decode()
    assert sent["destination"] == "s3://REDACTED@results/dawn/"
    operator.post(NEW, sent | {"input": INPUT})
    job = Job.objects.get()
    assert job.template_version == version
    stored = newest()
    assert stored["destination"] == DESTINATION
    assert stored["metadata"] == {"ticket": 41, "api_key": "canarysecret"}
    assert stored["extra"] == {"region": "europe", "upload_token": "canarysecret"}


def test_a_template_that_is_chosen_fills_in_the_form_but_for_the_source(
    operator: Client, account: ProviderAccount, version: TemplateVersion
) -> None:
    sent = values_of(operator.get(NEW)) | {"input": INPUT, "metadata": "mine"}
    filled = choose(operator, sent | {"template": version.pk}, "template")
    assert (filled["input"], filled["hls"]) == (INPUT, [360, 720])
    assert json.loads(filled["metadata"])["ticket"] == 41
    # without a template, what is there stays
    kept = choose(operator, filled | {"template": ""}, "template")
    assert [int(height) for height in kept["hls"]] == [360, 720]


def test_what_differs_is_counted_and_put_back(
    operator: Client, account: ProviderAccount, version: TemplateVersion
) -> None:
    sent = values_of(operator.get(f"{NEW}?template={version.template_id}")) | {"input": INPUT}
    preview = operator.post(f"{NEW}preview/", sent).content.decode()
    assert "from the template" not in preview
    changed = sent | {"hls": [720], "mp4": [240], "metadata": "mine"}
    preview = operator.post(f"{NEW}preview/", changed).content.decode()
    assert "2 fields differ from the template" in preview
    again = choose(operator, changed, "template")
    assert (again["hls"], again.get("mp4")) == ([360, 720], [])


def test_another_account_gets_its_own_values_where_nothing_was_changed(
    operator: Client, account: ProviderAccount, other: ProviderAccount, version: TemplateVersion
) -> None:
    ProviderAccount.objects.filter(pk=account.pk).update(default_template=version.template)
    theirs = make_template(other.organization, "Lessons", renditions=(Rendition("hls", (480,)),))
    ProviderAccount.objects.filter(pk=other.pk).update(default_template=theirs.template)
    sent = values_of(operator.get(f"{NEW}?account={account.pk}")) | {"input": INPUT}
    switched = choose(operator, sent | {"account": other.pk})
    assert (switched["template"], switched["hls"]) == (theirs.pk, [480])
    assert switched["input"] == INPUT
    # one who has changed something keeps it, and the template
    switched = choose(operator, sent | {"account": other.pk, "metadata": "mine"})
    assert (switched["template"], switched["metadata"]) == (version.pk, "mine")
    assert (switched["hls"], switched["extra"]) == ([360, 720], "")


def test_what_the_account_has_no_use_for_is_named(
    operator: Client, studio: Organization, other: ProviderAccount
) -> None:
    version = make_template(studio, "Stills", thumbnails=Thumbnails(count=3))
    html = operator.get(f"{NEW}?account={other.pk}&template={version.template_id}")
    assert "Not used at this account: thumbnails<" in html.content.decode()


def test_a_retry_keeps_the_template_of_its_job(
    operator: Client, account: ProviderAccount, version: TemplateVersion
) -> None:
    request = request_from(version, account, {"input": INPUT, "metadata": "mine"})
    job = submit(
        organization=account.organization,
        account=account,
        request=request,
        template_version=version,
    ).job
    Job.objects.update(status="failed")
    sent = values_of(operator.get(f"{NEW}?from={job.pk}"))
    assert (sent["template"], sent["metadata"]) == (version.pk, "mine")
    operator.post(NEW, sent)
    retry = Job.objects.latest("pk")
    assert (retry.retry_of, retry.template_version) == (job, version)
    assert newest()["destination"] == DESTINATION


def test_what_is_filled_in_is_saved_as_a_template(
    operator: Client, account: ProviderAccount, version: TemplateVersion
) -> None:
    sent = values_of(operator.get(f"{NEW}?template={version.template_id}")) | {"mp4": [1080]}
    response = operator.post(NEW, sent | {"save_template": "new", "save_as": "Films"})
    shown = values_of(response)
    saved = TemplateVersion.objects.get(template__name="Films")
    assert shown["template"] == saved.pk
    assert "The job is not submitted yet" in response.content.decode()
    assert not Job.objects.exists()
    settings = read_settings(saved)
    assert settings.request.destination == DESTINATION
    assert settings.request.renditions == (Rendition("hls", (360, 720)), Rendition("mp4", (1080,)))
    assert settings.extra["zencoder"]["upload_token"] == "canarysecret"
    taken = operator.post(NEW, sent | {"save_template": "new", "save_as": "Films"})
    assert taken.status_code == 422
    assert "There is a template with this name already." in taken.content.decode()
    unnamed = operator.post(NEW, sent | {"save_template": "new", "save_as": " "})
    assert "Enter a name for the template." in unnamed.content.decode()
    assert RequestTemplate.objects.count() == 2


def test_a_further_version_keeps_what_the_account_has_no_field_for(
    operator: Client, account: ProviderAccount, other: ProviderAccount, version: TemplateVersion
) -> None:
    query = f"?account={other.pk}&template={version.template_id}"
    sent = values_of(operator.get(NEW + query)) | {"hls": [480], "extra": '{"drm": 1}'}
    operator.post(NEW, sent | {"save_template": "version"})
    newest = TemplateVersion.objects.get(is_newest=True)
    assert newest.number == 2
    settings = read_settings(newest)
    assert settings.request.renditions == (Rendition("hls", (480,)),)
    assert settings.extra == {
        "zencoder": {"region": "europe", "upload_token": "canarysecret"},
        "tpstreams": {"drm": 1},
    }
    assert settings.request.destination == DESTINATION


@pytest.mark.parametrize("given", ["0", "x", "theirs"])
def test_a_template_that_is_not_ours_is_not_found(
    operator: Client, account: ProviderAccount, given: str
) -> None:
    theirs = make_template(make_organization("elsewhere"), destination=DESTINATION)
    query = str(theirs.template_id) if given == "theirs" else given
    assert operator.get(f"{NEW}?template={query}").status_code == 404
    pk = theirs.pk if given == "theirs" else given
    sent = values_of(operator.get(NEW)) | {"input": INPUT, "template": pk, "hls": [240]}
    make_template(account.organization)
    response = operator.post(NEW, sent)
    assert response.status_code == 422
    assert "Choose one of the templates listed." in response.content.decode()
    assert not Job.objects.exists()
