"""Every page, fragment, admin page and API response renders every text that can be stored.

The texts are in every free-text column of every model of the mirror, found by introspection, and
the pages are those of the URL configuration: new columns and pages are covered by being there.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, models
from django.test import Client
from django.urls import URLPattern, reverse
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from insights import urls as insights_urls
from jobs import urls
from jobs.models import (
    Batch,
    BulkAction,
    Job,
    JobAction,
    JobErrorGroup,
    JobSecret,
    Mention,
    Note,
    Output,
    Preset,
    ProviderAccount,
    RequestTemplate,
    RetryRule,
    SavedView,
    StoredLocation,
    Submission,
    SubmissionState,
    WebhookDelivery,
)
from organizations.models import ApiToken, Invitation, Membership, Organization, Role, Scope
from providers.core.status import JobStatus
from providers.core.types import OutputKind
from providers.parsing.text import find_hidden
from tests.factories import make_invitation, make_membership, make_organization, make_user
from tests.jobs.factories import (
    NOON,
    make_account,
    make_body,
    make_bulk,
    make_delivery,
    make_event,
    make_job,
    make_location,
    make_note,
    make_output,
    make_preset,
    make_rule,
    make_template,
)
from tests.markup import Printed
from tests.secret_outputs import admin_pages

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.database,  # every page and every call of the API, once on each database
    pytest.mark.ignore_template_errors,
]

# is found again wherever it is printed
MARK = "qzx"
PLANTED = (
    f"{MARK} s3://[bucket]/clip.mp4",
    f"https://[::1/{MARK}.mp4",
    f"http://a／b.example/{MARK}.mp4",
    f"//[{MARK}",
    f"{MARK}\u202egpj.exe\u2066\u200f\u061c",
    f"{MARK}\x01\x1b[31m\x7f\x85\u2028\r\t\n",
    f"{MARK}{'x' * 10_000}",
    f"{MARK}'\"><script>&amp;{{{{ 1 }}}}{{% x %}}",
    f"https://host:99999/{MARK}%00%0a%ff?X-Amz-Date=99999999T999999Z&x-amz-expires=9e99",
    f"{MARK} \\\\host\\share #1 ? .mov",
    f"https://good.example\\@evil.example/{MARK}",
    f"{MARK}\U000e0001e\u0301\ufeff\uffff",
    " ",
)
STORABLE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))

# All pages take seconds for each example: others than ours only for `thorough`.
EXAMPLES = max(settings().max_examples // 50, 1)
PHASES = [Phase.explicit, Phase.generate] if EXAMPLES > 1 else [Phase.explicit]

# Left as they are: what identifies a row in the tests themselves, and a status that a constraint
# closes.
KEPT = {("RowFailure", "template"), ("Job", "stuck_status")}


@pytest.fixture
def organization() -> Organization:
    return make_organization("studio")


@pytest.fixture
def member(organization: Organization) -> Client:
    user = make_user(is_staff=True)
    user.is_superuser = True
    user.save(update_fields=["is_superuser"])
    make_membership(organization, Role.OWNER, user=user)
    make_membership(organization)
    make_invitation(organization)
    ApiToken.issue(organization, "nightly")
    SavedView.objects.create(organization=organization, name="view", query="text")
    make_location(organization, endpoint="text")
    make_location(organization, "other", kind="url", url="text", checked_at=None)
    make_template(organization, "template", destination="text", metadata="text")
    make_rule(organization, "rule", starts_at=NOON)
    old = make_template(organization, "old", extra={"text": "text"}).template
    RequestTemplate.objects.filter(pk=old.pk).update(archived_at=NOON)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def world(organization: Organization) -> None:
    """At least one row of each kind, in each state that a page treats differently."""
    fill(make_account(organization, provider="xvid"), [JobStatus.UNKNOWN])
    failing = make_account(
        organization,
        consecutive_failures=3,
        last_error_class="provider.outage",
        last_error_at=NOON,
        last_error_message="It failed.",
    )
    fill(failing, list(JobStatus))


def fill(account: ProviderAccount, statuses: list[JobStatus]) -> None:
    before = None
    for status in statuses:
        job = make_job(
            account,
            status=status,
            remote_id=None if status == JobStatus.SUBMITTING else str(status),
            batch="batch",
            phase="phase",
            console_url="https://console.example/",
            retry_of=before,
            metadata={"ticket": ["text"]},
            request={"input": "text", "renditions": [], "extra": {"key": "text"}},
            errors=[{"class": "unknown", "code": "text", "message": "text", "origin": "text"}],
        )
        preset = make_preset(account, settings={"codec": ["text"], "description": "text"})
        for kind in OutputKind if before is None else (OutputKind.VIDEO, OutputKind.IMAGE):
            make_output(job, kind=kind, preset=preset, error_class="unknown", secret_url="text")
        make_event(job, message="text")
        make_body(job, {"name": "text", "parts": ["text"]})
        make_delivery(account, remote_id=str(status))
        JobSecret.objects.create(job=job, input_url="text")
        JobAction.objects.create(job=job, kind="cancel", next_at=NOON, note="text")
        if job.batch:
            row = {"url": "text", "name": "text", "outcome": "refused", "reason": "text"}
            job.batch.inputs.get_or_create(position=1, defaults=row)
            Batch.objects.update(note="text", refused=1, total=9)
        bulk = make_bulk(job, account_ids=None, query="text", reason="text", note="text")
        for subject in (job, job.error_group):
            if subject is None:
                continue
            note = make_note(subject, make_user(), "text")
            mentioned = Membership.objects.filter(organization=account.organization)
            Mention.objects.bulk_create(Mention(note=note, membership=one) for one in mentioned)
        bulk.targets.update(outcome="failed", reason="text", new_job=job, settled_at=NOON)
        before = job
        if status == JobStatus.SUBMITTING:
            Submission.objects.create(
                job=job, account=account, organization=account.organization, key=f"key-{job.pk}",
                next_at=NOON, fingerprint="same", request={"input": "text"}, note="text",
                state=SubmissionState.UNCONFIRMED,
            )  # fmt: skip


# Free text: every column of characters without a list of choices, and every text within JSON


def text_fields(model: type[models.Model]) -> list[Any]:
    kinds = models.CharField | models.TextField | models.JSONField
    encrypted = {"secret_url", "input_url"} if model in (Output, JobSecret) else set()
    return [
        field
        for field in model._meta.concrete_fields
        if (isinstance(field, kinds) or field.name in encrypted)
        and not field.choices
        and (model.__name__, field.name) not in KEPT
    ]


def unique_names(model: type[models.Model]) -> set[str]:
    names = {field.name for field in model._meta.concrete_fields if field.unique}
    for constraint in model._meta.constraints:
        if isinstance(constraint, models.UniqueConstraint):
            expressions = getattr(constraint, "expressions", ())
            names |= {*constraint.fields, *(getattr(one, "name", "") for one in expressions)}
    return names


def spell(value: Any, text: str) -> Any:
    """A JSON value with `text` in place of each of its texts, names of parts aside."""
    if isinstance(value, str):
        return text
    if isinstance(value, list):
        return [spell(part, text) for part in value]
    if isinstance(value, dict):
        return {name: spell(part, text) for name, part in value.items()}
    return value


def plant(texts: Sequence[str]) -> None:
    """Write the texts in turn into every column of every row."""
    for model in apps.get_app_config("jobs").get_models():
        unique = unique_names(model)
        for number, row in enumerate(model._default_manager.all()):
            values = {}
            for place, field in enumerate(text_fields(model)):
                text = texts[(place + number) % len(texts)]
                held = getattr(row, field.name)
                if held is None:
                    continue
                if isinstance(field, models.JSONField):
                    values[field.name] = spell(held, text)
                    continue
                ending = f"~{row.pk}" if field.name in unique else ""
                length = (getattr(field, "max_length", None) or 20_000) - len(ending)
                values[field.name] = text[:length] + ending
            if values:
                model._default_manager.filter(pk=row.pk).update(**values)


# Pages: all that the URL configuration has


def pages() -> Iterator[str]:
    for app, space in ((urls, "jobs"), (insights_urls, "insights")):
        for pattern in app.urlpatterns:
            for args in arguments(pattern):
                yield reverse(f"{space}:{pattern.name}", args=args)
    rows = "_".join(f"{pk}.0" for pk in Job.objects.values_list("pk", flat=True))
    yield f"/o/studio/jobs/live/?rows={rows}&since=2020-01-01T00:00:00Z&new=x"
    yield "/o/studio/jobs/?sort=started"
    yield "/o/studio/files/?kind=image&limit=200"
    yield "/o/studio/files/?limit=200"
    yield "/o/studio/stats/?from=2026-03-01&through=2026-03-31"
    for job in Job.objects.all():
        yield f"/o/studio/jobs/{job.pk}/?thumbnails=1"
        yield f"/o/studio/jobs/{job.pk}/?play={job.outputs.order_by('pk').values('pk')[0]['pk']}"
        yield f"/o/studio/jobs/new/?from={job.pk}"
    yield from of_the_admin()


def of_the_admin() -> Iterator[str]:
    """What there is, and a search in each list."""
    for page in admin_pages():
        yield page
        if page.count("/") == 4:
            yield f"{page}?q={MARK}"


def arguments(pattern: URLPattern) -> Iterator[list[Any]]:
    """The values of the variable parts of a page's path, for each row that it is about."""
    route = str(pattern.pattern)
    names = list(pattern.pattern.converters)
    if "secret" in names:
        return
    owners: Any = [None]
    kinds = {
        "membership_pk": Membership,
        "invitation_pk": Invitation,
        "token_pk": ApiToken,
        "view_pk": SavedView,
        "preset_pk": Preset,
        "group_pk": JobErrorGroup,
        "bulk_pk": BulkAction,
        "batch_pk": Batch,
        "template_pk": RequestTemplate,
        "rule_pk": RetryRule,
        "location_pk": StoredLocation,
        "note_pk": Note,
    }
    about = kinds.get(names[-1] if names else "")
    if about is not None:
        yield from (["studio", row.pk] for row in about._default_manager.all())
        return
    if "pk" in names:
        owners = (Job if "jobs/" in route else ProviderAccount).objects.all()
    for owner in owners:
        known = {"org": ["studio"], "pk": [owner and owner.pk]}
        if "output_pk" in names:
            known["output_pk"] = list(owner.outputs.values_list("pk", flat=True))
        if "delivery_pk" in names:
            known["delivery_pk"] = list(owner.deliveries.values_list("pk", flat=True)[:3])
        last = known[names[-1]] if names else [None]
        for value in last:
            yield [*(known[name][0] for name in names[:-1]), value] if names else []


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=PHASES,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(STORABLE, min_size=1, max_size=20))
@example(PLANTED)
def test_every_page_shows_every_text(world: None, member: Client, texts: Sequence[str]) -> None:
    plant(texts)
    assert [problem for path in pages() for problem in find_problems(member, path)] == []


def find_problems(client: Client, path: str) -> Iterator[str]:
    """What is wrong with the page, and with the part of it that htmx asks for."""
    # what a part is made of is read for the page, too: it does not depend on the database
    has_part = not path.startswith("/admin/") and connection.vendor == "sqlite"
    for headers in ({}, {"HX-Request": "true"})[: 2 if has_part else 1]:
        response = client.get(path, headers=headers)
        if response.status_code >= 500 and response.status_code != 503:
            yield f"{path}: {response.status_code}"
        if not response.headers["Content-Type"].startswith("text/html"):
            continue
        printed = Printed(response.content.decode())
        if "cannot be shown" in " ".join(printed.shown):
            yield f"{path}: a row cannot be rendered"
        yield from (f"{path}: {text[:90]!r}" for text in printed.shown if find_hidden(text))
        if not path.startswith("/admin/"):
            yield from (
                f"{path}: not isolated: {text[:90]!r}" for text in printed.bare if MARK in text
            )


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=PHASES,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(STORABLE, min_size=1, max_size=20))
@example(PLANTED)
@example(PLANTED[::-1])
def test_every_api_response_holds_every_text_as_it_is_stored(
    world: None, organization: Organization, texts: Sequence[str]
) -> None:
    plant(texts)
    token = ApiToken.issue(organization, "token", Scope.OPERATE)[1]
    client = Client(headers={"authorization": f"Bearer {token}"})

    def read(path: str) -> Any:
        response = client.get(f"/api/v1/{path}")
        assert response.status_code == 200, (path, response.content[:300])
        return response.json()

    listed = {job["id"]: job for job in read("jobs")["results"]}
    for job in Job.objects.all():
        for shape in (listed[str(job.pk)], read(f"jobs/{job.pk}")):
            assert shape["name"] == (job.name or None)
            assert shape["remote_id"] == job.remote_id
            assert shape["input"]["url"] == (job.input_url or None)
            assert shape["metadata"] == job.metadata
        read(f"jobs/{job.pk}/raw")
    files = {file["id"]: file for file in read("files?limit=200&kind=image&kind=video")["results"]}
    for output in Output.objects.filter(kind__in=["image", "video"]):
        assert files[str(output.pk)]["url"] == (output.url or None)
    read("presets")
    for account in read("accounts")["results"]:
        read(f"accounts/{account['id']}")
    assert WebhookDelivery.objects.exists()
