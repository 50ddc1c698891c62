"""The panels beside a job: what is known is shown once, and what is not is named."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from jobs.models import Job, ProviderAccount
from jobs.templatetags.job_facts import input_facts, input_gaps, input_place, metadata_chips
from tests.jobs.factories import NOON, make_job, make_output
from tests.jobs.views.list_page import LIST
from tests.markup import without_isolation


@pytest.mark.parametrize(
    ("fields", "place", "facts", "gaps"),
    [
        ({}, "s3://footage/", [], "video, audio, duration, size"),
        (
            {
                "input_url": "https://cdn.example/in/a.mov?sig=1/2",
                "input_width": 1920,
                "input_height": 1080,
                "input_frame_rate": 25.0,
                "input_video_codec": "hevc",
                "input_audio_codec": "aac",
                "input_duration_ms": 61_000,
                "input_size_bytes": 4_810_000_000,
                "input_bitrate_kbps": 12_300,
            },
            "https://cdn.example/in/",
            [
                ("Video", "hevc 1920 × 1080, 25 fps", ""),
                ("Audio", "aac", ""),
                ("Duration", "1:01", ""),
                ("Size", "4.8 GB", "12.3 Mbit/s"),
            ],
            "",
        ),
        (
            {"input_url": "asset-12", "input_bitrate_kbps": 900, "input_width": 640},
            "",
            [("Video", "640 × ?", ""), ("Bitrate", "900 kbit/s", "")],
            "audio, duration, size",
        ),
    ],
)
def test_input_facts(
    account: ProviderAccount,
    fields: dict[str, object],
    place: str,
    facts: list[tuple[str, str, str]],
    gaps: str,
) -> None:
    job = make_job(account, **fields)
    assert (input_place(job), input_facts(job), input_gaps(job)) == (place, facts, gaps)


@pytest.mark.parametrize(
    ("metadata", "chips"),
    [
        ({"course": "optics", "lesson": 133}, ["course: optics", "lesson: 133"]),
        ({"a": {"b": True}}, ["a.b: true"]),
        ({"note": "x" * 80}, []),
        ({str(number): number for number in range(9)}, []),
        (None, []),
        (["optics"], []),
    ],
)
def test_short_metadata_is_beside_the_job_and_long_in_a_panel(
    viewer: Client, account: ProviderAccount, metadata: object, chips: list[str]
) -> None:
    job = make_job(account, metadata=metadata)
    assert metadata_chips(job) == chips
    html = viewer.get(f"{LIST}{job.pk}/").content.decode()
    assert ("<summary>Metadata</summary>" in html) == bool(metadata and not chips)


def test_how_long_it_took_and_what_was_made(viewer: Client, account: ProviderAccount) -> None:
    job = make_job(
        account, started_at=NOON + timedelta(seconds=63), finished_at=NOON + timedelta(seconds=587)
    )
    make_output(job, size_bytes=4_000_000, frame_rate=50.0)
    soon = timezone.now() + timedelta(hours=5, minutes=1)
    film = make_output(job, size_bytes=1_500_000, expires_at=soon)
    html = without_isolation(viewer.get(f"{LIST}{job.pk}/?play={film.pk}").content.decode())
    html = " ".join(html.split())
    assert '9:47 <span class="muted">of which 1:03 wait</span>' in html
    assert "done, 5.5 MB" in html
    assert "MP4 h264, 50 fps" in html
    assert "expires in 5 h" in html
    assert html.count('class="is-playing"') == 1
    assert f'<tr id="output-{film.pk}" class="is-playing">' in html
    Job.objects.filter(pk=job.pk).update(status="running")
    assert "of which" not in viewer.get(f"{LIST}{job.pk}/").content.decode()
