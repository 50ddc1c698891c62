"""Who did it, when, and where it is found."""

import json
import re
from typing import Any

import pytest
from django.test import Client

from jobs.models import JobAction, JobEvent, ProviderAccount
from organizations.models import ApiToken, Role
from tests.factories import make_membership
from tests.jobs.api.conftest import ApiClient
from tests.jobs.factories import NOON, make_account, make_event, make_job, make_output, make_preset

pytestmark = pytest.mark.django_db

SUBMISSION = {
    "account": "main",
    "input": "https://media.example.com/in.mov",
    "renditions": [{"packaging": "mp4", "heights": [360]}],
}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def test_what_a_token_did_carries_its_name(
    operator: ApiClient, account: ProviderAccount, client: Client
) -> None:
    made = operator.post("/jobs", SUBMISSION)
    path = made.headers["Location"]
    assert path == f"/api/v1/jobs/{made.body['id']}"
    assert operator.post(f"{path.removeprefix('/api/v1')}/cancel").status == 202
    job = operator.get(path.removeprefix("/api/v1")).body
    assert job["submitted_by"] == "token:operate token"
    assert [event["actor"] for event in job["events"]] == ["token:operate token"] * 2
    (listed,) = operator.get("/jobs").body["results"]
    assert listed["submitted_by"] == "token:operate token"
    assert job["html_url"] == f"http://127.0.0.1:8000/o/north/jobs/{job['id']}/"
    client.force_login(make_membership(account.organization, Role.VIEWER).user)
    page = client.get(job["html_url"].removeprefix("http://127.0.0.1:8000")).content.decode()
    assert page.count("token:operate token") == 3


def test_a_cancel_that_the_provider_was_asked_for_is_the_tokens(
    operator: ApiClient, account: ProviderAccount
) -> None:
    job = make_job(account, status="running")
    operator.post(f"/jobs/{job.pk}/cancel")
    assert JobAction.objects.get().requested_by == ApiToken.objects.get()
    assert JobEvent.objects.get().actor_name == "token:operate token"


def test_times_always_have_milliseconds(operator: ApiClient, account: ProviderAccount) -> None:
    ended = NOON.replace(microsecond=1999)
    job = make_job(
        *(account,), status="succeeded", created_at=NOON, started_at=NOON, finished_at=ended
    )
    make_event(job, at=NOON)
    make_output(job, expires_at=NOON, preset=make_preset(account))
    make_account(account.organization, name="failing", last_error_class="auth", last_error_at=NOON)
    operator.post("/jobs", SUBMISSION)
    found: list[str] = []
    for path in ("/jobs", f"/jobs/{job.pk}", "/accounts", "/files", "/presets"):
        found += times_in(operator.get(path).body)
    found += times_in(operator.post("/jobs", SUBMISSION).body)  # a conflict
    assert len(found) > 30
    assert [text for text in found if not TIME.fullmatch(text)] == []
    assert "2026-03-14T12:00:00.001Z" in found


def times_in(body: Any) -> list[str]:
    return re.findall(r'"(\d{4}-\d\d-\d\dT[^"]*)"', json.dumps(body))
