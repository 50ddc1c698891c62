"""A client that speaks JSON, and the tokens that it may carry."""

import json
from dataclasses import dataclass
from http import HTTPMethod
from typing import Any

import pytest
from django.test import Client

from jobs.models import ProviderAccount
from organizations.models import ApiToken, Organization, Scope
from tests.factories import make_organization
from tests.jobs.factories import make_account

# what a job has in lists and in detail
SHARED = {
    "id", "organization", "account", "remote_id", "attempt", "batch", "name", "status",
    "provider_status", "partial", "suspect", "stuck", "gone_at", "progress", "phase", "input",
    "error", "created_at", "started_at", "finished_at", "first_seen_at", "synced_at",
    "changed_at", "submitted_by", "assignee", "retry_of", "retries", "metadata", "outputs",
    "console_url",
    "ended_at", "ended_at_source", "sort_at", "suspect_reason", "stuck_reason",
    "waiting_reason",
    "unresolved", "html_url",
    "test", "priority", "template",
    "actions",
}  # fmt: skip


@dataclass
class Answer:
    status: int
    body: Any
    headers: Any

    @property
    def fields(self) -> dict[str, str]:
        assert self.status == 422
        assert self.body["error"]["code"] == "invalid"
        return self.body["error"]["fields"]


class ApiClient:
    """Calls below /api/v1, as an outsider does; whatever comes back has to be JSON."""

    def __init__(self, token: str = "") -> None:
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.client = Client(enforce_csrf_checks=True)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str = "application/json",
        **headers: str,
    ) -> Answer:
        response = self.client.generic(
            method,
            f"/api/v1{path}",
            b"" if body is None else body if isinstance(body, bytes) else _dump(body),
            content_type=content_type,
            headers={**self.headers, **{k.replace("_", "-"): v for k, v in headers.items()}},
        )
        assert response["Content-Type"] == "application/json; charset=utf-8"
        answer = Answer(response.status_code, response.json(), response.headers)
        if answer.status >= 400:
            assert answer.body["error"].keys() <= {"code", "message", "fields"}
            assert answer.body["error"]["message"].endswith(".")
        return answer

    def get(self, path: str, **headers: str) -> Answer:
        return self.call(HTTPMethod.GET, path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        return self.call(HTTPMethod.POST, path, body, **headers)


def _dump(body: Any) -> bytes:
    return json.dumps(body).encode()


def make_client(organization: Organization, scope: Scope) -> ApiClient:
    return ApiClient(ApiToken.issue(organization, f"{scope} token", scope)[1])


@pytest.fixture
def organization() -> Organization:
    return make_organization("north")


@pytest.fixture
def account(organization: Organization) -> ProviderAccount:
    return make_account(organization, name="main")


@pytest.fixture
def reader(organization: Organization) -> ApiClient:
    return make_client(organization, Scope.READ)


@pytest.fixture
def operator(organization: Organization) -> ApiClient:
    return make_client(organization, Scope.OPERATE)


@pytest.fixture
def stranger() -> ApiClient:
    """May operate, in another organization."""
    return make_client(make_organization("south"), Scope.OPERATE)
