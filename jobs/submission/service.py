"""Submitting a job: it is written here, and sent by jobs.submission.worker."""

from dataclasses import dataclass, replace
from functools import partial

from jobs.mirror.storable import clean_json
from jobs.models import Job, ProviderAccount, Submission, TemplateVersion
from jobs.submission import idempotency
from jobs.submission.duplicates import fingerprint, refuse_duplicate
from jobs.submission.idempotency import CallerKey
from jobs.submission.rows import BatchPlace, NewJob, write_rows
from jobs.submission.validation import SubmissionRefused, check
from jobs.workqueue.enqueue import enqueue_on_commit
from organizations.models import ApiToken, Organization, User
from providers.core.issues import RequestIssue
from providers.core.status import JobStatus
from providers.core.types import JobRequest


@dataclass(frozen=True, slots=True)
class Submitted:
    job: Job
    created: bool


def submit(
    *,
    organization: Organization,
    account: ProviderAccount,
    request: JobRequest,
    issues: list[RequestIssue] | None = None,
    user: User | None = None,
    token: ApiToken | None = None,
    key: CallerKey | None = None,
    allow_duplicate: bool = False,
    retry_of: Job | None = None,
    template_version: TemplateVersion | None = None,
    place: BatchPlace | None = None,
    is_bulk: bool = False,
) -> Submitted:
    """Write the job in status `submitting` and enqueue it; sends nothing itself.

    `template_version` is what the request was made from, for the record: `request` is complete.
    `is_bulk`: one of many, which is sent after what people submit one by one at its priority.
    `issues` are what `validation.check` found, where the caller has asked already. The same `key`
    again returns the job that it made. One with a `place` in a batch is not enqueued, but left to
    dispatching, which lets others go first. Raises SubmissionRefused, KeyRefused, KeyOfDeletedJob,
    or DuplicateJob unless `allow_duplicate`.
    """
    made = idempotency.find_job(organization, key)
    if made is not None:
        return Submitted(made, created=False)
    request = replace(request, metadata=clean_json(request.metadata))
    if issues is None:
        issues = check(account, request)
    if blocking := [issue for issue in issues if issue.blocking]:
        raise SubmissionRefused(blocking)
    digest = fingerprint(account, request)
    # a sentence such as "The outputs in extra replace these." is about its field
    remarks = tuple(f"{issue.field}: {issue.message}" for issue in issues)
    new = NewJob(
        organization,
        account,
        request,
        digest,
        user,
        token,
        retry_of,
        remarks,
        template_version,
        place,
        is_bulk,
    )
    make = partial(_write_and_enqueue, new, allow_duplicate=allow_duplicate)
    return Submitted(*idempotency.make_once(organization, key, make))


def list_warnings(job: Job) -> tuple[str, ...]:
    """What the provider makes of the job's request otherwise, and what holds it. One query."""
    remarks = Submission.objects.filter(job=job).values_list("remarks", flat=True).first() or ()
    hold = describe_hold(job.account) if job.status == JobStatus.SUBMITTING else ()
    return (*remarks, *hold)


def describe_hold(account: ProviderAccount) -> tuple[str, ...]:
    """Why a job for `account` is not sent yet; empty where nothing holds it."""
    if account.enabled:
        return ()
    return (f"The job is held: {account.name} is paused. It is sent when the account is resumed.",)


def _write_and_enqueue(new: NewJob, *, allow_duplicate: bool) -> Job:
    if not allow_duplicate:
        refuse_duplicate(new.account, new.fingerprint)
    job = write_rows(new)
    if new.place is None:
        enqueue_on_commit("run_submission", job.pk)
    return job
