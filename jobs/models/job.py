"""The mirrored job, its body, its poll row and its history."""

import json
import zlib
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from jobs.models.account import ProviderAccount
from jobs.models.fields import EncryptedJSONField
from organizations.models import Organization, User
from providers.core.status import ACTIVE, TERMINAL, JobStatus
from providers.parsing.text import make_visible
from providers.parsing.urls import parse_url


class EventSource(models.TextChoices):
    POLL = "poll", "Poll"
    WEBHOOK = "webhook", "Webhook"
    SUBMIT = "submit", "Submission"
    ACTION = "action", "Action"
    IMPORT = "import", "Import"


class EndSource(models.TextChoices):
    """Where the time of a job's end comes from."""

    PROVIDER = "provider", "Reported by the provider"
    OBSERVED = "observed", "When we saw that it had ended"
    ESTIMATED = "estimated", "Estimated from its start"


def status_choices() -> list[tuple[str, str]]:
    return [(status.value, status.value.capitalize()) for status in JobStatus]


# Columns that lists never need: JSON is decoded for each row, and grows without bound.
HEAVY_COLUMNS = ("metadata", "request", "errors", "digests")


class JobQuerySet(models.QuerySet["Job"]):
    def for_organization(self, organization: Organization) -> "JobQuerySet":
        return self.filter(organization=organization)

    def newest_attempts(self) -> "JobQuerySet":
        return self.filter(is_newest=True)

    def active(self) -> "JobQuerySet":
        return self.filter(is_active=True)

    def failed(self) -> "JobQuerySet":
        return self.filter(status=JobStatus.FAILED)

    def for_list(self) -> "JobQuerySet":
        """Rows as a list shows them: one query with the account, no JSON."""
        return self.select_related("account").defer(
            *HEAVY_COLUMNS, "account__credentials", "account__hook_secret"
        )


class Job(models.Model):
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="jobs")
    account = models.ForeignKey(ProviderAccount, on_delete=models.CASCADE, related_name="jobs")
    # null until the provider has named it
    remote_id = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001 - '' would collide in the unique constraint
    attempt = models.PositiveIntegerField(default=1)
    # false for the attempts that a later one of the same remote id froze
    is_newest = models.BooleanField(default=True)
    batch = models.CharField(max_length=100, blank=True)
    name = models.CharField(max_length=255, blank=True)
    status = models.CharField(max_length=12, choices=status_choices)
    provider_status = models.CharField(max_length=100, blank=True)
    progress = models.FloatField(null=True, blank=True)
    phase = models.CharField(max_length=100, blank=True)

    input_url = models.TextField(blank=True)
    input_duration_ms = models.PositiveBigIntegerField(null=True, blank=True)
    input_size_bytes = models.PositiveBigIntegerField(null=True, blank=True)
    input_width = models.PositiveIntegerField(null=True, blank=True)
    input_height = models.PositiveIntegerField(null=True, blank=True)
    input_frame_rate = models.FloatField(null=True, blank=True)
    input_bitrate_kbps = models.PositiveIntegerField(null=True, blank=True)
    input_video_codec = models.CharField(max_length=60, blank=True)
    input_audio_codec = models.CharField(max_length=60, blank=True)

    error_class = models.CharField(max_length=40, blank=True)
    error_code = models.CharField(max_length=200, blank=True)
    error_message = models.CharField(max_length=1000, blank=True)
    # every fault, the first included: [{class, code, message, origin}]
    errors = models.JSONField(default=list, blank=True)
    metadata = models.JSONField(null=True, blank=True)
    # what was asked for, redacted; null for jobs that were not submitted here
    request = models.JSONField(null=True, blank=True)
    is_test = models.BooleanField(default=False)
    priority = models.IntegerField(null=True, blank=True)
    console_url = models.CharField(max_length=500, blank=True)

    # kept by the writer, so that lists need no join: images are not counted
    outputs_total = models.PositiveIntegerField(default=0)
    outputs_succeeded = models.PositiveIntegerField(default=0)
    outputs_failed = models.PositiveIntegerField(default=0)
    is_partial = models.BooleanField(default=False)
    is_suspect = models.BooleanField(default=False)
    # why, in sentences
    suspect_reason = models.TextField(blank=True)
    # whether a payload about the job as it ended listed its outputs: lists may omit them
    has_listed_outputs = models.BooleanField(default=False)
    # whether the provider was asked to encode only a part of the input
    is_clip = models.BooleanField(default=False)

    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    retry_of = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="retries"
    )
    # the later attempt that succeeded, of a failed job; kept by jobs.mirror.retries
    resolved_by = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    # computed by the database, so that it can never disagree with the two
    is_unresolved = models.GeneratedField(
        expression=models.ExpressionWrapper(
            Q(status=JobStatus.FAILED.value, resolved_by__isnull=True),
            output_field=models.BooleanField(),
        ),
        output_field=models.BooleanField(),
        db_persist=True,
    )

    # the provider's times
    created_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    # ours
    first_seen_at = models.DateTimeField()
    # when its state or a fact about it last changed
    changed_at = models.DateTimeField()
    sort_at = models.DateTimeField()
    # when it started; where the provider's clock is ahead of ours, when we first saw it
    sort_started_at = models.DateTimeField(null=True, blank=True)
    # when we saw that it had ended, if we saw it unfinished before
    observed_finished_at = models.DateTimeField(null=True, blank=True)
    # what lists are filtered and sorted by: the provider's end, else the one we observed, else an
    # estimate; null while the job has not ended
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_at_source = models.CharField(max_length=10, choices=EndSource.choices, blank=True)
    gone_at = models.DateTimeField(null=True, blank=True)
    # waits or runs, as far as the provider still knows it
    is_active = models.GeneratedField(
        expression=models.ExpressionWrapper(
            Q(status__in=sorted(status.value for status in ACTIVE), gone_at__isnull=True),
            output_field=models.BooleanField(),
        ),
        output_field=models.BooleanField(),
        db_persist=True,
    )
    # when the answer that the row holds was asked for: an older answer never overwrites it
    observed_at = models.DateTimeField(null=True, blank=True)
    # moves with each change, so that a page knows which of its rows are old
    version = models.PositiveIntegerField(default=1)
    # the account's revision when we first saw the job, and when it last came into another status.
    # Revisions follow the order of commits, so a page that knows one knows what is newer.
    first_seen_revision = models.PositiveBigIntegerField(default=0)
    status_revision = models.PositiveBigIntegerField(default=0)
    # by shape of payload, of those that report what is here: an equal one needs no comparing
    digests = models.JSONField(default=dict, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint("account", "remote_id", "attempt", name="job_identity"),
            models.CheckConstraint(
                condition=Q(status__in=[status.value for status in JobStatus]),
                name="job_status_known",
            ),
            models.CheckConstraint(
                condition=Q(progress__isnull=True) | Q(progress__range=(0, 100)),
                name="job_progress_percent",
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_at_source="")
                | Q(ended_at__isnull=False, ended_at_source__in=EndSource.values),
                name="job_end_has_source",
            ),
        ]
        indexes = [
            # the list, and its keyset pages
            models.Index(F("organization"), F("sort_at").desc(), F("id").desc(), name="job_list"),
            # a status tab by creation, and its capped count
            models.Index(
                F("organization"),
                F("status"),
                F("sort_at").desc(),
                F("id").desc(),
                name="job_list_status",
            ),
            # the failed and finished tabs, which sort by when they ended
            models.Index(
                F("organization"),
                F("status"),
                Coalesce("ended_at", "sort_at").desc(),
                F("id").desc(),
                name="job_list_finished",
            ),
            # the failures that no later attempt fixed, by when they ended, and their count
            models.Index(
                F("organization"),
                F("status"),
                Coalesce("ended_at", "sort_at").desc(),
                F("id").desc(),
                condition=Q(is_unresolved=True),
                name="job_list_unresolved",
            ),
            # the count of failures that one fixed
            models.Index(
                fields=["organization", "status"],
                condition=Q(resolved_by__isnull=False),
                name="job_count_resolved",
            ),
            # the active jobs without those that are gone, however many these are; and their counts
            models.Index(
                F("organization"),
                F("status"),
                Coalesce("sort_started_at", "sort_at").desc(),
                F("id").desc(),
                condition=Q(is_active=True),
                name="job_list_active",
            ),
            # jobs that the provider no longer knows
            models.Index(
                F("organization"),
                F("sort_at").desc(),
                F("id").desc(),
                condition=Q(gone_at__isnull=False),
                name="job_list_gone",
            ),
            # the count of those among them that were active
            models.Index(
                fields=["organization", "status"],
                condition=Q(gone_at__isnull=False),
                name="job_count_gone",
            ),
            # the running tab, which sorts by when they started
            models.Index(
                F("organization"),
                F("status"),
                Coalesce("sort_started_at", "sort_at").desc(),
                F("id").desc(),
                name="job_list_started",
            ),
            # one account's jobs
            models.Index(
                F("account"), F("sort_at").desc(), F("id").desc(), name="job_list_account"
            ),
            # the poll of a list: what came into it since a revision
            models.Index(fields=["account", "status_revision"], name="job_status_revision"),
            # a pasted provider id
            models.Index(fields=["organization", "remote_id"], name="job_remote_id"),
            # API: what changed since
            models.Index(fields=["organization", "changed_at", "id"], name="job_changed"),
            # a batch's own line and its list
            models.Index(
                fields=["organization", "batch"], condition=~Q(batch=""), name="job_batch"
            ),
            # failed jobs of one class
            models.Index(
                F("organization"),
                F("error_class"),
                F("sort_at").desc(),
                F("id").desc(),
                condition=~Q(error_class=""),
                name="job_list_error",
            ),
        ]

    def __str__(self) -> str:
        return make_visible(self.name or self.remote_id or f"job {self.pk}")

    @property
    def status_value(self) -> JobStatus:
        return JobStatus(self.status)

    @property
    def is_terminal(self) -> bool:
        return self.status in TERMINAL

    @property
    def is_awaiting_rerun(self) -> bool:
        """Whether it is an attempt whose native resubmit has not been confirmed yet."""
        return self.status == JobStatus.SUBMITTING and self.remote_id is not None

    @property
    def synced_at(self) -> datetime | None:
        """When the provider last confirmed what we show; None when it never did."""
        if self.is_awaiting_rerun:
            return None
        if self.gone_at is not None:
            return self.gone_at
        poll: JobPoll | None = getattr(self, "poll", None)
        if poll is not None and not self.is_terminal:
            return poll.confirmed_at
        return max((at for at in (self.observed_at, self.account.last_pass_at) if at), default=None)

    @property
    def input_is_web(self) -> bool:
        """Whether a browser can be sent to the input."""
        return parse_url(self.input_url).is_web


class JobSecret(models.Model):
    """The whole input address, where it carries a signature or a key. Never listed."""

    job = models.OneToOneField(
        Job, on_delete=models.CASCADE, primary_key=True, related_name="secret"
    )
    input_url = EncryptedJSONField(null=True)

    def __str__(self) -> str:
        return f"secret of job {self.pk}"


class JobBody(models.Model):
    """The provider's last body, redacted and compressed; apart, so that lists never touch it."""

    job = models.OneToOneField(Job, on_delete=models.CASCADE, primary_key=True, related_name="body")
    compressed = models.BinaryField()
    stored_at = models.DateTimeField()
    # of the body without what signs its URLs, so that an equal one is not written again
    digest = models.CharField(max_length=32, blank=True)
    # a list's payload that omits keys: it is replaced by any, and replaces no complete one
    is_partial = models.BooleanField(default=False)

    class Meta:
        verbose_name_plural = "job bodies"

    def __str__(self) -> str:
        return f"body of job {self.pk}"

    @staticmethod
    def compress(value: Any) -> bytes:
        return zlib.compress(json.dumps(value, separators=(",", ":")).encode())

    @property
    def value(self) -> Any:
        return json.loads(zlib.decompress(bytes(self.compressed)))


class JobPoll(models.Model):
    """One row for each unfinished job that the provider knows: last confirmed, next due.

    Apart from Job, so that confirming an unchanged job rewrites no wide row.
    """

    job = models.OneToOneField(Job, on_delete=models.CASCADE, primary_key=True, related_name="poll")
    account = models.ForeignKey(ProviderAccount, on_delete=models.CASCADE, related_name="polls")
    confirmed_at = models.DateTimeField()
    next_at = models.DateTimeField()

    class Meta:
        indexes = [
            # the refresh of one account: due jobs, least recently confirmed first
            models.Index(fields=["account", "next_at"], name="poll_due"),
        ]

    def __str__(self) -> str:
        return f"poll of job {self.pk}"


class JobEvent(models.Model):
    """One change of a job, or one thing done to it. Append-only."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField()
    source = models.CharField(max_length=10, choices=EventSource.choices)
    from_status = models.CharField(max_length=12, blank=True)
    to_status = models.CharField(max_length=12, blank=True)
    message = models.CharField(max_length=500, blank=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(source__in=EventSource.values), name="event_source_known"
            ),
        ]
        indexes = [
            # the job page's history
            models.Index(fields=["job", "id"], name="event_history"),
        ]

    def __str__(self) -> str:
        return make_visible(self.message or f"{self.from_status} → {self.to_status}")

    @classmethod
    def build(
        cls,
        job: Job,
        source: EventSource,
        before: str,
        after: str,
        message: str = "",
        actor: User | None = None,
        at: datetime | None = None,
    ) -> "JobEvent":
        """An event of `job`, not saved yet, at `at` or now."""
        return cls(
            job=job,
            at=at or timezone.now(),
            source=source,
            from_status=before,
            to_status=after,
            message=message[:500],
            actor=actor,
        )
