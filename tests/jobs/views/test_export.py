"""The list as a file: complete, safe to open in a spreadsheet, one at a time."""

import csv
import io
import json
from datetime import timedelta
from itertools import islice

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from jobs.models import Job, ProviderAccount
from jobs.query.paging import windows
from jobs.views.lists import export
from jobs.workqueue.leases import LeaseLost
from tests.jobs.factories import NOON, make_job

CSV, JSON = "/o/harbour-studio/jobs/export.csv", "/o/harbour-studio/jobs/export.json"


def read_csv(client: Client, query: str = "") -> list[dict[str, str]]:
    response = client.get(CSV + query)
    assert response.status_code == 200
    return list(csv.DictReader(io.StringIO(response.getvalue().decode())))


def test_all_that_the_list_shows_is_in_the_file_and_nothing_else(
    viewer: Client,
    account: ProviderAccount,
    foreign_job: Job,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    monkeypatch.setattr(export, "CHUNK", 2)
    failed = [
        make_job(account, status="failed", created_at=NOON - timedelta(hours=hour))
        for hour in range(5)
    ]
    make_job(account, status="succeeded")
    response = viewer.get(f"{JSON}?status=failed&sort=-created")
    with django_assert_num_queries(7):  # three chunks, after each the lease; its release
        found = json.loads(response.getvalue())
    assert [job["id"] for job in found["jobs"]] == [job.pk for job in failed]
    assert (found["complete"], found["count"]) == (True, 5)
    first = found["jobs"][0]
    assert first["account"] == "Zencoder main"
    assert first["created_at"] == NOON.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    *rows, end = read_csv(viewer, "?status=failed&sort=-created")
    assert [row["id"] for row in rows] == [str(job.pk) for job in failed]
    assert (end["id"], end["provider"]) == ("#complete", "5")


def test_what_no_index_serves_is_exported_to_its_end(
    viewer: Client, account: ProviderAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often the time for one search runs out."""
    monkeypatch.setattr(windows, "SEARCH_S", 0)
    monkeypatch.setattr(windows, "FIRST_WINDOW", 2)
    for number in range(6):
        make_job(account, batch="" if number % 5 else "wanted")
    response = viewer.get(f"{JSON}?q=batch:wanted*")
    with CaptureQueriesContext(connection) as queries:
        found = json.loads(response.getvalue())
    # a range of times for each search: no statement goes through all jobs
    searches = [one["sql"] for one in queries.captured_queries if "wanted" in one["sql"].lower()]
    assert len(searches) > 2
    assert (found["count"], len(found["jobs"])) == (2, 2)


def test_a_name_is_no_formula(viewer: Client, account: ProviderAccount) -> None:
    make_job(account, name='=HYPERLINK("https://evil.example")', batch="-2+3")
    row, _ = read_csv(viewer)
    assert (row["name"], row["batch"]) == ('\'=HYPERLINK("https://evil.example")', "'-2+3")


def test_a_mistyped_filter_exports_nothing(viewer: Client, account: ProviderAccount) -> None:
    make_job(account)
    response = viewer.get(f"{CSV}?status=faild")
    assert response.status_code == 422
    assert "A status is one of" in response.content.decode()


def test_one_export_at_a_time(viewer: Client, account: ProviderAccount) -> None:
    make_job(account)
    running = viewer.get(CSV)
    refused = viewer.get(JSON)
    assert refused.status_code == 429
    assert "Another export is in progress" in refused.content.decode()
    assert b"#complete,1" in running.getvalue()
    assert viewer.get(JSON).status_code == 200


def test_a_reader_who_stops_loses_the_slot_and_gets_no_end(
    viewer: Client, account: ProviderAccount
) -> None:
    make_job(account)
    stream = iter(viewer.get(JSON))
    read = list(islice(stream, 2))
    with time_machine.travel(timezone.now() + export.SLOT_LEASE + timedelta(seconds=1)):
        assert json.loads(viewer.get(JSON).getvalue())["count"] == 1
    with pytest.raises(LeaseLost):
        read.extend(stream)
    assert b"complete" not in b"".join(read)


@pytest.mark.parametrize(
    ("scope", "expected"), [("selected", "ac"), ("page", "abc"), ("all", "ab")]
)
def test_what_is_selected_in_the_list_is_exported(
    viewer: Client, account: ProviderAccount, foreign_job: Job, scope: str, expected: str
) -> None:
    jobs = [
        make_job(account, name=name, status=status, created_at=NOON - timedelta(hours=hour))
        for hour, (name, status) in enumerate((("a", "failed"), ("b", "failed"), ("c", "running")))
    ]
    page = ",".join(str(job.pk) for job in jobs)
    sent = f"?list=status%3Dfailed&page={page},&id={jobs[0].pk}&id={jobs[2].pk}&scope={scope}"
    *rows, end = read_csv(viewer, sent)
    assert "".join(row["name"] for row in rows) == expected
    assert end["provider"] == str(len(expected))
    response = viewer.get(f"{CSV}?scope=selected&id={jobs[0].pk}&id={foreign_job.pk}")
    assert response.status_code == 422
    assert response.content.decode() == f"No job has one of these ids: {foreign_job.pk}."
    assert viewer.get(f"{CSV}?scope=selected").status_code == 422
