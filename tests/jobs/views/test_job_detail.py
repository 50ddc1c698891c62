"""The job page: errors first, phases, outputs, the chain of attempts, and the raw body."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape
from pytest_django import DjangoAssertNumQueries

from jobs.models import Job, Output, ProviderAccount, UsualTimes
from jobs.stuck.shape import ALL
from organizations.models import Organization
from providers.core.status import JobStatus, OutputStatus
from providers.core.types import OutputKind
from tests.jobs.factories import NOON, make_account, make_body, make_event, make_job, make_output
from tests.markup import without_isolation


def url(job: Job, name: str = "detail") -> str:
    return reverse(f"jobs:{name}", args=["harbour-studio", job.pk])


def page(client: Client, job: Job, query: str = "") -> str:
    response = client.get(url(job) + query)
    assert response.status_code == 200
    return without_isolation(response.content.decode())


def test_every_fault_is_reported_with_sentence_hint_and_the_providers_message(
    viewer: Client, account: ProviderAccount
) -> None:
    job = make_job(account, status=JobStatus.FAILED)
    output = make_output(job, label="hls 480", status=OutputStatus.FAILED)
    job.errors = [
        {"class": "input.timeout", "code": "Slow", "message": "It took 31 s.", "origin": "input"},
        {
            "class": "output.access_denied",
            "code": "PutDenied",
            "message": "403 by the bucket",
            "origin": f"output:{output.remote_id}",
        },
    ]
    job.save(update_fields=["errors"])
    html = page(viewer, job)
    for phrase in (
        "was too slow or did not respond",
        "move the source to faster storage",
        "It took 31 s.",
        "may resolve by itself",
        "PutDenied",
        "403 by the bucket",
        "(hls 480)",
        "Who can fix it: <strong>you</strong>",
    ):
        assert phrase in html


def test_a_class_that_is_not_ours_does_not_break_the_page(
    viewer: Client, account: ProviderAccount
) -> None:
    job = make_job(account, status=JobStatus.FAILED, errors=[{"class": "made.up"}])
    assert "The provider gave no reason." in page(viewer, job)


def test_phases_show_lengths_and_shares(viewer: Client, account: ProviderAccount) -> None:
    job = make_job(
        account,
        created_at=NOON,
        started_at=NOON + timedelta(minutes=1),
        finished_at=NOON + timedelta(minutes=4),
    )
    html = page(viewer, job)
    assert "25%" in html
    assert "75%" in html
    assert 'width="75.00"' in html


def test_a_phase_that_is_not_reported_is_said_to_be(
    viewer: Client, account: ProviderAccount
) -> None:
    html = page(viewer, make_job(account, status=JobStatus.RUNNING, started_at=None))
    assert "bar-mixed" in html
    assert "did not report a start time" in html
    html = page(viewer, make_job(account, created_at=None, started_at=NOON, finished_at=NOON))
    assert "bar-unreported" in html
    assert "Not reported" in html


def test_outputs_show_their_facts_with_units(viewer: Client, job: Job) -> None:
    make_output(job, label="web 720")
    html = page(viewer, job)
    for phrase in ("web 720", "1280 × 720", "2.4 Mbit/s", "128 kbit/s", "1:01", "19.4 MB"):
        assert phrase in html


def test_only_what_a_browser_can_play_is_offered_to_play(viewer: Client, job: Job) -> None:
    film = make_output(job)
    stored = make_output(job, url="s3://bucket/film.mp4")
    dash = make_output(job, kind=OutputKind.PLAYLIST, url="https://cdn.example/film.mpd")
    old = make_output(job, expires_at=NOON)
    phrase = make_output(job, kind=OutputKind.CAPTIONS, url="https://cdn.example/film.vtt")
    html = page(viewer, job)
    for output in (film, old):
        assert f"?play={output.pk}#player" in html
    for output in (stored, dash, phrase):
        assert f"?play={output.pk}#player" not in html
    assert "Stored at s3://" in html
    assert "The link has expired." not in html
    assert "with a new link from the provider" in html


@pytest.mark.parametrize(
    ("output_status", "job_status"),
    [
        ("failed", "failed"),
        ("cancelled", "cancelled"),
        ("skipped", "succeeded"),
        ("queued", "running"),
        ("running", "running"),
        ("unknown", "failed"),
        ("unknown", "cancelled"),
    ],
)
def test_what_was_never_made_offers_no_way_to_it(
    viewer: Client, account: ProviderAccount, output_status: str, job_status: str
) -> None:
    job = make_job(account, status=job_status)
    made = make_output(job)
    never = make_output(job, status=output_status, secret_url="https://cdn.example/never.mp4?sig=a")
    image = make_output(job, status=output_status, kind=OutputKind.IMAGE)
    html = page(viewer, job) + page(viewer, job, "?thumbnails=1")
    assert opener(made) in html
    assert made.url in html
    for output in (never, image):
        assert opener(output) not in html
        assert output.url not in html
        response = viewer.get(opener(output))
        assert response.status_code == 410
        assert "There is no file: the output was not created." in response.content.decode()


@pytest.mark.parametrize(
    ("changes", "phrase"),
    [
        ({"gone_at": NOON}, "The provider no longer has the job."),
        ({"is_newest": False}, "links for the latest attempt."),
    ],
)
def test_an_expired_link_that_nobody_renews_is_said_and_not_offered(
    viewer: Client, job: Job, changes: dict[str, Any], phrase: str
) -> None:
    output = make_output(job, expires_at=NOON)
    Job.objects.update(**changes)
    for html in (
        page(viewer, job),
        viewer.get(reverse("jobs:files", args=["harbour-studio"])).content.decode(),
    ):
        assert phrase in html
        assert "The link has expired." in html
        assert opener(output) not in html


def opener(output: Output) -> str:
    return reverse("jobs:output_open", args=["harbour-studio", output.job_id, output.pk])


def test_the_chain_of_attempts_is_shown_from_any_of_them(
    viewer: Client, account: ProviderAccount, foreign_job: Job
) -> None:
    first = make_job(account, status=JobStatus.FAILED)
    second = make_job(account, status=JobStatus.FAILED, retry_of=first)
    third = make_job(account, retry_of=second)
    for one in (first, second, third):
        html = page(viewer, one)
        for other in {first, second, third} - {one}:
            assert url(other) in html
    assert "Attempts" not in page(viewer, make_job(account))


def compared(client: Client, job: Job) -> str:
    html = page(client, job).partition('aria-labelledby="changes-title"')[2]
    text = re.sub(r"<[^>]*>", " ", html.partition(">")[2].partition("</section>")[0])
    return " ".join(text.split())


def test_a_retry_shows_what_was_set_otherwise(viewer: Client, account: ProviderAccount) -> None:
    sent = {"input": "s3://rushes/a.mov", "test": False}
    first = make_job(account, status=JobStatus.FAILED, request=sent)
    second = make_job(account, retry_of=first, request=sent | {"input": "s3://rushes/b.mov"})
    text = compared(viewer, second)
    assert f"Against job {first.pk} , which it retries" in text
    assert "input s3://rushes/a.mov s3://rushes/b.mov" in without_isolation(text)
    same = make_job(account, retry_of=first, request=sent)
    assert f"Same settings as job {first.pk} , which it retries." in compared(viewer, same)
    assert compared(viewer, make_job(account, retry_of=first)) == ""


def test_a_failure_is_compared_with_the_last_success_like_it(
    viewer: Client, account: ProviderAccount, foreign_job: Job
) -> None:
    def sent(height: int) -> dict[str, Any]:
        return {"input": f"s3://rushes/{height}.mov", "renditions": [{"heights": [height]}]}

    def at(hours: int) -> dict[str, Any]:
        moment = NOON + timedelta(hours=hours)
        return {"created_at": moment, "ended_at": moment, "ended_at_source": "provider"}

    other = make_account(account.organization)
    make_job(other, request=sent(1), outputs_total=2, **at(0))
    make_job(foreign_job.account, request=sent(2), outputs_total=2, **at(0))
    like = make_job(account, request=sent(480), outputs_total=2, **at(-5))
    make_job(account, request=sent(360), outputs_total=2, **at(-9))
    make_job(account, request=sent(720), outputs_total=1, **at(-2))
    make_job(account, request=sent(3), outputs_total=2, is_test=True, **at(-1))
    make_job(account, outputs_total=2, **at(-1))  # from elsewhere
    make_job(account, request=sent(4), outputs_total=2, **at(3))
    failed = make_job(account, status="failed", request=sent(1080), outputs_total=2, **at(1))
    text = without_isolation(compared(viewer, failed))
    assert f"Against the last success, job {like.pk}" in text
    assert "renditions 1 heights 480 1080" in text
    # what is another one for every job is no reason
    assert "s3://" not in text
    same = make_job(account, status="failed", request=sent(480), outputs_total=2, **at(1))
    assert "Same settings as the last success" in compared(viewer, same)
    assert compared(viewer, like) == ""
    assert compared(viewer, make_job(account, status="failed")) == ""


def test_the_providers_warnings_are_apart_from_its_errors(
    viewer: Client, account: ProviderAccount
) -> None:
    job = make_job(account)
    outputs = [
        {"id": 1, "warnings": ["The frame rate varies.", "Audio\n was resampled."]},
        {"id": 2, "warnings": [{"code": "Rate", "message": "<b>49.8</b>"}, 7, None, ""]},
        {"id": 3, "warnings": None, "label": "The frame rate varies."},
        {"id": 4, "warnings": "The frame rate varies."},
    ]
    make_body(job, {"job": {"output_media_files": outputs, "warnings": {"note": "Slow source"}}})
    html = page(viewer, job).partition('aria-labelledby="warnings-title"')[2]
    listed = re.findall(r"<li>(.*?)</li>", html.partition("</section>")[0])
    assert listed == [
        "The frame rate varies.",
        "Audio was resampled.",
        "Rate: &lt;b&gt;49.8&lt;/b&gt;",
        "Slow source",
    ]
    assert "Why it failed" not in page(viewer, job)
    deep: Any = "bottom"
    for _ in range(400):
        deep = {"warnings": [deep]}
    other = make_job(account)
    make_body(other, {"job": deep, "more": {"warnings": [f"No. {n}" for n in range(99)]}})
    assert page(viewer, other).count("<li>No. ") == 20
    # a provider that has none
    xvid = make_job(make_account(account.organization, provider="xvid"))
    make_body(xvid, {"warnings": ["Not known"]})
    assert "Not known" not in page(viewer, xvid)


@pytest.mark.parametrize(
    ("status", "phrase"),
    [("running", "Phase Transcoding"), ("failed", "Last phase Transcoding"), ("succeeded", "")],
)
def test_the_phase_that_the_job_is_in_is_among_its_facts(
    viewer: Client, account: ProviderAccount, status: str, phrase: str
) -> None:
    html = page(viewer, make_job(account, status=status, phase="Transcoding"))
    facts = html.partition('id="job-facts"')[2].partition("</section>")[0]
    text = " ".join(re.sub(r"<[^>]*>", " ", facts).split())
    assert phrase in text
    assert ("Transcoding" in text) == bool(phrase)


def test_the_timeline_says_what_is_usual_and_what_took_longer(
    viewer: Client, account: ProviderAccount
) -> None:
    long, quick = (
        make_job(
            account,
            created_at=NOON,
            started_at=NOON + timedelta(seconds=30),
            finished_at=NOON + timedelta(minutes=minutes),
        )
        for minutes in (9, 4)
    )

    def rows(job: Job) -> list[str]:
        html = page(viewer, job).partition('class="sheet timeline-table"')[2]
        body = html.partition("<tbody>")[2].partition("</tbody>")[0]
        return [" ".join(re.sub(r"<[^>]*>", " ", row).split()) for row in body.split("</tr>")[:-1]]

    assert not any("–5:00" in row for row in rows(long))
    UsualTimes.objects.create(
        account=account,
        shape=ALL,
        run_jobs=286,
        run_p50_ms=240_000,
        run_p95_ms=300_000,
        wait_jobs=290,
        wait_p50_ms=20_000,
        wait_p95_ms=55_000,
    )
    waiting, running = rows(long)
    assert waiting.startswith("Waiting 0:30 0:20–0:55 ")
    assert running.startswith("Running 8:30 4:00–5:00 ")
    assert "half of 290 comparable jobs" in page(viewer, long)
    assert page(viewer, long).count("Longer than 95% of comparable jobs") == 1
    assert "Longer than 95% of comparable jobs" not in page(viewer, quick)


def test_the_page_says_until_when_the_provider_keeps_the_job_and_its_links(
    viewer: Client, account: ProviderAccount
) -> None:
    """Zencoder keeps jobs for 60 days."""
    now = timezone.now()
    fresh = make_job(account, created_at=now - timedelta(days=2))
    make_output(fresh, expires_at=now + timedelta(hours=3))
    make_output(fresh, expires_at=now + timedelta(hours=30))
    text = page(viewer, fresh)
    assert "keeps the job until about" in text
    until = timezone.localtime(now + timedelta(days=58))
    assert f"{until.day} {until:%b %Y}" in text
    assert re.search(r"Output links expire\s*<time", text)
    old = make_job(account, created_at=now - timedelta(days=61))
    make_output(old, expires_at=now - timedelta(days=60))
    assert "keeps jobs for 60 days: it may be gone there" in page(viewer, old)
    assert "Output links expire" not in page(viewer, old)
    for other in (
        make_job(account, status="running"),
        make_job(account, gone_at=now),
        make_job(make_account(account.organization, provider="xvid")),
    ):
        assert not re.search("keeps (the job|jobs)", page(viewer, other))


def test_settings_that_were_not_given_are_left_out(
    viewer: Client, account: ProviderAccount
) -> None:
    sent = {"test": False, "priority": None, "extra": {}, "thumbnails": {"width": None}}
    html = page(viewer, make_job(account, request=sent))
    assert "test</span>" in html
    assert not [name for name in ("priority", "extra", "thumbnails") if f"{name}</span>" in html]


def test_events_have_absolute_times_sources_and_names(viewer: Client, job: Job) -> None:
    make_event(job, from_status="running", to_status="succeeded", message="All outputs are there")
    html = page(viewer, job)
    assert "2026-03-14 12:00:00 UTC" in html
    assert "running → <strong>succeeded</strong> All outputs are there" in html


@pytest.mark.parametrize("depth", [13, 60])
def test_metadata_of_any_depth_is_shown(
    viewer: Client, account: ProviderAccount, depth: int
) -> None:
    nested: Any = "<b>the end</b>"
    for _ in range(depth):
        nested = {"deeper": nested}
    html = page(viewer, make_job(account, metadata=nested))
    assert html.count('<span class="tree-name">deeper</span>') == 12
    assert "&lt;b&gt;the end&lt;/b&gt;" in html


def test_settings_and_metadata_are_shown_as_a_tree(
    viewer: Client, account: ProviderAccount
) -> None:
    job = make_job(
        account, request={"renditions": [{"heights": [240, 360]}]}, metadata={"ticket": "<7>"}
    )
    html = page(viewer, job)
    assert '<span class="tree-name">heights</span>' in html
    assert "&lt;7&gt;" in html


def test_an_operator_is_offered_what_the_state_allows(
    operator: Client, viewer: Client, account: ProviderAccount
) -> None:
    running = make_job(account, status=JobStatus.RUNNING)
    done = make_job(account)
    html = page(operator, running)
    assert f'action="{url(running, "cancel")}"' in html
    assert "It has not finished yet." in html
    assert 'data-dialog="confirm-cancel"' not in page(operator, done)
    assert url(running, "cancel") not in page(viewer, running)


def test_an_unfinished_job_is_polled_often_and_a_finished_one_seldom(
    viewer: Client, account: ProviderAccount, job: Job
) -> None:
    assert 'data-active="yes"' in page(viewer, make_job(account, status=JobStatus.RUNNING))
    assert 'data-active="no"' in page(viewer, job)


def test_the_poll_brings_the_changing_part_only_when_it_changed(
    viewer: Client, account: ProviderAccount
) -> None:
    job = make_job(account, status=JobStatus.RUNNING)
    state = viewer.get(url(job)).context["live_state"]
    polled = {"HX-Request": "true"}
    assert viewer.get(url(job), {"state": state}, headers=polled).status_code == 204

    Job.objects.filter(pk=job.pk).update(version=2, progress=71)
    html = viewer.get(url(job), {"state": state}, headers=polled).content.decode()
    assert "71%" in html
    assert "<html" not in html


@pytest.mark.parametrize("outputs", [0, 12])
def test_a_poll_that_missed_nothing_reads_no_outputs(
    viewer: Client,
    account: ProviderAccount,
    django_assert_num_queries: DjangoAssertNumQueries,
    outputs: int,
) -> None:
    job = make_job(account, status=JobStatus.RUNNING)
    for _ in range(outputs):
        make_output(job, secret_url="https://cdn.example/film.mp4?sig=hunter2")
    state = viewer.get(url(job)).context["live_state"]
    # session, user, membership; the job, what was asked of it, its retries
    with django_assert_num_queries(6) as queries:
        response = viewer.get(url(job), {"state": state}, headers={"HX-Request": "true"})
    assert response.status_code == 204
    assert not [one for one in queries.captured_queries if "jobs_output" in one["sql"]]


def test_a_part_that_is_asked_for_comes_though_nothing_changed(viewer: Client, job: Job) -> None:
    film = make_output(job)
    state = viewer.get(url(job)).context["live_state"]
    for part in ({"play": film.pk}, {"thumbnails": 1}):
        response = viewer.get(url(job), part | {"state": state}, headers={"HX-Request": "true"})
        assert response.status_code == 200


def test_the_raw_body_can_be_read_and_downloaded(viewer: Client, job: Job) -> None:
    make_body(job, {"url": "https://cdn.example/film?Signature=REDACTED", "note": "</pre><b>"})
    html = viewer.get(url(job, "raw")).content.decode()
    assert "Signature=<mark>REDACTED</mark>" in html
    assert "&lt;/pre&gt;" in html
    file = viewer.get(url(job, "raw") + "?download=1")
    assert file.json()["note"] == "</pre><b>"
    assert file["Content-Disposition"] == f'attachment; filename="job-{job.pk}.json"'


def test_a_job_without_a_body_has_none_to_show(viewer: Client, job: Job) -> None:
    assert viewer.get(url(job, "raw")).status_code == 404
    assert url(job, "raw") not in page(viewer, job)


@pytest.mark.parametrize("outputs", [2, 12])
def test_a_page_costs_the_same_queries_however_many_outputs(
    viewer: Client,
    studio: Organization,
    job: Job,
    django_assert_num_queries: DjangoAssertNumQueries,
    outputs: int,
) -> None:
    for _ in range(outputs):
        make_output(job)
    viewer.get(url(job))
    with django_assert_num_queries(16):
        viewer.get(url(job))


@pytest.mark.parametrize(
    ("referer", "query"),
    [
        (
            "http://testserver{list}?status=failed&account=3&q=caf%C3%A9",
            "?status=failed&account=3&q=caf%C3%A9",
        ),
        ("http://testserver{list}", ""),
        ("http://testserver/o/elsewhere/jobs/?status=failed", ""),
        ("http://testserver/o/harbour-studio/files/?status=failed", ""),
        ('http://testserver{list}?status="><script>', ""),
        ("http://testserver{list}?q=" + "x" * 3000, ""),
        ("//[", ""),
    ],
)
def test_jobs_leads_back_to_the_list_as_it_was(
    viewer: Client, job: Job, referer: str, query: str
) -> None:
    path = reverse("jobs:list", args=["harbour-studio"])
    referer = referer.replace("{list}", path)
    html = viewer.get(url(job), headers={"Referer": referer}).content.decode()
    crumb = html.partition('class="crumb"')[2].partition("</nav>")[0]
    assert f'<a href="{escape(path + query)}"' in crumb
