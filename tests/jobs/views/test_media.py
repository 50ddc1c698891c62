"""Media is only served through URLs of the board, and only one page may load it from elsewhere."""

import pytest
import responses
from django.http import HttpResponseBase
from django.test import Client
from django.urls import reverse

from jobs.media.playback import origin
from jobs.models import Job, JobSecret, Output, ProviderAccount
from organizations.models import Organization
from providers.parsing.text import make_storable
from tests.jobs.factories import make_account, make_job, make_output

SIGNED = "https://cdn.example/film.mp4?Signature=hunter2-secret&Expires=4070908800"
SHOWN = "https://cdn.example/film.mp4?Signature=REDACTED&Expires=4070908800"


def policy(response: HttpResponseBase) -> dict[str, list[str]]:
    parts = (part.split() for part in response["Content-Security-Policy"].split(";"))
    return {name: values for name, *values in parts}


def detail(job: Job) -> str:
    return reverse("jobs:detail", args=["harbour-studio", job.pk])


def test_an_output_opens_with_its_signature_which_no_page_shows(viewer: Client, job: Job) -> None:
    output = make_output(job, url=SHOWN, secret_url=SIGNED)
    for query in ("", f"?play={output.pk}", "?thumbnails=1"):
        assert "hunter2" not in viewer.get(detail(job) + query).content.decode()
    response = viewer.get(reverse("jobs:output_open", args=["harbour-studio", job.pk, output.pk]))
    assert (response.status_code, response["Location"]) == (302, SIGNED)
    assert response["Referrer-Policy"] == "no-referrer"
    assert "no-store" in response["Cache-Control"]


def test_the_input_opens_with_its_signature(viewer: Client, job: Job) -> None:
    JobSecret.objects.create(job=job, input_url=SIGNED)
    response = viewer.get(reverse("jobs:input_open", args=["harbour-studio", job.pk]))
    assert response["Location"] == SIGNED


@pytest.mark.parametrize("which", ["output", "input"])
def test_a_url_that_is_too_long_to_redirect_to_is_said_to_be(
    viewer: Client, job: Job, which: str
) -> None:
    endless = "https://cdn.example/film.mp4?sig=hunter2" + "x" * 20_000
    JobSecret.objects.create(job=job, input_url=endless)
    output = make_output(job, url="https://cdn.example/film.mp4", secret_url=endless)
    args = ["harbour-studio", job.pk, *([output.pk] if which == "output" else [])]
    response = viewer.get(reverse(f"jobs:{which}_open", args=args))
    assert response.status_code == 410
    assert "too long for browsers" in response.content.decode()
    assert "hunter2" not in response.content.decode()


@pytest.mark.parametrize(
    "link", ["s3://key:hunter2@bucket/film.mp4", "javascript:alert(1)", "data:text/html,x"]
)
def test_what_is_no_web_url_is_shown_redacted_and_not_followed(
    viewer: Client, job: Job, link: str
) -> None:
    output = make_output(job, url="s3://REDACTED@bucket/film.mp4", secret_url=link)
    response = viewer.get(reverse("jobs:output_open", args=["harbour-studio", job.pk, output.pk]))
    assert response.status_code == 200
    assert "hunter2" not in response.content.decode()
    assert "s3://REDACTED@bucket/film.mp4" in response.content.decode()


@pytest.mark.parametrize("which", ["output", "input"])
@pytest.mark.parametrize(
    "link",
    [
        "https://cdn.example\\@evil.example/film.mp4",
        "https://cdn.example\\.evil.example/film.mp4",
        "https:\\\\evil.example/film.mp4",
        "https:/\\evil.example/film.mp4",
        "https:///evil.example/film.mp4",
        "https:evil.example/film.mp4",
        "//evil.example/film.mp4",
        "/\\evil.example/film.mp4",
        "ht\ttps://evil.example/film.mp4",
        " https://evil.example/film.mp4",
        "https://cdn.example\t@evil.example/film.mp4",
        "https://cdn.example\n.evil.example/film.mp4",
        "https://[cdn.example]evil.example/film.mp4",
        "https://cdn.example:80@evil.example:x/film.mp4",
        "https://evil.example%2f.cdn.example/film.mp4",
        "https://cdn.example\uff0f@evil.example/film.mp4",
        "https://\ud800evil.example/film.mp4",
    ],
)
def test_no_browser_is_sent_to_a_host_that_it_may_read_otherwise(
    viewer: Client, job: Job, link: str, which: str
) -> None:
    stored = make_storable(link)
    output = make_output(job, url=stored)
    Job.objects.filter(pk=job.pk).update(input_url=stored)
    args = ["harbour-studio", job.pk, *([output.pk] if which == "output" else [])]
    response = viewer.get(reverse(f"jobs:{which}_open", args=args))
    assert (response.status_code, "Location" in response) == (200, False)
    assert "evil.example" in response.content.decode()
    is_web = stored.lower().startswith("https://")
    assert ("This URL is malformed" in response.content.decode()) is is_web
    assert "evil.example" not in viewer.get(detail(job))["Content-Security-Policy"]


def test_a_link_that_is_made_for_the_moment_is_held_to_the_same_rule(
    viewer: Client, linked: Output
) -> None:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as wire:
        base = linked.account.base_url
        wire.post(f"{base}/oauth2/token/", json={"access_token": "t-1", "expires_in": 3600})
        wire.get(f"{base}/jobs/71", json={"job": {"outputs": [{"file": {"id": 5}}]}})
        wire.get(
            f"{base}/files/downloads/",
            json={"download": {"uri": "https://edge7.example\\@evil.example/f"}},
        )
        args = ["harbour-studio", linked.job_id, linked.pk]
        response = viewer.get(reverse("jobs:output_open", args=args))
    assert (response.status_code, "Location" in response) == (200, False)


def test_the_job_page_alone_may_load_from_its_outputs_origins(viewer: Client, job: Job) -> None:
    make_output(job, url="https://cdn.example/a.mp4")
    make_output(job, url="http://[::1]:9000/b.m3u8", kind="playlist")
    make_output(job, url="s3://bucket/c.mp4")
    make_output(make_job(job.account), url="https://other.example/d.mp4")
    allowed = policy(viewer.get(detail(job)))
    expected = {"http://[::1]:9000", "https://cdn.example"}
    for directive in ("connect-src", "media-src", "img-src"):
        found = {source for source in allowed[directive] if source.startswith("http")}
        assert found == expected, directive
    assert "blob:" in allowed["media-src"]
    assert allowed["worker-src"] == ["'self'"]
    assert allowed["script-src"] == ["'self'"]

    elsewhere = policy(viewer.get("/o/harbour-studio/jobs/"))
    assert elsewhere["media-src"] == elsewhere["connect-src"] == ["'self'"]


@pytest.mark.parametrize(
    "url",
    [
        "https://cdn.example;script-src *",
        "https://a b/",
        "https://",
        "ftp://cdn.example/",
        "//cdn.example/",
        "https://cdn.example:x/",
        "https://[::1/",
        "https://cdn.example,evil.example/",
        "",
    ],
)
def test_no_url_can_widen_the_policy(url: str) -> None:
    assert origin(url) is None


def test_userinfo_and_path_are_no_part_of_an_origin() -> None:
    assert origin("https://user:pass@CDN.example:8443/a;b?c") == "https://cdn.example:8443"


def test_the_player_says_why_it_cannot_play(viewer: Client, job: Job) -> None:
    output = make_output(job, url="s3://bucket/film.mp4")
    html = viewer.get(f"{detail(job)}?play={output.pk}").content.decode()
    assert "browsers cannot open it" in html
    assert "This job has no such output." in viewer.get(f"{detail(job)}?play=x").content.decode()


def test_mp4_plays_without_scripts_and_hls_says_what_it_needs(viewer: Client, job: Job) -> None:
    film = make_output(job)
    stream = make_output(job, kind="playlist", url="https://cdn.example/master.m3u8")
    link = reverse("jobs:output_open", args=["harbour-studio", job.pk, film.pk])
    assert f'src="{link}"' in viewer.get(f"{detail(job)}?play={film.pk}").content.decode()
    assert "<noscript>" in viewer.get(f"{detail(job)}?play={stream.pk}").content.decode()


def test_thumbnails_come_only_when_asked_for(viewer: Client, job: Job) -> None:
    picture = make_output(job, kind="image", url="https://cdn.example/1.jpg")
    link = reverse("jobs:output_open", args=["harbour-studio", job.pk, picture.pk])
    assert link not in viewer.get(detail(job)).content.decode()
    assert f'<img src="{link}"' in viewer.get(f"{detail(job)}?thumbnails=1").content.decode()


def test_a_page_that_may_not_load_from_a_new_origin_loads_anew_to_play(
    viewer: Client, job: Job
) -> None:
    Job.objects.filter(pk=job.pk).update(status="running")
    output = make_output(job, url="https://cdn.example/a.mp4")
    polled = {"HX-Request": "true"}
    play_in_place = f'hx-get="?play={output.pk}"'
    before = viewer.get(detail(job), {"origins": ""}, headers=polled).content.decode()
    assert play_in_place not in before
    assert f'href="?play={output.pk}#player"' in before
    known = viewer.get(detail(job), {"origins": "https://cdn.example"}, headers=polled)
    assert play_in_place in known.content.decode()


@pytest.fixture
def linked(studio: Organization) -> Output:
    """An output of a provider that makes a URL at the moment it is asked for one."""
    account = make_account(
        studio,
        provider="xvid",
        base_url="https://xvid.example.com/v1",
        credentials={"client_id": "desk", "client_secret": "k-2202"},
    )
    return make_output(
        make_job(account, remote_id="71"),
        remote_id="0",
        url="https://xvid.example.com/v1/files/downloads/?file_id=5",
    )


def test_a_page_may_load_from_where_the_link_leads_that_is_made_for_it(
    viewer: Client, linked: Output
) -> None:
    plain = viewer.get(detail(linked.job))
    assert "xvid.example.com" not in plain["Content-Security-Policy"]
    assert "hx-get" not in plain.content.decode().partition(f"?play={linked.pk}")[2][:80]
    # a token may be held from before
    with responses.RequestsMock(assert_all_requests_are_fired=False) as wire:
        base = linked.account.base_url
        wire.post(f"{base}/oauth2/token/", json={"access_token": "t-1", "expires_in": 3600})
        wire.get(f"{base}/jobs/71", json={"job": {"outputs": [{"file": {"id": 5}}]}})
        whole = "https://edge7.example.com/f.mp4?sig=once"
        wire.get(f"{base}/files/downloads/", json={"download": {"uri": whole}})
        page = viewer.get(f"{detail(linked.job)}?play={linked.pk}")
    assert "https://edge7.example.com" in page["Content-Security-Policy"]
    assert "sig=once" not in page.content.decode()
    assert "<video" in page.content.decode()


def test_a_link_that_cannot_be_had_is_reported_in_place_of_the_player(
    viewer: Client, linked: Output
) -> None:
    ProviderAccount.objects.update(enabled=False)
    html = viewer.get(f"{detail(linked.job)}?play={linked.pk}").content.decode()
    assert "is paused, so no new link can be requested" in html
    assert "<video" not in html
