"""Retrying a job at another account, as a new job that is linked to it."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import partial

from jobs.actions.attempts import lock_attempts, retries_of, unfinished_of
from jobs.actions.elsewhere.translation import Translation, translate
from jobs.actions.offers import ActionRefused, Refusal
from jobs.actions.resubmission import RetryUnfinished, read_sent_request
from jobs.models import Job, ProviderAccount
from jobs.submission import idempotency
from jobs.submission.idempotency import CallerKey
from jobs.submission.service import Submitted, submit
from jobs.submission.validation import SubmissionRefused
from organizations.models import ApiToken, AuditEntry, User
from providers.core.types import Capability


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Where a job goes, and what is said about it.

    `presets` are chosen there, at a provider that needs some. `priority`: None for that of the job.
    `destination` replaces that of the job; empty for the same.
    """

    account: ProviderAccount
    presets: tuple[str, ...] = ()
    priority: int | None = None
    reason: str = ""
    destination: str = field(default="", repr=False)


def find_targets(job: Job, accounts: Iterable[ProviderAccount]) -> list[ProviderAccount]:
    """Those of `accounts` that `job` can go to."""
    return [
        account
        for account in accounts
        if account.pk != job.account_id and account.adapter_class.supports(Capability.SUBMIT)
    ]


def check_retry(job: Job) -> None:
    """Raise ActionRefused where `job` cannot be retried elsewhere, whichever account it is."""
    if not job.is_terminal:
        raise ActionRefused(Refusal.NOT_FINISHED, "It has not finished yet.")
    if job.request is None:
        message = "It was not submitted with Reelboard, so its settings are unknown."
        raise ActionRefused(Refusal.NOT_SUBMITTED_HERE, message)


def translate_job(job: Job, target: Elsewhere) -> Translation:
    """The request of `job` at the account of `target`. Sends nothing. Raises ActionRefused."""
    request = read_sent_request(job)
    preset_field = target.account.adapter_class.preset_field
    if target.priority is not None:
        request = replace(request, priority=target.priority)
    presets = {preset_field: list(target.presets)} if preset_field and target.presets else {}
    duration_s = job.input_duration_ms / 1000 if job.input_duration_ms else None
    return translate(
        request,
        job.account,
        target.account,
        presets,
        destination=target.destination,
        duration_s=duration_s,
    )


def request_elsewhere(
    job: Job,
    target: Elsewhere,
    *,
    user: User | None = None,
    token: ApiToken | None = None,
    key: CallerKey | None = None,
    allow_duplicate: bool = False,
    is_bulk: bool = False,
) -> Submitted:
    """Submit the request of `job` at another account of its organization, linked to it.

    The same `key` again returns the job that it made. Raises RetryUnfinished unless
    `allow_duplicate`; ActionRefused, SubmissionRefused, KeyRefused, KeyOfDeletedJob.
    """
    made = idempotency.find_job(job.organization, key)
    if made is not None:
        return Submitted(made, created=False)
    make = partial(_submit, job, target, user, token, allow_duplicate, is_bulk)
    return Submitted(*idempotency.make_once(job.organization, key, make))


def _submit(
    job: Job,
    target: Elsewhere,
    user: User | None,
    token: ApiToken | None,
    allow_duplicate: bool,
    is_bulk: bool,
) -> Job:
    lock_attempts(job)
    job = Job.objects.select_related("organization", "account").get(pk=job.pk)
    unfinished = unfinished_of(retries_of(job))
    if unfinished is not None and not allow_duplicate:
        raise RetryUnfinished(unfinished)
    check_retry(job)
    translation = translate_job(job, target)
    if translation.refusals:
        raise SubmissionRefused(list(translation.refusals))
    made = submit(
        organization=job.organization,
        account=target.account,
        request=translation.request,
        issues=list(translation.remarks),
        user=user,
        token=token,
        allow_duplicate=True,
        retry_of=job,
        template_version=job.template_version,
        is_bulk=is_bulk,
    ).job
    AuditEntry.record(
        job.organization,
        "job.retried_elsewhere",
        job,
        actor=user,
        token=token,
        details={"account": target.account.name, "job": made.pk},
        reason=target.reason,
    )
    return made
