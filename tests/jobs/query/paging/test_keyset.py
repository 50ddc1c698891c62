"""Keyset paging: every row once, in order, in both directions."""

import random
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from jobs.models import Job, ProviderAccount
from jobs.query.jobs import JobFilter
from jobs.query.paging.cursors import seal
from jobs.query.paging.keyset import page
from jobs.query.paging.orderings import SORT_TIMES, Ordering
from jobs.query.visibility import Visibility
from organizations.models import ApiToken
from tests.factories import make_organization, make_user
from tests.jobs.factories import NOON, make_account, make_job

pytestmark = pytest.mark.django_db

ORDERINGS = [Ordering(name, descending) for name in SORT_TIMES for descending in (True, False)]
each_ordering = pytest.mark.parametrize("ordering", ORDERINGS, ids=str)


@pytest.fixture
def account() -> ProviderAccount:
    return make_account(make_organization())


@pytest.fixture
def jobs(account: ProviderAccount) -> QuerySet[Job]:
    """23 jobs over few times, so that ties are the rule; every third lacks the provider's."""
    dice = random.Random(20260314)  # noqa: S311 - rows to sort, not secrets
    for number in range(23):
        at = [NOON + timedelta(microseconds=dice.randrange(6)) for _ in range(4)]
        reported = number % 3 > 0
        make_job(
            account,
            sort_at=at[0],
            started_at=at[1] if reported else None,
            finished_at=at[2] if reported else None,
            changed_at=at[3],
        )
    return Job.objects.filter(account=account)


def in_order(jobs: QuerySet[Job], ordering: Ordering) -> list[int]:
    """What the pages together should show, sorted here rather than by the database."""
    times = SORT_TIMES[ordering.name]
    rows = [
        (next(at for name in times if (at := getattr(job, name))), job.pk) for job in jobs.all()
    ]
    return [pk for _, pk in sorted(rows, reverse=ordering.descending)]


def read_pages(jobs: QuerySet[Job], ordering: Ordering, limit: int) -> list[list[int]]:
    pages, cursor = [], ""
    while True:
        found = page(jobs, ordering, limit, cursor)
        pages.append([job.pk for job in found.rows])
        if found.next is None:
            return pages
        cursor = found.next


@each_ordering
def test_next_pages_show_each_row_once_and_in_order(
    jobs: QuerySet[Job], ordering: Ordering
) -> None:
    for limit in (1, 2, 5, 22, 23, 24):
        pages = read_pages(jobs, ordering, limit)
        assert [pk for rows in pages for pk in rows] == in_order(jobs, ordering), limit
        assert {len(rows) for rows in pages[:-1]} <= {limit}


@each_ordering
def test_previous_pages_show_the_same_pages(jobs: QuerySet[Job], ordering: Ordering) -> None:
    forward, cursor = [], ""
    while True:
        found = page(jobs, ordering, 4, cursor)
        forward.append(found.rows)
        if found.next is None:
            break
        cursor = found.next
    back = [found.rows]
    while found.previous is not None:
        found = page(jobs, ordering, 4, found.previous)
        back.append(found.rows)
    assert back == forward[::-1]


def test_first_page_has_no_previous_and_last_no_next(jobs: QuerySet[Job]) -> None:
    first = page(jobs, Ordering("created"), 12)
    assert first.previous is None
    assert first.next is not None
    assert page(jobs, Ordering("created"), 12, first.next).next is None


def test_rows_that_arrive_above_move_nothing_below(
    account: ProviderAccount, jobs: QuerySet[Job]
) -> None:
    ordering = Ordering("created")
    expected = in_order(jobs, ordering)
    first = page(jobs, ordering, 10)
    new = make_job(account, created_at=NOON + timedelta(hours=1))
    second = page(jobs, ordering, 10, first.next or "")
    assert [job.pk for job in second.rows] == expected[10:20]
    above = page(jobs, ordering, 10, second.previous or "")
    assert [job.pk for job in above.rows] == expected[:10]
    assert [job.pk for job in page(jobs, ordering, 10, above.previous or "").rows] == [new.pk]


def test_going_back_past_what_was_deleted_shows_the_top(jobs: QuerySet[Job]) -> None:
    ordering = Ordering("created")
    first = page(jobs, ordering, 3)
    second = page(jobs, ordering, 3, first.next or "")
    Job.objects.filter(pk__in=[job.pk for job in first.rows]).delete()
    assert page(jobs, ordering, 3, second.previous or "").rows == second.rows


def test_empty_list_is_one_empty_page(account: ProviderAccount) -> None:
    found = page(Job.objects.filter(account=account), Ordering("created"), 10)
    assert (found.rows, found.next, found.previous) == ([], None, None)


@each_ordering
def test_a_page_is_one_query(
    jobs: QuerySet[Job], ordering: Ordering, django_assert_num_queries: object
) -> None:
    cursor = page(jobs, ordering, 5).next or ""
    with django_assert_num_queries(1):  # type: ignore[operator]
        page(jobs, ordering, 5, cursor)


def encode(text: str) -> str:
    return seal(text, "")


@pytest.mark.parametrize(
    "cursor",
    [
        "nonsense",
        "%%%",
        "ä",
        "\x00",
        "A" * 5000,
        "bmV4dCAtY3JlYXRlZCAxIDE.c2lnbmF0dXJl",
        encode("next -created 12"),
        encode("next -created 12 13 14"),
        encode("sideways -created 1 1"),
        encode("next -created 1e9 1"),
        encode("next -created ١ 1"),
        encode("next -created 1 1\n"),
        encode("next -name 1 1"),
    ],
)
def test_a_cursor_that_is_not_ours_is_refused_with_a_clear_message(
    jobs: QuerySet[Job], cursor: str
) -> None:
    with pytest.raises(ValueError, match="start from the first page"):
        page(jobs, Ordering("created"), 5, cursor)


def test_a_cursor_of_another_order_is_refused(jobs: QuerySet[Job]) -> None:
    cursor = page(jobs, Ordering("created"), 5).next or ""
    for other in (Ordering("created", descending=False), Ordering("changed")):
        with pytest.raises(ValueError, match="another sort order"):
            page(jobs, other, 5, cursor)


def test_an_id_beyond_the_column_is_no_error(jobs: QuerySet[Job]) -> None:
    cursor = encode(f"previous -created 0 {10**19 - 1}")
    assert len(page(jobs, Ordering("created"), 30, cursor).rows) == 23


def test_a_cursor_that_was_changed_anywhere_is_refused(jobs: QuerySet[Job]) -> None:
    cursor = page(jobs, Ordering("created"), 5).next or ""
    for at, letter in enumerate(cursor):
        for changed in (
            cursor[:at],
            cursor[:at] + cursor[at + 1 :],
            cursor[:at] + ("A" if letter != "A" else "B") + cursor[at + 1 :],
        ):
            with pytest.raises(ValueError, match="not valid"):
                page(jobs, Ordering("created"), 5, changed or ".")


def test_a_cursor_leads_to_no_row_outside_of_the_queryset(jobs: QuerySet[Job]) -> None:
    stranger = make_job(make_account(make_organization()), sort_at=NOON - timedelta(days=1))
    cursor = encode(f"next -created 0 {stranger.pk}")
    pks = [job.pk for job in page(jobs, Ordering("created"), 30, cursor).rows]
    assert stranger.pk not in pks


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("created", Ordering("created", descending=False)),
        ("-finished", Ordering("finished")),
        ("-changed_at", Ordering("changed")),
    ],
)
def test_reads_an_order(text: str, expected: Ordering) -> None:
    assert Ordering.parse(text) == expected


@pytest.mark.parametrize("text", ["", "-", "name", "--created", "created desc", "_at"])
def test_refuses_an_order_that_there_is_not(text: str) -> None:
    with pytest.raises(ValueError, match="Sort by created, started"):
        Ordering.parse(text)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="the plans of PostgreSQL")
@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("", "job_list"),
        # equally good while every running job is still known
        ("status=running", "job_list_active|job_list_started"),
        # equally good in a table without failures
        ("status=failed", "job_list_finished|job_list_ended"),
        ("status=queued", "job_list_status"),
        ("sort=changed", "job_changed"),
        ("sort=-started", "job_list_started"),
        ("sort=-finished", "job_list_ended"),
        ("partial=true", "job_list_partial"),
        ("suspect=true", "job_list_suspect"),
        ("submitted_by=ann@studio.example", "job_list_submitted_by"),
        ("submitted_by=token:nightly", "job_list_submitted_token"),
    ],
)
def test_a_page_reads_only_its_part_of_the_index(
    account: ProviderAccount, query: str, index: str
) -> None:
    make_job(account, status="running", submitted_by=make_user("ann@studio.example"))
    ApiToken.issue(account.organization, "nightly")
    filters = JobFilter.parse(QueryDict(query), Visibility(account.organization))
    jobs = filters.apply(Job.objects.for_organization(account.organization))
    cursor = encode(f"next {filters.ordering} 0 1")
    with connection.cursor() as database:
        # a table of few rows is read faster without: ask for the plan of a large one
        for way in ("seqscan", "bitmapscan", "sort"):
            database.execute(f"SET LOCAL enable_{way} = off")
        with CaptureQueriesContext(connection) as captured:
            page(jobs, filters.ordering, 10, cursor)
        database.execute(f"EXPLAIN {captured.captured_queries[-1]['sql']}")
        plan = " ".join(line for (line,) in database.fetchall())
    condition = plan.partition("Index Cond: ")[2].partition(" Filter: ")[0]
    assert re.search(f"using ({index}) ", plan)
    assert "1970-01-01" in condition
    assert "Sort" not in plan
