"""Which jobs a query finds, on rows, and that its negation finds the others."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from jobs.mirror.failures.groups import Cause
from jobs.models import Job, JobErrorGroup, ProviderAccount
from jobs.query.jobs import JobFilter
from jobs.query.language.keys import KEYS
from jobs.query.visibility import Visibility
from organizations.models import ApiToken, Membership, Organization
from tests.factories import make_membership, make_organization, make_user
from tests.jobs.factories import NOON, make_account, make_bulk, make_job, make_output, make_preset

GROUP = 70_041
BULK = 4_711_012
NOW = NOON + timedelta(hours=1)
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("jobs")]


@pytest.fixture(autouse=True)
def _at_one() -> object:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def organization() -> Organization:
    return make_organization(time_zone="Europe/Berlin")


@pytest.fixture
def account(organization: Organization) -> ProviderAccount:
    return make_account(organization, name="EU main")


@pytest.fixture
def jobs(organization: Organization, account: ProviderAccount) -> dict[str, Job]:
    """Jobs that differ in everything that a key asks for, by a short name."""
    archive = make_account(organization, name="Archive", provider="xvid")
    preset = make_preset(account, name="web 720", remote_id="p-720")
    user = make_user("ann@studio.example")
    ann = make_membership(organization, user=user)
    ben = make_membership(organization, user=make_user("ben@studio.example", name="Ben Ade"))
    token = ApiToken.issue(organization, "nightly")[0]
    lecture = make_job(
        account,
        name="Lecture 12.mov",
        input_url="s3://footage/raw/lecture-12.mov",
        metadata={"order": "4711", "title": "Über „alles“"},
        batch="spring 2026",
        submitted_by=user,
        is_suspect=True,
        is_test=True,
    )
    make_output(
        lecture, label="HD main", url="https://cdn.example/out/l12_1080p.mp4", preset=preset
    )
    cause = Cause("input.not_found", "The file was not found.")
    JobErrorGroup.objects.create(
        pk=GROUP,
        organization=organization,
        fingerprint=cause.fingerprint,
        version=1,
        created_at=NOON,
    )
    lost = make_job(
        account,
        name="lost",
        status="failed",
        submitted_token=token,
        batch="spring 2",
        assignee=ann,
    )
    make_bulk(lost, pk=BULK)
    denied = make_job(
        archive,
        name="denied",
        remote_id="REEL-9",
        status="failed",
        error_class="input.access_denied",
        error_code="AccessDenied",
        resolved_by=lecture,
        is_partial=True,
        assignee=ben,
        sort_at=NOON - timedelta(days=3),
        created_at=NOON - timedelta(days=3),
        ended_at=NOON - timedelta(days=3),
        started_at=None,
        sort_started_at=None,
        finished_at=None,
    )
    running = make_job(
        account,
        name="running",
        status="running",
        started_at=NOON + timedelta(minutes=30),
        sort_started_at=NOON + timedelta(minutes=30),
    )
    queued = make_job(archive, name="queued", status="queued")
    gone = make_job(account, name="gone", status="running", gone_at=NOON)
    # of somebody else, and fitting everything
    foreign = make_account(make_organization(), name="EU main")
    make_job(foreign, name="Lecture 12.mov", batch="spring 2026", is_suspect=True, is_test=True)
    found = (lecture, lost, denied, running, queued, gone)
    return dict(zip(("lecture", "lost", "denied", "running", "queued", "gone"), found, strict=True))


Find = Callable[[str], set[str]]


@pytest.fixture
def find(organization: Organization, jobs: dict[str, Job]) -> Find:
    names = {job.pk: name for name, job in jobs.items()}

    def find(text: str) -> set[str]:
        member = Membership.objects.get(organization=organization, user__name="Ben Ade")
        visible = Visibility(organization, member_id=member.pk)
        filters = JobFilter.parse({"q": [text]}, visible)
        assert filters.errors == {}
        return {names[job.pk] for job in filters.apply(visible.jobs())}

    return find


FOUND = {
    "status:failed": "lost denied",
    "status:FAILED,queued": "lost denied queued",
    "status:running": "running",
    "status:running is:gone": "gone",
    "status:running OR status:queued": "running queued",
    "(status:running is:gone) OR status:queued": "gone queued",
    "status:f*": "lost denied",
    "status:failed status:queued": "",
    "provider:xvid": "denied queued",
    "provider:Xvid status:failed": "denied",
    'account:"EU main"': "lecture lost running gone",
    "account:eu*": "lecture lost running gone",
    "account:Archive OR name:lost": "denied queued lost",
    "error:input.*": "lost denied",
    "error:input.access_denied": "denied",
    "error:input.a*": "denied",
    "error:*": "lost denied",
    "has:error": "lost denied",
    f"error_group:{GROUP}": "lost",
    "code:accessdenied": "denied",
    "code:File*": "lost",
    "name:LECTURE": "lecture",
    "name:o*": "",
    "file:raw/lecture": "lecture",
    "file:lecture*": "lecture",
    "file:ecture-12.mov*": "",
    "output:l12_1080p": "lecture",
    "output:l12*": "lecture",
    "label:hd": "lecture",
    "label:main*": "",
    "meta:4711": "lecture",
    "meta:„alles“": "lecture",
    'meta:"Über"': "lecture",
    'batch:"spring 2026"': "lecture",
    "batch:spring*": "lecture lost",
    "batch:Spring*": "",
    "id:REEL-*": "denied",
    "id:reel-*": "",
    "batch:*": "lecture lost",
    'preset:"web 720"': "lecture",
    "preset:web*,p-720": "lecture",
    "by:ann@studio.example": "lecture",
    "by:token:nightly,Ann@studio.example": "lecture lost",
    f"bulk:{BULK}": "lost",
    f"bulk:{BULK}/pending": "lost",
    f"bulk:{BULK}/done,{BULK}/failed": "",
    "assigned:me": "denied",
    "assigned:ME,Ann@studio.example": "lost denied",
    'assigned:"ben ade" -is:unresolved': "denied",
    "has:assignee": "lost denied",
    "is:suspect": "lecture",
    "is:partial": "denied",
    "is:unresolved": "lost",
    "is:gone": "gone",
    "is:test": "lecture",
    "is:partial,suspect": "denied lecture",
    "created:>2d": "lecture lost running queued gone",
    "created:2d": "lecture lost running queued gone",
    "created:<2d": "denied",
    "created:7d..2d": "denied",
    "created:today": "lecture lost running queued gone",
    "created:>today": "lecture lost running queued gone",
    "created:<=today": "lecture lost denied running queued gone",
    "created:yesterday": "",
    "created:2026-03-11": "denied",
    "created:<2026-03-12,today": "lecture lost denied running queued gone",
    "created:2026-03-11..2026-03-14": "denied",
    "created:>2026-03-13": "lecture lost running queued gone",
    "created:>2026-03-14": "",
    # noon is one o'clock in Berlin
    "created:>=2026-03-14T13:00": "lecture lost running queued gone",
    "created:>2026-03-14T13:00": "",
    "created:<=2026-03-14T12:00Z": "lecture lost denied running queued gone",
    'created:<"2026-03-14 13:00"': "denied",
    "started:>40m": "running",
    "finished:<1d": "denied",
    "finished:>1d": "lecture lost",
    "changed:<1d": "denied",
    "ran:>4m": "lecture lost running",
    "ran:4m30s..5m": "lecture lost",
    "ran:<=4:40": "lecture lost",
    "ran:>29m": "running",
    "waited:>20m": "running queued",
    "waited:<21s": "lecture lost",
    "lecture": "lecture",
    "lecture lost": "",
    "lecture OR lost": "lecture lost",
    '"lecture 12"': "lecture",
    "-lecture -status:failed": "running queued gone",
    "-(lecture OR status:failed)": "running queued gone",
    "-is:gone status:running": "running",
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), FOUND.items())
def test_finds_these_and_its_negation_the_others(
    find: Find, jobs: dict[str, Job], text: str, expected: str
) -> None:
    assert find(text) == set(expected.split())
    assert find(f"-({text})") == set(jobs) - set(expected.split())


@pytest.mark.parametrize("joint", [" OR ", " -"])
def test_many_words_are_few_queries(
    find: Find, django_assert_max_num_queries: Any, joint: str
) -> None:
    texts = [f"word{number}" for number in range(98)]
    with django_assert_max_num_queries(2):
        assert find(joint.join(["lecture", *texts])) == {"lecture"}
    with django_assert_max_num_queries(2):
        assert find(joint.join(["lost", "#0", *texts])) == {"lost"}


def test_every_key_is_tried() -> None:
    assert {key for key in KEYS if not any(f"{key}:" in text for text in FOUND)} == set()


@pytest.mark.parametrize(
    "pattern", ["{0}", "#{0}", "{0},", "\u200b{0}", "id:{0}", "id:#{0}", "id:{1}", "{1}"]
)
def test_finds_a_job_by_its_ids(find: Find, jobs: dict[str, Job], pattern: str) -> None:
    job = jobs["queued"]
    assert "queued" in find(pattern.format(job.pk, job.remote_id))


@pytest.mark.parametrize("pattern", ["{0} {1}", "{0},{1}", "#{0}, {1}", "id:{0},{1}"])
def test_finds_several_jobs_by_their_ids(find: Find, jobs: dict[str, Job], pattern: str) -> None:
    text = pattern.format(jobs["queued"].pk, jobs["denied"].remote_id)
    assert find(text) >= {"queued", "denied"}


@pytest.mark.parametrize(
    ("text", "marked", "message"),
    [
        ("a status:done", "done", "There is no status “done”. Use submitting, queued, "),
        ("-status:faild", "faild", "Did you mean failed?"),
        ("status:failed,done", "done", "There is no status"),
        ("provider:acme", "acme", "There is no provider “acme”."),
        ("a OR provider:acme", "acme", "There is no provider “acme”."),
        ("account:theirs", "theirs", "No account has the id or the name “theirs”."),
        ("-account:Arkive", "Arkive", "Did you mean Archive?"),
        ("error:input", "input", "There is no error class “input”."),
        (f"bulk:{BULK + 1}", f"{BULK + 1}", "No bulk action has the id"),
        ("bulk:x", "x", "No bulk action has the id “x”."),
        (f"bulk:{BULK}/sent", f"{BULK}/sent", "There is no outcome “sent”. Use pending, done, "),
        ("preset:theirs", "theirs", "No preset has the id or the name “theirs”."),
        ("by:theirs@studio.example", "theirs@studio.example", "No member has the e-mail address"),
        ("-by:a*", "a*", "Write it in full"),
        ("is:late", "late", "Use gone, unresolved, partial, suspect, stuck, unconfirmed, test."),
        ("has:batch", "batch", "Use error, assignee."),
        ("assigned:me", "me", "a person who is signed in"),
        ("assigned:zed", "zed", "No member has the e-mail address"),
        ("created:soon", "soon", "Write a date such as"),
        ("a OR created:2026-02-30", "2026-02-30", "Write a date such as"),
        ("created:999999w", "999999w", "Write a date such as"),
        ("created:9999-12-31", "9999-12-31", "Write a date such as"),
        ("created:2026-03-14T12:00", "2026-03-14T12:00", "Put > or < before a time"),
        ("created:2d..7d", "2d..7d", "Write the earlier time first."),
        ("ran:20m", "20m", "Put > or < before a duration"),
        ("ran:>long", ">long", "Write a duration such as"),
        ("ran:>999999w", ">999999w", "duration"),
    ],
)
def test_a_value_that_does_not_exist_is_refused_at_its_place(
    organization: Organization, text: str, marked: str, message: str
) -> None:
    foreign = make_account(make_organization(), name="theirs")
    make_preset(foreign, name="theirs")
    make_bulk(make_job(foreign), pk=BULK + 1)
    make_user("theirs@studio.example")
    filters = JobFilter.parse({"q": [text]}, Visibility(organization))
    error = filters.search.error
    assert error is not None
    assert text[error.start : error.end] == marked
    assert list(filters.errors) == ["q"]
    assert message in filters.errors["q"]
    assert not filters.apply(Job.objects.all()).exists()


def test_a_restricted_reader_learns_of_no_other_account(
    organization: Organization, account: ProviderAccount
) -> None:
    visible = Visibility(organization, frozenset({account.pk}))
    for text in ("account:Archive", "-account:Archive", "-account:Arc*"):
        assert "No account" in JobFilter.parse({"q": [text]}, visible).errors["q"]
