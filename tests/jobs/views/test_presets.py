"""The presets page: each figure leads to the jobs it counts; what has no presets says so."""

import html as markup
import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from jobs.models import Job, Preset, ProviderAccount
from organizations.models import Organization
from tests.jobs.factories import make_account, make_job, make_output, make_preset

PRESETS = "/o/harbour-studio/presets/"
# session, user, membership; presets, their use, accounts without; accounts, views,
# organizations
QUERIES = 9


@pytest.fixture
def used(account: ProviderAccount) -> Preset:
    """Used by three jobs that succeeded, one that failed and one that runs, in the last hours."""
    preset = make_preset(
        account, name="Web ladder", kind="hls", settings={"codec": "h264", "sizes": [240, 720]}
    )
    for status in ("succeeded", "succeeded", "succeeded", "failed", "running"):
        job = make_job(account, status=status, created_at=timezone.now() - timedelta(hours=5))
        make_output(job, preset=preset)
        make_output(job, preset=preset)
    old = make_job(account, created_at=timezone.now() - timedelta(days=40))
    make_output(old, preset=preset)
    return preset


def links(html: str) -> dict[str, str]:
    """Where each figure leads, by the text that names it."""
    found = re.findall(r'<a[^>]*href="([^"]*preset=[^"]*)"[^>]*>(.*?)</a>', html, re.DOTALL)
    return {
        " ".join(re.sub("<.*?>", " ", phrase).split()): markup.unescape(url)
        for url, phrase in found
    }


def test_a_row_says_what_the_preset_is_and_how_it_fares(viewer: Client, used: Preset) -> None:
    html = viewer.get(PRESETS).content.decode()
    for phrase in ("Web ladder", "hls", used.remote_id, "codec h264, sizes 240/720", "75%"):
        assert phrase in html
    assert "last 30 days" in html


def test_each_figure_leads_to_the_very_jobs_that_it_counts(viewer: Client, used: Preset) -> None:
    figures = {
        phrase: len(viewer.get(url).context["page"].rows)
        for phrase, url in links(viewer.get(PRESETS).content.decode()).items()
        if "/jobs/" in url
    }
    assert figures == {
        "5 jobs with Web ladder": 5,
        "3 succeeded with Web ladder": 3,
        "1 failed with Web ladder": 1,
        "75% of the finished jobs with Web ladder succeeded": 4,
    }


def test_another_span_is_counted_and_linked(viewer: Client, used: Preset) -> None:
    html = viewer.get(f"{PRESETS}?created_after=60d").content.decode()
    assert "created_after=60d" in links(html)["6 jobs with Web ladder"]
    assert "Since 60d" in html
    html = viewer.get(f"{PRESETS}?created_after=1h").content.decode()
    assert "None finished" in html
    assert "5 h ago" in html  # when it was last used is shown all the same


def test_a_span_beyond_the_bound_is_refused_with_a_clear_message(
    viewer: Client, used: Preset
) -> None:
    html = viewer.get(f"{PRESETS}?created_after=91d").content.decode()
    assert "Usage is counted over at most 90 days." in html


def test_the_list_of_jobs_says_which_preset_it_is_narrowed_to(viewer: Client, used: Preset) -> None:
    jobs = f"/o/harbour-studio/jobs/?preset={used.pk}&status=failed"
    html = viewer.get(jobs).content.decode()
    assert "Preset Web ladder" in html
    assert f'<input type="hidden" name="preset" value="{used.pk}">' in html
    assert 'href="/o/harbour-studio/jobs/?status=failed"' in html


def test_an_output_on_the_job_page_leads_to_its_preset(viewer: Client, used: Preset) -> None:
    job = Job.objects.filter(status="failed").get()
    html = viewer.get(f"/o/harbour-studio/jobs/{job.pk}/").content.decode()
    assert f'href="{PRESETS}{used.pk}/"' in html
    make_preset(used.account, name="Another")
    found = viewer.get(f"{PRESETS}?preset={used.pk}")
    assert [row.preset for row in found.context["rows"]] == [used]


def test_a_provider_without_presets_says_so(viewer: Client, studio: Organization) -> None:
    make_account(studio, name="Zencoder main")
    assert "This provider has no presets" in viewer.get(PRESETS).content.decode()

    keeps = make_account(studio, name="MediaHub", provider="xvid")
    make_preset(keeps)
    html = viewer.get(PRESETS).content.decode()
    assert "No presets:" in html
    assert "Zencoder main (Zencoder)" in html
    html = viewer.get(f"{PRESETS}?provider=zencoder").content.decode()
    assert "This provider has no presets" in html


def test_presets_that_jobs_named_count_where_the_account_keeps_none(
    viewer: Client, used: Preset
) -> None:
    html = viewer.get(PRESETS).content.decode()
    assert "Web ladder" in html
    assert "Without presets" not in html


def test_a_preset_whose_name_was_not_reported_shows_its_id(
    viewer: Client, account: ProviderAccount
) -> None:
    make_preset(account, name="", remote_id="66b1f0a2", settings={})
    html = viewer.get(PRESETS).content.decode()
    assert "66b1f0a2" in html
    assert "Settings not reported" in html


def test_presets_of_others_are_not_listed(viewer: Client, used: Preset, foreign_job: Job) -> None:
    theirs = make_preset(foreign_job.account, name="Web secret", remote_id=used.remote_id)
    make_output(foreign_job, preset=theirs)
    for query in ("", "?q=web", f"?q={used.remote_id}", "?provider=zencoder"):
        found = viewer.get(PRESETS + query).context["rows"]
        assert [row.preset for row in found] == [used]
    for link in (PRESETS, "/o/harbour-studio/jobs/"):
        html = viewer.get(f"{link}?preset={theirs.pk}").content.decode()
        assert "No preset has the id" in html
        assert "Web secret" not in html


def test_text_finds_by_name_and_kind_and_says_when_none_fits(viewer: Client, used: Preset) -> None:
    make_preset(used.account, name="Stills", kind="image")
    for query in ("q=LADDER", "q=hls+web"):
        found = viewer.get(f"{PRESETS}?{query}").context["rows"]
        assert [row.preset for row in found] == [used]
    assert "No presets match these filters" in viewer.get(f"{PRESETS}?q=zzz").content.decode()


def test_next_leads_through_all_presets(viewer: Client, account: ProviderAccount) -> None:
    made = [make_preset(account, name=f"p{number}") for number in range(5)]
    page = viewer.get(f"{PRESETS}?limit=2")
    seen = [row.preset for row in page.context["rows"]]
    while following := page.context["older_url"]:
        page = viewer.get(following)
        seen += [row.preset for row in page.context["rows"]]
    assert seen == made
    assert page.context["newer_url"] == f"{PRESETS}?limit=2"
    assert viewer.get(f"{PRESETS}?cursor=broken").status_code == 302


@pytest.mark.parametrize("number", [2, 20])
def test_a_page_costs_the_same_queries_however_many_presets(
    viewer: Client,
    studio: Organization,
    django_assert_num_queries: DjangoAssertNumQueries,
    number: int,
) -> None:
    for _ in range(number):
        account = make_account(studio)
        make_output(make_job(account), preset=make_preset(account))
        make_account(studio)
    viewer.get(PRESETS)
    with django_assert_num_queries(QUERIES):
        assert len(viewer.get(PRESETS).context["rows"]) == number
