"""Adding a job by the provider's id, where the provider's list does not bring it."""

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from jobs.mirror.search import write_search
from jobs.models import EventSource, Job, JobEvent, JobPoll, ProviderAccount
from jobs.sync.on_demand import request_sync
from organizations.models import ApiToken, AuditEntry, User
from providers.core.status import JobStatus
from providers.parsing.text import ID_LENGTH, find_hidden


class InvalidId(ValueError):
    """The text cannot be a job's id; the message is a sentence."""


def watch_job(
    account: ProviderAccount,
    text: str,
    *,
    user: User | None = None,
    token: ApiToken | None = None,
) -> tuple[Job, bool]:
    """The job whose id at the provider is `text`, and whether it is to be read anew. Sends nothing.

    A job that is not here is added in status `unknown`, until the next pass has read it. One that
    was gone before it ended is read again. Raises InvalidId.
    """
    remote_id = _check_id(text)
    try:
        with transaction.atomic():
            job = _lock_newest(account, remote_id)
            is_due = job is None or (job.gone_at is not None and not job.is_terminal)
            if job is None:
                job = _add(account, remote_id, user)
            elif is_due:
                _read_again(job, user)
            if is_due:
                AuditEntry.record(account.organization, "job.watched", job, actor=user, token=token)
    except IntegrityError:  # another process has just added it
        return Job.objects.get(account=account, remote_id=remote_id, is_newest=True), False
    if is_due:
        # even where the account was refused: the key may be one that cannot list jobs
        request_sync(account)
    return job, is_due


def _check_id(text: str) -> str:
    remote_id = text.strip()
    if not 1 <= len(remote_id) <= ID_LENGTH:
        raise InvalidId(f"Enter an id of 1 to {ID_LENGTH} characters.")
    if find_hidden(remote_id) or len(remote_id.split()) > 1:
        raise InvalidId("An id has no spaces and no control characters.")
    if remote_id in {".", ".."}:  # in a URL they lead elsewhere
        raise InvalidId("Enter the id of a job.")
    return remote_id


def _lock_newest(account: ProviderAccount, remote_id: str) -> Job | None:
    jobs = Job.objects.filter(account=account, remote_id=remote_id, is_newest=True)
    return jobs.select_for_update(no_key=True).first()


def _add(account: ProviderAccount, remote_id: str, user: User | None) -> Job:
    now, revision = timezone.now(), account.next_revision()
    job = Job.objects.create(
        organization=account.organization,
        account=account,
        remote_id=remote_id,
        status=JobStatus.UNKNOWN,
        first_seen_at=now,
        changed_at=now,
        sort_at=now,
        first_seen_revision=revision,
        status_revision=revision,
    )
    write_search([(job, [])])
    _make_due(job)
    JobEvent.build(job, EventSource.ACTION, "", job.status, "Added by its id", user).save()
    return job


def _read_again(job: Job, user: User | None) -> None:
    job.gone_at, job.changed_at, job.version = None, timezone.now(), F("version") + 1
    job.save(update_fields=["gone_at", "changed_at", "version"])
    job.refresh_from_db(fields=["version"])
    _make_due(job)
    message = "Added by its id again"
    JobEvent.build(job, EventSource.ACTION, job.status, job.status, message, user).save()


def _make_due(job: Job) -> None:
    now = timezone.now()
    JobPoll.objects.get_or_create(
        job=job,
        defaults={"account_id": job.account_id, "confirmed_at": now, "next_at": now},
    )
