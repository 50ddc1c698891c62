"""The rows of a new job, which are there before anything is sent."""

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from django.utils import timezone

from jobs.mirror.search import write_search
from jobs.mirror.storable import clean_json, fit_to_column
from jobs.models import (
    Batch,
    EventSource,
    Job,
    JobEvent,
    JobSecret,
    ProviderAccount,
    Submission,
    TemplateVersion,
)
from jobs.models.work import precedence
from jobs.storage.references import find_reference
from jobs.submission.stored_request import dump_request
from organizations.models import ApiToken, AuditEntry, Organization, User
from providers.core.status import JobStatus
from providers.core.types import JobRequest
from providers.http.redaction import redact, split_url
from providers.parsing.urls import parse_url


@dataclass(frozen=True, slots=True)
class BatchPlace:
    """The batch that a job is of, and what it is called there; empty for the name of its file.

    `key` is ours, which travels with the request: the same for the same input of the batch.
    """

    batch: Batch
    name: str
    key: str


@dataclass(frozen=True, slots=True)
class NewJob:
    """A request that was checked, and who made it."""

    organization: Organization
    account: ProviderAccount
    request: JobRequest
    fingerprint: str
    user: User | None
    token: ApiToken | None
    retry_of: Job | None
    remarks: tuple[str, ...] = ()
    template_version: TemplateVersion | None = None
    place: BatchPlace | None = None
    is_bulk: bool = False


def write_rows(new: NewJob) -> Job:
    """Write the job in status `submitting`, and its submission with a key of ours."""
    now = timezone.now()
    job = _write_job(new, now)
    Submission.objects.create(
        job=job,
        organization=new.organization,
        account=new.account,
        key=new.place.key if new.place else uuid4().hex,
        precedence=precedence(new.request.priority, is_bulk=new.is_bulk or new.place is not None),
        fingerprint=new.fingerprint,
        request=dump_request(new.request),
        remarks=list(new.remarks),
        next_at=now,
    )
    message = f"Resubmitted from job {new.retry_of.pk}" if new.retry_of else "Submitted"
    actor = new.user or new.token
    JobEvent.build(job, EventSource.SUBMIT, "", job.status, message, actor, now).save()
    AuditEntry.record(new.organization, "job.submitted", job, actor=new.user, token=new.token)
    return job


def _write_job(new: NewJob, now: datetime) -> Job:
    source = find_reference(new.organization, new.request.input)
    url, secret_url = split_url(source.shown if source else new.request.input)
    batch_id, name = (new.place.batch.pk, new.place.name) if new.place else (None, "")
    if new.retry_of is not None:
        # it takes the place of the other in its batch
        batch_id = new.retry_of.batch_id
        name = new.retry_of.name if new.retry_of.is_named else ""
        # in the order that the mirror's writer locks in: jobs before their account
        Job.objects.select_for_update(no_key=True).only("pk").get(pk=new.retry_of.pk)
    revision = new.account.next_revision()
    job = Job.objects.create(
        organization=new.organization,
        account=new.account,
        batch_id=batch_id,
        name=name or parse_url(url).file_name,
        is_named=bool(name),
        status=JobStatus.SUBMITTING,
        input_url=url,
        metadata=redact(new.request.metadata),
        request=clean_json(redact(dump_request(new.request))),
        is_test=new.request.test,
        priority=fit_to_column(Job, "priority", new.request.priority),
        submitted_by=new.user,
        submitted_token=new.token,
        retry_of=new.retry_of,
        template_version=new.template_version,
        first_seen_at=now,
        changed_at=now,
        sort_at=now,
        first_seen_revision=revision,
        status_revision=revision,
    )
    write_search([(job, [])])
    if secret_url:
        JobSecret.objects.create(job=job, input_url=secret_url)
    return job
