"""Play and thumbnails ask for a new link where theirs has expired, as Open does."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from jobs.models import EventSource, Output, ProviderAccount
from jobs.sync.runner import refresh_one
from organizations.models import Role
from tests.factories import make_membership
from tests.jobs.fake_zencoder import FakeZencoder

pytestmark = pytest.mark.django_db


def sign(zencoder: FakeZencoder, host: str, hours: float) -> None:
    """Give the outputs and thumbnails of job 71 signed URLs at `host` that end in `hours`."""
    ends = int((timezone.now() + timedelta(hours=hours)).timestamp())
    signature = f"Expires={ends}&Signature=hunter2"
    for number, output in enumerate(zencoder.jobs[71]["output_media_files"]):
        output["url"] = f"https://{host}/{number}.mp4?{signature}"
    zencoder.jobs[71]["thumbnails"] = [
        {"id": number, "url": f"https://{host}/{number}.jpg?{signature}", "format": "JPG"}
        for number in (1, 2)
    ]


@pytest.fixture
def viewer(account: ProviderAccount) -> Client:
    client = Client()
    client.force_login(make_membership(account.organization, Role.VIEWER).user)
    return client


@pytest.fixture
def outputs(zencoder: FakeZencoder, account: ProviderAccount) -> list[Output]:
    """Two videos and two images whose links ended an hour ago, and will be at another host."""
    zencoder.add(71)
    sign(zencoder, "old.example.net", hours=-1)
    refresh_one(account, "71", source=EventSource.POLL)
    sign(zencoder, "new.example.net", hours=1)
    zencoder.asked.clear()
    return list(Output.objects.select_related("job__organization").order_by("pk"))


def page(output: Output, query: str = "") -> str:
    slug = output.job.organization.slug
    return reverse("jobs:detail", args=[slug, output.job_id]) + query


def test_play_is_offered_without_asking(
    viewer: Client, outputs: list[Output], zencoder: FakeZencoder
) -> None:
    html = viewer.get(page(outputs[0])).content.decode()
    assert html.count("Play</span>") == 2
    # the new link may be at a host that this page must not load from
    assert 'hx-get="?play=' not in html
    assert not zencoder.asked


def test_play_renews_the_link_and_may_load_from_where_it_leads(
    viewer: Client, outputs: list[Output], zencoder: FakeZencoder
) -> None:
    response = viewer.get(page(outputs[0], f"?play={outputs[0].pk}"))
    assert "<video" in response.content.decode()
    assert "hunter2" not in response.content.decode()
    assert "https://new.example.net" in response["Content-Security-Policy"]
    assert zencoder.asked == {"details": 1}


def test_thumbnails_are_renewed_with_one_question(
    viewer: Client, outputs: list[Output], zencoder: FakeZencoder
) -> None:
    response = viewer.get(page(outputs[0], "?thumbnails=1"))
    gallery = response.content.decode().partition("</header>")[2]
    assert gallery.count("<img") == 2
    assert "https://new.example.net" in response["Content-Security-Policy"]
    assert zencoder.asked == {"details": 1}


def test_what_cannot_be_renewed_is_not_offered(
    viewer: Client, outputs: list[Output], account: ProviderAccount
) -> None:
    ProviderAccount.objects.update(enabled=False)
    html = viewer.get(page(outputs[0])).content.decode()
    assert "Play<span" not in html
    assert "The link has expired." in html
    html = viewer.get(page(outputs[0], f"?play={outputs[0].pk}")).content.decode()
    assert "<video" not in html
