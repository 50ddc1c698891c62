"""A job at each provider over a real socket, encoded for real: submitted, mirrored, opened."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from jobs.media.links import find_link
from jobs.media.playback import playable
from jobs.models import Job, ProviderAccount
from jobs.submission.service import submit
from jobs.submission.worker import run_submission
from jobs.sync.runner import sync_account
from organizations.models import Organization
from providers.core import registry
from providers.core.types import JobRequest, OutputKind, Rendition, Thumbnails
from sandbox.server import RunningSandbox, start
from tests.jobs.factories import make_account
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Place:
    """What one provider is asked for, in its own ways, and what comes of it."""

    keys: tuple[str, ...]
    request: dict[str, Any]
    kinds: set[OutputKind]
    options: tuple[str, ...] = ()
    class_of_a_corrupt_source: str = "input.corrupt"
    opens: bool = True


METADATA = {"order": 7, "rush": True, "share": 0.5, "tags": ["a", None], "owner": {"id": "12"}}
HLS, MP4 = Rendition("hls", (240,)), Rendition("mp4", (240,))
PLACES = {
    "zencoder": Place(
        keys=("api_key",),
        request={
            "renditions": (HLS, MP4),
            "thumbnails": Thumbnails(count=2, formats=("jpg", "png")),
        },
        kinds={OutputKind.PLAYLIST, OutputKind.VIDEO, OutputKind.IMAGE},
    ),
    "videosdk": Place(
        keys=("api_key", "secret"),
        request={
            "renditions": (HLS, MP4),
            "thumbnails": Thumbnails(
                timestamps=(0, 1), formats=("jpg", "webp"), filters=("none", "blur")
            ),
        },
        class_of_a_corrupt_source="unknown",  # it documents no reasons of failures
        kinds={OutputKind.PLAYLIST, OutputKind.VIDEO, OutputKind.IMAGE},
    ),
    "tpstreams": Place(
        keys=("token",),
        options=("organization_id",),
        request={"renditions": (HLS,), "destination": "s3://results/harbour/"},
        kinds={OutputKind.VIDEO},
        opens=False,
    ),
    "xvid": Place(
        keys=("client_id", "client_secret"),
        options=("pipeline_id",),
        request={"extra": {"presets": ["MP4-H264-AAC-240p"]}, "thumbnails": Thumbnails(count=2)},
        kinds={OutputKind.VIDEO, OutputKind.IMAGE, OutputKind.ARCHIVE},
    ),
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with start(rate_limit=0, encode_speed=0) as running:
        yield running


@pytest.fixture
def accounts(organization: Organization, sandbox: RunningSandbox) -> dict[str, ProviderAccount]:
    return {
        slug: make_account(
            organization,
            provider=slug,
            base_url=sandbox.api_url(slug),
            credentials={name: sandbox.keys[f"{slug}_{name}"] for name in place.keys},
            options={name: sandbox.keys[f"{slug}_{name}"] for name in place.options}
            | {"requests_per_minute": "1000000"},
            imported_at=None,
            last_pass_at=None,
        )
        for slug, place in PLACES.items()
    }


def run(account: ProviderAccount, url: str) -> Job:
    """The job of that source, as it ended."""
    request = JobRequest(input=url, metadata=METADATA, **PLACES[account.provider].request)
    job = submit(organization=account.organization, account=account, request=request).job
    run_submission(job.pk)
    give_up_at = time.monotonic() + PATIENCE_S
    while time.monotonic() < give_up_at:
        report = sync_account(account.pk, foreground=True)
        assert report is not None
        assert report.ok, report.error
        job.refresh_from_db()
        if job.is_terminal:
            return job
        time.sleep(0.2)
    raise AssertionError(f"{job} stayed {job.status}")


def test_every_provider_is_tried_here() -> None:
    assert set(PLACES) == {provider.slug for provider in registry.all_providers()}


@pytest.mark.parametrize("slug", PLACES)
def test_a_job_ends_well_with_what_it_made(
    accounts: dict[str, ProviderAccount], sandbox: RunningSandbox, slug: str
) -> None:
    place = PLACES[slug]
    job = run(accounts[slug], sandbox.input_url("no-audio.mp4"))
    assert (job.status, job.errors, job.is_suspect) == ("succeeded", [], False)
    assert job.metadata == METADATA
    outputs = list(job.outputs.all())
    assert {output.kind for output in outputs} == place.kinds
    assert {output.status for output in outputs} == {"succeeded"}
    for output in outputs:
        if place.opens:
            answer = requests.get(find_link(output).url, timeout=60)
            assert (answer.status_code, bool(answer.content)) == (200, True)
        else:
            assert output.url.startswith("s3://results/harbour/")
            assert not playable(output).how


@pytest.mark.parametrize("slug", PLACES)
def test_a_job_with_a_corrupt_source_ends_badly_with_its_class(
    accounts: dict[str, ProviderAccount], sandbox: RunningSandbox, slug: str
) -> None:
    job = run(accounts[slug], sandbox.input_url("corrupt.mp4"))
    assert (job.status, job.error_class) == ("failed", PLACES[slug].class_of_a_corrupt_source)
