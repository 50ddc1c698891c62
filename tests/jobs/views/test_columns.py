"""The columns of the job list: chosen in the URL, the same for rows that a poll brings."""

import re
from datetime import timedelta

import pytest
from django.db.models import F
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from jobs.models import Job, ProviderAccount, SavedView
from jobs.query.arrivals import mark
from organizations.models import ApiToken, Organization, User
from tests.factories import make_user
from tests.jobs.factories import NOON, find_batch, make_job
from tests.jobs.views.list_page import LIST, ListPage
from tests.jobs.views.test_job_list import QUERIES
from tests.markup import without_isolation

ALL = "account,outputs,batch,submitted_by,created,started,finished,duration"
USUAL = ["Account", "Outputs", "Created", "Duration"]


def headings(html: str) -> list[str]:
    head = html.partition("<thead>")[2].partition("</thead>")[0]
    found = re.findall(r"<th\b[^>]*>(.*?)</th>", head, re.DOTALL)
    return [re.sub(r"<[^>]*>", "", text).strip() for text in found][2:]


def facts(html: str) -> list[str]:
    return re.findall(r'data-label="([^"]+)"', html)


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", USUAL),
        ("?columns=", USUAL),
        ("?columns=size", USUAL),
        ("?columns=duration,time,outputs,account", USUAL),
        ("?columns=time", ["Created"]),
        ("?columns=batch,account", ["Account", "Batch", "Created"]),
        ("?columns=batch&columns=account", ["Account", "Batch", "Created"]),
        # which the list is sorted by
        ("?columns=created", ["Created"]),
        ("?columns=created&status=succeeded", ["Finished", "Created"]),
    ],
)
def test_headings_and_cells_are_those_that_were_chosen(
    viewer: Client, job: Job, query: str, shown: list[str]
) -> None:
    html = viewer.get(LIST + query).content.decode()
    assert headings(html) == facts(html) == shown
    assert ("columns=size" in html) is ("size" in query)


def test_chosen_columns_say_who_and_when_and_cost_no_query_more(
    viewer: Client, account: ProviderAccount, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    token = ApiToken.objects.create(organization=account.organization, name="nightly", digest="x")
    for one in range(12):
        person: User | None = make_user(name=f"Person {one}") if one % 2 else None
        job = make_job(account, batch="<i>spring", submitted_by=person)
        Job.objects.filter(pk=job.pk, submitted_by=None).update(submitted_token=token)
    viewer.get(LIST)
    with django_assert_num_queries(QUERIES):
        html = without_isolation(viewer.get(f"{LIST}?columns={ALL}").content.decode())
    assert "Person 11" in html
    assert "token:nightly" in html
    assert "&lt;i&gt;spring" in html


def test_a_poll_brings_rows_with_the_same_columns(
    viewer: Client, studio: Organization, account: ProviderAccount
) -> None:
    job = make_job(account, created_at=NOON + timedelta(hours=1))
    page = ListPage.open(viewer, "?columns=batch,submitted_by")
    page.since = mark(ProviderAccount.objects.filter(organization=studio))
    Job.objects.filter(pk=job.pk).update(
        batch=find_batch(account, "late"), version=F("version") + 1
    )
    row = page.poll()
    assert facts(row) == ["Batch", "Submitted by", "Created"]
    assert "late" in row


def test_links_and_forms_of_the_page_keep_the_columns(viewer: Client, job: Job) -> None:
    html = viewer.get(f"{LIST}?columns=batch&columns=account").content.decode()
    chosen = "columns=account%2Cbatch%2Ctime"
    tab = re.search(r'id="tab-failed"\s+href="([^"]*)"', html)
    assert tab
    assert chosen in tab[1]
    assert '<input type="hidden" name="columns" value="account,batch,time">' in html
    assert "Columns:" not in html  # a chip, as if it were a filter


def test_a_view_keeps_its_columns_and_notices_others(viewer: Client, job: Job) -> None:
    fields = {"name": "Wide", "q": "", "sort": "", "columns": "batch,gone-by-now,account"}
    link = viewer.post("/o/harbour-studio/views/new/", fields).url  # type: ignore[attr-defined]
    view = SavedView.objects.get()
    assert view.columns == ["account", "batch", "time"]
    html = viewer.get(link).content.decode()
    assert headings(html) == ["Account", "Batch", "Created"]
    assert "Unsaved changes" not in html

    changed = viewer.get(f"{LIST}?view={view.pk}&columns=batch").content.decode()
    assert "Unsaved changes" in changed
    assert '<input type="hidden" name="columns" value="batch,time">' in changed
    viewer.post(f"/o/harbour-studio/views/{view.pk}/save/", {"columns": "batch,time"})
    view.refresh_from_db()
    assert view.columns == ["batch", "time"]
    # written by an older version
    SavedView.objects.update(columns=["batch", "size", 7])
    assert headings(viewer.get(link).content.decode()) == ["Account", "Batch", "Created"]
