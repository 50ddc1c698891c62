"""The files page: what a row says, what can be done with a file, what the page costs."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from jobs.models import Job, Output, ProviderAccount
from jobs.query import files as file_query
from organizations.models import Organization
from providers.core.status import JobStatus, OutputStatus
from providers.core.types import OutputKind
from tests.jobs.factories import NOON, make_account, make_job, make_output, make_preset

FILES = "/o/harbour-studio/files/"
# session, user, membership; files; accounts, views, organizations
QUERIES = 7


def names(html: str) -> list[str]:
    """The last part of each listed URL, as the rows show them."""
    return re.findall(r'class="row-name"\s+title="([^"]*)"', html)


def opener(output: Output) -> str:
    return reverse("jobs:output_open", args=["harbour-studio", output.job_id, output.pk])


def test_a_row_says_what_the_file_is_and_whose(viewer: Client, job: Job) -> None:
    output = make_output(job, url="https://cdn.example/out/dawn%20web.mp4", label="web 720")
    html = viewer.get(FILES).content.decode()
    for phrase in (
        "dawn web.mp4", "web 720", "MP4", "1280 × 720", "1:01", "19.4 MB",
        "harbour-at-dawn.mov", "Zencoder main",
    ):  # fmt: skip
        assert phrase in html
    assert f'href="{reverse("jobs:detail", args=["harbour-studio", job.pk])}"' in html
    assert f'href="{opener(output)}"' in html
    assert f"?play={output.pk}#player" in html


def test_files_of_others_are_not_listed_whatever_the_filter(
    viewer: Client, job: Job, foreign_job: Job
) -> None:
    make_output(job, remote_id="1", url="https://cdn.example/ours.mp4")
    make_output(foreign_job, remote_id="1", url="https://cdn.example/theirs.mp4")
    for query in ("", "?q=1", "?q=881200", "?provider=zencoder", "?status=succeeded"):
        assert names(viewer.get(FILES + query).content.decode()) == ["ours.mp4"]
    theirs = make_preset(foreign_job.account)
    assert "No preset has the id" in viewer.get(f"{FILES}?preset={theirs.pk}").content.decode()


def test_no_page_shows_what_signs_a_url(viewer: Client, job: Job) -> None:
    make_output(
        job,
        url="https://cdn.example/film.mp4?Signature=REDACTED",
        secret_url="https://cdn.example/film.mp4?Signature=hunter2-secret",
    )
    html = viewer.get(FILES).content.decode()
    assert "film.mp4" in html
    assert "hunter2" not in html
    assert "Signature=hunter" not in html


def test_a_link_that_expires_says_when_and_an_expired_one_offers_a_new(
    viewer: Client, job: Job
) -> None:
    now = timezone.now()
    soon = now + timedelta(hours=2)
    lasting = make_output(job, expires_at=soon)
    html = viewer.get(FILES).content.decode()
    assert "Link expires in 1 h" in html
    assert f"{soon:%Y-%m-%d %H:%M:%S} UTC" in html
    assert f"?play={lasting.pk}#player" in html

    Output.objects.update(expires_at=now - timedelta(hours=3))
    html = viewer.get(FILES).content.decode()
    assert f'href="{opener(lasting)}"' in html
    # the click brings a new one, so nobody needs to know
    assert "expired" not in html
    assert "Requests a new link from the provider" in html
    assert f"?play={lasting.pk}#player" in html


@pytest.mark.parametrize(
    ("fields", "phrase"),
    [
        ({"status": "failed"}, "Not created"),
        ({"status": "cancelled"}, "Not created"),
        ({"status": "skipped"}, "Not created"),
        ({"status": "queued"}, "Not created"),  # its job has ended
        ({"url": ""}, "URL not reported"),
    ],
)
def test_what_cannot_be_opened_is_not_offered(
    viewer: Client, job: Job, fields: dict[str, str], phrase: str
) -> None:
    output = make_output(job, **fields)
    html = viewer.get(f"{FILES}?status={output.status}").content.decode()
    assert phrase in html
    assert opener(output) not in html
    assert "?play=" not in html


@pytest.mark.parametrize("status", ["queued", "running"])
def test_a_file_is_awaited_while_its_job_runs_and_is_known(
    viewer: Client, account: ProviderAccount, status: str
) -> None:
    make_output(make_job(account, status=JobStatus.RUNNING), status=status)
    awaited = f"{FILES}?status={status}"
    html = viewer.get(awaited).content.decode()
    assert "Not ready yet" in html
    assert "Gone" not in html
    Job.objects.update(gone_at=NOON)
    assert "Not ready yet" not in viewer.get(FILES).content.decode()
    assert "Not ready yet" not in viewer.get(awaited).content.decode()


def test_what_was_not_made_shows_under_its_status_alone(viewer: Client, job: Job) -> None:
    make_output(job, url="https://cdn.example/made.mp4")
    make_output(job, status="failed", url="https://cdn.example/lost.mp4")
    assert names(viewer.get(FILES).content.decode()) == ["made.mp4"]
    assert names(viewer.get(f"{FILES}?status=failed").content.decode()) == ["lost.mp4"]


def test_thumbnails_show_when_their_kind_is_chosen(viewer: Client, job: Job) -> None:
    make_output(job, kind=OutputKind.IMAGE, url="https://cdn.example/t.png")
    assert "t.png" not in viewer.get(FILES).content.decode()
    assert "t.png" in viewer.get(f"{FILES}?kind=image").content.decode()


def test_an_opened_link_that_cannot_be_renewed_says_why(viewer: Client, job: Job) -> None:
    output = make_output(job, expires_at=NOON)
    ProviderAccount.objects.update(enabled=False)
    response = viewer.get(opener(output))
    assert response.status_code == 503
    assert "is paused" in response.content.decode()
    assert "no-store" in response["Cache-Control"]
    Job.objects.update(gone_at=NOON)
    assert viewer.get(opener(output)).status_code == 410


def test_newer_and_older_lead_through_all_files_and_back(
    viewer: Client, studio: Organization
) -> None:
    account = make_account(studio)
    for number in range(5):
        job = make_job(account, created_at=NOON + timedelta(hours=number))
        make_output(job, url=f"https://cdn.example/{number}.mp4")
    pages = [viewer.get(f"{FILES}?limit=2")]
    while older := pages[-1].context["older_url"]:
        pages.append(viewer.get(older))
    assert [names(page.content.decode()) for page in pages] == [
        ["4.mp4", "3.mp4"],
        ["2.mp4", "1.mp4"],
        ["0.mp4"],
    ]
    assert names(viewer.get(pages[-1].context["newer_url"]).content.decode()) == ["2.mp4", "1.mp4"]
    broken = viewer.get(f"{FILES}?q=1&cursor=broken")
    assert (broken.status_code, broken["Location"]) == (302, f"{FILES}?q=1")


def test_filters_that_find_nothing_and_an_empty_list_teach_the_next_step(
    viewer: Client, operator: Client, job: Job
) -> None:
    assert "No files yet" in viewer.get(FILES).content.decode()
    assert "Submit a job" in operator.get(FILES).content.decode()
    make_output(job)
    assert "No files match these filters" in viewer.get(f"{FILES}?q=nothing").content.decode()
    html = viewer.get(f"{FILES}?kind=film").content.decode()
    assert "A kind is one of video" in html


def test_htmx_gets_the_results_alone(viewer: Client, job: Job) -> None:
    make_output(job, url="https://cdn.example/a.mp4")
    html = viewer.get(f"{FILES}?q=a.mp4", headers={"HX-Request": "true"}).content.decode()
    assert html.lstrip().startswith('<section id="results"')
    assert names(html) == ["a.mp4"]


def tab_counts(client: Client, query: str = "") -> dict[str, str]:
    nav = client.get(FILES + query).content.decode().partition('aria-label="Kinds">')[2]
    found = re.findall(r">\s*(\w+)\s*(?:<span class=\"count\">(.*?)</span>)?\s*</a>", nav)
    return dict(found[:7])


def test_tabs_count_what_was_made_to_a_cap_and_only_where_that_is_cheap(
    viewer: Client, job: Job, foreign_job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_query, "COUNT_CAP", 2)
    for kind, number in (("video", 1), ("captions", 2), ("image", 3)):
        for _ in range(number):
            make_output(job, kind=kind)
    make_output(job, kind="audio", status=OutputStatus.FAILED)
    make_output(foreign_job, kind="archive")
    shown = tab_counts(viewer)
    assert shown == {
        "All": "3",
        "Video": "1",
        "Playlists": "0",
        "Audio": "0",
        "Captions": "2",
        "Images": "2+",
        "Archives": "0",
    }
    # all open pages share them for a while
    make_output(job, kind="video")
    assert tab_counts(viewer, "?kind=video") == shown
    for query in ("?q=web", "?status=failed", "?account=1", "?kind=film"):
        assert set(tab_counts(viewer, query).values()) == {""}


def test_a_row_says_when_its_job_finished_and_what_is_doubtful(viewer: Client, job: Job) -> None:
    make_output(job, url="https://cdn.example/a.mp4")
    ended = f"{job.ended_at:%Y-%m-%dT%H:%M:%SZ}"
    html = viewer.get(FILES).content.decode()
    cell = html.partition('class="cell-finished"')[2].partition("</td>")[0]
    assert f'datetime="{ended}"' in cell
    Job.objects.update(is_suspect=True, suspect_reason="12% shorter than its input.")
    html = viewer.get(FILES).content.decode()
    assert re.search(r'title="12% shorter than its input\.">.*?Suspect</span>', html, re.DOTALL)
    Job.objects.update(gone_at=NOON)
    make_output(job, url="https://cdn.example/b.mp4", expires_at=NOON)
    assert "Gone at Zencoder" in viewer.get(FILES).content.decode()


@pytest.mark.parametrize("number", [3, 30])
def test_a_page_costs_the_same_queries_however_many_files(
    viewer: Client,
    studio: Organization,
    django_assert_num_queries: DjangoAssertNumQueries,
    number: int,
) -> None:
    for one in range(number):
        make_output(make_job(make_account(studio)), preset=None, expires_at=NOON if one else None)
    viewer.get(FILES)
    with django_assert_num_queries(QUERIES) as queries:
        assert len(viewer.get(FILES).context["rows"]) == number
    (listed,) = (one["sql"] for one in queries.captured_queries if "jobs_output" in one["sql"])
    for column in ("secret_url", "credentials", "hook_secret", "metadata", "request"):
        assert f'"{column}"' not in listed
