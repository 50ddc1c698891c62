"""Notices of jobs that end: for whoever asked, on every page, until they are dismissed."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from jobs.actions.end_notices import MAX_NOTICES, MAX_SHOWN
from jobs.models import EndNotice, Job, ProviderAccount
from organizations.models import Membership, Organization, Role
from tests.factories import make_membership, make_organization
from tests.jobs.factories import NOON, make_account, make_job
from tests.jobs.views.list_page import LIST

NOTICES = LIST.replace("/jobs/", "/notices/")
SignIn = Callable[[Role | None], Client]


@pytest.fixture
def running(account: ProviderAccount) -> Job:
    return make_job(account, status="running", name="long-reel.mov")


def ask(client: Client, job: Job, **data: str) -> Any:
    return client.post(f"{LIST}{job.pk}/notify/", data, follow=True)


def end(job: Job, **fields: Any) -> None:
    Job.objects.filter(pk=job.pk).update(
        **{"status": "succeeded", "ended_at": NOON, "ended_at_source": "provider", **fields}
    )


def toasts(text: str) -> list[int]:
    return [int(pk) for pk in re.findall(r'id="toast-(\d+)"', text)]


def fingerprint(text: str) -> str:
    return text.partition('data-fingerprint="')[2].partition('"')[0]


def shown(client: Client, path: str = LIST) -> list[int]:
    return toasts(client.get(path).content.decode())


def test_whoever_asked_sees_it_on_every_page_until_it_is_dismissed(
    viewer: Client, sign_in: SignIn, account: ProviderAccount, running: Job
) -> None:
    colleague, other = sign_in(Role.VIEWER), make_job(account, status="queued")
    assert "Notify me when it ends" in viewer.get(f"{LIST}{running.pk}/").content.decode()
    for _ in range(2):  # again: once
        assert "You will be notified" in ask(viewer, running).content.decode()
    ask(viewer, other)
    assert "notify me" in viewer.get(f"{LIST}{running.pk}/").content.decode()
    assert shown(viewer) == []
    end(running)
    for path in (LIST, f"{LIST}{other.pk}/", LIST.replace("/jobs/", "/errors/")):
        assert shown(viewer, path) == [running.pk]
        assert shown(colleague, path) == []
    before = f"http://testserver{LIST}?q=a"
    answer = viewer.post(NOTICES, {"job": running.pk}, headers={"Referer": before})
    assert answer["Location"] == before
    assert shown(viewer) == []
    assert list(EndNotice.objects.values_list("job", flat=True)) == [other.pk]


def test_the_wish_can_be_taken_back(viewer: Client, running: Job) -> None:
    ask(viewer, running)
    ask(viewer, running, off="yes")
    end(running)
    assert shown(viewer) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "failed"},
        {"status": "running", "gone_at": NOON, "ended_at": None, "ended_at_source": ""},
    ],
)
def test_a_failure_and_a_job_that_is_gone_have_ended(
    viewer: Client, running: Job, fields: dict[str, Any]
) -> None:
    ask(viewer, running)
    end(running, **fields)
    assert shown(viewer) == [running.pk]


def test_a_poll_brings_it_once_and_costs_no_query_more(
    viewer: Client, running: Job, django_assert_num_queries: Any
) -> None:
    ask(viewer, running)
    page = viewer.get(LIST).content.decode()
    health = page.partition('id="health"')[2].partition('data-fingerprint="')[2].partition('"')[0]
    known = {"health": health, "notices": fingerprint(page.partition('id="toasts"')[2])}
    path = f"{LIST}live/"
    with django_assert_num_queries(4):  # as without: session, user, membership, accounts
        assert viewer.get(path, known).status_code == 204
    end(running)
    text = viewer.get(path, known).content.decode()
    assert toasts(text) == [running.pk]
    assert "hx-swap-oob" in text
    known["notices"] = fingerprint(text)
    assert viewer.get(path, known).status_code == 204
    assert viewer.get(NOTICES, known).status_code == 204
    # dismissed in another tab
    viewer.post(NOTICES)
    text = viewer.get(path, known).content.decode()
    assert 'id="toasts"' in text
    assert toasts(text) == []


def test_many_are_counted_and_dismissed_at_once(
    viewer: Client, account: ProviderAccount, running: Job
) -> None:
    jobs = [make_job(account, status="running") for _ in range(MAX_SHOWN + 2)]
    for job in [*jobs, running]:
        ask(viewer, job)
    for job in jobs:
        end(job)
    text = viewer.get(LIST).content.decode()
    assert len(toasts(text)) == MAX_SHOWN
    assert "and 2 more" in text
    answer = viewer.post(NOTICES, headers={"HX-Request": "true"}).content.decode()
    assert toasts(answer) == []
    assert [notice.job for notice in EndNotice.objects.all()] == [running]


def test_a_person_waits_for_so_many_jobs_and_no_more(
    viewer: Client, studio: Organization, account: ProviderAccount, running: Job
) -> None:
    member = Membership.objects.get(organization=studio)
    EndNotice.objects.bulk_create(
        EndNotice(membership=member, job=make_job(account, status="queued"))
        for _ in range(MAX_NOTICES)
    )
    assert "already notified of 100 jobs" in ask(viewer, running).content.decode()
    answer = viewer.post(f"{LIST}{running.pk}/notify/", headers={"HX-Request": "true"})
    text = answer.content.decode().partition("</button>")[2].partition("</form>")[0]
    assert "already notified of 100 jobs" in text
    assert not EndNotice.objects.filter(job=running).exists()


def test_a_job_that_has_ended_asks_for_nothing(
    viewer: Client, job: Job, running: Job, foreign_job: Job
) -> None:
    assert "Notify me" not in viewer.get(f"{LIST}{job.pk}/").content.decode()
    assert "already ended" in ask(viewer, job).content.decode()
    assert ask(viewer, foreign_job).status_code == 404
    assert not EndNotice.objects.exists()


def test_notices_go_with_the_member_and_stay_in_their_organization(
    studio: Organization, running: Job
) -> None:
    member = make_membership(studio)
    elsewhere = make_membership(make_organization("elsewhere"), user=member.user)
    theirs = make_job(make_account(elsewhere.organization), status="running")
    client = Client()
    client.force_login(member.user)
    ask(client, running)
    client.post(f"/o/elsewhere/jobs/{theirs.pk}/notify/")
    end(running)
    end(theirs)
    assert shown(client) == [running.pk]
    assert shown(client, "/o/elsewhere/jobs/") == [theirs.pk]
    member.delete()
    assert [notice.job for notice in EndNotice.objects.all()] == [theirs]


def test_dismissing_leads_back_to_our_own_pages_alone(viewer: Client) -> None:
    for before in ("", "https://away.example/o/harbour-studio/", "http://testserver/profile/"):
        assert viewer.post(NOTICES, headers={"Referer": before})["Location"] == LIST
