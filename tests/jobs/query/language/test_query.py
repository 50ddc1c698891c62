"""A query beside the parameters of a list: one list, whichever of them says what."""

from datetime import datetime, timedelta
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.http import QueryDict

from jobs.query.jobs import JobFilter
from jobs.query.language.tree import QueryError
from jobs.query.paging.orderings import Ordering
from jobs.query.visibility import Visibility
from organizations.models import Organization
from providers.core.status import JobStatus
from tests.factories import make_organization
from tests.jobs.factories import NOON, find_batch, make_account

NOBODY = Visibility(Organization(slug="nobody", time_zone="Europe/Berlin"))

DAY, NEXT_DAY = "2026-03-14T00:00%2B01:00", "2026-03-15T00:00%2B01:00"


@pytest.fixture(autouse=True)
def _at_one() -> object:
    with time_machine.travel(NOON + timedelta(hours=1), tick=False):
        yield


def parse(query: str) -> JobFilter:
    filters = JobFilter.parse(QueryDict(query), NOBODY)
    assert filters.errors == {}
    return filters


def typed(text: str) -> JobFilter:
    params = QueryDict(mutable=True)
    params["q"] = text
    return parse(params.urlencode())


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("status:failed,Queued night", "status=failed&status=queued&q=night"),
        ("error:input.*,quota.rate", "error=input.*&error=quota.rate"),
        ("is:gone -is:partial", "gone=true&partial=false"),
        ("created:>2d finished:<=1h", "created_after=2d&finished_before=1h"),
        ("changed:2h", "changed_after=2h"),
        ("created:7d..2d", "created_after=7d&created_before=2d"),
        ("created:2026-03-14", f"created_after={DAY}&created_before={NEXT_DAY}"),
        ("created:>2026-03-14", f"created_after={NEXT_DAY}"),
        ("created:>=2026-03-14T12:00:05.5Z", "created_after=2026-03-14T13:00:05.500000%2B01:00"),
        # what parameters cannot say
        ("status:failed status:queued", "status=failed&q=status:queued"),
        ("created:today", "q=created:today"),
        ("created:>2026-03-14T12:00", "q=created:>2026-03-14T12:00%2B01:00"),
        ("-status:failed", "q=-status:failed"),
        ("a OR created:2026-03-14", f"q=a OR created:{DAY}..{NEXT_DAY}"),
        ("“a b” id:7*", 'q="a b" id:7*'),
    ],
)  # fmt: skip
def test_links_say_by_parameters_what_these_can_say(text: str, query: str) -> None:
    filters = typed(text)
    assert sorted(parse_qsl(filters.query())) == sorted(parse_qsl(query))
    again = parse(filters.query())
    assert again.scope == filters.scope
    assert str(again.condition) == str(filters.condition)
    assert filters.text == text


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("", ""),
        ("status=failed&q=a OR b", "status:failed (a OR b)"),
        ("status=failed&status=queued&q= a b ", "status:failed,queued a b"),
        ("gone=true&partial=false", "is:gone -is:partial"),
        ("error=input.*&error=quota.rate", "error:input.*,quota.rate"),
        (
            "created_after=2d&created_before=2026-03-14",
            "created:>2d created:<2026-03-14T01:00+01:00",
        ),
        ("q=status:failed&status=queued", "status:queued status:failed"),
        ("sort=-created&limit=10&q=x", "x"),
    ],
)
def test_the_box_shows_parameters_and_query_as_one(query: str, text: str) -> None:
    filters = parse(query)
    assert filters.text == text
    again = typed(text)
    assert (again.status, again.error) == (filters.status, filters.error)
    assert (again.gone, again.times) == (filters.gone, filters.times)
    assert str(again.condition) == str(filters.condition)


@pytest.mark.django_db
def test_batches_are_named_in_the_box_as_in_parameters() -> None:
    account = make_account(make_organization())
    named = [find_batch(account, name) for name in ("spring 2026", "c*")]
    query = QueryDict("batch=spring 2026&batch=c*&gone=true")
    filters = JobFilter.parse(query, Visibility(account.organization))
    assert filters.text == 'batch:"spring 2026","c*" is:gone'
    again = JobFilter.parse(QueryDict(f"q={filters.text}"), Visibility(account.organization))
    assert again.batches == filters.batches == tuple(batch.pk for batch in named)
    assert sorted(again.params()) == sorted(filters.params())


def test_a_list_is_the_same_for_its_cursors_however_it_was_asked_for() -> None:
    assert (
        typed("status:failed created:>2d x").scope
        == parse("created_after=2d&status=failed&q=x").scope
    )
    assert typed("status:failed x").scope != typed("x").scope


@pytest.mark.parametrize(
    ("text", "ordering", "tab"),
    [
        ("status:running", "started", {JobStatus.RUNNING}),
        ("is:unresolved", "finished", {JobStatus.FAILED}),
        ("status:succeeded,cancelled x", "finished", {JobStatus.SUCCEEDED, JobStatus.CANCELLED}),
        ("status:running OR status:queued", "created", set()),
        ("finished:today", "finished", set()),
        ("started:>2h", "started", set()),
        ("x", "created", set()),
    ],
)  # fmt: skip
def test_order_and_tab_follow_the_query(text: str, ordering: str, tab: set[JobStatus]) -> None:
    assert typed(text).ordering == Ordering(ordering)
    assert typed(text).tab == tab


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("status:failed", True),
        ("-status:failed", True),
        ("x OR has:error", True),
        ("is:unresolved", True),
        ("x created:>2d -name:y", False),
    ],
)
def test_knows_whether_jobs_come_and_go_with_their_status(text: str, expected: bool) -> None:
    assert typed(text).follows_status is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", True),
        ("status:failed error:input.* created:>2d is:unresolved night", True),
        ("created:today id:7 -is:gone", True),
        ("a OR b", False),
        ("-a", False),
        ("ran:>2h", False),
        ("is:test", False),
        ("meta:4711 label:hd* name:a,b", True),
        ("-meta:4711", False),
        ("name:a,b,c,d,e,f,g,h,i", False),
    ],
)
def test_knows_what_indexes_serve(text: str, expected: bool) -> None:
    assert typed(text).is_indexed is expected


def test_dates_are_in_the_zone_that_is_given_else_in_the_organizations() -> None:
    query = QueryDict("q=created:2026-03-14")
    there = JobFilter.parse(query, NOBODY, NOON.tzinfo)
    assert there.times["created_after"] == NOON.replace(hour=0)
    here = JobFilter.parse(query, NOBODY)
    assert here.times["created_after"] == NOON.replace(hour=0) - timedelta(hours=1)


@pytest.mark.parametrize(
    ("zone", "day", "start", "hours"),
    [
        ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00Z", 23),
        ("America/New_York", "2026-11-01", "2026-11-01T04:00Z", 25),
        ("Asia/Kolkata", "2026-03-29", "2026-03-28T18:30Z", 24),
        # which has no midnight
        ("America/Santiago", "2026-09-06", "2026-09-06T04:00Z", 23),
    ],
)
def test_a_day_is_as_long_as_it_is_in_its_zone(zone: str, day: str, start: str, hours: int) -> None:
    query = QueryDict(f"q=created:{day}")
    filters = JobFilter.parse(query, NOBODY, ZoneInfo(zone))
    first = datetime.fromisoformat(start)
    after, before = filters.times["created_after"], filters.times["created_before"]
    assert (after, before) == (first, first + timedelta(hours=hours))
    # and the link shows the same to everybody
    again = JobFilter.parse(QueryDict(filters.query()), NOBODY, ZoneInfo("Asia/Tokyo"))
    assert again.times == filters.times


def test_days_in_parameters_are_those_of_a_reader_and_utc_without_one() -> None:
    query = QueryDict("created_after=2026-03-14&created_before=2d")
    zone = ZoneInfo("Europe/Berlin")
    filters = JobFilter.parse(query, NOBODY, zone)
    assert filters.times["created_after"] == NOON.replace(hour=0) - timedelta(hours=1)
    assert ("created_after", "2026-03-14T00:00+01:00") in filters.params()
    assert filters.text == "created:>=2026-03-14 created:<2d"
    assert JobFilter.parse(query, NOBODY).times["created_after"] == NOON.replace(hour=0)


def test_an_error_is_of_the_query_and_keeps_the_text() -> None:
    filters = JobFilter.parse(QueryDict("error=input.*&q=a provder:x"), NOBODY)
    assert filters.errors == {
        "q": "At character 3: There is no key “provder”. Did you mean provider?"
    }
    assert isinstance(filters.search.error, QueryError)
    assert filters.text == "error:input.* a provder:x"
    assert ("q", "a provder:x") in filters.params()
