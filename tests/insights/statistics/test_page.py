"""The page of statistics: its figures are those of the lists they lead to."""

import csv
import json
import re
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
from django.http import QueryDict
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from insights.rollups import upkeep
from insights.views.stats.filter import SPANS
from jobs.models import Preset, ProviderAccount, SavedView
from jobs.query.paging import windows
from jobs.query.visibility import Visibility
from jobs.views.shared.job_filters import PageFilter
from organizations.models import Organization, User
from tests.insights.random_jobs import END, ZONES, make_jobs
from tests.jobs.factories import make_job, make_output

pytestmark = pytest.mark.django_db

# two days and a part, and so by the day; in UTC wherever the organization is
TIME = {"from": "2025-10-31T05:20:00Z", "to": "2025-11-03T04:00:00Z"}


@pytest.fixture
def path(studio: Organization) -> str:
    return reverse("insights:stats", args=[studio.slug])


@pytest.fixture
def csv_path(studio: Organization) -> str:
    return reverse("insights:stats_csv", args=[studio.slug])


def read(client: Client, path: str, **query: str) -> str:
    response = client.get(f"{path}?{urlencode(query)}")
    assert response.status_code == 200
    return response.content.decode()


def figures(text: str, path: str) -> list[tuple[int, QueryDict]]:
    """Each number that leads to a list of jobs, with what that is asked for."""
    found = re.findall(rf'<a href="{re.escape(path)}\?([^"]*)">([^<]*)</a>', text)
    numbers = [(re.match(r"([\d,]+)(?: jobs?)?$", label.strip()), query) for query, label in found]
    return [
        (int(number[1].replace(",", "")), QueryDict(unescape(query)))
        for number, query in numbers
        if number
    ]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(
    "query", [{}, {"q": "ran:>5s finished:>=2025-11-01"}, {"provider": "zencoder", "group": "hour"}]
)
def test_each_figure_is_the_number_of_jobs_in_its_list(
    studio: Organization,
    accounts: list[ProviderAccount],
    presets: list[Preset],
    operator: Client,
    path: str,
    zone: str,
    query: dict[str, str],
) -> None:
    Organization.objects.filter(pk=studio.pk).update(time_zone=zone)
    # who looks has another zone, in which the lists read dates
    User.objects.update(time_zone="Pacific/Auckland")
    make_jobs(accounts, presets, 120)
    upkeep.keep_up(END - timedelta(days=2))
    text = read(operator, path, **TIME, **query, table="outcomes")
    text += read(operator, path, **TIME, **query, table="success")
    found = figures(text, reverse("jobs:list", args=[studio.slug]))
    assert len(found) > 15
    visible = Visibility(studio)
    for number, asked in found:
        filters = PageFilter.parse(asked, visible, ZoneInfo("Pacific/Auckland"))
        assert not filters.errors
        assert filters.apply(visible.jobs()).count() == number, asked.urlencode()


def test_days_are_those_of_the_organization(
    studio: Organization, account: ProviderAccount, operator: Client, path: str
) -> None:
    at = timezone.now().astimezone(ZoneInfo("Europe/Berlin"))
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    for end in (midnight, midnight - timedelta(seconds=1)):
        make_job(account, created_at=end - timedelta(minutes=9), finished_at=end)
    text = read(operator, path)
    (data,) = re.findall(r'id="plot-outcomes"[^>]*data-plot="([^"]*)"', text, re.DOTALL)
    chart = json.loads(unescape(data))
    assert [one["values"] for one in chart["series"] if one["key"] == "succeeded"] == [
        [0, 0, 0, 0, 0, 1, 1]
    ]
    assert chart["labels"][-1] == f"{at:%a} {at.day} {at:%b}, so far"
    assert "Days in Europe/Berlin" in text


@pytest.fixture
def ended_now(account: ProviderAccount) -> None:
    now = timezone.now()
    make_job(account, created_at=now - timedelta(minutes=9), finished_at=now)


@pytest.mark.usefixtures("ended_now")
@pytest.mark.parametrize("span", SPANS)
def test_each_span_has_its_hours_or_days(operator: Client, path: str, span: str) -> None:
    text = read(operator, path, span=span)
    (data,) = re.findall(r'id="plot-wait"[^>]*data-plot="([^"]*)"', text, re.DOTALL)
    number = len(json.loads(unescape(data))["labels"])
    expected = {"24h": [24], "7d": [7], "30d": [30], "90d": [90], "1y": [365]}
    assert number in expected.get(span, range(1, 26))
    assert re.search(rf'id="span-{span}"[^>]*aria-current="page"', text)


def test_the_provider_that_fares_worst_is_shown_apart(
    accounts: list[ProviderAccount], operator: Client, path: str
) -> None:
    time = {"from": "2026-03-14", "through": "2026-03-14", "group": "day"}
    for status in ("succeeded", "failed", "cancelled"):
        make_job(accounts[0], status=status)
    make_job(accounts[1], status="failed")
    assert "Others" not in read(operator, path, **time)
    make_job(accounts[2])
    text = read(operator, path, **time)
    (data,) = re.findall(r'id="plot-success"[^>]*data-plot="([^"]*)"', text, re.DOTALL)
    series = json.loads(unescape(data))["series"]
    assert [(one["label"], one["values"]) for one in series] == [
        ("Zencoder", [33.33]),
        ("Others", [100.0]),
    ]
    table = text[text.index('id="table-success"') :].partition("</table>")[0]
    assert re.findall(r'data-label="(\w+)">([^<]*)</td>', table) == [
        ("Zencoder", "33%"),
        ("Others", "100%"),
    ]


def test_a_time_of_ones_own_ends_with_its_last_day(
    account: ProviderAccount, operator: Client, path: str
) -> None:
    make_job(account)
    for query, count in (
        ({"from": "2026-03-14", "through": "2026-03-14"}, 1),
        ({"from": "2026-03-13", "through": "2026-03-13"}, 0),
        ({"from": "2026-03-13", "to": "2026-03-14"}, 0),
        ({"through": "2026-03-15"}, 1),
    ):
        text = read(operator, path, **query)
        total = re.search(r"Jobs finished</dt>.*?<strong[^>]*>(.*?)</strong>", text, re.DOTALL)
        assert total
        assert re.sub(r"<[^>]*>|\s", "", total[1]) == str(count)
    assert "9 Mar 2026" in text


def test_what_cannot_be_read_is_said(operator: Client, path: str, csv_path: str) -> None:
    for query, sentence in (
        ("span=2d", "Use today"),
        ("from=soon", "Enter a time such as"),
        ("from=2026-01-01&through=soon", "Write a date"),
        ("q=nonsense:", "nonsense"),
        ("table=others", ""),
        ("colour=red", "Ignored"),
    ):
        response = operator.get(f"{path}?{query}")
        assert response.status_code == 200
        assert sentence in response.content.decode()
    assert operator.get(f"{csv_path}?from=soon").status_code == 422


def test_a_saved_view_narrows_it(
    studio: Organization, accounts: list[ProviderAccount], operator: Client, path: str
) -> None:
    view = SavedView.objects.create(organization=studio, name="Ours", query="account:two")
    make_job(accounts[0])
    make_job(accounts[1])
    text = read(operator, path, **{"from": "2026-03-14"}, through="2026-03-14")
    (link,) = re.findall(rf'href="({path}[^"]*view={view.pk}[^"]*)"', text)
    text = operator.get(unescape(link)).content.decode()
    assert re.search("View: <strong>.*Ours.*</strong>", text)
    assert ">1</a>" in text


def test_what_took_too_long_to_count_is_said(
    account: ProviderAccount, operator: Client, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        make_job(account)
    monkeypatch.setattr(windows, "FIRST_WINDOW", 2)
    monkeypatch.setattr(windows, "SEARCH_S", 0)
    query = {"from": "2026-03-14", "through": "2026-03-14"}
    assert "This query has to look at each job" in read(operator, path, **query, q="ran:>1s")


def test_without_a_job_it_says_so(operator: Client, path: str) -> None:
    text = read(operator, path)
    assert "No job ended in this time" in text
    assert "data-plot" not in text


@pytest.mark.usefixtures("ended_now")
def test_long_tables_come_when_they_are_opened(operator: Client, path: str) -> None:
    text = read(operator, path, span="90d")
    assert "Show the table of 90 lines" in text
    assert "stats-table" not in text
    # without scripts the page comes again with the table
    assert read(operator, path, span="90d", table="run").count("<tbody>") == 1
    headers = {"HX-Request": "true", "HX-Target": "table-run"}
    part = operator.get(f"{path}?span=90d&table=run", headers=headers).content.decode()
    assert part.count("<tr>") == 91
    assert part.lstrip().startswith('<div class="table-scroll"')
    headers["HX-Target"] = "results"
    results = operator.get(f"{path}?span=90d&q=x", headers=headers).content.decode()
    assert results.lstrip().startswith('<section id="results"')


def test_it_costs_the_same_however_many_jobs(
    accounts: list[ProviderAccount],
    presets: list[Preset],
    operator: Client,
    path: str,
    django_assert_num_queries: Any,
) -> None:
    make_jobs(accounts, presets, 20)
    upkeep.keep_up(END + timedelta(hours=1))
    query = urlencode({"from": "2025-10-25T00:00:00Z", "to": "2025-11-06T00:00:00Z"})
    operator.get(f"{path}?{query}")
    for seed in (1, 2):
        with django_assert_num_queries(20):
            operator.get(f"{path}?{query}")
        make_jobs(accounts, presets, 200, seed=seed)
        upkeep.keep_up(END + timedelta(minutes=20 * seed))


def test_each_table_is_there_as_csv(
    account: ProviderAccount, operator: Client, csv_path: str
) -> None:
    preset = Preset.objects.create(
        account=account, remote_id="1", name="=1+1", first_seen_at=END, changed_at=END
    )
    make_output(make_job(account), preset=preset)
    make_job(account, status="failed")
    time = urlencode({"from": "2026-03-14", "through": "2026-03-14", "group": "day"})
    found = {}
    for table in ("outcomes", "success", "wait", "run", "output", "errors", "presets"):
        response = operator.get(f"{csv_path}?{time}&table={table}")
        assert response["Content-Type"].startswith("text/csv")
        lines = b"".join(response).decode().splitlines()
        found[table] = list(csv.DictReader(lines))
    day = {"begins_utc": "2026-03-13T23:00Z", "begins": "2026-03-14T00:00+01:00"}
    ended = {"succeeded": "1", "failed": "1", "cancelled": "0", "success_rate": "0.5"}
    assert found["outcomes"] == found["success"] == [{**day, **ended}]
    assert found["output"] == [{**day, "output_ms": "61240"}]
    assert float(found["wait"][0]["wait_p50_ms"]) == pytest.approx(20_000, rel=0.05)
    assert float(found["run"][0]["run_p95_ms"]) == pytest.approx(280_000, rel=0.05)
    assert found["errors"] == [
        {"error": "input.not_found", "title": "Source not found", "jobs": "1"}
    ]
    # a spreadsheet would carry the name out
    assert [row["preset"] for row in found["presets"]] == ["'=1+1"]
