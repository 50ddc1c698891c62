"""Two accounts of one provider, with the same ids at the provider, in two organizations.

Every page and every call of the API is asked for, as the URLconf lists them: a new one is covered
at once, or fails here because its argument is not known.
"""

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, reverse

from insights.urls import urlpatterns as insights_urlpatterns
from jobs.api.router import api
from jobs.models import (
    Batch,
    BatchInput,
    BulkAction,
    BulkTarget,
    Job,
    JobBody,
    JobEvent,
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
    TemplateVersion,
    WebhookDelivery,
)
from jobs.urls import urlpatterns
from jobs.webhooks.handler import handle_delivery
from organizations.models import (
    ApiToken,
    AuditEntry,
    Invitation,
    Membership,
    Organization,
    Role,
    Scope,
    User,
)
from providers.core import registry
from providers.core.types import Capability
from tests.factories import make_invitation, make_membership, make_organization, make_user
from tests.jobs.factories import (
    make_account,
    make_batch,
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
from tests.jobs.fake_zencoder import FakeZencoder, serve

pytestmark = pytest.mark.django_db

REMOTE_ID = "881200"
PATTERNS = {
    **{str(pattern.name): pattern for pattern in urlpatterns},
    **{f"insights:{pattern.name}": pattern for pattern in insights_urlpatterns},
}
HAS_WEBHOOKS = [
    provider.slug for provider in registry.all_providers() if provider.supports(Capability.WEBHOOK)
]


@dataclass(frozen=True, slots=True)
class Tenant:
    """One organization with a row of each kind. `mark` is in every text of it that is shown."""

    mark: str
    organization: Organization
    owner: User
    account: ProviderAccount
    job: Job
    failed: Job
    output: Output
    preset: Preset
    delivery: WebhookDelivery
    member: Membership
    invitation: Invitation
    token: ApiToken
    view: SavedView
    bulk: BulkAction
    template: RequestTemplate
    rule: RetryRule
    batch: Batch
    location: StoredLocation
    note: Note

    def value(self, route: str, argument: str) -> Any:
        """The value of an argument of a route. KeyError: a new kind of page, to be added."""
        owner = self.account if "accounts/" in route else self.job
        return {
            "org": self.organization.slug,
            "pk": owner.pk,
            "output_pk": self.output.pk,
            "delivery_pk": self.delivery.pk,
            "membership_pk": self.member.pk,
            "invitation_pk": self.invitation.pk,
            "token_pk": self.token.pk,
            "view_pk": self.view.pk,
            "bulk_pk": self.bulk.pk,
            "bulk_id": self.bulk.pk,
            "template_pk": self.template.pk,
            "rule_pk": self.rule.pk,
            "location_pk": self.location.pk,
            "batch_pk": self.batch.pk,
            "batch_id": self.batch.pk,
            "note_pk": self.note.pk,
            "group_pk": self.failed.error_group_id,
            "preset_pk": self.preset.pk,
            "job_id": self.job.pk,
            "output_id": self.output.pk,
            "file_id": self.output.pk,
            "preset_id": self.preset.pk,
            "group_id": self.failed.error_group_id,
            "account_id": self.account.pk,
            "provider": self.account.provider,
            "secret": self.account.hook_secret,
        }[argument]

    def rows(self) -> dict[str, list[dict[str, Any]]]:
        """All that is stored of it."""
        account = self.account
        found = {
            "accounts": ProviderAccount.objects.filter(pk=account.pk),
            "jobs": Job.objects.filter(account=account),
            "outputs": Output.objects.filter(job__account=account),
            "presets": Preset.objects.filter(account=account),
            "deliveries": WebhookDelivery.objects.filter(account=account),
            "events": JobEvent.objects.filter(job__account=account),
            "submissions": Submission.objects.filter(job__account=account),
            "bodies": JobBody.objects.filter(job__account=account),
            "members": Membership.objects.filter(organization=self.organization),
            "invitations": Invitation.objects.filter(organization=self.organization),
            "tokens": ApiToken.objects.filter(pk=self.token.pk),
            "bulk actions": BulkAction.objects.filter(pk=self.bulk.pk),
            "bulk targets": BulkTarget.objects.filter(bulk=self.bulk),
            "templates": RequestTemplate.objects.filter(pk=self.template.pk),
            "rules": RetryRule.objects.filter(pk=self.rule.pk),
            "locations": StoredLocation.objects.filter(pk=self.location.pk),
            "notes": Note.objects.filter(job__account=account),
            "mentions": Mention.objects.filter(note__job__account=account),
            "versions": TemplateVersion.objects.filter(template=self.template),
            "batches": Batch.objects.filter(pk=self.batch.pk),
            "batch inputs": BatchInput.objects.filter(batch=self.batch),
        }
        return {name: list(rows.order_by("pk").values()) for name, rows in found.items()}


def make_tenant(slug: str, mark: str, provider: str = "zencoder") -> Tenant:
    return fill(make_organization(slug, name=f"Studio {mark}"), "Main", mark, provider)


def fill(organization: Organization, name: str, mark: str, provider: str = "zencoder") -> Tenant:
    """An account of `organization` with a row of each kind."""
    account = make_account(
        organization, name=name, provider=provider, options={"requests_per_minute": "100000"}
    )
    preset = make_preset(account, remote_id="p-1", name=f"preset {mark}")
    reported = {"name": f"reel-{mark}.mov", "input_url": f"https://in.example.com/{mark}.mov"}
    job = make_job(account, remote_id=REMOTE_ID, **reported, metadata={"desk": mark})
    failed = make_job(
        account,
        remote_id="881201",
        status="failed",
        **reported,
        error_message=f"{mark} was not found.",
    )
    make_body(job, {"id": REMOTE_ID, "note": mark})
    make_event(job, message=f"seen by {mark}")
    output = make_output(
        job,
        remote_id="5512",
        label=f"web {mark}",
        url=f"https://cdn.example.com/{mark}.mp4",
        preset=preset,
    )
    batch = make_batch(account, name=f"batch {mark}", refused=1, total=2)
    batch.inputs.create(
        position=1, url=f"s3://in/{mark}.mov", name=mark, outcome="refused", reason=f"{mark} is odd"
    )
    Job.objects.filter(pk=failed.pk).update(batch=batch)
    delivery = make_delivery(account, remote_id=REMOTE_ID, body=f'{{"note": "{mark}"}}')
    owner = make_membership(organization, Role.OWNER).user
    AuditEntry.record(organization, "job.watched", mark, reason=mark)
    member = make_membership(organization, user=make_user(f"{mark}@desk.example", name=mark))
    invitation = make_invitation(organization, f"{mark}@guest.example")
    assert failed.error_group is not None
    make_note(failed.error_group, owner, mark)
    return Tenant(
        mark,
        organization,
        owner,
        account,
        job,
        failed,
        output,
        preset,
        delivery,
        member,
        invitation,
        ApiToken.issue(organization, f"token {mark}")[0],
        SavedView.objects.create(organization=organization, name=f"view {mark}", query=mark),
        make_bulk(failed, query=mark, reason=mark),
        _template(organization, mark),
        RetryRule.objects.filter(organization=organization).first()
        or make_rule(organization, f"rule {mark}"),
        batch,
        make_location(organization, f"location-{mark}", prefix=mark),
        make_note(job, owner, f"{mark}, see @{mark}@desk.example"),
    )


def _template(organization: Organization, mark: str) -> RequestTemplate:
    """One of the organization: its accounts share it."""
    found = RequestTemplate.objects.for_organization(organization).first()
    return found or make_template(organization, f"template {mark}", metadata=mark).template


@pytest.fixture(scope="module")
def tenants(kept_rows: None) -> tuple[Tenant, Tenant]:
    return make_tenant("harbour", "quaysidemark"), make_tenant("elsewhere", "moorlandmark")


@pytest.fixture
def ours(tenants: tuple[Tenant, Tenant]) -> Tenant:
    return deepcopy(tenants[0])


@pytest.fixture
def theirs(tenants: tuple[Tenant, Tenant]) -> Tenant:
    return deepcopy(tenants[1])


@pytest.fixture
def member(ours: Tenant, theirs: Tenant) -> Client:
    client = Client()
    client.force_login(ours.owner)
    return client


def arguments_of(pattern: URLPattern) -> list[str]:
    return list(pattern.pattern.converters)


def link(name: str, values: dict[str, Any]) -> str:
    path = reverse(name if ":" in name else f"jobs:{name}", kwargs=values)
    return f"{path}?provider=zencoder" if name == "account_new" else path


def links(name: str, ours: Tenant, theirs: Tenant) -> Iterator[tuple[str, bool]]:
    """Each mixture of our and their objects, and whether all of it is ours."""
    pattern = PATTERNS[name]
    route, arguments = str(pattern.pattern), arguments_of(pattern)
    for owners in product((ours, theirs), repeat=len(arguments)):
        values = {
            argument: owner.value(route, argument)
            for argument, owner in zip(arguments, owners, strict=True)
        }
        yield link(name, values), theirs not in owners


def text_of(response: HttpResponseBase) -> str:
    """Body, headers and all that the templates were given."""
    content = b"".join(response) if response.streaming else response.content  # type: ignore[attr-defined]
    return content.decode() + str(dict(response.headers))


@pytest.mark.parametrize("name", sorted(set(PATTERNS) - {"webhook"}))
def test_a_page_shows_ours_and_nothing_of_theirs(
    ours: Tenant, theirs: Tenant, member: Client, name: str
) -> None:
    before = theirs.rows()
    for path, is_ours in links(name, ours, theirs):
        statuses = set()
        for send in (member.get, member.post):
            response = send(path)
            statuses.add(response.status_code)
            assert theirs.mark not in text_of(response), path
            assert str(theirs.owner) not in text_of(response), path
        if is_ours:
            assert statuses & {200, 204, 302, 409, 422}, path
            assert 404 not in statuses, path
        else:
            assert statuses <= {404, 405}, path
            assert 404 in statuses, path
    assert theirs.rows() == before


SHOWS_JOBS = ("list", "files", "presets", "live")


@pytest.mark.parametrize("name", SHOWS_JOBS)
def test_what_the_two_share_finds_ours_alone(
    ours: Tenant, theirs: Tenant, member: Client, name: str
) -> None:
    foreign = [
        *(f"q={REMOTE_ID}", f"q={theirs.job.pk}", f"q={theirs.mark}", "account=Main", "q=reel"),
        *(f"account={theirs.account.pk}", f"preset={theirs.preset.pk}", "provider=zencoder"),
        *("status=failed", f"preset={ours.preset.pk}&preset={theirs.preset.pk}"),
        f"rows={theirs.job.pk}.99,{ours.job.pk}.99&since=2020-01-01T00:00:00Z&new=7&health=x",
    ]
    path = reverse(f"jobs:{name}", args=[ours.organization.slug])
    for query in foreign:
        response = member.get(f"{path}?{query}")
        shown = (
            text_of(response).replace(f"q={theirs.mark}", "").replace(f'value="{theirs.mark}"', "")
        )
        # a search for words of theirs repeats the words, and finds no row that has them
        assert f"reel-{theirs.mark}" not in shown, query
        assert f"preset {theirs.mark}" not in shown, query
        assert f"web {theirs.mark}" not in shown, query
        assert f"/jobs/{theirs.job.pk}/" not in shown, query


def test_the_search_box_leads_to_ours(ours: Tenant, theirs: Tenant, member: Client) -> None:
    path = reverse("jobs:search", args=[ours.organization.slug])
    found = member.get(path, {"q": REMOTE_ID})
    detail = reverse("jobs:detail", args=[ours.organization.slug, ours.job.pk])
    assert found["Location"] == detail
    for text in (theirs.job.pk, f"#{theirs.job.pk}"):
        assert (
            reverse("jobs:list", args=[ours.organization.slug])
            in member.get(path, {"q": text})["Location"]
        )


# The API


def calls() -> list[tuple[str, str]]:
    """Each path and method of the API, as its own document lists them."""
    paths: dict[str, dict[str, Any]] = api.get_openapi_schema()["paths"]
    return sorted((path, method) for path, methods in paths.items() for method in methods)


BODIES = {
    "integration": '{"enabled": true}',
    "mute": '{"reason": "Known"}',
    "assign": '{"assignee": null}',
    "notes": '{"text": "Seen"}',
}


def call(client: Client, method: str, path: str, token: str, body: Any = None) -> HttpResponseBase:
    return client.generic(
        method.upper(),
        path,
        body or "{}",
        content_type="application/json",
        headers={"Authorization": f"Bearer {token}"},
    )


# What is not ours is of another organization, or of another account of the same one, which the
# token may not use.
@pytest.fixture(params=["organization", "account"])
def hidden(request: pytest.FixtureRequest, ours: Tenant, theirs: Tenant) -> Tenant:
    if request.param == "organization":
        return theirs
    return fill(ours.organization, "Second", "heathlandmark")


@pytest.fixture
def token(ours: Tenant, hidden: Tenant) -> str:
    is_restricted = hidden.organization == ours.organization
    account_ids = [ours.account.pk] if is_restricted else None
    issued = ApiToken.issue(ours.organization, "isolation", Scope.MANAGE, account_ids=account_ids)
    return issued[1]


@pytest.mark.parametrize(("path", "method"), calls())
def test_a_call_answers_with_ours_and_nothing_hidden(
    ours: Tenant, hidden: Tenant, token: str, path: str, method: str
) -> None:
    client = Client()
    before = hidden.rows()
    names = re.findall(r"{(\w+)}", path)
    for owner in (ours, hidden) if names else (ours,):
        filled = path.format(**{name: owner.value(path, name) for name in names})
        # a body that lacks something is refused before its row is looked for
        response = call(client, method, filled, token, BODIES.get(path.split("/")[-1]))
        assert hidden.mark not in text_of(response)
        assert "Second" not in text_of(response)
        if owner is hidden:
            assert response.status_code == 404
        elif method == "get":
            assert response.status_code == 200
            # accounts, tokens and figures have no text of their own
            wordless = {"accounts", "me", "stats", "results"}
            assert ours.mark in text_of(response) or wordless & {*path.split("/")}
        else:
            assert response.status_code in (200, 201, 202, 409, 422, 503)
    assert hidden.rows() == before


@pytest.mark.parametrize(
    "path", [path for path, method in calls() if (method, "{" in path) == ("get", False)]
)
def test_a_list_of_the_api_cannot_be_asked_for_what_is_hidden(
    ours: Tenant, hidden: Tenant, token: str, path: str
) -> None:
    for query in (
        *(f"account={hidden.account.pk}", f"preset={hidden.preset.pk}", "account=Main"),
        *(f"q={REMOTE_ID}", f"q={hidden.job.pk}", f"q={hidden.mark}", "provider=zencoder"),
        *(f"job={hidden.job.pk}", f"organization={hidden.organization.slug}"),
    ):
        response = call(Client(), "get", f"{path}?{query}", token)
        assert response.status_code in (200, 422)
        assert hidden.mark not in text_of(response), query


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/api/v1/jobs", {"input": "https://in.example.com/a.mov", "extra": {"outputs": []}}),
        ("/api/v1/jobs/watch", {"remote_id": "881299"}),
    ],
)
def test_nothing_is_sent_to_a_hidden_account(
    ours: Tenant, hidden: Tenant, token: str, path: str, fields: dict[str, Any]
) -> None:
    before = hidden.rows()
    for account in (str(hidden.account.pk), "0"):
        response = call(Client(), "post", path, token, json.dumps({"account": account, **fields}))
        assert response.status_code == 422
        assert "No account has this id or name." in text_of(response)
    assert hidden.rows() == before


# Webhooks


@pytest.fixture
def zencoder() -> Iterator[FakeZencoder]:
    yield from serve(FakeZencoder(key="key-of-Main"))


def test_a_delivery_moves_the_job_of_its_own_account_alone(
    ours: Tenant, theirs: Tenant, zencoder: FakeZencoder
) -> None:
    zencoder.add(int(REMOTE_ID), "processing")
    Job.objects.filter(remote_id=REMOTE_ID).update(status="queued", finished_at=None)
    before = theirs.rows()
    body = f'{{"job": {{"id": {REMOTE_ID}, "state": "processing"}}}}'
    path = reverse("jobs:webhook", args=["zencoder", ours.account.pk, ours.account.hook_secret])
    assert Client().post(path, body, content_type="application/json").status_code == 200
    handle_delivery(WebhookDelivery.objects.latest("pk").pk)
    ours.job.refresh_from_db()
    assert ours.job.status == "running"
    assert theirs.rows() == before


@pytest.mark.parametrize("slug", HAS_WEBHOOKS)
def test_a_hook_opens_with_the_secret_of_its_own_account_alone(slug: str) -> None:
    ours, theirs = make_tenant("one", "onemark", slug), make_tenant("two", "twomark", slug)
    before = theirs.rows()
    others = [other for other, _ in registry.choices() if other != slug]
    mixtures = [
        (slug, theirs.account.pk, ours.account.hook_secret),
        (slug, ours.account.pk, theirs.account.hook_secret),
        *((other, theirs.account.pk, theirs.account.hook_secret) for other in others),
        (slug, theirs.account.pk + 1000, theirs.account.hook_secret),
        (slug, theirs.account.pk, ""),
    ]
    for provider, account_id, secret in mixtures:
        path = f"/hooks/{provider}/{account_id}/{secret}/"
        response = Client().post(path, "{}", content_type="application/json")
        assert response.status_code in (400, 404), path
    assert theirs.rows() == before
    assert WebhookDelivery.objects.filter(account=ours.account).count() == 1


def test_every_kind_of_argument_is_known(ours: Tenant) -> None:
    for pattern in PATTERNS.values():
        for argument in arguments_of(pattern):
            assert ours.value(str(pattern.pattern), argument)
