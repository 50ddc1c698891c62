"""What each filter of a list of files selects, and which index serves the list."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from jobs.mirror import search
from jobs.models import Output, ProviderAccount
from jobs.query.files import FileFilter
from jobs.query.paging import windows
from jobs.query.paging.keyset import KeysetPage
from jobs.query.search import matches
from jobs.query.search.files import text_condition
from jobs.query.visibility import Visibility
from organizations.models import Organization
from providers.core.status import OutputStatus
from providers.core.types import OutputKind
from tests.factories import make_organization
from tests.jobs.factories import NOON, make_account, make_job, make_output, make_preset

pytestmark = pytest.mark.django_db

Find = Callable[[str], set[Output]]


@pytest.fixture
def find(organization: Organization) -> Find:
    """The files that a query string finds among those of the organization."""

    def find(query: str) -> set[Output]:
        filters = FileFilter.parse(QueryDict(query), Visibility(organization))
        assert filters.errors == {}
        found: set[Output] = set()
        cursor: str | None = ""
        while cursor is not None:
            some = replace(filters, cursor=cursor).page(
                Output.objects.for_organization(organization)
            )
            found.update(some.rows)
            cursor = some.next
        return found

    return find


def test_images_are_found_only_where_they_are_asked_for(
    find: Find, account: ProviderAccount
) -> None:
    job = make_job(account)
    film, sound, picture = (
        make_output(job, kind=kind)
        for kind in (OutputKind.VIDEO, OutputKind.AUDIO, OutputKind.IMAGE)
    )
    assert find("") == {film, sound}
    assert find("kind=image") == {picture}
    assert find("kind=image&kind=audio") == {picture, sound}


def test_each_filter_selects(
    find: Find, account: ProviderAccount, organization: Organization
) -> None:
    preset = make_preset(account)
    mine = make_output(
        make_job(account),
        status="failed",
        format="webm",
        height=1080,
        label="harbour web",
        preset=preset,
    )
    other = make_account(organization, name="other", provider="tpstreams")
    theirs = make_output(make_job(other, created_at=NOON - timedelta(days=3)), height=480)
    unknown = make_output(make_job(other, created_at=NOON - timedelta(days=9)), height=None)
    assert find("account=main") == find("provider=zencoder") == {mine}
    assert find("status=failed") == find("format=webm") == find(f"preset={preset.pk}") == {mine}
    assert find("min_height=1080") == {mine}
    assert find("max_height=1079") == {theirs}
    assert find("min_height=1&account=other") == {theirs}
    since = (NOON - timedelta(days=3)).isoformat()
    assert find(f"created_after={since}") == {mine, theirs}
    assert find(f"created_before={since}") == {unknown}
    assert find("utm_source=mail") == {mine, theirs, unknown}


def test_files_of_some_jobs_are_found_by_their_ids(find: Find, account: ProviderAccount) -> None:
    first, second, other = (make_job(account) for _ in range(3))
    one, two, _ = (make_output(job) for job in (first, second, other))
    assert find(f"job={first.pk}") == {one}
    assert find(f"job={first.pk}&job={second.pk}") == {one, two}


def test_files_of_a_job_of_others_are_not_known(organization: Organization) -> None:
    theirs = make_job(make_account(make_organization()))
    for text in (str(theirs.pk), "episode", "9" * 30):
        filters = FileFilter.parse(QueryDict(f"job={text}"), Visibility(organization))
        assert filters.errors == {"job": f"No job has the id {text}."}
        assert filters.page(Output.objects.all()).rows == []


def test_what_few_files_have_is_read_from_its_index_and_what_many_have_in_order(
    monkeypatch: pytest.MonkeyPatch,
    find: Find,
    account: ProviderAccount,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    job = make_job(account)
    odd = make_output(job, status=OutputStatus.FAILED, format="webm", height=90)
    image = make_output(
        job, status=OutputStatus.FAILED, format="webm", height=90, kind=OutputKind.IMAGE
    )
    others = [make_output(make_job(account), format="mp4", height=720) for _ in range(3)]
    for query in ("status=failed", "format=webm", "max_height=100"):
        # the ids of all such files, and the page
        with django_assert_num_queries(2):
            assert find(query) == {odd}
    # one of both is enough
    monkeypatch.setattr("jobs.query.files.MAX_FOUND", 1)
    assert find("format=mp4&max_height=100") == set()
    assert find("format=mp4&min_height=720") == {*others}
    assert find("status=failed&kind=image&max_height=100") == {image}


@pytest.mark.parametrize("most", [5_000, 1])
@pytest.mark.parametrize("sort", ["created", "-created"])
def test_files_with_a_text_are_in_order_page_by_page_and_back(
    monkeypatch: pytest.MonkeyPatch,
    account: ProviderAccount,
    organization: Organization,
    sort: str,
    most: int,
) -> None:
    monkeypatch.setattr("jobs.query.search.files.MAX_READ", most)
    monkeypatch.setattr("jobs.query.files.MAX_READ", most)
    files = [
        make_output(make_job(account, name=name, created_at=NOON - timedelta(hours=hours)))
        for hours, name in enumerate(["harbour", "pier", "harbour", "harbour", "pier", "harbour"])
    ]
    expected = [files[place] for place in (0, 2, 3, 5)]
    if sort == "created":
        expected.reverse()

    def ask(cursor: str | None = "") -> KeysetPage[Output]:
        query = QueryDict(f"q=harbour&limit=2&sort={sort}&cursor={quote(cursor or '')}")
        filters = FileFilter.parse(query, Visibility(organization))
        return filters.page(Output.objects.for_organization(organization))

    first = ask()
    second = ask(first.next)
    assert [*first.rows, *second.rows] == expected
    assert second.next is None
    assert ask(second.previous).rows == first.rows
    # all that was above is gone
    Output.objects.filter(pk__in=[one.pk for one in first.rows]).delete()
    assert ask(second.previous).rows == second.rows


def test_files_of_a_gone_job_are_not_unfinished(find: Find, account: ProviderAccount) -> None:
    running = make_output(make_job(account, status="running"), status="running")
    gone = make_job(account, status="running", gone_at=NOON)
    lost = make_output(gone, status="running", label="lost")
    done = make_output(gone, status="succeeded")
    assert find("status=running") == find("status=running&status=queued") == {running}
    assert find("status=running&status=succeeded") == {running, done}
    assert lost in find("") & find("q=lost")


def test_text_is_searched_in_label_url_and_job_and_ids_are_whole(
    find: Find, account: ProviderAccount
) -> None:
    job = make_job(account, name="Harbour at dawn.mov", remote_id="8812")
    one = make_output(job, label="web", url="https://cdn.example/a/master.m3u8", remote_id="55")
    later = make_job(account, name="Pier.mov", remote_id="88")
    two = make_output(later, label="dusk", url="https://cdn.example/b.mp4", remote_id="555")
    assert find("q=dawn+WEB") == find("q=master.m3u8") == find("q=8812") == find("q=55") == {one}
    assert find("q=dusk") == find("q=88") == {two}
    assert find("q=dawn+dusk") == set()


@pytest.mark.parametrize(
    ("newest", "most"),
    [(100, 2_000), (0, 2_000), (100, 0)],
    ids=["from the index", "common", "many"],
)
def test_files_are_found_alike_however_many_jobs_have_the_text(
    monkeypatch: pytest.MonkeyPatch,
    find: Find,
    account: ProviderAccount,
    organization: Organization,
    newest: int,
    most: int,
) -> None:
    monkeypatch.setattr(matches, "COMMON", newest)
    monkeypatch.setattr(matches, "MAX_FOUND", most)
    monkeypatch.setattr(windows, "FIRST_WINDOW", 1)
    monkeypatch.setattr(windows, "SEARCH_S", 0)
    harbour = make_job(account, name="Harbour.mov", remote_id="8812", metadata={"crew": "web"})
    one = make_output(harbour, label="web", url="https://cdn.example/Harbour%20web.mp4")
    other = make_output(harbour, label="hls", url="https://cdn.example/b.m3u8")
    make_output(make_job(account, name="Pier.mov", metadata={"crew": "web"}), label="hls")
    assert find("q=WEB") == find("q=harbour+WEB") == {one}
    assert find("q=harbour") == find("q=8812") == {one, other}
    assert find("q=r") >= {one, other}
    # page by page, however little of it each one searches
    found, cursor = [], ""
    while True:
        query = QueryDict(f"q=harbour+web&limit=1&cursor={cursor}")
        files = FileFilter.parse(query, Visibility(organization))
        some = files.page(Output.objects.for_organization(organization))
        found += some.rows
        if some.next is None:
            break
        cursor = quote(some.next)
    assert found == [one]


def test_a_search_of_many_files_asks_for_the_job_of_each_and_joins_no_table() -> None:
    # joined, a window of many files would be compared with all jobs of all organizations
    files = Output.objects.filter(text_condition("harbour web", 1)).order_by("pk")
    assert " JOIN " not in str(files.values("pk").query)


def test_few_files_are_found_in_any_spelling(find: Find, account: ProviderAccount) -> None:
    one = make_output(make_job(account), label="Über", url="s3://b/caf%C3%A9 %231.mp4")
    make_output(one.job, label="other", url="s3://b/other.mp4")
    for text in ("UBER", "Café %231", "u%CC%88ber"):
        assert find(f"q={text}") == {one}, text


@pytest.mark.parametrize("kind", [OutputKind.VIDEO, OutputKind.IMAGE])
def test_files_beyond_the_text_of_their_job_are_found(
    find: Find, account: ProviderAccount, kind: OutputKind
) -> None:
    job = make_job(account)
    make_output(job, kind=kind, label="x" * 200, url=f"s3://b/{'y' * 200}")
    last = make_output(job, kind=kind, label="last", position=99, url="s3://b/harbour.png")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "MAX_TEXT", 300)
        search.refresh_search([job.pk])
    assert find(f"q=harbour&kind={kind}") == {last}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("kind=film", "kind"),
        ("status=done", "status"),
        ("min_height=0", "min_height"),
        ("max_height=tall", "max_height"),
        ("preset=1", "preset"),
        ("account=nobody", "account"),
        ("created_after=soon", "created_after"),
        ("q=%00", "q"),
    ],
)
def test_what_cannot_be_read_is_reported_and_selects_nothing(
    account: ProviderAccount, query: str, field: str
) -> None:
    make_output(make_job(account))
    filters = FileFilter.parse(QueryDict(query), Visibility(account.organization))
    assert list(filters.errors) == [field]
    assert filters.page(Output.objects.all()).rows == []


def test_an_order_that_files_do_not_have_is_refused(organization: Organization) -> None:
    filters = FileFilter.parse(QueryDict("sort=finished"), Visibility(organization))
    assert filters.errors == {"sort": "Sort by created; with a minus in front, newest first."}


def test_accounts_of_others_are_not_known(organization: Organization) -> None:
    make_account(make_organization(), name="theirs")
    assert FileFilter.parse(QueryDict("account=theirs"), Visibility(organization)).errors


@pytest.mark.skipif(connection.vendor != "postgresql", reason="the plans of PostgreSQL")
@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("", "output_list"),
        ("kind=captions", "output_list_kind"),
        ("account=main", "output_list_account"),
    ],
)
def test_a_page_reads_only_its_part_of_the_index(
    account: ProviderAccount, query: str, index: str
) -> None:
    for _ in range(3):
        make_output(make_job(account), kind=OutputKind.CAPTIONS)
    other = make_output(make_job(make_account(account.organization)))
    Output.objects.bulk_create(
        Output(
            job=other.job,
            organization_id=other.organization_id,
            account_id=other.account_id,
            sort_at=other.sort_at,
            remote_id=f"more-{number}",
            position=number + 1,
            kind=other.kind,
            status=other.status,
        )
        for number in range(300)
    )
    filters = FileFilter.parse(QueryDict(query), Visibility(account.organization))
    files = Output.objects.for_organization(account.organization)
    cursor = replace(filters, limit=1).page(files).next or ""
    with connection.cursor() as database:
        database.execute("ANALYZE jobs_output")
        # a table of few rows is read faster without: ask for the plan of a large one
        for way in ("seqscan", "bitmapscan", "sort"):
            database.execute(f"SET LOCAL enable_{way} = off")
        with CaptureQueriesContext(connection) as captured:
            replace(filters, limit=10, cursor=cursor).page(files)
        database.execute(f"EXPLAIN {captured.captured_queries[-1]['sql']}")
        plan = " ".join(line for (line,) in database.fetchall())
    assert f"using {index} " in plan
    assert "Sort" not in plan
