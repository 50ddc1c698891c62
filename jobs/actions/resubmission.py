"""Requesting a retry: natively as the next attempt of the job, else as a new linked job."""

from functools import partial

from django.utils import timezone

from jobs.actions.attempts import lock_attempts, retries_of, unfinished_of
from jobs.actions.facts import read_facts
from jobs.actions.offers import ActionRefused, Refusal, check_offer, offer_resubmit
from jobs.actions.outcome import record_event
from jobs.mirror.attempts import open_attempt
from jobs.models import ActionKind, EventSource, Job, JobAction
from jobs.models.work import precedence
from jobs.submission import idempotency
from jobs.submission.idempotency import CallerKey
from jobs.submission.service import Submitted, submit
from jobs.submission.stored_request import find_sent_request
from jobs.workqueue.enqueue import enqueue_on_commit
from organizations.encryption import Undecryptable
from organizations.models import ApiToken, AuditEntry, User
from providers.core.types import JobRequest


class RetryUnfinished(ActionRefused):
    """The job was already retried, as `job`, which has not ended."""

    def __init__(self, job: Job) -> None:
        super().__init__(Refusal.RETRY_RUNNING, f"It was already retried as job {job.pk}.")
        self.job = job


def request_resubmit(
    job: Job,
    *,
    user: User | None = None,
    token: ApiToken | None = None,
    key: CallerKey | None = None,
    allow_duplicate: bool = False,
    is_bulk: bool = False,
) -> Submitted:
    """Request another run of `job`, and return the attempt that will run.

    The same `key` again returns the attempt that it made. While a retry of the job has not ended,
    another is made only with `allow_duplicate`, and never natively. Raises RetryUnfinished,
    ActionRefused, SubmissionRefused, KeyRefused, KeyOfDeletedJob.
    """
    made = idempotency.find_job(job.organization, key)
    if made is not None:
        return Submitted(made, created=False)
    make = partial(_run_again, job, user, token, allow_duplicate=allow_duplicate, is_bulk=is_bulk)
    return Submitted(*idempotency.make_once(job.organization, key, make))


def _run_again(
    job: Job,
    user: User | None,
    token: ApiToken | None,
    *,
    allow_duplicate: bool,
    is_bulk: bool,
) -> Job:
    lock_attempts(job)
    job = Job.objects.select_related("organization", "account").get(pk=job.pk)
    offer = offer_resubmit(job, read_facts([job], with_retries=False)[job.pk])
    is_native = offer is not None and offer.is_native
    unfinished = unfinished_of(retries_of(job))
    if unfinished is not None and (is_native or not allow_duplicate):
        raise RetryUnfinished(unfinished)
    check_offer(job, offer)
    run = _open_attempt if is_native else _submit_again
    return run(job, user, token, is_bulk)


def _submit_again(job: Job, user: User | None, token: ApiToken | None, is_bulk: bool) -> Job:
    return submit(
        organization=job.organization,
        account=job.account,
        request=read_sent_request(job),
        user=user,
        token=token,
        allow_duplicate=True,
        retry_of=job,
        template_version=job.template_version,
        is_bulk=is_bulk,
    ).job


def read_sent_request(job: Job) -> JobRequest:
    """The complete request that `job` was submitted with. Raises ActionRefused."""
    try:
        request = find_sent_request(job)
    except Undecryptable as error:
        raise ActionRefused(Refusal.REQUEST_UNREADABLE, str(error)) from error
    if request is None:
        message = "Only jobs submitted with Reelboard can be resubmitted."
        raise ActionRefused(Refusal.NOT_SUBMITTED_HERE, message)
    return request


def _open_attempt(job: Job, user: User | None, token: ApiToken | None, is_bulk: bool) -> Job:
    attempt = open_attempt(job, source=EventSource.ACTION, actor=user, token=token)
    action = JobAction.objects.create(
        job=attempt,
        kind=ActionKind.RESUBMIT,
        actor=user,
        token=token,
        next_at=timezone.now(),
        precedence=precedence(job.priority, is_bulk=is_bulk),
    )
    record_event(job, f"Retry requested, as attempt {attempt.attempt}", user)
    AuditEntry.record(job.organization, "job.resubmit_requested", job, actor=user, token=token)
    enqueue_on_commit("run_action", action.pk)
    return attempt
