"""Submitting a job: the row that is written before anything is sent.

Whoever sends it (jobs.submission.worker) finds the whole request here, and a key of ours that
travels with it.
"""

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import uuid4

from django.db import IntegrityError, transaction
from django.utils import timezone

from jobs.mirror.storable import clean_json, fit_to_column
from jobs.models import EventSource, Job, JobEvent, JobSecret, ProviderAccount, Submission
from jobs.submission import idempotency
from jobs.submission.idempotency import CallerKey
from jobs.submission.stored_request import dump_request
from jobs.submission.validation import SubmissionRefused, check
from jobs.workqueue.enqueue import enqueue_on_commit
from organizations.models import ApiToken, AuditEntry, Organization, User
from providers.core.issues import RequestIssue
from providers.core.status import JobStatus
from providers.core.types import JobRequest
from providers.http.redaction import redact, split_url
from providers.parsing.urls import parse_url

REPEAT_WINDOW = timedelta(hours=24)


class DuplicateJob(Exception):
    """The same account, input and settings ran within a day, as `job`."""

    def __init__(self, job: Job) -> None:
        super().__init__(f"The same job was submitted within 24 hours: {job}.")
        self.job = job


@dataclass(frozen=True, slots=True)
class Submitted:
    """`warnings` say what will be otherwise than asked for, one sentence each."""

    job: Job
    created: bool
    warnings: tuple[str, ...] = ()


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
) -> Submitted:
    """Write the job down in status `submitting` and tell a worker; sends nothing itself.

    `issues` are what `validation.check` found, where the caller has asked already. The same `key`
    again returns the job that it made. Raises SubmissionRefused, KeyRefused,
    KeyOfDeletedJob, or DuplicateJob unless `allow_duplicate`.
    """
    made = idempotency.find_job(organization, key)
    if made is not None:
        return Submitted(made, created=False)
    request = replace(request, metadata=clean_json(request.metadata))
    if issues is None:
        issues = check(account, request)
    if blocking := [issue for issue in issues if issue.blocking]:
        raise SubmissionRefused(blocking)
    fingerprint = _fingerprint(account, request)
    try:
        with transaction.atomic():
            if not allow_duplicate:
                _refuse_repeat(account, fingerprint)
            job = _write(organization, account, request, fingerprint, user, token, retry_of)
            # last: whoever waits here for another transaction holds what that one has passed
            idempotency.store(organization, key, job)
            enqueue_on_commit("run_submission", job.pk)
    except (IntegrityError, DuplicateJob):
        # the other half of a double click was faster
        made = idempotency.find_job(organization, key)
        if made is None:
            raise
        return Submitted(made, created=False)
    return Submitted(job, created=True, warnings=tuple(describe_hold(account)))


def describe_hold(account: ProviderAccount) -> list[str]:
    """Why a job for `account` is not sent yet; empty where nothing holds it."""
    if account.enabled:
        return []
    return [f"The job is held: {account.name} is paused. It is sent when the account is resumed."]


def _write(
    organization: Organization,
    account: ProviderAccount,
    request: JobRequest,
    fingerprint: str,
    user: User | None,
    token: ApiToken | None,
    retry_of: Job | None,
) -> Job:
    now = timezone.now()
    url, secret_url = split_url(request.input)
    if retry_of is not None:
        # in the order that the mirror's writer locks in: jobs before their account
        Job.objects.select_for_update(no_key=True).only("pk").get(pk=retry_of.pk)
    revision = account.next_revision()
    job = Job.objects.create(
        organization=organization,
        account=account,
        name=parse_url(url).file_name,
        status=JobStatus.SUBMITTING,
        input_url=url,
        metadata=redact(request.metadata),
        request=clean_json(redact(dump_request(request))),
        is_test=request.test,
        priority=fit_to_column(Job, "priority", request.priority),
        submitted_by=user,
        retry_of=retry_of,
        first_seen_at=now,
        changed_at=now,
        sort_at=now,
        first_seen_revision=revision,
        status_revision=revision,
    )
    if secret_url:
        JobSecret.objects.create(job=job, input_url=secret_url)
    Submission.objects.create(
        job=job,
        organization=organization,
        key=uuid4().hex,
        fingerprint=fingerprint,
        request=dump_request(request),
        token=token,
        next_at=now,
    )
    JobEvent.objects.create(
        job=job,
        at=now,
        source=EventSource.SUBMIT,
        to_status=job.status,
        message=f"Resubmitted from job {retry_of.pk}" if retry_of else "Submitted",
        actor=user,
    )
    AuditEntry.record(organization, "job.submitted", job, actor=user, token=token)
    return job


def _fingerprint(account: ProviderAccount, request: JobRequest) -> str:
    settings = dump_request(replace(request, metadata=None))
    text = json.dumps([account.pk, settings], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _refuse_repeat(account: ProviderAccount, fingerprint: str) -> None:
    """Raise DuplicateJob for a repeat; until the transaction ends, nobody else looks for one."""
    # read for its lock alone, which lets others refer to the account; SQLite has one writer anyway
    ProviderAccount.objects.select_for_update(no_key=True).only("pk").get(pk=account.pk)
    repeat = (
        Submission.objects.filter(
            organization=account.organization_id,
            fingerprint=fingerprint,
            created_at__gt=timezone.now() - REPEAT_WINDOW,
        )
        .exclude(job__status__in=[JobStatus.FAILED, JobStatus.CANCELLED])
        .select_related("job")
        .order_by("-created_at")
        .first()
    )
    if repeat is not None:
        raise DuplicateJob(repeat.job)
