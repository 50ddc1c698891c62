"""docs/adding-a-provider.md, proven: a module and a line in the registry make a provider.

The whole contract suite runs for it here, and then everything that people use.
"""

import json
from io import StringIO
from typing import Any

import pytest
import responses
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from jobs.actions.cancellation import request_cancel
from jobs.actions.offers import available_actions
from jobs.actions.worker import run_action
from jobs.models import Job, ProviderAccount
from jobs.submission.worker import run_submission
from organizations.models import ApiToken, Organization, Role, Scope
from providers.core import registry
from tests.factories import make_membership, make_organization
from tests.providers.cases.lantern import BASE_URL, CASES, body
from tests.providers.lantern import Lantern
from tests.providers.test_contract import *  # noqa: F403 - each of its tests, for this one

# what the suite runs over, in place of the registry
SLUGS = ("lantern",)


@pytest.fixture(autouse=True)
def in_the_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line that docs/adding-a-provider.md asks for, for as long as a test runs."""
    monkeypatch.setitem(registry._PROVIDERS, Lantern.slug, Lantern)


@pytest.fixture
def studio(db: None) -> Organization:
    return make_organization("studio")


@pytest.fixture
def account(studio: Organization) -> ProviderAccount:
    call_command(
        "add_account",
        *("--organization", "studio", "--provider", "lantern", "--name", "Lighthouse"),
        *("--credential", "wick=canary-wick", "--option", "requests_per_minute=100000"),
        stdout=StringIO(),
    )
    return ProviderAccount.objects.get(name="Lighthouse")


@pytest.fixture
def synced(account: ProviderAccount, wire: responses.RequestsMock) -> ProviderAccount:
    """Two pages are read; the jobs under way are answered alone as well."""
    bodies = [reported for reported, _ in CASES.jobs.values()]
    matchers = [responses.matchers.query_param_matcher({})]
    wire.get(f"{BASE_URL}/lamps", json={"lamps": bodies[:3], "next": "n2"}, match=matchers)
    matchers = [responses.matchers.query_param_matcher({"after": "n2"})]
    wire.get(f"{BASE_URL}/lamps", json={"lamps": bodies[3:]}, match=matchers)
    reported = StringIO()
    call_command("sync", "--json", stdout=reported)
    (report,) = json.loads(reported.getvalue())["accounts"]
    assert (report["ok"], report["created"]) == (True, len(bodies))
    return account


@pytest.fixture
def operator(studio: Organization) -> Client:
    client = Client()
    client.force_login(make_membership(studio, Role.MANAGER).user)
    return client


@pytest.fixture
def token(studio: Organization) -> str:
    return ApiToken.issue(studio, "test", Scope.OPERATE)[1]


def call(token: str, method: str, path: str, sent: Any = None) -> Any:
    response = Client().generic(
        method,
        f"/api/v1{path}",
        json.dumps(sent) if sent else "",
        content_type="application/json",
        headers={"Authorization": f"Bearer {token}"},
    )
    assert response.status_code < 300, response.content
    return json.loads(response.content)


def test_its_jobs_are_mirrored(synced: ProviderAccount) -> None:
    found = dict(Job.objects.filter(account=synced).values_list("remote_id", "status"))
    assert found == {
        "1": "queued",
        "2": "running",
        "3": "succeeded",
        "4": "failed",
        "5": "cancelled",
    }
    bright = Job.objects.get(remote_id="3")
    assert bright.input_duration_ms == 95_500
    assert set(bright.outputs.values_list("duration_ms", flat=True)) == {95_250}
    failed = Job.objects.get(remote_id="4")
    assert (failed.error_class, failed.error_code) == ("input.not_found", "E-WIND")
    assert failed.outputs.get(remote_id="40").opens_at == (
        "https://cdn.example.com/4-0.mp4?token=canary"
    )


def test_every_page_shows_it(synced: ProviderAccount, operator: Client) -> None:
    job = Job.objects.get(remote_id="3")
    shown = {
        "list": [], "files": [], "accounts": [], "detail": [job.pk], "raw": [job.pk],
        "account_edit": [synced.pk], "new": [],
    }  # fmt: skip
    for name, arguments in shown.items():
        page = operator.get(reverse(f"jobs:{name}", args=["studio", *arguments]))
        assert page.status_code == 200, name
        assert "canary" not in page.content.decode(), name
        if name != "raw":
            assert "Lighthouse" in page.content.decode(), name
    filtered = operator.get(reverse("jobs:list", args=["studio"]), {"provider": "lantern"})
    assert "Lantern Works" in filtered.content.decode()
    assert "reef-3.mov" in filtered.content.decode()
    adding = reverse("jobs:account_new", args=["studio"])
    assert "Lantern Works" in operator.get(adding).content.decode()
    form = operator.get(adding, {"provider": "lantern"}).content.decode()
    assert "From the lighthouse." in form


def test_the_api_includes_it(synced: ProviderAccount, token: str) -> None:
    listed = call(token, "GET", "/jobs?provider=lantern")["results"]
    assert {job["account"]["provider"] for job in listed} == {"lantern"}
    assert len(listed) == len(CASES.jobs)
    (reported,) = call(token, "GET", "/accounts")["results"]
    assert "cancel" in reported["capabilities"]
    assert "resubmit" not in reported["capabilities"]


def test_a_job_is_submitted_to_it_and_cancelled(
    synced: ProviderAccount, token: str, wire: responses.RequestsMock
) -> None:
    made = call(
        token,
        "POST",
        "/jobs",
        {
            "account": "Lighthouse",
            "input": CASES.request.input,
            "renditions": [{"packaging": "mp4", "heights": [240, 360]}],
            "metadata": "desk=sport",
        },
    )
    assert made["status"] == "submitting"
    wire.post(f"{BASE_URL}/lamps", json=body(9, "unlit", note=None), status=201)
    run_submission(int(made["id"]))
    job = Job.objects.get(pk=made["id"])
    assert (job.remote_id, job.status) == ("9", "queued")
    sent = json.loads(wire.calls[-1].request.body or "")
    assert sent["heights"] == [240, 360]
    assert sent["note"].startswith("desk=sport rb:")

    actions = {action.name: action for action in available_actions(job, [])}
    assert actions["cancel"].allowed
    action = request_cancel(job)
    wire.delete(f"{BASE_URL}/lamps/9", json={})
    wire.get(f"{BASE_URL}/lamps/9", json=body(9, "snuffed", ("snuffed", "snuffed")))
    run_action(action.pk)
    job.refresh_from_db()
    assert job.status == "cancelled"


@pytest.mark.django_db
def test_no_migration_is_needed_for_it() -> None:
    call_command("makemigrations", "--check", "--dry-run", stdout=StringIO())
