"""The overview: each figure is the number of jobs in the list that it leads to."""

import html
import random
import re
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from insights.overview.attention import MAX_SHOWN
from insights.overview.today import compare
from jobs.models import Job, JobErrorGroup, ProviderAccount, Submission, SubmissionState
from organizations.models import Organization, Role
from providers.core.status import JobStatus
from tests.factories import make_membership, make_organization
from tests.insights.conftest import Url
from tests.jobs.factories import NOON, make_account, make_job

_FIGURE = re.compile(
    r'<a class="row-top"\s+href="([^"]+)"[^>]*>(?:<strong>)?([\d,]+)(?:</strong>)? ?([a-z ]*)'
)


def figures(text: str) -> dict[str, tuple[str, int]]:
    """Each figure of the page: by URL of its list, what it counts and how many."""
    return {
        html.unescape(url): (noun, int(number.replace(",", "")))
        for url, number, noun in _FIGURE.findall(text)
    }


def rows(text: str) -> list[str]:
    """The first cell of each row, without tags."""
    needs = re.findall(r'<tr class="need[^"]*">(.*?)</th>', text, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", "", cell).split()) for cell in needs]


def mark(job: Job, group_mark: str) -> None:
    assert job.error_group is not None
    JobErrorGroup.objects.filter(pk=job.error_group.pk).update(
        mark=group_mark, marked_at=timezone.now()
    )


def make_unconfirmed(account: ProviderAccount) -> Job:
    job = make_job(account, status="submitting", remote_id=None, created_at=timezone.now())
    Submission.objects.create(
        job=job,
        account=account,
        organization=account.organization,
        key=f"key-{job.pk}",
        fingerprint="f",
        request={},
        next_at=timezone.now(),
        state=SubmissionState.UNCONFIRMED,
    )
    return job


@pytest.fixture(autouse=True)
def in_sync(account: ProviderAccount) -> None:
    keep_in_sync(account)


def keep_in_sync(account: ProviderAccount) -> None:
    now = timezone.now()
    ProviderAccount.objects.filter(pk=account.pk).update(
        last_pass_at=now, last_success_at=now, next_sync_at=now + timedelta(seconds=30)
    )


@pytest.mark.parametrize("seed", range(3))
def test_each_figure_is_the_number_of_jobs_in_its_list(
    operator: Client, url: Url, studio: Organization, account: ProviderAccount, seed: int
) -> None:
    chosen = random.Random(seed)  # noqa: S311 - no secret
    other = make_account(studio, provider="xvid", name="Archive", expected_at=NOON)
    paused = make_account(studio, enabled=False, name="Old one")
    theirs = make_account(make_organization("others"))
    for _ in range(60):
        status = chosen.choice(list(JobStatus))
        job = make_job(
            chosen.choice([account, other, paused, theirs]),
            status=status,
            is_suspect=status == "succeeded" and chosen.random() < 0.3,
            gone_at=timezone.now() if status == "running" and chosen.random() < 0.3 else None,
            **(
                {"error_message": f"Cause {'abc'[chosen.randrange(3)]}"}
                if status == "failed"
                else {}
            ),
        )
        if status == "failed" and chosen.random() < 0.5:
            mark(job, chosen.choice(["new", "returned"]))
    fixed = make_job(account)
    make_job(account, status="failed", error_message="Cause a")
    for cause in "ad":  # one of which each failure was resolved
        message = f"Cause {cause}"
        mark(make_job(account, status="failed", error_message=message, resolved_by=fixed), "new")
    for chosen_account in (account, theirs):
        make_unconfirmed(chosen_account)
    found = figures(operator.get(url("overview")).text)
    assert {noun.removesuffix("s") for noun, _ in found.values()} == {
        *("job", "active job", "queued", "")
    }
    for list_url, (_, number) in found.items():
        listed = operator.get(f"{list_url}&limit=200").text
        assert listed.count('<tr id="job-') == number, list_url


def test_what_needs_attention_comes_in_its_order_with_one_step_each(
    operator: Client, url: Url, studio: Organization, account: ProviderAccount
) -> None:
    make_account(studio, name="Old one", enabled=False)
    make_account(studio, name="Late one", expected_at=NOON)
    make_account(studio, name="Refused one", refused_at=timezone.now(), next_sync_at=timezone.now())
    mark(make_job(account, status="failed", error_message="<b>No</b> disk"), "returned")
    make_job(account, is_suspect=True)
    make_job(account, status="queued")
    make_unconfirmed(account)
    text = operator.get(url("overview")).text
    assert rows(text) == [
        "Source not found",
        "Unresolved failures",
        "Refused one refuses the credentials",
        "Late one is late",
        "Old one is paused",
        "Suspect",
        "Submission unconfirmed",
        "Oldest in queue",
    ]
    assert "<b>No" not in text
    assert "Sync now" in text
    # what an operator may not do is not offered
    assert "Replace key" not in text
    assert "Resume" not in text
    manager = Client()
    manager.force_login(make_membership(studio, Role.MANAGER).user)
    text = manager.get(url("overview")).text
    assert "Replace key" in text
    assert "Resume" in text


def test_many_errors_and_accounts_are_summed_up(
    operator: Client, url: Url, studio: Organization, account: ProviderAccount
) -> None:
    for number in range(MAX_SHOWN + 2):
        make_account(studio, name=f"Paused {number}", enabled=False)
        name = "abcdefghij"[number]
        for _ in range(number + 1):
            job = make_job(account, status="failed", error_message=f"Disk {name} is full")
        mark(job, "new")
    found = rows(operator.get(url("overview")).text)
    assert len(found) == 2 * (MAX_SHOWN + 1) + 1
    assert "2 more new or returned errors" in found
    assert "2 more accounts not in sync" in found


def test_nothing_needs_anybody(
    operator: Client, url: Url, studio: Organization, account: ProviderAccount
) -> None:
    make_job(account)
    make_job(account, status="queued", created_at=timezone.now() - timedelta(seconds=48))
    text = operator.get(url("overview")).text
    assert "Nothing needs you" in text
    assert "The oldest job in the queue was created" in text
    assert rows(text) == []
    make_job(account, status="failed")
    studio.error_groups.update(state="muted")
    text = operator.get(url("overview")).text
    assert "Muted: 1 error<" in text
    assert rows(text) == ["Unresolved failures"]
    assert 'bulk/new/?action=resubmit&amp;status=failed&amp;unresolved=true"' in text


def test_without_an_account_it_says_how_to_begin(
    operator: Client, url: Url, account: ProviderAccount
) -> None:
    account.delete()
    text = operator.get(url("overview")).text
    assert "No accounts yet" in text
    assert "Needs attention" not in text


def test_a_poll_brings_the_page_only_once_something_has_changed(
    operator: Client,
    url: Url,
    account: ProviderAccount,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    operator.get(url("overview"))
    text = operator.get(url("overview")).text
    [poll] = re.findall(r'hx-get="([^"]+\?state=[^"]+)"', text)
    htmx = {"HX-Request": "true"}
    with django_assert_num_queries(4):  # session, user, membership and accounts
        assert operator.get(poll, headers=htmx).status_code == 204
    make_job(account, status="failed")
    ProviderAccount.objects.filter(pk=account.pk).update(revision=account.revision + 1)
    answer = operator.get(poll, headers=htmx)
    assert "Unresolved failures" in answer.text
    assert "<html" not in answer.text
    assert 'id="health"' in answer.text


def test_it_takes_as_many_queries_for_many_jobs_as_for_few(
    operator: Client,
    url: Url,
    studio: Organization,
    account: ProviderAccount,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    def fill(number: int) -> None:
        for one in range(number):
            job = make_job(account, status="failed", error_message=f"Cause {'xyz'[one % 3]}")
            mark(job, "new")
            make_job(account, is_suspect=True)
            make_job(account, status="queued")

    fill(1)
    operator.get(url("overview"))  # the first request of a session writes
    with django_assert_num_queries(16):
        operator.get(url("overview"))
    fill(6)
    with django_assert_num_queries(16):
        operator.get(url("overview"))


def test_the_front_page_is_the_view_that_one_begins_with_else_the_overview(
    operator: Client, url: Url, studio: Organization
) -> None:
    answer = operator.get("/")
    assert answer.headers["Location"] == url("overview")
    form = {"name": "Mine", "q": "status:failed", "is_default": "on"}
    operator.post(reverse("jobs:view_new", args=[studio.slug]), form)
    answer = operator.get("/")
    assert dict(parse_qsl(urlsplit(answer.headers["Location"]).query))["q"] == "status:failed"


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "America/Los_Angeles"])
def test_figures_of_today_are_those_of_their_lists(
    operator: Client, url: Url, studio: Organization, account: ProviderAccount, zone: str
) -> None:
    Organization.objects.filter(pk=studio.pk).update(time_zone=zone)
    chosen = random.Random(zone)  # noqa: S311 - no secret
    now = timezone.now()
    for _ in range(40):
        at = now - timedelta(minutes=chosen.randrange(-3, 60 * 30))
        make_job(
            account,
            status=chosen.choice(["succeeded", "failed", "cancelled"]),
            created_at=at - timedelta(hours=chosen.randrange(4)),
            finished_at=at,
        )
    text = operator.get(url("overview")).text
    figures = {
        html.unescape(link): int(number)
        for link, number in re.findall(r'<a href="([^"]*finished_after[^"]+)">(\d+)</a>', text)
    }
    assert len(figures) == 2
    for list_url, number in figures.items():
        listed = operator.get(f"{list_url}&limit=200").text
        assert listed.count('<tr id="job-') == number, list_url
    [table] = re.findall(r"<caption[^>]*>Jobs that ended today.*?</table>", text, re.DOTALL)
    hours = [int(number) for number in re.findall(r'data-label="\w+">(\d+)<', table)]
    assert sum(hours) == max(figures.values())
    assert len(hours) in (23 * 3, 24 * 3, 25 * 3)


def test_a_figure_outside_of_the_usual_range_is_marked_where_that_is_bad() -> None:
    days = [float(number) for number in range(10, 31)]
    usual = compare("Failed", 20, days, str, worse="higher")
    assert (usual.usual, usual.is_odd) == ("12.0–28.0", False)
    assert compare("Failed", 29, days, str, worse="higher").is_odd
    assert not compare("Failed", 1, days, str, worse="higher").is_odd
    assert compare("Rate", 1, days, str, worse="lower").is_odd
    assert not compare("Ended", 99, days, str).is_odd
    for value in (0, 20, 99, None):
        drawn = compare("Ended", value, days, str)
        assert drawn.band_start is not None
        assert drawn.band_width is not None
        assert 0 < drawn.band_start < drawn.band_start + drawn.band_width < 100
        assert drawn.at is None or 0 < drawn.at < 100
    unknown = compare("Failed", None, days[:4], str)
    assert (unknown.now, unknown.usual, unknown.band_start) == ("–", "", None)
