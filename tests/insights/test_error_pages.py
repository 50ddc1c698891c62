"""The pages of errors: their figures are those of the lists they lead to."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from insights.errors.counts import day_edges, hour_edges, members_of, read_totals, read_trends
from jobs.models import Job, JobErrorGroup, ProviderAccount
from jobs.query.visibility import Visibility
from organizations.models import AuditEntry, Membership, Organization
from tests.factories import make_membership, make_organization, make_user
from tests.insights.conftest import Url
from tests.jobs.factories import make_account, make_job


def fail(account: ProviderAccount, message: str, at: datetime, **fields: Any) -> Job:
    return make_job(
        account,
        status="failed",
        error_message=message,
        created_at=at - timedelta(minutes=5),
        finished_at=at,
        **fields,
    )


def group_of(job: Job) -> JobErrorGroup:
    assert job.error_group is not None
    return job.error_group


def titles(text: str) -> list[int]:
    return [int(pk) for pk in re.findall(r'<tr id="group-(\d+)"', text)]


def test_counts_and_trends_are_those_of_the_jobs_merged_ones_included(
    studio: Organization, account: ProviderAccount
) -> None:
    elsewhere = make_account(studio, provider="xvid")
    with timezone.override("Europe/Berlin"):
        now = timezone.localtime().replace(hour=12, minute=30)
        edges, hours = day_edges(now), hour_edges(now)
        fixed = make_job(account)
        jobs = [
            fail(account, "No file 1", now),
            fail(account, "No file 2", edges[13]),
            fail(elsewhere, "No file 3", edges[13] - timedelta(seconds=1), resolved_by=fixed),
            fail(account, "No file 4", edges[0] - timedelta(seconds=1)),
        ]
        merged = fail(elsewhere, "Gone", now - timedelta(hours=2))
        fail(account, "Another cause", now)
        root = group_of(jobs[0])
        JobErrorGroup.objects.filter(pk=group_of(merged).pk).update(merged_into=root)
        visible, members = Visibility(studio), members_of([root.pk])
        totals = read_totals(visible, members)[root.pk]
        assert (totals.jobs, totals.unresolved) == (5, 4)
        assert totals.accounts == {account.pk: 3, elsewhere.pk: 2}
        assert (totals.first_at, totals.last_at) == (jobs[3].ended_at, jobs[0].ended_at)
        assert read_trends(visible, members, edges)[root.pk] == [*[0] * 12, 1, 3]
        assert read_trends(visible, members, hours)[root.pk][-3:] == [1, 0, 1]
        narrow = Visibility(studio, frozenset({elsewhere.pk}))
        assert read_totals(narrow, members)[root.pk].jobs == 2


def test_the_list_shows_new_ones_first_and_each_state_in_its_tab(
    operator: Client, url: Url, studio: Organization, account: ProviderAccount
) -> None:
    now = timezone.now()
    many, few, new, muted, resolved = (
        group_of([fail(account, text, now) for _ in range(number)][0])
        for text, number in (("Aa", 3), ("Bb", 1), ("Cc", 1), ("Dd", 1), ("Ee", 2))
    )
    JobErrorGroup.objects.filter(pk=new.pk).update(mark="new", marked_at=now)
    JobErrorGroup.objects.filter(pk=muted.pk).update(state="muted", muted_at=now)
    JobErrorGroup.objects.filter(pk=resolved.pk).update(state="resolved", resolved_at=now)
    # all its jobs have left it
    empty = group_of(fail(account, "Ff", now))
    empty.jobs.update(error_group=many)
    for query, expected in {
        "": [new, many, few],
        "?mark=new": [new],
        "?state=muted": [muted],
        "?state=resolved": [resolved],
        "?state=open&state=muted&state=resolved": [new, many, resolved, muted, few],
        "?fixer=provider": [],
        "?mark=old": [],
        f"?account={account.pk}&limit=1": [new],
        "?limit=1&cursor=1": [many],
    }.items():
        response = operator.get(url("errors") + query)
        assert response.status_code == 200
        found = titles(response.content.decode())
        assert set(found) == {group.pk for group in expected}, query
        assert found[:2] == [group.pk for group in expected][:2], query
    text = operator.get(url("errors")).content.decode()
    counts = re.findall(r'id="tab-(\w+)".*?<span class="count">(\d+)</span>', text, re.S)
    assert dict(counts) == {
        "open": "3",
        "new": "1",
        "returned": "0",
        "muted": "1",
        "resolved": "1",
        "all": "5",
    }
    assert "1 <span>new</span>" in text


def test_the_list_costs_the_same_however_many_groups_it_has(
    operator: Client, url: Url, account: ProviderAccount, django_assert_num_queries: Any
) -> None:
    operator.get(url("errors"))
    for number in (1, 6):
        for one in range(number):
            fail(account, f"Cause {chr(97 + number)}{chr(97 + one)}", timezone.now())
        with django_assert_num_queries(13):
            operator.get(url("errors"))


def test_the_page_of_an_error_says_why_its_jobs_belong_together(
    operator: Client, url: Url, account: ProviderAccount
) -> None:
    now = timezone.now()
    errors = [{"class": "input.not_found", "code": "", "message": "No file", "origin": "input"}]
    jobs = [fail(account, f"No file reel-{n}/x.mov", now, errors=errors) for n in range(2)]
    group = group_of(jobs[0])
    text = operator.get(url("error", group)).content.decode()
    assert "<bdi>No file </bdi><mark><bdi>reel-1/x.mov</bdi></mark>" in text
    assert '<bdi>No file </bdi><code class="slot">path</code>' in text
    assert f"?error_group={group.pk}" in text
    for job in jobs:
        page = operator.get(f"/o/harbour-studio/jobs/{job.pk}/").content.decode()
        assert f'href="{url("error", group)}">2 jobs like this</a>' in page
    assert operator.get(url("error", group) + "?trend=hours").status_code == 200


def test_people_mute_resolve_reopen_and_link_a_ticket(
    operator: Client, url: Url, account: ProviderAccount
) -> None:
    group = group_of(fail(account, "No file", timezone.now()))
    steps: tuple[tuple[str, dict[str, str], str], ...] = (
        ("mute", {"ends": "count", "number": "3", "reason": "Known outage"}, "muted"),
        ("reopen", {}, "open"),
        ("mute", {"ends": "7d", "reason": "Known outage"}, "muted"),
        ("resolve", {}, "resolved"),
        ("reopen", {}, "open"),
        ("ticket", {"ticket_url": "https://t.example/OPS-1"}, "open"),
    )
    for name, data, state in steps:
        assert operator.post(url(name, group), data).status_code == 302
        group.refresh_from_db()
        assert group.state == state
    assert (group.muted_until, group.muted_count, group.mute_reason) == (None, None, "")
    assert 'href="https://t.example/OPS-1"' in operator.get(url("error", group)).content.decode()
    entries = list(AuditEntry.objects.order_by("pk").values_list("action", "reason"))
    assert entries == [
        ("error_group.muted", "Known outage"),
        ("error_group.reopened", ""),
        ("error_group.muted", "Known outage"),
        ("error_group.resolved", ""),
        ("error_group.reopened", ""),
        ("error_group.ticket_changed", ""),
    ]


@pytest.mark.parametrize(
    ("name", "data", "field"),
    [
        ("mute", {"ends": "7d"}, "reason"),
        ("mute", {"ends": "rate", "reason": "x"}, "number"),
        ("mute", {"ends": "date", "until": "2020-01-01", "reason": "x"}, "until"),
        ("ticket", {"ticket_url": "javascript:alert(1)"}, "ticket_url"),
        ("ticket", {"ticket_url": "ftp://host.example/x"}, "ticket_url"),
        ("merge", {"into": "1"}, "into"),
    ],
)
def test_what_cannot_be_meant_is_refused_at_its_field(
    operator: Client, url: Url, account: ProviderAccount, name: str, data: Any, field: str
) -> None:
    group = group_of(fail(account, "No file", timezone.now()))
    response = operator.post(url(name, group), data)
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert not AuditEntry.objects.exists()


def test_a_merge_moves_no_job_and_is_undone(
    operator: Client, url: Url, account: ProviderAccount
) -> None:
    now = timezone.now()
    one, two, three = (fail(account, text, now) for text in ("Aa", "Bb", "Cc"))
    first, second, third = map(group_of, (one, two, three))
    operator.post(url("merge", second), {"into": first.pk})
    # with what was merged into it
    operator.post(url("merge", first), {"into": third.pk})
    assert titles(operator.get(url("errors")).content.decode()) == [third.pk]
    assert operator.get(url("error", second)).headers["Location"] == url("error", third)
    assert set(Job.objects.values_list("error_group", flat=True)) == {
        *(first.pk, second.pk, third.pk)
    }
    operator.post(url("split", second))
    found = titles(operator.get(url("errors")).content.decode())
    assert set(found) == {second.pk, third.pk}
    # one that was merged meanwhile is not merged again
    operator.post(url("merge", first), {"into": second.pk})
    first.refresh_from_db()
    assert first.merged_into == third


def test_an_error_is_assigned_and_found_under_assigned_to_me(
    operator: Client, url: Url, studio: Organization, account: ProviderAccount
) -> None:
    group = group_of(fail(account, "Aa", timezone.now()))
    other = group_of(fail(account, "Bb", timezone.now()))
    me = Membership.objects.get(organization=studio)
    ben = make_membership(studio, user=make_user("ben@studio.example", name="Ben Ade"))
    assert "Assign to me" in operator.get(url("error", group)).content.decode()
    operator.post(url("assign", group), {"assignee": me.pk})
    operator.post(url("assign", other), {"assignee": ben.pk})
    for query, expected in {
        "?state=open&assigned=me": [group],
        "?assigned=me": [group],
        "?assigned=ben@studio.example": [other],
        "?assigned=me&assigned=ben@studio.example": [other, group],
        "?assigned=zed@studio.example": [],
    }.items():
        text = operator.get(url("errors") + query).content.decode()
        assert set(titles(text)) == {one.pk for one in expected}, query
    text = operator.get(url("errors")).content.decode()
    side = text.partition('id="mine-title"')[2].partition("</nav>")[0]
    assert re.findall(r'class="count">(\d+)<', side) == ["1"]
    assert "assigned=me" in side
    assert 'title="Assigned to Ben Ade"' in text
    refused = make_membership(make_organization("elsewhere"))
    assert operator.post(url("assign", group), {"assignee": refused.pk}).status_code == 422
    operator.post(url("assign", group), {"assignee": ""})
    group.refresh_from_db()
    assert group.assignee is None
    entries = AuditEntry.objects.about(group)
    assert [one.action for one in entries] == ["error_group.unassigned", "error_group.assigned"]
    assert entries[1].after["assignee"] == me.user.email
