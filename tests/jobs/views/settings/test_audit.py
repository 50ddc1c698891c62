"""The audit log: searched, paged, exported, and shown on the job that it is about."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from jobs.models import Job
from jobs.views.settings import audit
from organizations.audit.origin import Origin, acting_from
from organizations.models import ApiToken, AuditEntry, Organization
from tests.factories import make_organization, make_user
from tests.jobs.factories import make_batch, make_bulk, make_rule, make_template

pytestmark = pytest.mark.django_db

PAGE = "/o/harbour-studio/settings/audit/"
FORMULA = '=HYPERLINK("https://evil.example")'


@pytest.fixture
def entries(studio: Organization, job: Job) -> None:
    ann = make_user("ann@harbour.example")
    token, _ = ApiToken.issue(studio, "nightly")
    AuditEntry.record(make_organization("decoy"), "job.cancelled", "theirs")
    with (
        time_machine.travel(datetime(2026, 3, 14, 12, tzinfo=UTC), tick=False),
        acting_from(Origin("203.0.113.9", "request-1")),
    ):
        AuditEntry.record(studio, "job.cancel_requested", job, actor=ann, reason="wrong master")
        AuditEntry.record(
            studio,
            "account.changed",
            "main",
            token=token,
            before={"options": {"interval_s": "5"}},
            after={"options": {"interval_s": "60"}},
        )
    AuditEntry.record(studio, "token.revoked", FORMULA)


def targets(client: Client, query: str = "") -> list[str]:
    response = client.get(f"{PAGE}?{query}")
    assert response.status_code == 200
    return actions(response)


def actions(response: Any) -> list[str]:
    """Of each group the first entry's, and then those of its others."""
    groups = response.context["groups"]
    return [row.entry.action for one in groups for row in (one.row, *one.followers)]


JOB, ACCOUNT, TOKEN = "job.cancel_requested", "account.changed", "token.revoked"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [TOKEN, JOB, ACCOUNT]),
        ("q=ann@", [JOB]),
        ("q=wrong+master", [JOB]),
        ("q=203.0.113.9", [JOB, ACCOUNT]),
        ("q=request-1", [JOB, ACCOUNT]),
        ("q=theirs", []),
        ("object=account", [ACCOUNT]),
        ("who=token:nightly", [ACCOUNT]),
        ("action=token.revoked", [TOKEN]),
        ("from=203.0.113.9", [JOB, ACCOUNT]),
        ("action_id=request-1", [ACCOUNT, JOB]),
        ("created_before=2026-03-15", [JOB, ACCOUNT]),
        ("created_after=1d", [TOKEN]),
    ],
)
def test_entries_are_found(manager: Client, entries: None, query: str, found: list[str]) -> None:
    assert targets(manager, query) == found


@pytest.mark.parametrize("query", ["from=here", "from=fe80::1%25eth0", "created_after=soon"])
def test_what_cannot_be_read_finds_nothing_and_says_so(
    manager: Client, entries: None, query: str
) -> None:
    response = manager.get(f"{PAGE}?{query}")
    assert (response.status_code, response.context["groups"]) == (200, [])
    assert query.partition("=")[0] in response.context["filters"].errors


def test_what_was_changed_is_shown_and_leads_to_the_rest(
    manager: Client, studio: Organization, entries: None, job: Job
) -> None:
    response = manager.get(PAGE)
    (follower,) = response.context["groups"][1].followers
    (change,) = follower.changes
    assert (change.name, change.before, change.after) == ("options interval_s", "5", "60")
    page = response.content.decode()
    assert f'href="{reverse("jobs:detail", args=[studio.slug, job.pk])}"' in page
    assert f'href="{PAGE}?who=token%3Anightly"' in page
    assert "theirs" not in page


def test_pages_follow_each_other(manager: Client, entries: None) -> None:
    first = manager.get(f"{PAGE}?limit=1")
    older = manager.get(first.context["older_url"])
    assert actions(older) == [JOB, ACCOUNT]
    assert older.context["older_url"] is None
    newer = manager.get(older.context["newer_url"])
    assert actions(newer) == [TOKEN]
    whole = f"{PAGE}?action_id=request-1&limit=1"
    assert actions(manager.get(whole)) == [ACCOUNT]
    assert actions(manager.get(manager.get(whole).context["older_url"])) == [JOB]


def test_a_large_action_is_a_group_of_its_first_entries_and_a_link_to_the_rest(
    manager: Client, studio: Organization, django_assert_max_num_queries: Any
) -> None:
    other = make_organization("decoy")
    with acting_from(Origin("203.0.113.9", "bulk-318")):
        AuditEntry.record(studio, "bulk.started", "1,251 jobs", reason="policy restored")
        AuditEntry.record(other, "job.retried", "theirs")
        for number in range(12):
            AuditEntry.record(studio, "job.retried", f"job {number}")
    for number in range(3):
        AuditEntry.record(studio, "token.revoked", f"token {number}")
    manager.get(PAGE)

    with django_assert_max_num_queries(13):
        response = manager.get(PAGE)

    *single, large = response.context["groups"]
    assert [(one.entry.target, one.followers, one.more) for one in single] == [
        (f"token {number}", [], 0) for number in (2, 1, 0)
    ]
    assert [row.entry.target for row in (large.row, *large.followers)] == [
        *("1,251 jobs", "job 0", "job 1", "job 2")
    ]
    page = response.content.decode()
    assert "9 more entries of this bulk action" in page
    assert page.count(">All of this bulk action</a>") == 1
    assert page.count(f'href="{PAGE}?action_id=bulk-318"') == 6  # a chip each, and the link
    assert page.count("?action_id=") == 6

    found = manager.get(f"{PAGE}?q=job+1").context["groups"]  # job 1, 10 and 11
    assert [row.entry.target for one in found for row in (one.row, *one.followers)] == [
        *("1,251 jobs", "job 1", "job 10", "job 11")
    ]
    assert len(actions(manager.get(f"{PAGE}?action_id=bulk-318"))) == 13


@pytest.mark.parametrize("name", ["bulk", "batch", "rule", "template"])
def test_what_has_many_entries_leads_to_them_and_they_lead_back(
    manager: Client,
    viewer: Client,
    studio: Organization,
    job: Job,
    name: str,
) -> None:
    makers: dict[str, Callable[[], Any]] = {
        "bulk": lambda: make_bulk(job),
        "batch": lambda: make_batch(job.account),
        "rule": lambda: make_rule(studio),
        "template": lambda: make_template(studio).template,
    }
    one, decoy = makers[name](), makers[name]()
    AuditEntry.record(make_organization("decoy"), "job.cancelled", one)
    AuditEntry.record(studio, f"{name}.started", one)
    AuditEntry.record(studio, f"{name}.started", decoy)
    with acting_from(Origin(None, one.audit_id)):
        AuditEntry.record(studio, "job.cancelled", job)
    AuditEntry.record(studio, f"{name}.stopped", one)
    AuditEntry.record(studio, f"{name}.deleted", one)

    all_of_it = f"{PAGE}?action_id={one.audit_id}"
    own = reverse(f"jobs:{name}", args=[studio.slug, one.pk])
    for url in (own, reverse("jobs:detail", args=[studio.slug, job.pk])):
        assert manager.get(url).content.decode().count(f'href="{all_of_it}"') == 1
        assert "settings/audit" not in viewer.get(url).content.decode()

    # what was done to it at other times is not hidden below the first entry
    assert len(manager.get(PAGE).context["groups"]) == 5
    response = manager.get(all_of_it)
    assert actions(response) == [
        *(f"{name}.deleted", f"{name}.stopped", "job.cancelled", f"{name}.started")
    ]
    page = response.content.decode()
    # two of the rows, and the line above them
    assert page.count(f'href="{own}"') == 3
    assert "Open this" not in manager.get(f"{PAGE}?action_id=request-1").content.decode()


def export(client: Client, query: str = "") -> list[dict[str, Any]]:
    response = client.get(f"{PAGE}export/?{query}")
    assert response.streaming
    return list(csv.DictReader(io.StringIO(response.getvalue().decode())))


def test_all_that_is_found_is_exported_as_text(
    manager: Client, entries: None, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "EXPORT_BATCH", 1)
    newest, changed, cancelled = export(manager, "limit=1")
    assert newest["object"] == f"'{FORMULA}"
    assert changed["before"] == '{"options": {"interval_s": "5"}}'
    assert (cancelled["at"], cancelled["who"]) == (
        "2026-03-14T12:00:00.000Z",
        "ann@harbour.example",
    )
    assert (cancelled["object_kind"], cancelled["object_id"]) == ("job", str(job.pk))
    assert (cancelled["reason"], cancelled["from"]) == ("wrong master", "203.0.113.9")
    assert [row["action"] for row in export(manager, "object=account")] == [ACCOUNT]


def test_a_manager_sees_on_a_job_what_was_done_to_it(
    manager: Client, operator: Client, studio: Organization, entries: None, job: Job
) -> None:
    path = reverse("jobs:detail", args=[studio.slug, job.pk])
    page = manager.get(path).content.decode()
    assert "wrong master" in page
    assert "203.0.113.9" in page
    assert "203.0.113.9" not in operator.get(path).content.decode()
