"""Templates: immutable versions, requests made from them, and no secret in the clear."""

from dataclasses import replace
from typing import Any

import pytest

from jobs.actions.resubmission import request_resubmit
from jobs.models import Batch, Job, ProviderAccount, RequestTemplate, TemplateVersion
from jobs.submission.service import submit
from jobs.submission.templates.service import (
    NAME_TAKEN,
    TemplateRefused,
    archive_template,
    change_template,
    create_template,
    delete_template,
    find_template,
    restore_template,
    set_default_template,
)
from jobs.submission.templates.settings import (
    TemplateSettings,
    read_settings,
    request_from,
    settings_of,
)
from jobs.submission.validation import SubmissionRefused
from organizations.models import AuditEntry, Organization, User
from providers.core.types import JobRequest, Rendition, Thumbnails
from tests.factories import make_organization, make_user
from tests.jobs.factories import make_account, make_batch

pytestmark = pytest.mark.django_db

INPUT = "https://rushes.example/harbour.mov"
REQUEST = JobRequest(
    input="",
    destination="s3://AKIAABCDEFGHIJKL:canary1secret@site/harbour/",
    renditions=(Rendition("mp4", (240, 360)), Rendition("hls", (240,))),
    thumbnails=Thumbnails(count=3),
    metadata={"reel": 12},
    extra={"region": "europe", "upload_token": "canary2secret"},
)


@pytest.fixture
def user() -> User:
    return make_user()


@pytest.fixture
def version(organization: Organization, user: User) -> TemplateVersion:
    return create_template(organization, "Episodes", settings_of(REQUEST, "zencoder"), user)


def save(version: TemplateVersion, user: User, **changed: Any) -> TemplateVersion:
    settings = settings_of(replace(REQUEST, **changed), "zencoder")
    return change_template(version.template, "Episodes", settings, user)


def test_a_request_takes_the_settings_and_each_given_field_replaces_one(
    version: TemplateVersion, account: ProviderAccount
) -> None:
    assert request_from(version, account, {"input": INPUT}) == replace(REQUEST, input=INPUT)
    overrides = {
        "input": INPUT,
        "metadata": None,
        "renditions": (Rendition("mp4", (720,)),),
        "extra": {"region": "us", "speed": 2},
    }
    made = request_from(version, account, overrides)
    assert (made.destination, made.metadata) == (REQUEST.destination, None)
    assert made.renditions == (Rendition("mp4", (720,)),)
    assert made.extra == {"region": "us", "upload_token": "canary2secret", "speed": 2}


def test_extra_settings_are_for_one_provider(
    version: TemplateVersion, organization: Organization, user: User
) -> None:
    other = make_account(organization, provider="videosdk", base_url="https://api.videosdk.live/v1")
    assert request_from(version, other, {"input": INPUT}).extra == {}
    own = replace(REQUEST, extra={"quality": 5})
    both = settings_of(own, "videosdk", read_settings(version))
    changed = change_template(version.template, "Episodes", both, user)
    assert request_from(changed, other, {"input": INPUT}).extra == {"quality": 5}
    assert read_settings(changed).extra["zencoder"] == REQUEST.extra


def test_saving_makes_a_version_and_changes_no_other(
    version: TemplateVersion, organization: Organization, account: ProviderAccount, user: User
) -> None:
    again = save(version, user)
    assert again == version
    second = save(version, user, metadata="other")
    assert (second.number, second.is_newest) == (2, True)
    first = TemplateVersion.objects.get(pk=version.pk)
    assert (first.number, first.is_newest) == (1, False)
    assert request_from(first, account, {"input": INPUT}).metadata == {"reel": 12}
    assert find_template(organization, "Episodes") == second
    [entry] = AuditEntry.objects.filter(action="template.changed")
    assert entry.before == {"version": 1, "metadata": {"reel": 12}}
    assert entry.after == {"version": 2, "metadata": "other"}


def test_a_change_of_a_secret_alone_is_a_version_too(version: TemplateVersion, user: User) -> None:
    other = "s3://AKIAABCDEFGHIJKL:canary3secret@site/harbour/"
    second = save(version, user, destination=other)
    assert (second.number, second.shown) == (2, version.shown)
    assert read_settings(second).request.destination == other


def test_of_two_who_change_one_version_the_second_is_refused(
    version: TemplateVersion, user: User
) -> None:
    save(version, user, metadata="first")
    settings = settings_of(replace(REQUEST, metadata="second"), "zencoder")
    with pytest.raises(TemplateRefused, match="Version 2 was saved meanwhile"):
        change_template(version.template, "Episodes", settings, user, based_on=1)
    assert version.template.versions.count() == 2


def test_no_secret_is_stored_in_the_clear(version: TemplateVersion, user: User) -> None:
    save(version, user, metadata="x")
    rows = [*TemplateVersion.objects.values("shown"), *AuditEntry.objects.values()]
    text = str(rows)
    assert "canary" not in text
    assert "REDACTED" in text
    assert "canary" not in str(version.__dict__["shown"])


def test_a_redacted_value_is_not_saved(organization: Organization, user: User) -> None:
    settings = settings_of(replace(REQUEST, metadata={"token": "REDACTED"}), "zencoder")
    with pytest.raises(TemplateRefused) as raised:
        create_template(organization, "Episodes", settings, user)
    assert raised.value.field == "metadata"
    assert not RequestTemplate.objects.exists()


def test_a_job_knows_its_version_and_so_does_its_retry(
    version: TemplateVersion, account: ProviderAccount, user: User
) -> None:
    job = submit(
        organization=account.organization,
        account=account,
        request=request_from(version, account, {"input": INPUT}),
        template_version=version,
    ).job
    save(version, user, metadata="later")
    Job.objects.filter(pk=job.pk).update(status="failed", error_class="input.not_found")
    retry = request_resubmit(Job.objects.get(pk=job.pk), user=user).job
    assert retry.pk != job.pk
    assert retry.template_version == version == Job.objects.get(pk=job.pk).template_version


def test_an_archived_template_makes_no_request_and_frees_its_name(
    version: TemplateVersion, organization: Organization, account: ProviderAccount, user: User
) -> None:
    set_default_template(account, version.template, user)
    archive_template(version.template, user)
    version.refresh_from_db()
    account.refresh_from_db()
    assert account.default_template is None
    assert find_template(organization, "Episodes") is None
    with pytest.raises(SubmissionRefused, match="archived"):
        request_from(version, account, {"input": INPUT})
    with pytest.raises(TemplateRefused):
        set_default_template(account, version.template, user)
    other = create_template(organization, "Episodes", TemplateSettings(), user)
    with pytest.raises(TemplateRefused, match=NAME_TAKEN):
        restore_template(version.template, user)
    archive_template(other.template, user)
    restore_template(version.template, user)
    assert find_template(organization, "Episodes") == version


def test_only_an_archived_template_that_no_job_used_is_deleted(
    version: TemplateVersion, organization: Organization, account: ProviderAccount, user: User
) -> None:
    with pytest.raises(TemplateRefused, match="Archive the template first"):
        delete_template(version.template, user)
    archive_template(version.template, user)
    job = Job.objects.create(
        organization=organization, account=account, status="failed", template_version=version,
        first_seen_at=account.created_at, changed_at=account.created_at, sort_at=account.created_at,
    )  # fmt: skip
    with pytest.raises(TemplateRefused, match="stays archived"):
        delete_template(version.template, user)
    job.delete()
    batch = make_batch(account, template_version=version, state="stopped", total=1)
    with pytest.raises(TemplateRefused, match="stays archived"):
        delete_template(version.template, user)
    Batch.objects.filter(pk=batch.pk).update(state="sent")
    delete_template(version.template, user)
    assert not RequestTemplate.objects.exists()
    actions = list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))
    assert actions == ["template.created", "template.archived", "template.deleted"]


def test_two_templates_have_two_names_and_organizations_are_apart(
    version: TemplateVersion, organization: Organization, user: User
) -> None:
    with pytest.raises(TemplateRefused, match=NAME_TAKEN):
        create_template(organization, "Episodes", TemplateSettings(), user)
    other = make_organization()
    theirs = create_template(other, "Episodes", TemplateSettings(), user)
    assert find_template(organization, "Episodes") == version
    assert find_template(organization, str(version.template_id)) == version
    assert find_template(organization, str(theirs.template_id)) is None
    assert find_template(organization, "Epi\x00sodes") is None


def test_a_default_is_chosen_for_each_account(
    version: TemplateVersion, account: ProviderAccount, user: User
) -> None:
    set_default_template(account, version.template, user)
    account = ProviderAccount.objects.get()
    assert account.default_template == version.template
    set_default_template(account, None, user)
    assert not ProviderAccount.objects.exclude(default_template=None)
    [first, second] = AuditEntry.objects.filter(action="account.changed").order_by("pk")
    assert (first.before, first.after) == (
        {"default_template": ""},
        {"default_template": "Episodes"},
    )
    assert second.after == {"default_template": ""}


def test_a_template_whose_key_is_lost_makes_no_request(
    version: TemplateVersion, account: ProviderAccount, settings: Any
) -> None:
    settings.CREDENTIALS_KEYS = ["another-key-that-opens-none-of-what-is-stored"]
    stored = TemplateVersion.objects.get(pk=version.pk)
    with pytest.raises(SubmissionRefused, match="CREDENTIALS_KEYS"):
        request_from(stored, account, {"input": INPUT})
