"""Notes by the API."""

from typing import Any

import pytest

from jobs.models import Job, Mention, Note, ProviderAccount
from organizations.models import ApiToken, AuditEntry, Organization, Role, Scope
from tests.factories import make_membership, make_user
from tests.jobs.api.conftest import ApiClient
from tests.jobs.factories import make_account, make_job, make_note

pytestmark = pytest.mark.django_db

ANN = "ann@studio.example"


@pytest.fixture
def failed(organization: Organization, account: ProviderAccount) -> Job:
    make_membership(organization, Role.VIEWER, user=make_user(ANN, name="Ann"))
    return make_job(account, status="failed")


def test_notes_are_written_and_listed_a_page_at_a_time(
    operator: ApiClient, reader: ApiClient, stranger: ApiClient, failed: Job
) -> None:
    person = make_note(failed, make_user("mara@studio.example"), "By a person")
    for path, kind in (
        (f"/jobs/{failed.pk}", "job"),
        (f"/errors/{failed.error_group_id}", "error"),
    ):
        answer = operator.post(f"{path}/notes", {"text": f"See\r\ntape 7 @{ANN} "})
        assert answer.status == 201
        note = answer.body
        assert note == {
            "id": str(Note.objects.latest("pk").pk),
            "text": f"See\ntape 7 @{ANN}",
            "author": "token:operate token",
            "mentions": [ANN],
            "created_at": note["created_at"],
            "edited_at": None,
            "html_url": note["html_url"],
        }
        assert note["html_url"].endswith(f"/o/north{path}/#note-{note['id']}")
        assert AuditEntry.objects.latest("pk").action.startswith(kind)
        assert reader.get(f"{path}/notes").body["results"][0] == note
        assert reader.post(f"{path}/notes", {"text": "x"}).status == 403
        assert stranger.get(f"{path}/notes").status == 404
        assert stranger.post(f"{path}/notes", {"text": "x"}).status == 404
    assert Mention.objects.count() == 2

    path = f"/jobs/{failed.pk}/notes?limit=1"
    first = reader.get(path).body
    second = reader.get(f"{path}&cursor={first['next']}").body
    assert [one["author"] for one in (*first["results"], *second["results"])] == [
        *("token:operate token", person.author_name)
    ]
    assert second["next"] is None
    of_error = f"/errors/{failed.error_group_id}/notes?cursor={first['next']}&limit=1"
    assert "cursor" in reader.get(of_error).fields
    assert "sort" in reader.get(f"{path}&sort=created").fields


@pytest.mark.parametrize(
    "body", [{}, {"text": 3}, {"text": " \n"}, {"text": "x" * 4_001}, {"text": "a\x00"}]
)
def test_what_is_no_note_is_refused(operator: ApiClient, failed: Job, body: Any) -> None:
    for path in (f"/jobs/{failed.pk}/notes", f"/errors/{failed.error_group_id}/notes"):
        assert operator.post(path, body).fields.keys() == {"text"}
    assert not Note.objects.exists()


def test_a_token_of_some_accounts_keeps_to_their_jobs(
    organization: Organization, failed: Job
) -> None:
    other = make_job(make_account(organization), status="failed")
    assert other.error_group_id == failed.error_group_id
    ids = [other.account_id]
    narrow = ApiClient(ApiToken.issue(organization, "narrow", Scope.OPERATE, account_ids=ids)[1])
    assert narrow.post(f"/jobs/{other.pk}/notes", {"text": "x"}).status == 201
    assert narrow.post(f"/jobs/{failed.pk}/notes", {"text": "x"}).status == 404
    assert narrow.post(f"/errors/{other.error_group_id}/notes", {"text": "x"}).status == 403
