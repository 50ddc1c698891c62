"""What each filter of a job list selects, and what it says to values that it cannot read."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest
import time_machine
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from jobs.models import Job, JobErrorGroup, ProviderAccount
from jobs.query.counts import Count, count_found, tab_counts
from jobs.query.jobs import JobFilter
from jobs.query.paging.orderings import SORT_TIMES, Ordering
from jobs.query.parameters import MAX_LIMIT, read_time
from jobs.query.references import read_id
from jobs.query.visibility import Visibility
from organizations.models import ApiToken, Organization
from providers.core.status import JobStatus
from tests.factories import make_membership, make_organization, make_user
from tests.jobs.factories import NOON, make_account, make_job, make_output, make_preset

NOBODY = Organization(slug="nobody")
FAR = NOON + timedelta(days=9)


@pytest.fixture
def organization() -> Organization:
    return make_organization()


@pytest.fixture
def account(organization: Organization) -> ProviderAccount:
    return make_account(organization, name="main")


@pytest.fixture
def find(organization: Organization) -> Callable[[str], set[Job]]:
    """The jobs that a query string finds among those of the organization."""

    def find(query: str) -> set[Job]:
        filters = JobFilter.parse(QueryDict(query), Visibility(organization))
        assert filters.errors == {}
        return set(filters.apply(Job.objects.for_organization(organization)))

    return find


Find = Callable[[str], set[Job]]
pytestmark = pytest.mark.django_db


def test_no_filter_finds_all(find: Find, account: ProviderAccount) -> None:
    jobs = {make_job(account), make_job(account, status=JobStatus.UNKNOWN)}
    assert find("") == jobs
    assert find("utm_source=mail&status=") == jobs


def test_status_repeats(find: Find, account: ProviderAccount) -> None:
    queued, failed, _ = (
        make_job(account, status=status) for status in ("queued", "failed", "unknown")
    )
    assert find("status=queued") == {queued}
    assert find("status=queued&status=failed") == {queued, failed}


def test_account_by_id_and_by_exact_name(
    find: Find, account: ProviderAccount, organization: Organization
) -> None:
    other = make_account(organization, name="Main")
    mine, theirs = make_job(account), make_job(other)
    assert find(f"account={account.pk}") == {mine}
    assert find("account=main") == {mine}
    assert find(f"account=main&account={other.pk}") == {mine, theirs}


def test_preset_finds_the_jobs_that_used_one_of_them(find: Find, account: ProviderAccount) -> None:
    small, large = make_preset(account), make_preset(account)
    both, one, _ = (make_job(account) for _ in range(3))
    for preset in (small, small, large):
        make_output(both, preset=preset)
    make_output(one, preset=large)
    assert find(f"preset={small.pk}") == {both}
    assert find(f"preset={small.pk}&preset={large.pk}") == {both, one}


def test_a_preset_of_another_organization_is_not_known(organization: Organization) -> None:
    theirs = make_preset(make_account(make_organization()))
    for text in (str(theirs.pk), "web", "9" * 30):
        filters = JobFilter.parse(QueryDict(f"preset={text}"), Visibility(organization))
        assert filters.errors == {"preset": f"No preset has the id {text}."}
        assert not filters.apply(Job.objects.all()).exists()


def test_an_id_goes_before_a_name_of_digits(
    find: Find, account: ProviderAccount, organization: Organization
) -> None:
    impostor = make_account(organization, name=str(account.pk))
    mine, theirs = make_job(account), make_job(impostor)
    assert find(f"account={account.pk}") == {mine}
    assert find(f"account={account.pk}&account={impostor.pk}") == {mine, theirs}


@pytest.mark.parametrize("field", ["pk", "name"])
def test_a_foreign_account_is_reported_like_one_that_is_not(
    organization: Organization, field: str
) -> None:
    foreign = make_account(make_organization(), name="theirs")
    filters = JobFilter.parse({"account": [str(getattr(foreign, field))]}, Visibility(organization))
    assert filters.errors == {
        "account": f"No account has the id or the name {getattr(foreign, field)}."
    }


def test_provider_narrows_accounts(find: Find, organization: Organization) -> None:
    zencoder = make_account(organization, name="zen")
    elsewhere = make_account(organization, name="else", provider="retired")
    job, _ = make_job(zencoder), make_job(elsewhere)
    assert find("provider=zencoder") == {job}
    assert find("provider=zencoder&account=zen") == {job}
    assert find("provider=zencoder&account=else") == set()


def test_a_provider_means_our_own_accounts_there(account: ProviderAccount) -> None:
    make_account(make_organization())
    filters = JobFilter.parse(QueryDict("provider=zencoder"), Visibility(account.organization))
    assert filters.account_ids == {account.pk}


def test_error_by_class_and_by_family(find: Find, account: ProviderAccount) -> None:
    lost, denied, delivery = (
        make_job(account, status="failed", error_class=name)
        for name in ("input.not_found", "input.access_denied", "output.failed")
    )
    make_job(account)
    assert find("error=input.not_found") == {lost}
    assert find("error=input.*") == {lost, denied}
    assert find("error=input.access_denied&error=output.failed") == {denied, delivery}


def test_an_error_group_has_the_jobs_of_those_merged_into_it(
    find: Find, account: ProviderAccount
) -> None:
    one, two, other = (
        make_job(account, status="failed", error_message=text)
        for text in ("No file", "Gone", "Bad")
    )
    assert find(f"error_group={one.error_group_id}") == {one}
    JobErrorGroup.objects.filter(jobs=two).update(merged_into=one.error_group)
    assert find(f"error_group={one.error_group_id}") == {one, two}
    assert find(f"q=error_group:{one.error_group_id},{other.error_group_id}") == {one, two, other}
    assert find(f"error_group={two.error_group_id}") == {two}


def test_batch_is_exact_and_repeats(find: Find, account: ProviderAccount) -> None:
    one, two, _ = (make_job(account, batch=name) for name in ("spring", "summer", "spring 2"))
    assert find("batch=spring") == {one}
    assert find("batch=spring&batch=summer") == {one, two}


@pytest.mark.parametrize(
    "text",
    [
        "harbour",
        "HARBOUR tape",
        "tape harbour",
        "s3://archive/harbour",
        "0071-x",
        "summer",
        "checksum",
        "50%",
    ],
)
def test_text_finds_a_job_by_what_its_row_shows(
    find: Find, account: ProviderAccount, text: str
) -> None:
    match = make_job(
        account,
        name="Harbour at night, tape 3 (50%).mov",
        input_url="s3://archive/harbour.mov",
        remote_id="0071-x",
        batch="summer",
        status="failed",
        error_message="The checksum differs.",
    )
    make_job(account, name="tape of a forest.mov", remote_id="71-x1")
    assert find(f"q={text.replace('%', '%25')}") == {match}


def test_text_finds_a_job_by_our_id(find: Find, account: ProviderAccount) -> None:
    plain = {"name": "a film", "input_url": "s3://films/a", "remote_id": None}
    job, _ = make_job(account, **plain), make_job(account, **plain)
    assert find(f"q={job.pk}") == {job}


def test_created_after_takes_first_seen_where_the_provider_reports_no_creation(
    find: Find, account: ProviderAccount
) -> None:
    job = make_job(account, created_at=None, sort_at=NOON)
    assert find("created_after=2026-03-14") == {job}
    assert find("created_after=2026-03-15") == set()


@pytest.mark.parametrize("name", ["created", "started", "finished", "changed"])
def test_windows_that_meet_share_no_job(find: Find, account: ProviderAccount, name: str) -> None:
    column = SORT_TIMES[name][0]
    earlier, later = (
        make_job(account, **{column: NOON + timedelta(microseconds=step)}) for step in (-1, 0)
    )
    # what has not begun or ended is in no window of beginnings or ends
    make_job(account, status="queued", sort_at=NOON - timedelta(days=9), changed_at=FAR)
    assert find(f"{name}_after=2026-03-14&{name}_before=2026-03-14T12:00:00Z") == {earlier}
    assert find(f"{name}_after=2026-03-14T12:00:00Z&{name}_before=2026-03-15") == {later}


def test_partial_and_suspect_jobs_are_found_by_their_own_flags(
    find: Find, account: ProviderAccount
) -> None:
    partial = make_job(account, status="failed", is_partial=True)
    suspect, plain = make_job(account, is_suspect=True), make_job(account)
    assert find("partial=true") == {partial}
    assert find("partial=false") == {suspect, plain}
    assert find("suspect=true") == {suspect}
    assert find("suspect=false&partial=false") == {plain}


def test_jobs_are_found_by_who_submitted_them(
    find: Find, account: ProviderAccount, organization: Organization
) -> None:
    member = make_membership(organization, user=make_user("ann@studio.example")).user
    left = make_user("left@studio.example")
    tokens = [ApiToken.issue(organization, name)[0] for name in ("nightly", "nightly", "idle")]
    tokens[1].revoke()
    by_ann, by_left = (make_job(account, submitted_by=user) for user in (member, left))
    by_tokens = {make_job(account, submitted_token=token) for token in tokens[:2]}
    make_job(account)
    assert find("submitted_by=Ann@Studio.example") == {by_ann}
    assert find("submitted_by=left@studio.example") == {by_left}
    assert find("submitted_by=token:nightly") == by_tokens
    assert find("submitted_by=token:nightly&submitted_by=ann@studio.example") == {
        by_ann,
        *by_tokens,
    }
    assert find("submitted_by=token:idle") == set()


def test_who_belongs_to_others_is_refused_like_nobody(organization: Organization) -> None:
    stranger = make_membership(make_organization()).user
    theirs = ApiToken.issue(make_organization(), "theirs")[0]
    for text in (stranger.email, f"token:{theirs.name}", "nobody@studio.example", "token:", "ann"):
        filters = JobFilter.parse({"submitted_by": [text]}, Visibility(organization))
        assert text in filters.errors["submitted_by"]
        assert not filters.apply(Job.objects.all()).exists()


@time_machine.travel(NOON + timedelta(days=2), tick=False)
def test_an_age_counts_from_now_and_stays_an_age_in_links(
    find: Find, account: ProviderAccount
) -> None:
    job = make_job(account)
    assert find("created_after=2d") == {job}
    assert find("created_after=47h") == set()
    assert JobFilter.parse(QueryDict("created_after=2d"), Visibility(NOBODY)).params() == [
        ("created_after", "2d")
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-14T12:00:00Z", NOON),
        ("2026-03-14T12:00:00", NOON),
        ("2026-03-14T13:30:00+01:30", NOON),
        ("2026-03-14T13:30:00 01:30", NOON),
        ("2026-03-14 12:00", NOON),
        ("2026-03-14", NOON.replace(hour=0)),
        ("90s", NOON - timedelta(seconds=90)),
        ("5m", NOON - timedelta(minutes=5)),
        ("1w", NOON - timedelta(weeks=1)),
    ],
)
def test_reads_a_time(text: str, expected: datetime) -> None:
    assert read_time(text, NOON) == expected


@given(st.text() | st.from_regex(r"[0-9T:+Z.-]{1,30}") | st.from_regex(r"[0-9]{1,9}[smhdwy]"))
def test_a_time_is_read_as_utc_or_refused(text: str) -> None:
    with suppress(ValueError):
        assert read_time(text, NOON).tzinfo == UTC


def test_an_unreadable_time_is_refused_with_a_clear_message() -> None:
    with pytest.raises(ValueError, match="such as 2d"):
        read_time("soon", NOON)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=done", "status"),
        ("status=Failed&status=failed", "status"),
        ("provider=nobody", "provider"),
        ("gone=yes", "gone"),
        ("unresolved=1", "unresolved"),
        ("account=nobody", "account"),
        ("account=99999999999999999999999", "account"),
        ("error=input", "error"),
        ("error=*", "error"),
        ("error_group=one", "error_group"),
        ("error_group=1", "error_group"),
        ("q=%00", "q"),
        ("batch=a%00b", "batch"),
        (f"q={'x' * 2001}", "q"),
        ("q=colour:red", "q"),
        ("&".join(f"batch={number}" for number in range(51)), "batch"),
        ("created_after=yesterday", "created_after"),
        ("created_before=0001-01-01T00:00:00%2B05:00", "created_before"),
        ("finished_after=999999w", "finished_after"),
        ("changed_after=2026-13-01", "changed_after"),
    ],
)
def test_an_unreadable_filter_is_reported_and_selects_nothing(
    account: ProviderAccount, query: str, field: str
) -> None:
    make_job(account)
    filters = JobFilter.parse(QueryDict(query), Visibility(account.organization))
    assert list(filters.errors) == [field]
    assert not filters.apply(Job.objects.all()).exists()


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=ten", "limit=-1", "sort=name"])
def test_an_unreadable_order_or_limit_is_reported_and_selects_all_the_same(
    account: ProviderAccount, query: str
) -> None:
    job = make_job(account)
    filters = JobFilter.parse(QueryDict(query), Visibility(account.organization))
    assert list(filters.errors) == [query.partition("=")[0]]
    assert filters.apply(Job.objects.all()).get() == job
    assert 1 <= filters.limit <= MAX_LIMIT


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", Ordering("created")),
        ("status=running", Ordering("started")),
        ("status=failed", Ordering("finished")),
        ("unresolved=true", Ordering("finished")),
        ("unresolved=false", Ordering("created")),
        ("status=succeeded&status=cancelled", Ordering("finished")),
        ("status=running&status=failed", Ordering("created")),
        ("status=queued", Ordering("created")),
        ("started_before=1h", Ordering("started")),
        ("finished_after=1h&started_after=1h", Ordering("finished")),
        ("finished_after=1h&status=running", Ordering("started")),
        ("changed_before=1h&created_after=1h", Ordering("created")),
        ("status=running&sort=changed", Ordering("changed", descending=False)),
    ],
)
def test_order_follows_the_statuses_unless_asked_for(query: str, expected: Ordering) -> None:
    assert JobFilter.parse(QueryDict(query), Visibility(NOBODY)).ordering == expected


def test_links_change_what_they_name_and_leave_the_place() -> None:
    filters = JobFilter.parse(
        QueryDict("status=failed&status=running&q=a+b%26c&sort=-created&cursor=abc&unknown=1"),
        Visibility(NOBODY),
    )

    def link(**changes: Any) -> list[tuple[str, str]]:
        return parse_qsl(filters.query(**changes))

    assert link(status=None) == [("q", "a b&c"), ("sort", "-created")]
    assert link(status="queued", q=None) == [("sort", "-created"), ("status", "queued")]
    assert link(status=["queued", "unknown"], q=None, sort=None) == [
        ("status", "queued"),
        ("status", "unknown"),
    ]
    assert ("cursor", "xyz") in link(cursor="xyz")
    assert ("cursor", "abc") in filters.params()


@pytest.mark.parametrize(
    ("query", "expected"), [("", True), ("sort=created&limit=10", True), ("q=x", False)]
)
def test_only_conditions_narrow(query: str, expected: bool) -> None:
    assert JobFilter.parse(QueryDict(query), Visibility(NOBODY)).is_empty is expected


def test_counts_stop_at_the_cap(
    account: ProviderAccount, django_assert_num_queries: Callable[[int], Any]
) -> None:
    for status in ("failed",) * 3 + ("queued",) * 2 + ("running",):
        make_job(account, status=status)
    with django_assert_num_queries(1) as queries:
        counts = tab_counts(Job.objects.all(), cap=2)
    assert queries.captured_queries[0]["sql"].count("LIMIT 3") == len(counts)
    assert counts == {
        "submitting": Count(0),
        "queued": Count(2),
        "running": Count(1),
        "succeeded": Count(0),
        "failed": Count(2, capped=True),
        "cancelled": Count(0),
        "unknown": Count(0),
        "resolved": Count(0),
        "gone": Count(0),
    }


def test_tab_counts_ignore_the_tab_but_no_other_filter(account: ProviderAccount) -> None:
    make_job(account, status="failed", batch="spring")
    make_job(account, status="queued", batch="spring")
    make_job(account, status="queued", batch="summer")
    query = QueryDict("status=failed&unresolved=false&batch=spring")
    filters = JobFilter.parse(query, Visibility(account.organization))
    counts = tab_counts(filters.apply_beside_tab(Job.objects.all()))
    assert (counts["failed"].value, counts["queued"].value) == (1, 1)


def test_counts_of_few_jobs_stop_at_the_cap_too(account: ProviderAccount) -> None:
    for _ in range(3):
        make_job(account, status="queued")
    counts = tab_counts(Job.objects.all(), cap=2, are_few=True)
    assert counts["queued"] == Count(2, capped=True)


@pytest.fixture
def mixed(account: ProviderAccount) -> list[Job]:
    """A job of each status, known and gone, and failures that a retry fixed, known and gone."""
    jobs = [
        make_job(account, status=status, gone_at=gone_at)
        for status in JobStatus
        for gone_at in (None, NOON)
    ]
    fixed = {"status": "failed", "resolved_by": jobs[0]}
    return [*jobs, make_job(account, **fixed), make_job(account, **fixed, gone_at=NOON)]


def test_gone_jobs_leave_the_active_statuses_unless_asked_for(find: Find, mixed: list[Job]) -> None:
    def select(*statuses: str, gone: bool | None = None) -> set[Job]:
        return {
            job
            for job in mixed
            if job.status in (statuses or list(JobStatus)) and gone in (None, bool(job.gone_at))
        }

    for status in ("submitting", "queued", "running"):
        assert find(f"status={status}") == select(status, gone=False)
        assert find(f"status={status}&gone=true") == select(status, gone=True)
    for status in ("succeeded", "failed", "cancelled", "unknown"):
        assert find(f"status={status}") == select(status)
    assert find("status=running&status=failed") == select("running", gone=False) | select("failed")
    assert find("status=running&status=failed&gone=true") == select("running", "failed", gone=True)
    assert find("") == set(mixed)
    assert find("gone=true") == select(gone=True)
    assert find("gone=false") == select(gone=False)


def test_unresolved_failures_are_those_that_no_retry_fixed(find: Find, mixed: list[Job]) -> None:
    failed = {job for job in mixed if job.status == "failed"}
    unresolved = {job for job in failed if not job.resolved_by_id}
    assert find("unresolved=true") == find("status=failed&unresolved=true") == unresolved
    assert find("status=failed&unresolved=false") == failed - unresolved
    assert find("unresolved=false") == set(mixed) - unresolved
    assert find("status=running&unresolved=true") == set()
    assert find("status=failed") == failed


@pytest.mark.parametrize("gone", ["", "gone=true", "gone=false"])
@pytest.mark.parametrize("unresolved", ["", "unresolved=true", "unresolved=false"])
@pytest.mark.parametrize(
    "statuses",
    ["", "status=failed", "status=running", "status=failed&status=queued", "status=unknown"],
)
def test_counts_equal_what_the_list_has(
    find: Find,
    account: ProviderAccount,
    mixed: list[Job],
    gone: str,
    unresolved: str,
    statuses: str,
) -> None:
    query = "&".join(filter(None, (statuses, unresolved, gone)))
    filters = JobFilter.parse(QueryDict(query), Visibility(account.organization))
    beside = filters.apply_beside_tab(Job.objects.all())
    counts = tab_counts(beside, filters.gone)
    assert tab_counts(beside, filters.gone, are_few=True) == counts
    assert count_found(filters, counts) == Count(len(find(query)))
    for name in JobStatus:
        tab = f"status={name}" + ("&unresolved=true" if name == "failed" else "")
        assert counts[name] == Count(len(find(f"{tab}&{gone}")))
    assert sum(count.value for count in counts.values()) == len(find(gone))


@pytest.mark.parametrize("text", ["", "-1", "1.0", "٣", " 1", "9223372036854775808", "9" * 5000])
def test_what_cannot_be_an_id_is_none(text: str) -> None:
    assert read_id(text) is None


def test_naming_no_account_asks_the_database_nothing(
    django_assert_num_queries: Callable[[int], Any],
) -> None:
    with django_assert_num_queries(0):
        JobFilter.parse(QueryDict("status=failed&q=x&error=input.*"), Visibility(NOBODY))
