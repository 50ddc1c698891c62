"""Assigning jobs and error groups by the API."""

from typing import Any

import pytest

from jobs.models import Job, ProviderAccount
from organizations.models import ApiToken, AuditEntry, Organization, Role, Scope
from tests.factories import make_membership, make_organization, make_user
from tests.jobs.api.conftest import ApiClient
from tests.jobs.factories import make_account, make_job

pytestmark = pytest.mark.django_db

ANN = "ann@studio.example"


@pytest.fixture
def failed(organization: Organization, account: ProviderAccount) -> Job:
    make_membership(organization, Role.VIEWER, user=make_user(ANN, name="Ann"))
    make_membership(make_organization("elsewhere"), user=make_user("zed@away.example"))
    return make_job(account, status="failed")


def test_a_job_and_a_group_are_assigned_found_and_given_back(
    operator: ApiClient, failed: Job
) -> None:
    group = failed.error_group_id
    for path in (f"/jobs/{failed.pk}", f"/errors/{group}"):
        answer = operator.post(f"{path}/assign", {"assignee": "ANN@studio.example"})
        assert (answer.status, answer.body["assignee"]) == (200, ANN)
        assert operator.get(path).body["assignee"] == ANN
        listed = path.rpartition("/")[0]
        for name in (ANN, "ann"):
            found = operator.get(f"{listed}?assigned={name}").body["results"]
            assert [one["assignee"] for one in found] == [ANN]
        assert "assigned" in operator.get(f"{listed}?assigned=me").fields
        assert "assigned" in operator.get(f"{listed}?assigned=zed@away.example").fields
        answer = operator.post(f"{path}/assign", {"assignee": None})
        assert (answer.status, answer.body["assignee"]) == (200, None)
    assert "q" in operator.get("/jobs?q=assigned:me").fields
    assert {one.actor_name for one in AuditEntry.objects.all()} == {"token:operate token"}


@pytest.mark.parametrize(
    "body", [{}, {"assignee": 3}, {"assignee": "zed@away.example"}, {"assignee": "\x00"}]
)
def test_others_than_members_are_refused(operator: ApiClient, failed: Job, body: Any) -> None:
    for path in (f"/jobs/{failed.pk}/assign", f"/errors/{failed.error_group_id}/assign"):
        assert operator.post(path, body).fields.keys() == {"assignee"}


def test_a_job_that_runs_and_one_of_another_account_are_refused(
    organization: Organization, operator: ApiClient, failed: Job
) -> None:
    running = make_job(failed.account, status="running")
    answer = operator.post(f"/jobs/{running.pk}/assign", {"assignee": ANN})
    assert (answer.status, answer.body["error"]["code"]) == (409, "not_failed")
    others = [make_account(organization).pk]
    narrow = ApiClient(ApiToken.issue(organization, "narrow", Scope.OPERATE, account_ids=others)[1])
    for path in (f"/jobs/{failed.pk}/assign", f"/errors/{failed.error_group_id}/assign"):
        assert narrow.post(path, {"assignee": ANN}).status == 404
