"""What a bulk action leaves out is what jobs do not offer, asked of the database."""

import random
from collections import Counter

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jobs.actions.facts import read_facts
from jobs.actions.offers import Refusal, list_offers
from jobs.bulk.actions.registry import build_action
from jobs.bulk.left_out import IN_BATCH, RESOLVED, SAME_ACCOUNT, SENTENCES
from jobs.bulk.left_out_queries import find_queries
from jobs.bulk.selection import Selection
from jobs.models import BulkKind, Job, ProviderAccount, Submission
from jobs.query.visibility import Visibility
from organizations.models import Organization
from providers.core.status import JobStatus
from tests.factories import make_organization
from tests.jobs.factories import NOON, make_account, make_job

pytestmark = pytest.mark.django_db

PROVIDERS = ("zencoder", "videosdk", "tpstreams", "xvid", "removed-since")


def select(organization: Organization, query: str = "") -> Selection:
    last = Job.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    return Selection(Visibility(organization), query, None, timezone.now(), last)


def make_random_jobs(accounts: list[ProviderAccount], count: int, seed: int) -> list[Job]:
    chance = random.Random(seed)  # noqa: S311 - the same each time
    jobs: list[Job] = []
    for number in range(count):
        retry_of = chance.choice(jobs) if jobs and chance.random() < 0.3 else None
        account = retry_of.account if retry_of else chance.choice(accounts)
        status = chance.choice(list(JobStatus))
        job = make_job(
            account,
            status=status,
            remote_id=chance.choice([None, f"{seed}-{number}", f"{seed}-{number}"]),
            is_newest=chance.random() < 0.8,
            gone_at=chance.choice([None, None, NOON]),
            request=chance.choice([None, {"input": "s3://rushes/harbour.mov"}]),
            retry_of=retry_of,
        )
        if status == JobStatus.SUBMITTING and chance.random() < 0.7:
            Submission.objects.create(
                job=job,
                account=job.account,
                organization_id=job.organization_id,
                key=f"{seed}-{number}",
                request={},
                state=chance.choice(["due", "sending", "verifying"]),
                next_at=NOON,
                leased_until=chance.choice([None, NOON]),
            )
        jobs.append(job)
    return jobs


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", [BulkKind.CANCEL, BulkKind.RESUBMIT])
def test_the_condition_and_the_page_of_a_job_agree(
    organization: Organization, kind: BulkKind, seed: int
) -> None:
    accounts = [
        make_account(organization, provider=slug, enabled=enabled)
        for slug in PROVIDERS
        for enabled in (True, False)
    ]
    jobs = make_random_jobs(accounts, 150, seed)
    found = {
        job.pk: job.refusal for job in select(organization).read(build_action(kind), 1_000).jobs
    }
    facts = read_facts(jobs)
    expected = {}
    for job in jobs:
        offers = {offer.name: offer for offer in list_offers(job, facts[job.pk])}
        offer = offers.get(kind)
        refusal = offer.refusal if offer else None
        expected[job.pk] = (
            Refusal.NOT_SUPPORTED if offer is None else refusal.code if refusal else ""
        )
    assert found == expected
    assert "" in expected.values()
    assert len(set(expected.values())) > 5


def test_every_reason_has_a_sentence() -> None:
    # of a single job or page alone
    alone = {Refusal.REQUEST_UNREADABLE, Refusal.OUT_OF_DATE}
    assert SENTENCES.keys() == {*Refusal, RESOLVED, SAME_ACCOUNT, IN_BATCH} - alone


def test_what_a_later_attempt_fixed_is_not_retried(account: ProviderAccount) -> None:
    fixed = make_job(account, status="failed")
    fixed.resolved_by = make_job(account)
    fixed.save(update_fields=["resolved_by"])
    make_job(account, status="failed")
    chunk = select(account.organization, "status:failed").read(build_action(BulkKind.RESUBMIT), 10)
    assert {job.pk: job.refusal for job in chunk.jobs}[fixed.pk] == RESOLVED


def test_reading_takes_as_many_queries_for_many_jobs_as_for_few(account: ProviderAccount) -> None:
    make_account(make_organization(), name="decoy")
    for count in (2, 30):
        for _ in range(count):
            make_job(account, status="failed")
        with CaptureQueriesContext(
            connection,
        ) as queries:
            select(account.organization, "status:failed").read(
                build_action(BulkKind.RESUBMIT), 1_000
            )
        # the last id, the accounts, the jobs, their retries
        assert len(queries) == 4


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", [BulkKind.CANCEL, BulkKind.RESUBMIT])
def test_the_query_of_a_reason_finds_just_the_jobs_that_are_left_out_for_it(
    organization: Organization, kind: BulkKind, seed: int
) -> None:
    accounts = [make_account(organization, provider=slug) for slug in PROVIDERS[: 2 + seed % 4]]
    accounts += [make_account(organization, enabled=False)]
    jobs = make_random_jobs(accounts, 150, seed)
    for job in jobs:
        is_fixed = job.status == JobStatus.FAILED and job.pk % 2
        Job.objects.filter(pk=job.pk).update(resolved_by=jobs[0] if is_fixed else None)
        if seed % 2:
            Job.objects.filter(pk=job.pk).update(is_newest=True, retry_of=None)
    given = "status:failed,cancelled,running OR is:gone OR status:submitting,queued"
    selection = select(organization, given)
    found = selection.read(build_action(kind), 1_000).jobs
    left_out = Counter(job.refusal for job in found if job.refusal)
    queries = find_queries(given, build_action(kind), selection.accounts, left_out)
    # what is being retried has another reason beside that one
    assert queries or left_out[Refusal.RETRY_RUNNING]
    for reason, query in queries.items():
        by_query = {
            job.pk for job in select(organization, query).read(build_action(kind), 1_000).jobs
        }
        assert by_query == {job.pk for job in found if job.refusal == reason}, reason
