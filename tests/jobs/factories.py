"""Accounts, jobs and outputs as a provider's mirror holds them."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from jobs.mirror.failures.groups import assign_groups
from jobs.mirror.search import refresh_search, write_search
from jobs.models import (
    Batch,
    BulkAction,
    BulkTarget,
    Job,
    JobBody,
    JobErrorGroup,
    JobEvent,
    JobPoll,
    Note,
    Output,
    Preset,
    ProviderAccount,
    ProviderHost,
    RequestTemplate,
    RetryRule,
    StoredLocation,
    TemplateVersion,
    WebhookDelivery,
)
from jobs.notes.mentions import save_mentions
from jobs.submission.stored_request import dump_request
from jobs.submission.templates.settings import dump_settings, redact_settings, settings_of
from organizations.models import Organization, User
from providers.core.status import ACTIVE, JobStatus, OutputStatus
from providers.core.types import JobRequest, OutputKind, Rendition

# Far enough from today that nothing is recent by accident
NOON = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)

_numbers = count(700_001)
# of a stored bucket
BUCKET_KEY_ID, BUCKET_SECRET = "AKIACANARYKEYID00000", "canary/secret+of/the+bucket"


def make_account(organization: Organization, **fields: Any) -> ProviderAccount:
    """A working Zencoder account, whose host answers; its API key is `key-of-<name>`."""
    name = fields.setdefault("name", f"account {next(_numbers)}")
    defaults: dict[str, Any] = {
        "provider": "zencoder",
        "base_url": "https://app.zencoder.com/api/v2",
        "credentials": {"api_key": f"key-of-{name}"},
        "imported_at": NOON,
        "last_pass_at": NOON,
        "last_success_at": NOON,
    }
    account = ProviderAccount.objects.create(organization=organization, **(defaults | fields))
    ProviderHost.objects.get_or_create(name=account.host, defaults={"is_healthy": True})
    return account


def end_pauses() -> None:
    """Let hosts that did not answer be tried at once."""
    ProviderHost.objects.update(next_probe_at=NOON)


def make_job(account: ProviderAccount, **fields: Any) -> Job:
    """A job of `account`, succeeded at noon unless given otherwise.

    A failed one gets an error with its group and an active one its poll row, as the mirror's writer
    does. A `batch` may be given by its name.
    """
    number = next(_numbers)
    status = JobStatus(fields.get("status", JobStatus.SUCCEEDED))
    created_at = fields.get("created_at", NOON)
    defaults: dict[str, Any] = {
        "organization_id": account.organization_id,
        "remote_id": str(number),
        "name": f"episode-{number}.mov",
        "status": status,
        "provider_status": {"succeeded": "finished", "running": "processing"}.get(status, status),
        "progress": 100.0 if status == JobStatus.SUCCEEDED else None,
        "input_url": f"s3://footage/episode-{number}.mov",
        "created_at": created_at,
        "sort_at": created_at or NOON,
        "first_seen_at": created_at or NOON,
        "changed_at": created_at or NOON,
        "observed_at": NOON,
    }
    if status.is_terminal and created_at:
        defaults["started_at"] = created_at + timedelta(seconds=20)
        defaults["finished_at"] = created_at + timedelta(minutes=5)
    defaults["sort_started_at"] = (defaults | fields).get("started_at")
    if status.is_terminal:
        ended_at = (defaults | fields).get("finished_at")
        defaults["ended_at"] = ended_at or defaults["sort_at"]
        defaults["has_listed_outputs"] = True
        defaults["ended_at_source"] = "provider" if ended_at else "estimated"
    if status == JobStatus.FAILED:
        defaults |= {
            "error_class": "input.not_found",
            "error_code": "FileNotFoundError",
            "error_message": "The file was not found.",
        }
    if isinstance(name := fields.get("batch"), str):
        fields["batch"] = find_batch(account, name) if name else None
    job = Job(account=account, **(defaults | fields))
    assign_groups([job], NOON, is_import=True)
    job.save(force_insert=True)
    write_search([(job, [])])
    if status in ACTIVE or status == JobStatus.UNKNOWN:
        JobPoll.objects.create(job=job, account=account, confirmed_at=NOON, next_at=NOON)
    return job


def make_template(organization: Organization, name: str = "", **settings: Any) -> TemplateVersion:
    """A template's first version: MP4 in 360p, unless `settings` of a JobRequest say otherwise.

    Its extra settings are for Zencoder.
    """
    given = {"input": "", "renditions": (Rendition("mp4", (360,)),)} | settings
    saved = settings_of(JobRequest(**given), "zencoder")
    template = RequestTemplate.objects.create(
        organization=organization, name=name or f"template {next(_numbers)}"
    )
    return TemplateVersion.objects.create(
        template=template, settings=dump_settings(saved), shown=redact_settings(saved)
    )


def make_rule(organization: Organization, name: str = "", **fields: Any) -> RetryRule:
    """A rule that retries timeouts of sources, off unless said otherwise."""
    defaults = {"error_class": "input.timeout"}
    return RetryRule.objects.create(
        organization=organization,
        name=name or f"rule {next(_numbers)}",
        **(defaults | fields),
    )


def make_location(organization: Organization, name: str = "", **fields: Any) -> StoredLocation:
    """A bucket that is source and destination, as if it had been checked."""
    defaults: dict[str, Any] = {
        "is_source": True,
        "is_destination": True,
        "region": "eu-central-1",
        "bucket": "site",
        "prefix": "series",
        "credentials": {"key_id": BUCKET_KEY_ID, "secret": BUCKET_SECRET},
        "checked_at": NOON,
    }
    name = name or f"location-{next(_numbers)}"
    return StoredLocation.objects.create(
        organization=organization, name=name, **(defaults | fields)
    )


def make_output(job: Job, **fields: Any) -> Output:
    """A finished MP4 of `job`. The job's counts are not touched."""
    number = next(_numbers)
    defaults: dict[str, Any] = {
        "organization_id": job.organization_id,
        "account_id": job.account_id,
        "sort_at": job.sort_at,
        "remote_id": str(number),
        "position": job.outputs.count(),
        "kind": OutputKind.VIDEO,
        "label": f"web {number}",
        "format": "mp4",
        "width": 1280,
        "height": 720,
        "frame_rate": 25.0,
        "video_codec": "h264",
        "audio_codec": "aac",
        "video_bitrate_kbps": 2400,
        "audio_bitrate_kbps": 128,
        "duration_ms": 61_240,
        "size_bytes": 19_350_611,
        "url": f"https://media.example.com/out/{number}.mp4",
        "status": OutputStatus.SUCCEEDED,
        "provider_status": "finished",
    }
    output = Output.objects.create(job=job, **(defaults | fields))
    refresh_search([job.pk])
    return output


def make_event(job: Job, **fields: Any) -> JobEvent:
    """`job` was seen to have reached its status by a poll."""
    defaults: dict[str, Any] = {
        "at": job.changed_at,
        "source": "poll",
        "from_status": "",
        "to_status": job.status,
    }
    return JobEvent.objects.create(job=job, **(defaults | fields))


def make_preset(account: ProviderAccount, **fields: Any) -> Preset:
    number = next(_numbers)
    defaults: dict[str, Any] = {
        "remote_id": str(number),
        "name": f"preset {number}",
        "kind": "video",
        "settings": {"height": 720},
        "first_seen_at": NOON,
        "changed_at": NOON,
    }
    return Preset.objects.create(account=account, **(defaults | fields))


def make_body(job: Job, value: Any) -> JobBody:
    return JobBody.objects.create(job=job, compressed=JobBody.compress(value), stored_at=NOON)


def make_delivery(account: ProviderAccount, **fields: Any) -> WebhookDelivery:
    """An accepted delivery about no job of ours, which was refreshed."""
    at = fields.get("received_at", NOON)
    defaults: dict[str, Any] = {
        "received_at": at,
        "headers": {"content-type": "application/json", "user-agent": "Hooks/2.1"},
        "body": '{"job": {"id": 71, "state": "finished"}}',
        "verdict": "accepted",
        "result": "Job refreshed.",
        "remote_id": "71",
        "handled_at": at,
        "next_at": at,
    }
    return WebhookDelivery.objects.create(account=account, **(defaults | fields))


def make_batch(account: ProviderAccount, **fields: Any) -> Batch:
    """A batch whose inputs have all been submitted, by nobody who is known any more."""
    defaults: dict[str, Any] = {
        "organization_id": account.organization_id,
        "name": f"batch {next(_numbers)}",
        "request": dump_request(JobRequest("", renditions=(Rendition("mp4", (720,)),))),
        "state": "sent",
        "total": 0,
        "created_at": NOON,
    }
    return Batch.objects.create(account=account, **(defaults | fields))


def find_batch(account: ProviderAccount, name: str) -> Batch:
    """The batch of the organization with this name, which is made where there is none."""
    known = Batch.objects.filter(organization=account.organization_id, name=name).first()
    return known or make_batch(account, name=name)


def make_note(subject: Job | JobErrorGroup, author: User, text: str = "See tape 7") -> Note:
    """Written by `author`, with rows for those whom the text mentions."""
    note = Note.objects.create(
        organization_id=subject.organization_id,
        job=subject if isinstance(subject, Job) else None,
        error_group=subject if isinstance(subject, JobErrorGroup) else None,
        author=author,
        author_name=author.email,
        text=text,
    )
    save_mentions(note)
    return note


def make_bulk(job: Job, **fields: Any) -> BulkAction:
    """A bulk retry that waits to act on `job`, and was asked for by a token of its account."""
    defaults: dict[str, Any] = {
        "organization_id": job.organization_id,
        "kind": "resubmit",
        "query": f"id:{job.pk}",
        "last_job_id": job.pk,
        "account_ids": [job.account_id],
        "created_at": NOON,
        "state": "running",
        "next_at": NOON,
        "prepared_at": NOON,
        "matched": 2,
        "left_out": {"finished": 1},
        "accounts": {str(job.account_id): 1},
    }
    bulk = BulkAction.objects.create(**(defaults | fields))
    BulkTarget.objects.create(bulk=bulk, job=job, account_id=job.account_id)
    return bulk
