"""The list: what a row says, what the tabs count, where the links lead, what a page costs."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from jobs.models import Job, ProviderAccount
from organizations.models import Organization, User
from providers.core.status import JobStatus
from tests.jobs.factories import NOON, make_account, make_job
from tests.markup import without_isolation

LIST = "/o/harbour-studio/jobs/"
FILES, PRESETS = "/o/harbour-studio/files/", "/o/harbour-studio/presets/"
# session, user, membership; accounts, views, rows; the counts of all tabs; organizations
QUERIES = 8
# whether one that is being submitted waits for a place at its account
CAPS = 1


def rows(html: str) -> list[str]:
    body = re.search(r"<tbody\b.*?</tbody>", html, re.DOTALL)
    return body[0].split("<tr ")[1:] if body else []


def test_a_row_says_what_the_job_is(viewer: Client, account: ProviderAccount) -> None:
    make_job(account, name="harbour.mov", input_url="s3://footage/raw/tape-7.mxf", attempt=2)
    html = viewer.get(LIST).content.decode()
    for phrase in ("harbour.mov", "tape-7.mxf", "attempt 2", "Zencoder main", "Succeeded"):
        assert phrase in html


@pytest.mark.parametrize("path", [LIST, FILES, PRESETS])
def test_an_unknown_parameter_is_named_and_an_empty_one_ignored(
    viewer: Client, account: ProviderAccount, path: str
) -> None:
    html = viewer.get(f"{path}?provider=&q=&colour=7&hue=&b%3Cb%3E=1").content.decode()
    assert re.findall(
        r"<strong>(.*?)</strong>", without_isolation(html.partition("Ignored,")[2])
    ) == [
        "colour",
        "hue",
        "b&lt;b&gt;",
    ]
    assert "no such filter" in html
    assert "no such filter" not in viewer.get(f"{path}?provider=&cursor=").content.decode()


def test_a_failed_row_says_why(viewer: Client, account: ProviderAccount) -> None:
    make_job(account, status=JobStatus.FAILED)
    (row,) = rows(viewer.get(LIST).content.decode())
    assert "input.not_found" in row
    assert "<strong>Source not found</strong>" in row
    assert "The file was not found." in row


def test_a_job_without_a_time_of_creation_says_what_is_known(
    viewer: Client, account: ProviderAccount
) -> None:
    job = make_job(account, created_at=None, started_at=None, finished_at=None)
    (row,) = rows(viewer.get(LIST).content.decode())
    assert "seen <time" in row
    assert "Duration" in row
    assert row.count("Not reported") == 1  # how long it took
    (ended,) = rows(viewer.get(f"{LIST}?sort=-finished").content.decode())
    assert ">estimated</span>" in ended
    Job.objects.filter(pk=job.pk).update(sort_at=job.first_seen_at - timedelta(days=40))
    (row,) = rows(viewer.get(LIST).content.decode())
    assert "over <time" in row


def test_progress_that_nobody_reported_is_not_shown_as_zero(
    viewer: Client, account: ProviderAccount
) -> None:
    make_job(account, status=JobStatus.RUNNING, progress=None)
    (row,) = rows(viewer.get(LIST).content.decode())
    assert "Not reported" in row
    assert "<progress" not in row

    Job.objects.update(progress=41.6)
    (row,) = rows(viewer.get(LIST).content.decode())
    assert 'value="41.6"' in row
    assert "42%" in row


def test_an_unknown_status_of_the_provider_is_shown_as_such(
    viewer: Client, account: ProviderAccount
) -> None:
    make_job(account, status=JobStatus.UNKNOWN, provider_status="marinating")
    html = without_isolation(viewer.get(LIST).content.decode())
    assert "“marinating”" in without_isolation(html)
    assert 'title="Reported as “marinating”"' in html


def test_markup_in_a_name_stays_text(viewer: Client, account: ProviderAccount) -> None:
    make_job(account, name='<img src=x onerror="alert(1)">.mov')
    html = viewer.get(LIST).content.decode()
    assert "<img src=x" not in html
    assert "&lt;img src=x" in html


def test_tabs_count_what_the_other_filters_leave(
    viewer: Client, studio: Organization, account: ProviderAccount, foreign_job: Job
) -> None:
    make_job(account, status=JobStatus.FAILED)
    make_job(account)
    make_job(make_account(studio, name="Archive"), status=JobStatus.FAILED)
    response = viewer.get(f"{LIST}?status=failed&account=Zencoder+main")
    counts = {tab.name: tab.count.value for tab in response.context["tabs"]}
    assert (counts["all"], counts["failed"], counts["succeeded"]) == (2, 1, 1)
    assert len(rows(response.content.decode())) == 1


def test_newer_and_older_lead_through_all_jobs_and_back(
    viewer: Client, account: ProviderAccount
) -> None:
    for number in range(5):
        make_job(account, name=f"clip {number}", created_at=NOON + timedelta(hours=number))
    first = viewer.get(f"{LIST}?limit=2")
    second = viewer.get(first.context["older_url"])
    third = viewer.get(second.context["older_url"])
    names = [[job.name for job in page.context["page"].rows] for page in (first, second, third)]
    assert names == [["clip 4", "clip 3"], ["clip 2", "clip 1"], ["clip 0"]]
    assert not third.context["older_url"]
    back = viewer.get(third.context["newer_url"])
    assert [job.name for job in back.context["page"].rows] == names[1]


def test_a_cursor_of_another_order_begins_at_the_first_page(
    viewer: Client, account: ProviderAccount
) -> None:
    for _ in range(3):
        make_job(account)
    older = viewer.get(f"{LIST}?limit=1").context["page"].next
    response = viewer.get(f"{LIST}?sort=finished&limit=1&cursor={older}")
    assert response.status_code == 302
    assert response["Location"] == f"{LIST}?sort=finished&limit=1"


@pytest.mark.parametrize(
    ("query", "heading", "direction"),
    [
        ("", "Created", "descending"),
        ("?sort=created", "Created", "ascending"),
        ("?status=failed", "Finished", "descending"),
        ("?status=running", "Started", "descending"),
    ],
)
def test_the_heading_that_sorts_says_so(
    viewer: Client, account: ProviderAccount, query: str, heading: str, direction: str
) -> None:
    for status in (JobStatus.FAILED, JobStatus.RUNNING):
        make_job(account, status=status)
    column = viewer.get(f"{LIST}{query}").context["time_column"]
    assert (column.label, column.sorted) == (heading, direction)


def test_a_filter_that_cannot_be_read_shows_nothing_and_says_why(viewer: Client, job: Job) -> None:
    response = viewer.get(f"{LIST}?status=finished")
    assert response.context["page"].rows == []
    assert "A status is one of" in response.content.decode()


def test_the_form_keeps_the_filters_that_it_has_no_field_for(viewer: Client, job: Job) -> None:
    html = viewer.get(f"{LIST}?status=failed&batch=night&q=dawn").content.decode()
    assert '<input type="hidden" name="status" value="failed">' in html
    assert '<input type="hidden" name="batch" value="night">' in html


def test_htmx_gets_the_results_alone(viewer: Client, job: Job) -> None:
    html = viewer.get(f"{LIST}?q=dawn", headers={"HX-Request": "true"}).content.decode()
    assert html.lstrip().startswith('<section id="results"')
    assert "harbour-at-dawn.mov" in html


def test_the_search_box_leads_from_an_id_to_its_job(
    viewer: Client, job: Job, foreign_job: Job
) -> None:
    search = reverse("jobs:search", args=["harbour-studio"])
    page = reverse("jobs:detail", args=["harbour-studio", job.pk])
    for text in ("881200", f"#{job.pk}", str(job.pk)):
        assert viewer.get(search, {"q": text})["Location"] == page
    assert viewer.get(search, {"q": "dawn mov"})["Location"] == f"{LIST}?q=dawn+mov"
    assert (
        viewer.get(search, {"q": str(foreign_job.pk)})["Location"] == f"{LIST}?q={foreign_job.pk}"
    )


def test_an_id_leads_to_the_list_where_something_else_contains_it(viewer: Client, job: Job) -> None:
    other = make_job(job.account, name="copy of 881200.mov")
    search = reverse("jobs:search", args=["harbour-studio"])
    assert viewer.get(search, {"q": "881200"})["Location"] == f"{LIST}?q=881200"
    html = viewer.get(f"{LIST}?q=881200").content.decode()
    assert f'id="job-{job.pk}"' in html
    assert f'id="job-{other.pk}"' in html


def test_an_empty_list_teaches_the_next_step(viewer: Client, manager: Client) -> None:
    assert "A manager of Harbour Studio can add one." in viewer.get(LIST).content.decode()
    assert "Add an account" in manager.get(LIST).content.decode()


def test_a_list_without_failures_says_so(viewer: Client, job: Job) -> None:
    html = viewer.get(f"{LIST}?status=failed").content.decode()
    assert "No failed jobs match these filters." in html


@pytest.mark.parametrize("number", [10, 60])
def test_a_page_costs_the_same_queries_however_many_jobs(
    viewer: Client,
    account: ProviderAccount,
    django_assert_num_queries: DjangoAssertNumQueries,
    number: int,
) -> None:
    for one in range(number):
        make_job(account, status=list(JobStatus)[one % 7])
    viewer.get(LIST)
    with django_assert_num_queries(QUERIES + CAPS):
        assert len(viewer.get(LIST).context["page"].rows) == min(number, 50)


def test_odd_rows_load_nothing_of_their_own(
    viewer: Client, account: ProviderAccount, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """A column that a page leaves out would be loaded row by row."""
    paused = make_account(account.organization, name="Paused", enabled=False)
    for status in JobStatus:
        job = make_job(account, status=status, provider_status="odd")
        for owner in (account, paused):
            make_job(owner, status=status, gone_at=NOON, is_suspect=True, suspect_reason="Odd.")
            make_job(owner, status=status, created_at=None, is_partial=True, is_test=True)
            make_job(owner, status=status, resolved_by=job, attempt=2, progress=12.5)
    viewer.get(LIST)
    columns = "account,outputs,batch,created,started,finished,duration"
    with django_assert_num_queries(QUERIES + CAPS):
        html = viewer.get(f"{LIST}?columns={columns}").content.decode()
    assert "cannot be shown" not in html


def test_the_front_page_leads_to_the_organization(viewer: Client, studio: Organization) -> None:
    assert viewer.get("/")["Location"] == "/o/harbour-studio/"


def test_one_without_an_organization_gets_a_message(stranger: Client) -> None:
    response = stranger.get("/", follow=True)
    assert response.status_code == 200
    assert "not a member of any organization" in response.content.decode()


def test_a_query_too_long_to_redirect_to_ends_on_the_first_page(
    viewer: Client, studio: Organization
) -> None:
    path = reverse("jobs:list", args=[studio.slug])
    response = viewer.get(path, {"cursor": "x", "q": "'" * 9_000})
    assert (response.status_code, response["Location"]) == (302, path)


def test_a_day_in_a_query_is_one_of_the_reader(viewer: Client, account: ProviderAccount) -> None:
    make_job(account, name="early.mov", created_at=NOON.replace(hour=3))
    make_job(account, name="late.mov", created_at=NOON.replace(hour=22))
    User.objects.update(time_zone="America/New_York")
    html = viewer.get(f"{LIST}?q=created:2026-03-14").content.decode()
    assert "late.mov" in html
    assert "early.mov" not in html
