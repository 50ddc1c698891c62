"""Submitting a job exactly once, as far as the provider allows.

The row exists before the call, and a key of ours travels with the request. After an ambiguous
end we look for that key before anything is sent again; where the provider does not echo it, a
person decides.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import structlog
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from jobs.accounts.clients import open_provider
from jobs.media.urls import check_address
from jobs.mirror import writer
from jobs.mirror.storable import clean_json, fit_to_column
from jobs.models import (
    EventSource,
    Job,
    JobEvent,
    JobSecret,
    ProviderAccount,
    Submission,
    SubmissionState,
)
from jobs.models.fields import Undecryptable
from jobs.models.submission import SubmissionQuerySet
from jobs.submission import idempotency
from jobs.submission.idempotency import CallerKey
from jobs.workqueue.enqueue import hint
from jobs.workqueue.hosts import WAITING, NotAdmitted, admit, ask_first
from jobs.workqueue.reconnect import CUT, insist
from jobs.workqueue.seats import Work
from organizations.models import ApiToken, AuditEntry, Organization, User
from providers.core.contract import Provider
from providers.core.errors import BudgetExhausted, ProviderError, RateLimited
from providers.core.status import JobStatus
from providers.core.types import (
    Capability,
    JobRequest,
    RemoteJob,
    Rendition,
    RequestIssue,
    Thumbnails,
)
from providers.http.redaction import REDACTED, has_marker, redact, split_url
from providers.parsing.text import make_storable_id
from providers.parsing.urls import parse_url

log = structlog.get_logger(__name__)

# Longer than the one request a run sends (HttpClient ends it after 60 s) or the look it takes.
LEASE = timedelta(seconds=100)
DEADLINE_S = 75.0
# A person waits for this one, and a thread of the web server with them.
PERSON_DEADLINE_S = 20.0

# When to look after an ambiguous end, in seconds since the look before.
LOOKS_S = (2, 5, 15, 60, 60)
# Two complete looks this far apart prove absence, at a provider that is known to echo the key.
PROOF = timedelta(seconds=60)
# The provider's clock may be behind ours by this much.
CLOCK_SKEW = timedelta(minutes=5)
MAX_SENDS = 3
# An outage is mostly over by then. A key that was taken away may be missing for days.
LOOK_FOR = timedelta(hours=1)

REPEAT_WINDOW = timedelta(hours=24)
RETRY_S = 10
RETRY_CAP_S = 900


class SubmissionRefused(Exception):
    """The request cannot be submitted as it is; `issues` say what to change."""

    def __init__(self, issues: list[RequestIssue]) -> None:
        super().__init__(" ".join(issue.message for issue in issues))
        self.issues = issues


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
    user: User | None = None,
    token: ApiToken | None = None,
    key: CallerKey | None = None,
    allow_duplicate: bool = False,
    retry_of: Job | None = None,
) -> Submitted:
    """Write the job down in status `submitting` and tell a worker; sends nothing itself.

    The same `key` again returns the job that it made. Raises SubmissionRefused, KeyRefused,
    KeyOfDeletedJob, or DuplicateJob unless `allow_duplicate`.
    """
    made = idempotency.find_job(organization, key)
    if made is not None:
        return Submitted(made, created=False)
    request = replace(request, metadata=clean_json(request.metadata))
    issues = [issue for issue in check(account, request) if issue.blocking]
    if issues:
        raise SubmissionRefused(issues)
    fingerprint = _fingerprint(account, request)
    try:
        with transaction.atomic():
            if not allow_duplicate:
                _refuse_repeat(account, fingerprint)
            job = _write(organization, account, request, fingerprint, user, token, retry_of)
            # last: whoever waits here for another transaction holds what that one has passed
            idempotency.store(organization, key, job)
            hint("run_submission", job.pk)
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


def check(account: ProviderAccount, request: JobRequest) -> list[RequestIssue]:
    """What is wrong with a request, by our rules and the provider's. Sends nothing."""
    if not account.adapter_class.supports(Capability.SUBMIT):
        return [RequestIssue("account", f"{account.provider_label} takes no jobs through its API.")]
    if redacted := _find_redacted(request):
        return redacted
    bare_allowed = account.adapter_class.takes_bare_inputs
    try:
        check_address(request.input, bare_allowed=bare_allowed)
    except ValueError as error:
        return [RequestIssue("input", str(error))]
    try:
        if request.destination:
            check_address(request.destination, bare_allowed=bare_allowed)
    except ValueError as error:
        return [RequestIssue("destination", str(error))]
    try:
        with open_provider(account) as adapter:
            return adapter.check_request(request)
    except ProviderError as error:
        return [RequestIssue("account", str(error))]


def _find_redacted(request: JobRequest) -> list[RequestIssue]:
    """The fields of a request that hold what we showed in the place of a secret."""
    names = ("input", "destination", "metadata", "extra")
    return [
        RequestIssue(name, f"{REDACTED} stands for a secret value. Enter the original value.")
        for name in names
        if has_marker(getattr(request, name))
    ]


def preview(
    account: ProviderAccount, request: JobRequest
) -> tuple[dict[str, Any], list[RequestIssue]]:
    """The body that would be sent, redacted, and what is wrong with it. Sends nothing."""
    with open_provider(account) as adapter:
        body = adapter.build_request(request)
        return redact(body), check(account, request)


def sent_request(job: Job) -> JobRequest | None:
    """The whole request of a job submitted here, its secrets included; None of other jobs."""
    submission = Submission.objects.filter(job=job).first()
    return load_request(submission.request) if submission else None


def run_submission(job_id: int) -> None:
    """Send, or look for, one submission that is due. Safe to run twice at a time."""
    now = timezone.now()
    lease = now + LEASE
    if not Submission.objects.due(now).filter(pk=job_id).order_by().update(leased_until=lease):
        return
    claimed = Submission.objects.filter(pk=job_id, leased_until=lease)
    submission = claimed.select_related("job__account").first()
    if submission is None:
        return
    job = submission.job
    if job.remote_id:
        # the list brought it, by its key, before the answer did
        _settle(submission, SubmissionState.DONE)
        return
    try:
        with (
            admit(job.account.host, Work.PEOPLE),
            open_provider(job.account, deadline_s=DEADLINE_S) as adapter,
        ):
            if submission.state == SubmissionState.DUE:
                ask_first(adapter)
                _send(submission, adapter)
            else:
                # a run that died while sending counts as an ambiguous end
                _look(submission, adapter)
    except (BudgetExhausted, RateLimited) as error:
        _later(submission, error.wait_s or RETRY_S, str(error))
    except (ProviderError, Undecryptable) as error:
        _later(submission, _back_off_s(submission), str(error), failed=True)
    except CUT:
        raise  # nobody's failure: it is still due
    except Exception:
        # our own fault: told on the job, and raised for the log
        note = "A fault of our own: see the log."
        _later(submission, _back_off_s(submission), note, failed=True)
        raise
    finally:
        insist(lambda: _held(submission).update(leased_until=None))


def resolve_unsure(
    job: Job,
    *,
    user: User | None,
    found_remote_id: str = "",
    send_again: bool = False,
    key: CallerKey | None = None,
) -> None:
    """A person's answer to "we don't know": it is there under this id, or send it again.

    Does nothing once it is known. Raises ProviderError when that job cannot be read, and
    SubmissionRefused when it is another submission's.
    """
    submission = Submission.objects.select_related("job__account").get(pk=job.pk)
    if send_again:
        unsure = Submission.objects.filter(pk=job.pk, state=SubmissionState.UNSURE)
        with transaction.atomic():
            if unsure.update(state=SubmissionState.DUE, next_at=timezone.now()):
                _tell(job, "Send it again: decided by a person", user)
                idempotency.store(job.organization, key, job)
                hint("run_submission", job.pk)
    elif found_remote_id and submission.state == SubmissionState.UNSURE:
        _refuse_foreign(submission, found_remote_id)
        observed_at = timezone.now()
        with open_provider(job.account, deadline_s=PERSON_DEADLINE_S) as adapter:
            remote = adapter.get_job(found_remote_id)
        _take(submission, remote, observed_at)


def dump_request(request: JobRequest) -> dict[str, Any]:
    """A JobRequest as JSON values."""
    return asdict(request)


def load_request(value: Mapping[str, Any]) -> JobRequest:
    """The JobRequest that `dump_request` dumped."""
    fields = dict(value)
    fields["renditions"] = tuple(
        Rendition(rendition["packaging"], tuple(rendition["heights"]))
        for rendition in fields.get("renditions") or ()
    )
    if fields.get("thumbnails"):
        fields["thumbnails"] = Thumbnails(**fields["thumbnails"])
    return JobRequest(**fields)


def _held(submission: Submission) -> SubmissionQuerySet:
    """The row while it is under the lease that `submission` was read with.

    A run that was stopped for longer than its lease must not undo what another made of it.
    """
    return Submission.objects.filter(pk=submission.pk, leased_until=submission.leased_until)


def _send(submission: Submission, adapter: Provider) -> None:
    job = submission.job
    request = load_request(submission.request)
    sent_at = timezone.now()
    is_ours = (
        _held(submission)
        .filter(state=SubmissionState.DUE)
        .update(
            state=SubmissionState.SENDING,
            sent_at=sent_at,
            sends=F("sends") + 1,
            empty_looks=0,
            first_empty_look_at=None,
            note="",
        )
    )
    if not is_ours:
        return
    try:
        remote = adapter.submit(request, submission.key)
    except ProviderError as error:
        if error.ambiguous:
            log.warning("ambiguous submission", job=job.pk, error=str(error))
            _tell(job, f"No clear answer: {error} Looking for the job at the provider.")
            _held(submission).update(failures=0)
            _settle(submission, SubmissionState.LOOKING, wait_s=LOOKS_S[0])
        elif error.transient:
            # it did not leave: the same send again, later
            _held(submission).update(state=SubmissionState.DUE, sends=F("sends") - 1)
            if adapter.http.is_unproven:
                # or as soon as anybody has an answer of the host
                raise NotAdmitted(WAITING, wait_s=RETRY_S) from error
            raise
        else:
            _refuse(submission, error)
        return
    if not remote.remote_id:
        _refuse(submission, ProviderError("The provider took the request but created no job."))
        return
    other = _owner_of(submission, remote.remote_id)
    if other is not None:
        _give_up(submission, f"It answered with the id of job {other.pk}.")
        return
    _take(submission, remote, sent_at)


def _look(submission: Submission, adapter: Provider) -> None:
    """Look for a job that may or may not have been created."""
    job = submission.job
    if not adapter.supports(Capability.FIND_BY_KEY):
        _give_up(submission)
        return
    observed_at = timezone.now()
    since = (submission.sent_at or submission.created_at) - CLOCK_SKEW
    found = adapter.find_by_key(submission.key, load_request(submission.request), since)
    # where the key does not come back, the likest job may be another submission's
    if found.job is not None and _owner_of(submission, found.job.remote_id) is None:
        _take(submission, found.job, observed_at)
        return
    looks = submission.empty_looks + found.complete
    first_at = submission.first_empty_look_at or (observed_at if found.complete else None)
    failures = submission.failures + (not found.complete)
    _held(submission).update(empty_looks=looks, first_empty_look_at=first_at, failures=failures)
    # a host that comes and goes is looked at more often than LOOKS_S says
    is_old = first_at is not None and observed_at - first_at >= PROOF
    proven = looks >= 2 and is_old
    if proven and adapter.echoes_key and submission.sends < MAX_SENDS:
        if _settle(submission, SubmissionState.DUE):
            _tell(job, "Not found at the provider in two complete looks: sending again")
    elif looks >= len(LOOKS_S) and is_old:
        _give_up(submission)
    elif not found.complete and _is_late(submission, observed_at):
        _give_up(submission, "It could not be looked for to the end.")
    else:
        wait_s = LOOKS_S[min(looks + failures, len(LOOKS_S) - 1)]
        _settle(submission, SubmissionState.LOOKING, wait_s=wait_s)


def _owner_of(submission: Submission, remote_id: str) -> Submission | None:
    """The other submission of the account that made the job `remote_id`, if one did."""
    others = Submission.objects.exclude(pk=submission.pk)
    return others.filter(
        job__account=submission.job.account_id, job__remote_id=make_storable_id(remote_id)
    ).first()


def _refuse_foreign(submission: Submission, remote_id: str) -> None:
    other = _owner_of(submission, remote_id)
    if other is not None:
        raise SubmissionRefused(
            [RequestIssue("found_remote_id", f"That one was submitted as job {other.pk}.")]
        )


def _take(submission: Submission, remote: RemoteJob, observed_at: datetime) -> None:
    """Bind the provider's answer to the row that was written before the call."""
    job = submission.job
    # what the provider answered is in this process alone until it is written
    insist(
        lambda: writer.apply(
            job.account,
            [replace(remote, key=submission.key)],
            source=EventSource.SUBMIT,
            observed_at=observed_at,
            actor=job.submitted_by,
        )
    )
    if Job.objects.filter(pk=job.pk, remote_id__isnull=True).exists():
        _give_up(submission, "It answered with an id that cannot be this job's.")
        return
    # whoever holds the row by now: what became of it is known
    Submission.objects.filter(pk=submission.pk).update(state=SubmissionState.DONE, note="")
    request_sync_soon(job.account)


def request_sync_soon(account: ProviderAccount) -> None:
    """Have the account looked at shortly, unless it is due sooner or backing off."""
    soon = timezone.now() + timedelta(seconds=2)
    ProviderAccount.objects.filter(
        pk=account.pk, next_sync_at__gt=soon, consecutive_failures=0
    ).update(next_sync_at=soon)


def _refuse(submission: Submission, error: ProviderError) -> None:
    with transaction.atomic():
        if _settle(submission, SubmissionState.REFUSED, note=str(error)):
            writer.fail_unsent(submission.job, error, source=EventSource.SUBMIT)


def _is_late(submission: Submission, now: datetime) -> bool:
    """Whether it has been looked for so long that a person should decide."""
    return now - (submission.sent_at or submission.created_at) >= LOOK_FOR


def _give_up(submission: Submission, reason: str = "") -> None:
    note = "We don't know whether the provider took it. Check there, then decide."
    if _settle(submission, SubmissionState.UNSURE, note=f"{note} {reason}".strip()):
        message = "We don't know whether the provider took it: check there, then decide"
        _tell(submission.job, f"{message}. {reason}" if reason else message)


def _settle(
    submission: Submission, state: SubmissionState, *, wait_s: float = 0, note: str = ""
) -> bool:
    """Write what this run came to; False when another holds the row by now."""
    next_at = timezone.now() + timedelta(seconds=wait_s)
    return bool(_held(submission).update(state=state, next_at=next_at, note=note[:500]))


def _later(submission: Submission, wait_s: float, note: str, *, failed: bool = False) -> None:
    if submission.state != SubmissionState.DUE and _is_late(submission, timezone.now()):
        _give_up(submission, f"It could not be looked for: {note}")
        return
    _held(submission).update(
        next_at=timezone.now() + timedelta(seconds=wait_s),
        failures=F("failures") + int(failed),
        note=note[:500],
    )


def _back_off_s(submission: Submission) -> float:
    return float(min(RETRY_S * 2 ** min(submission.failures, 10), RETRY_CAP_S))


def _tell(job: Job, message: str, user: User | None = None) -> None:
    JobEvent.told(job, EventSource.SUBMIT, job.status, job.status, message, user).save()


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
