"""What people paste finds its job: ids, names, URLs, metadata, errors, in any spelling."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jobs.mirror import writer
from jobs.models import EventSource, Job, ProviderAccount
from jobs.query.search import matches
from jobs.query.search.words import words_condition
from providers.core.status import JobStatus, OutputStatus
from providers.core.types import OutputKind, RemoteError, RemoteInput, RemoteJob, RemoteOutput
from tests.factories import make_organization
from tests.jobs.factories import NOON, make_account
from tests.jobs.query.search.conftest import Search

REEL = RemoteJob(
    remote_id="90210077",
    status=JobStatus.FAILED,
    provider_status="failed",
    name="Harbour Film (final).mov",
    created_at=NOON,
    input=RemoteInput(url="https://footage.example/in/Harbour%20Film%20(final).mov"),
    outputs=(
        RemoteOutput(
            remote_id="5550123",
            kind=OutputKind.VIDEO,
            status=OutputStatus.SUCCEEDED,
            label="hd-ladder",
            url="https://cdn.example/vod/tides/t05_1080p.mp4",
        ),
        RemoteOutput(
            remote_id="5550124",
            kind=OutputKind.IMAGE,
            status=OutputStatus.SUCCEEDED,
            label="poster",
            url="https://cdn.example/vod/tides/frame_0007.png",
        ),
    ),
    errors=(
        RemoteError("output.failed", "UploadTimedOut", "The upload stalled after 90 s."),
        RemoteError("input.no_media", "NoTracks", "No tracks at all"),
    ),
    metadata={"purchase": "PO-66120", "client": {"tags": ["Nordwind", 4711]}},
    console_url="https://console.example/jobs/90210077",
)


@pytest.fixture
def reel(account: ProviderAccount) -> Job:
    """Beside a job that shares nothing with it, and the same one of another organization."""
    other = replace(REEL, outputs=(), errors=(), metadata=None, console_url=None)
    others = [
        replace(other, remote_id="31337", name="wood.mp4", input=RemoteInput(url="s3://b/wood.mp4"))
    ]
    theirs = make_account(make_organization(), name="theirs")
    for owner, jobs in ((account, [REEL, *others]), (theirs, [REEL])):
        writer.apply(owner, jobs, source=EventSource.POLL, observed_at=NOON)
    return Job.objects.get(account=account, remote_id=REEL.remote_id)


@pytest.mark.parametrize(
    "text",
    [
        *("90210077", "210077", "#{pk}", "{pk},", "\u200b{pk}", "\ufeff90210077"),
        *("https://console.example/jobs/90210077", "https://elsewhere.example/jobs/90210077/"),
        "https://spa.example/#/project/x/jobs/90210077?tab=log",
        *("Harbour Film", "film (FINAL)", "Harbour%20Film", "film, harbour"),
        "https://footage.example/in/Harbour%20Film%20(final).mov?X-Signature=abc",
        *("t05_1080p", "https://cdn.example/vod/tides/t05_1080p.mp4", "5550123", "hd-ladder"),
        *("frame_0007.png", "5550124"),
        *("PO-66120", "purchase", "nordwind", "4711"),
        *("output.failed", "UploadTimedOut", "uploadtimedout", "stalled after 90 s.", "NoTracks"),
        *("hd", "07", "mo"),
    ],
)
def test_a_job_is_found_by(search: Search, reel: Job, text: str) -> None:
    assert search(text.format(pk=reel.pk)) == {reel}


def test_several_ids_find_their_jobs(search: Search, reel: Job, account: ProviderAccount) -> None:
    wood = Job.objects.get(account=account, remote_id="31337")
    for text in ("90210077 31337", "90210077,31337", "#{0}\n#{1}", "{0}, 31337", " {1},,{0};"):
        assert search(text.format(reel.pk, wood.pk)) == {reel, wood}, text
    assert search("90210077 31338") == set()


def test_an_id_behind_a_hash_is_ours_though_a_provider_has_it_too(
    search: Search, plain: Callable[..., Job]
) -> None:
    ours = plain(name="ours")
    theirs = plain(name="theirs", remote_id=str(ours.pk))
    assert search(f"#{ours.pk}") == {ours}
    assert search(f"{ours.pk},") == search(f"\ufeff{ours.pk}") == {ours, theirs}


def test_what_is_stored_of_a_secret_url_is_not_found(
    search: Search, account: ProviderAccount
) -> None:
    url = "https://footage.example/dunes.mov?X-Amz-Signature=f00dcafe&X-Amz-Date=20260314"
    job = replace(REEL, input=RemoteInput(url=url, secret_url=url), metadata=None)
    writer.apply(account, [job], source=EventSource.POLL, observed_at=NOON)
    assert search("dunes")
    for text in ("f00dcafe", "Amz", "20260314"):
        assert search(text) == set()


@pytest.mark.parametrize(
    ("stored", "typed"),
    [
        ("Über-Café.mp4", "über"),
        ("Über-Café.mp4", "ÜBER-CAFE\u0301"),
        ("Uber-Cafe\u0301.mp4", "café"),
        ("Día 1.mp4", "DÍA"),
        ("Прогулка.mov", "ПРОГУЛКА"),
        ("ΟΔΟΣ.mov", "οδος"),
        ("Straße.mov", "STRASSE"),
        ("DIYARBAKIR.mov", "diyarbakır"),
        ("ﬁnal.mov", "final"),
        ("東京の夜.mov", "京の"),
        ("東京の夜.mov", "夜"),
        ("パーティー.mov", "ハ\u309aーティー"),
        ("여행.mov", "여행"),
        ("🎬\ufe0f take", "🎬"),
        ("se\u00adcond\u200b-take", "second-take"),
        ("100%_\\'\".mov", "%_\\'\""),
        ("a" * 2000, "a" * 400),
    ],
)
def test_spelling_does_not_matter(
    search: Search, plain: Callable[..., Job], stored: str, typed: str
) -> None:
    job = plain(input_url=f"s3://x/{stored}")
    plain(input_url="s3://x/forest.avi")
    assert search(typed) == {job}


def test_what_says_nothing_finds_all(search: Search, plain: Callable[..., Job]) -> None:
    jobs = {plain(), plain()}
    for text in ("", " , ;", "\u200b", "\ufeff,"):
        assert search(text) == jobs


def test_a_change_is_found_and_what_it_replaced_is_not(
    search: Search, reel: Job, account: ProviderAccount
) -> None:
    later = replace(
        REEL,
        name="Dunes.mov",
        input=RemoteInput(url="s3://b/dunes.mov"),
        outputs=(replace(REEL.outputs[0], url="https://cdn.example/d09.mp4"),),
    )
    writer.apply(account, [later], source=EventSource.POLL, observed_at=NOON + timedelta(minutes=1))
    assert search("dunes") == search("d09.mp4") == {reel}
    assert search("harbour film") == search("t05_1080p") == set()
    reel.delete()
    assert search("dunes") == search("d0") == set()


def test_progress_writes_no_search_row(account: ProviderAccount) -> None:
    running = replace(REEL, status=JobStatus.RUNNING, errors=(), progress=10)
    writer.apply(account, [running], source=EventSource.POLL, observed_at=NOON)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        writer.apply(
            account,
            [replace(running, progress=20)],
            source=EventSource.POLL,
            observed_at=NOON + timedelta(minutes=1),
        )
    assert not any("jobs_jobsearch" in query["sql"] for query in queries)


@pytest.mark.parametrize(("newest", "most"), [(10, 5000), (100, 5000), (100, 3)])
def test_few_and_many_are_found_alike(
    monkeypatch: pytest.MonkeyPatch,
    search: Search,
    plain: Callable[..., Job],
    newest: int,
    most: int,
) -> None:
    monkeypatch.setattr(matches, "COMMON", newest)
    monkeypatch.setattr(matches, "MAX_FOUND", most)
    reels = {plain(name=f"reel {number}") for number in range(12)}
    wood = plain(name="wood")
    assert search("reel") == reels
    assert search("REEL 11") == {job for job in reels if job.name == "reel 11"}
    assert search(f"#{wood.pk}") == {wood}
    assert search("el") == reels
    assert search("w") == {wood}
    assert search("absent") == search("q") == set()


@pytest.mark.parametrize(
    ("texts", "most"),
    [(["absent"], 2), (["reel"], 2), (["q"], 2), (["zq"], 3), (["77"], 3)],
)
def test_a_search_asks_a_fixed_number_of_questions(
    account: ProviderAccount, plain: Callable[..., Job], texts: list[str], most: int
) -> None:
    plain(name="reel")
    condition = words_condition(texts, account.organization_id)
    with CaptureQueriesContext(connection) as queries:
        found, again = account.jobs.filter(condition), account.jobs.exclude(condition)
    assert len(queries) <= most
    assert found.count() + again.count() == 1
