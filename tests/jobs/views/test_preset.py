"""The page of one preset: its figures are those of the lists, its settings are a table."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from jobs.models import Preset, ProviderAccount
from jobs.query import presets
from organizations.models import Organization
from tests.jobs.factories import make_account, make_job, make_output, make_preset
from tests.markup import without_isolation

PRESETS = "/o/harbour-studio/presets/"
SETTINGS = {
    "name": "web",
    "video": {"codec": "h264", "caps": {"height": 720}},
    "audio": {"codec": "aac"},
    "sizes": [240, 720],
}


def make_used(account: ProviderAccount, index: int, preset: Preset, **fields: object) -> None:
    at = timezone.now() - timedelta(hours=index + 1)
    fields = {"started_at": at, "finished_at": at + timedelta(minutes=index + 1)} | fields
    job = make_job(account, created_at=at, name=f"reel {index}", **fields)
    for _ in range(2):
        make_output(job, preset=preset, size_bytes=1_000_000 * (index + 1))


@pytest.fixture
def used(studio: Organization) -> Preset:
    """Used by two jobs that succeeded, three that failed, and one that did so long ago."""
    account = make_account(studio, provider="xvid", name="Hub")
    preset = make_preset(account, name="Web ladder", kind="custom", settings=SETTINGS)
    for index, fields in enumerate(
        (
            {},
            {},
            {"status": "failed"},
            {"status": "failed"},
            {"status": "failed", "error_class": "input.corrupt"},
        )
    ):
        make_used(account, index, preset, **fields)
    long_ago = timezone.now() - timedelta(days=40)
    make_output(make_job(account, created_at=long_ago, status="failed"), preset=preset)
    # another one's
    make_used(account, 5, make_preset(account))
    return preset


def show(client: Client, preset: Preset) -> str:
    html = client.get(f"{PRESETS}{preset.pk}/").content.decode()
    return " ".join(without_isolation(html).split())


def test_each_figure_equals_the_list_that_it_leads_to(viewer: Client, used: Preset) -> None:
    html = show(viewer, used)
    found = re.findall(
        rf'href="([^"]*jobs/\?preset={used.pk}[^"]*)">([^<]*)</a>(?: <span>(\d+))?', html
    )
    counted = {
        text: (count, len(viewer.get(url.replace("&amp;", "&")).context["page"].rows))
        for url, text, count in found
    }
    assert counted == {
        "5": ("", 5),
        "40%": ("", 5),
        "2": ("", 2),
        "3": ("", 3),
        "Source not found": ("2", 2),
        "Source damaged": ("1", 1),
        "All 5 of 30 days": ("", 5),
    }


def test_what_is_usual_comes_from_the_latest(
    viewer: Client, used: Preset, monkeypatch: pytest.MonkeyPatch
) -> None:
    html = show(viewer, used)
    assert "<strong>3:30</strong>" in html  # of 1, 2, 3, 4 and 5 minutes, and 5 of long ago
    assert "of the latest 11 outputs" in html
    assert "<strong>3 MB</strong>" in html
    assert re.findall(r">reel (\d)</a>", html) == ["0", "1", "2", "3", "4"]
    monkeypatch.setattr(presets, "LATEST", 4)
    html = show(viewer, used)
    assert "<strong>1:30</strong>" in html
    assert re.findall(r">reel (\d)</a>", html) == ["0", "1"]


def test_settings_are_rows_by_part(viewer: Client, used: Preset) -> None:
    table = show(viewer, used).partition("sheet settings")[2].partition("</table>")[0]
    rows = re.findall(r"<th[^>]*>(.*?)</th>(?: <td[^>]*>(.*?)</td>)?", table)
    assert rows == [
        ("name", "web"),
        ("sizes", "240, 720"),
        ("video", ""),
        ("codec", "h264"),
        ("caps.height", "720"),
        ("audio", ""),
        ("codec", "aac"),
    ]


def test_an_unused_preset_says_so(viewer: Client, account: ProviderAccount) -> None:
    html = show(viewer, make_preset(account, settings={}))
    for phrase in ("None finished", "No failures.", "Settings not reported.", "No job used it yet"):
        assert phrase in html


def test_a_new_job_begins_with_it_where_a_form_can(
    operator: Client, viewer: Client, used: Preset, account: ProviderAccount
) -> None:
    assert "New job with it" not in show(viewer, used)
    # its provider takes heights
    assert "New job with it" not in show(operator, make_preset(account))
    url = re.findall(r'href="([^"]*)">(?:(?!<a ).)*New job with it', show(operator, used))[0]
    form = operator.get(url.replace("&amp;", "&")).context["form"]
    assert form.chosen == used.account
    assert form["presets"].value() == [used.remote_id]


def test_it_costs_the_same_however_much_it_was_used(
    viewer: Client, used: Preset, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    show(viewer, used)
    with django_assert_num_queries(11):
        show(viewer, used)
    for index in range(6, 20):
        make_used(used.account, index, used)
    with django_assert_num_queries(11):
        show(viewer, used)
