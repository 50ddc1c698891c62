"""For each provider: no credential, no token made of one, and no secret of its bodies is shown.

The provider also fails, and refuses, with all that it was sent in the message of its error.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib import import_module
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from insights.urls import urlpatterns as insights_urlpatterns
from jobs.accounts.webhook_urls import webhook_url
from jobs.actions.cancellation import request_cancel
from jobs.actions.offers import ActionRefused
from jobs.actions.worker import run_action
from jobs.batches.lines import Line
from jobs.batches.service import NewBatch
from jobs.batches.service import create as create_batch
from jobs.models import (
    Batch,
    BulkAction,
    Job,
    JobErrorGroup,
    Note,
    Preset,
    ProviderAccount,
    RequestTemplate,
    RetryRule,
    SavedView,
    StoredLocation,
    TemplateVersion,
    WebhookDelivery,
)
from jobs.query.visibility import Visibility
from jobs.storage.service import save_location
from jobs.submission.templates.service import (
    change_template,
    create_template,
    set_default_template,
)
from jobs.submission.templates.settings import settings_of
from jobs.submission.worker import run_submission
from jobs.urls import urlpatterns
from jobs.webhooks.handler import handle_delivery
from organizations.models import ApiToken, Invitation, Membership, Organization, Role, Scope
from providers.core import registry
from providers.core.types import Capability, JobRequest
from providers.http.tokens import TOKENS
from tests.acceptance.documented.server import Answer, Documented, Request, Running, serve
from tests.factories import make_membership, make_organization, make_user
from tests.jobs.factories import make_location
from tests.secret_outputs import admin_pages, leaks, stored_rows, whole_log

pytestmark = pytest.mark.django_db

# `eyJhbGci` begins every JSON web token, such as those that Video SDK is sent; less of it would
# be in some encrypted value by chance
SECRETS = ("s3cr3t", "S3CR3T", "eyJhbGci")
SOURCE = "https://desk:s3cr3t@in.example.com/reels/a.mov?token=s3cr3t&sig=s3cr3t"
STORE = "s3://reels/out/?access_key=AKs3cr3t&secret_key=s3cr3t/K+9z=&region=eu-central-1"
EXTRAS: dict[str, dict[str, object]] = {
    "zencoder": {"notifications": ["https://u:s3cr3t@example.net/hook"], "credentials": "s3cr3t"},
    "videosdk": {"webhookUrl": "https://example.net/hook?token=s3cr3t"},
    "tpstreams": {},
    "xvid": {
        "presets": ["69f8000000000000000000a1"],
        "autograph": {"access_token": "s3cr3t", "signing_key": "s3cr3t"},
    },
}
OPTIONS = {"xvid": {"pipeline_id": "69f80000000000000000041"}}
# what leads a member to the file, secret and all
LEADS_AWAY = {"input_open", "output_open"}


@pytest.fixture(params=[slug for slug, _ in registry.choices()])
def documented(request: pytest.FixtureRequest) -> Documented:
    found: Documented = import_module(f"tests.acceptance.documented.{request.param}").DOCUMENTED
    return found


@pytest.fixture
def provider(documented: Documented) -> Iterator[Running]:
    TOKENS.clear()
    with serve(documented) as running:
        yield running


@pytest.fixture
def organization() -> Organization:
    return make_organization("studio")


@pytest.fixture
def account(
    documented: Documented, provider: Running, organization: Organization
) -> ProviderAccount:
    options = {**documented.options, **OPTIONS.get(documented.slug, {})}
    credentials = dict(documented.credentials)
    if registry.get(documented.slug).supports(Capability.WEBHOOK_SECRET):
        credentials["webhook_secret"] = "s3cr3t-of-the-webhook"
    call_command(
        "add_account",
        *("--organization", "studio", "--provider", documented.slug, "--name", "Main"),
        *("--base-url", provider.base_url),
        *(f"--credential={name}={value}" for name, value in credentials.items()),
        *(f"--option={name}={value}" for name, value in options.items()),
        "--option=requests_per_minute=100000",
        stdout=StringIO(),
    )
    account = ProviderAccount.objects.get(name="Main")
    account.hook_secret = "s3cr3t-of-our-own-hook"
    account.save(update_fields=["hook_secret"])
    return account


def echo(status: int) -> Callable[[Request], Answer]:
    """An error that repeats the request, in every field that a provider is known to use."""

    def answer(request: Request) -> Answer:
        sent = f"{dict(request.headers)} {request.path} {dict(request.query)} {request.body}"
        return status, {
            "errors": [sent],
            "message": sent,
            "detail": sent,
            "error": {"error_code": "0x0009999", "error_message": sent},
        }

    return answer


def submit(account: ProviderAccount, token: str, number: int) -> str:
    """Submit by the API; what it answered. The job is sent at once."""
    supported = registry.get(account.provider)
    sent = {
        "account": "Main",
        "input": f"{SOURCE}&n={number}",
        "renditions": [{"packaging": "mp4", "heights": [360]}],
        "metadata": {"api_key": "s3cr3t", "desk": "news"},
        "extra": EXTRAS[account.provider],
    }
    if account.provider in ("zencoder", "tpstreams"):
        sent["destination"] = STORE if number % 2 else "bucket/out/"
    if number == 2:
        sent["input"] = "bucket/reels/a.mov"
    response = Client().post(
        "/api/v1/jobs",
        json.dumps(sent),
        content_type="application/json",
        headers={"Authorization": f"Bearer {token}"},
    )
    text = response.getvalue().decode()
    assert response.status_code == 201, (supported.label, text)
    run_submission(int(json.loads(text)["id"]))
    return text


def deliver(account: ProviderAccount) -> None:
    """Two deliveries with secrets in body and headers, the second one not authentic."""
    header = registry.get(account.provider).webhook_secret_header or "X-Nothing"
    path = reverse("jobs:webhook", args=[account.provider, account.pk, account.hook_secret])
    remote_id = Job.objects.filter(account=account, remote_id__isnull=False).latest("pk").remote_id
    body = {
        "job": {"id": remote_id, "state": "finished", "url": SOURCE},
        "id": remote_id,
        "jobId": remote_id,
        "input_url": SOURCE,
        "output_path": STORE,
        "resolutions": ["240p"],
        "status": "completed",
        "api_key": "s3cr3t",
        "hook": webhook_url(account),
    }
    for secret in ("s3cr3t-of-the-webhook", "s3cr3t-that-is-wrong"):
        Client().post(
            path,
            json.dumps(body),
            content_type="application/json",
            headers={header: secret, "Authorization": "Bearer s3cr3t", "Cookie": "a=s3cr3t"},
        )
    for delivery in WebhookDelivery.objects.all():
        handle_delivery(delivery.pk)


def work(account: ProviderAccount, provider: Running) -> dict[str, str]:
    """All that can be done with an account, going well and going wrong; what commands said."""
    token = ApiToken.issue(account.organization, "works", Scope.OPERATE)[1]
    said = {}

    def sync(what: str) -> None:
        out, err = StringIO(), StringIO()
        try:
            call_command("sync", "--json", "--full", stdout=out, stderr=err)
        except CommandError as error:
            err.write(str(error))
        said[f"sync {what}"] = out.getvalue() + err.getvalue()

    sync("that goes well")
    keep_template(account)
    keep_locations(account)
    keep_batch(account)
    for number, status in enumerate((422, 400, 403, 503)):
        provider.instead = echo(status)
        said[f"submission refused with {status}"] = submit(account, token, number)
        provider.instead = None
    provider.instead = echo(409)
    running = Job.objects.filter(status="queued", remote_id__isnull=False).latest("pk")
    with suppress(ActionRefused):
        run_action(request_cancel(running).pk)
    deliver(account)
    provider.instead = echo(500)
    sync("of a provider that is down")
    deliver(account)
    provider.instead = echo(401)
    sync("of a provider that refuses")
    provider.instead = None
    return said


def keep_locations(account: ProviderAccount) -> None:
    """A bucket and a server, each with a secret."""
    bucket = {"key_id": "AKs3cr3tS3CR3T000000", "secret": "s3cr3t/K+9z="}
    make_location(account.organization, "bucket", credentials=bucket)
    server = StoredLocation(
        organization=account.organization, name="server", kind="url", is_source=True
    )
    save_location(server, {"url": "sftp://desk:s3cr3t@in.example.com/reels/"}, make_user())


def keep_template(account: ProviderAccount) -> None:
    """Two versions of a template with a secret wherever there is room for one."""
    user, names = make_user(), ("Episodes", "Films")
    template = None
    for name in names:
        request = JobRequest(
            input="",
            destination=STORE,
            metadata={"api_key": f"s3cr3t {name}"},
            extra=EXTRAS[account.provider],
        )
        settings = settings_of(request, account.provider)
        if template is None:
            template = create_template(account.organization, name, settings, user).template
        else:
            change_template(template, name, settings, user)
    set_default_template(account, template, user)


def keep_batch(account: ProviderAccount) -> None:
    """A batch with an input that is still to be submitted, and one that was refused."""
    request = JobRequest(
        input="", destination=STORE, metadata="s3cr3t", extra=EXTRAS[account.provider]
    )
    overrides = {"destination": STORE, "extra": {"api_key": "s3cr3t"}}
    lines = [Line(SOURCE, metadata={"api_key": "s3cr3t"}, overrides=overrides)] * 2
    visible = Visibility(account.organization)
    batch = create_batch(NewBatch(visible, account, "reels", request, lines), user=make_user())
    batch.inputs.filter(position=2).update(outcome="refused", reason="The input cannot be read.")


ORGANIZATION_ROWS: dict[str, type[Model]] = {
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


def board_pages(account: ProviderAccount) -> Iterator[str]:
    """Each page of the URLconf for a job of the list and one of ours, and what is shown of all."""
    listed = list(Job.objects.filter(submission=None).values_list("pk", flat=True))[:12]
    ours = list(Job.objects.filter(submission__isnull=False).values_list("pk", flat=True))
    deliveries = WebhookDelivery.objects.values_list("pk", flat=True)
    for space, pattern in [
        *(("jobs", pattern) for pattern in urlpatterns),
        *(("insights", pattern) for pattern in insights_urlpatterns),
    ]:
        name, route = str(pattern.name), str(pattern.pattern)
        arguments = list(pattern.pattern.converters)
        if name in LEADS_AWAY | {"webhook"}:
            continue
        if people := ORGANIZATION_ROWS.keys() & set(arguments):
            (argument,) = people
            rows = [
                [pk]
                for pk in ORGANIZATION_ROWS[argument]._default_manager.values_list("pk", flat=True)
            ]
        elif "delivery_pk" in arguments:
            rows = [[account.pk, pk] for pk in deliveries]
        elif "accounts/" in route and "pk" in arguments:
            rows = [[account.pk]]
        elif "pk" in arguments:
            jobs = [*listed, *ours] if name in ("detail", "raw") else [listed[0], ours[0]]
            rows = [[pk] for pk in jobs]
        else:
            rows = [[]]
        for row in rows:
            owner = ["studio"] if "org" in arguments else []
            path = reverse(f"{space}:{name}", args=[*owner, *row])
            yield f"{path}?provider={account.provider}" if name == "account_new" else path


def api_calls(account: ProviderAccount) -> Iterator[str]:
    yield from ("/jobs", "/files", "/files?kind=image", "/presets", "/accounts", "/errors")
    yield from ("/stats", "/templates")
    yield f"/accounts/{account.pk}"
    for pk in Job.objects.filter(submission__isnull=False).values_list("pk", flat=True):
        yield f"/jobs/{pk}"
    for pk in Job.objects.filter(remote_id__isnull=False).values_list("pk", flat=True)[:12]:
        yield from (f"/jobs/{pk}", f"/jobs/{pk}/raw")


@pytest.mark.ignore_template_errors
def test_no_secret_comes_out_anywhere(
    account: ProviderAccount, provider: Running, organization: Organization
) -> None:
    with whole_log() as log:
        seen = work(account, provider)
        user = make_user(is_staff=True)
        user.is_superuser = True
        user.save(update_fields=["is_superuser"])
        make_membership(organization, Role.OWNER, user=user)
        client = Client()
        client.force_login(user)
        url = webhook_url(account)
        missing = ("/o/studio/jobs/99999999/", "/o/s3cret/jobs/", "/api/v1/nothing", "/nothing")
        for path in (*board_pages(account), *admin_pages(), *missing):
            response = client.get(path)
            assert response.status_code in (200, 204, 302, 404, 405), path
            text = response.getvalue().decode() + str(dict(response.headers))
            if path.startswith("/o/studio/accounts/"):
                # shown to managers there, and nowhere else
                text = text.replace(url, "")
            seen[path] = text
        token = ApiToken.issue(organization, "reads", Scope.READ)[1]
        for path in api_calls(account):
            response = client.get(f"/api/v1{path}", headers={"Authorization": f"Bearer {token}"})
            seen[path] = response.getvalue().decode()
    for number, (table, row) in enumerate(stored_rows()):
        seen[f"{table} {number}"] = row
    seen["log"] = log.getvalue()
    assert len(seen["log"]) > 1000
    found = {place: leaks(text, SECRETS) for place, text in seen.items()}
    assert {place: some[:3] for place, some in found.items() if some} == {}
    # it was all there to be found
    assert Job.objects.filter(submission__isnull=False).count() == 4
    assert TemplateVersion.objects.count() == 2
    assert StoredLocation.objects.count() == 2
    assert WebhookDelivery.objects.exists() == account.adapter_class.supports(Capability.WEBHOOK)
    assert Preset.objects.exists() == (account.provider in ("videosdk", "xvid"))


def test_our_hook_url_is_for_managers_alone(
    account: ProviderAccount, organization: Organization
) -> None:
    path = reverse("jobs:account_edit", args=["studio", account.pk])
    for role, is_shown in ((Role.VIEWER, False), (Role.OPERATOR, False), (Role.MANAGER, True)):
        client = Client()
        client.force_login(make_membership(organization, role).user)
        page = client.get(path).content.decode()
        has_webhooks = account.adapter_class.supports(Capability.WEBHOOK)
        assert (str(account.hook_secret) in page) == (is_shown and has_webhooks)
