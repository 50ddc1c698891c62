"""The mirrored job."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from jobs.models.account import ProviderAccount
from jobs.models.batch.batch import Batch
from jobs.models.mirror.error_group import JobErrorGroup, prefetch_assignees
from jobs.models.mirror.job_indexes import JOB_INDEXES
from jobs.models.requests.template import TemplateVersion
from organizations.models import ApiToken, Membership, Organization, name_actor
from providers.core.status import ACTIVE, TERMINAL, JobStatus
from providers.parsing.text import make_visible
from providers.parsing.urls import parse_url


class EndSource(models.TextChoices):
    """Where the time of a job's end comes from."""

    PROVIDER = "provider", "Reported by the provider"
    OBSERVED = "observed", "When we saw that it had ended"
    ESTIMATED = "estimated", "Estimated from its start"


def status_choices() -> list[tuple[str, str]]:
    return [(status.value, status.value.capitalize()) for status in JobStatus]


# Columns that lists never need: JSON is decoded for each row, and grows without bound.
HEAVY_COLUMNS = ("metadata", "request", "errors", "digests")
# What no row of the site's lists shows: a column of fifty rows takes as long to read as to print.
UNSHOWN_COLUMNS = (
    *("phase", "priority", "console_url", "error_code", "is_clip", "is_newest"),
    "template_version",
    *("observed_finished_at", "first_seen_revision", "status_revision"),
    *("input_duration_ms", "input_size_bytes", "input_width", "input_height"),
    *("input_frame_rate", "input_bitrate_kbps", "input_video_codec", "input_audio_codec"),
    "input_fetched_percent",
)


# Added here by the provider's id, and reported by the provider in no answer so far.
UNREAD = Q(remote_id__isnull=False, observed_at__isnull=True, status=JobStatus.UNKNOWN)


class StuckKind(models.TextChoices):
    """Why an unfinished job looks stuck: see jobs.stuck.rule."""

    SLOW = "slow", "Takes far longer than comparable jobs"
    LIMIT = "limit", "Takes longer than the account's limit"
    RESTARTED = "restarted", "Started again and again by the provider"
    STILL = "still", "Its progress does not move"
    UNCONFIRMED = "unconfirmed", "Not confirmed by the provider"


class JobQuerySet(models.QuerySet["Job"]):
    def for_organization(self, organization: Organization) -> "JobQuerySet":
        return self.filter(organization=organization)

    def newest_attempts(self) -> "JobQuerySet":
        return self.filter(is_newest=True)

    def active(self) -> "JobQuerySet":
        return self.filter(is_active=True)

    def unread(self) -> "JobQuerySet":
        return self.filter(UNREAD)

    def failed(self) -> "JobQuerySet":
        return self.filter(status=JobStatus.FAILED)

    def for_list(self) -> "JobQuerySet":
        """Rows as a list shows them: one query with the account, one for assignees, no JSON."""
        return (
            self.select_related("account")
            .with_assignees()
            .defer(*HEAVY_COLUMNS, "account__credentials", "account__hook_secret")
        )

    def for_rows(self) -> "JobQuerySet":
        """Rows as the site's lists show them, whose accounts the page has already."""
        return self.with_assignees().defer(*HEAVY_COLUMNS, *UNSHOWN_COLUMNS)

    def with_assignees(self) -> "JobQuerySet":
        """With who looks after each: one query where any of them is assigned, else none."""
        return self.prefetch_related(prefetch_assignees())

    def with_template(self) -> "JobQuerySet":
        """With the template that each was submitted with, in the same query."""
        return self.select_related("template_version__template").defer(
            "template_version__settings", "template_version__shown"
        )

    def with_batches(self) -> "JobQuerySet":
        """With the name of the batch of each, in the same query."""
        return self.select_related("batch").defer("batch__request")

    def with_submitters(self) -> "JobQuerySet":
        """With who submitted each, in the same query."""
        return self.select_related("submitted_by", "submitted_token").defer(
            "submitted_by__password", "submitted_token__digest"
        )


class Job(models.Model):
    # No index of their own, since several of JOB_INDEXES begin with them.
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="jobs", db_index=False
    )
    account = models.ForeignKey(
        ProviderAccount, on_delete=models.CASCADE, related_name="jobs", db_index=False
    )
    # null until the provider has named it
    remote_id = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001 - '' would collide in the unique constraint
    attempt = models.PositiveIntegerField(default=1)
    # false for the attempts that a later one of the same remote id froze
    is_newest = models.BooleanField(default=True)
    # no index of its own: job_list_batch begins with it
    batch = models.ForeignKey(
        Batch, on_delete=models.SET_NULL, null=True, blank=True, related_name="jobs", db_index=False
    )
    name = models.CharField(max_length=255, blank=True)
    # whether whoever submitted it gave the name, which no provider's name replaces then
    is_named = models.BooleanField(default=False)
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
    # while the job runs: how much of it the provider has fetched
    input_fetched_percent = models.FloatField(null=True, blank=True)

    error_class = models.CharField(max_length=40, blank=True)
    error_code = models.CharField(max_length=200, blank=True)
    error_message = models.CharField(max_length=1000, blank=True)
    # every error, the first included: [{class, code, message, origin}]
    errors = models.JSONField(default=list, blank=True)
    # of the first error, as long as the job is failed; kept by jobs.mirror.failures.groups. The key
    # has no index of its own, since two of JOB_INDEXES begin with it.
    error_group = models.ForeignKey(
        JobErrorGroup,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="jobs",
        db_index=False,
    )
    metadata = models.JSONField(null=True, blank=True)
    # the request, redacted; null for jobs that were not submitted here
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

    # who submitted it or requested this attempt: a person or a token. The keys have no index of
    # their own, since two of JOB_INDEXES begin with them.
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    submitted_token = models.ForeignKey(
        ApiToken,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    retry_of = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="retries",
        db_index=False,
    )
    # what its settings were taken from; those that the request gave itself replaced its
    template_version = models.ForeignKey(
        TemplateVersion,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="jobs",
        db_index=False,
    )
    # the later attempt that succeeded, of a failed job; kept by jobs.mirror.failures.resolved
    resolved_by = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    # the member who looks after a failure; a membership, so that whoever leaves keeps nothing
    assignee = models.ForeignKey(
        Membership,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
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

    # What jobs.stuck.marking found, and in which status the job was then: in another one, and once
    # it is gone, it says nothing.
    stuck_status = models.CharField(max_length=12, blank=True)
    stuck_kind = models.CharField(max_length=12, choices=StuckKind.choices, blank=True)
    stuck_at = models.DateTimeField(null=True, blank=True)
    # what it was compared with: a time, and a number of jobs or, if restarted, of restarts
    stuck_limit_ms = models.PositiveBigIntegerField(null=True, blank=True)
    stuck_count = models.PositiveIntegerField(null=True, blank=True)
    # computed by the database, so that whatever moves a job on ends its mark
    is_stuck = models.GeneratedField(
        expression=models.ExpressionWrapper(
            Q(stuck_status=F("status"), gone_at__isnull=True), output_field=models.BooleanField()
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
    # when its status or a fact about it last changed
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
    # when the answer in this row was asked for: an older answer never overwrites it
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
                condition=Q(input_fetched_percent__isnull=True)
                | Q(input_fetched_percent__range=(0, 100)),
                name="job_input_fetched_percent",
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_at_source="")
                | Q(ended_at__isnull=False, ended_at_source__in=EndSource.values),
                name="job_end_has_source",
            ),
            models.CheckConstraint(
                condition=Q(stuck_status="", stuck_kind="")
                | Q(stuck_status__in=["queued", "running"], stuck_kind__in=StuckKind.values),
                name="job_stuck_has_kind",
            ),
            models.CheckConstraint(
                condition=Q(error_group__isnull=True) | Q(status=JobStatus.FAILED.value),
                name="job_in_group_has_failed",
            ),
        ]
        indexes = JOB_INDEXES

    def __str__(self) -> str:
        return make_visible(self.name or self.remote_id or f"job {self.pk}")

    @property
    def submitter_name(self) -> str | None:
        """An e-mail address or `token:NAME`; None for a job that was not submitted here."""
        return name_actor(self.submitted_by, self.submitted_token)

    @property
    def assignee_name(self) -> str | None:
        """The e-mail address of who looks after it, if anybody does."""
        return self.assignee.user.email if self.assignee else None

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
    def is_unread(self) -> bool:
        """As UNREAD: only its id is known."""
        is_unknown = self.status == JobStatus.UNKNOWN and self.observed_at is None
        return is_unknown and self.remote_id is not None

    @property
    def synced_at(self) -> datetime | None:
        """When the provider last confirmed what we show; None when it never did."""
        if self.is_awaiting_rerun or (self.is_unread and self.gone_at is None):
            return None
        if self.gone_at is not None:
            return self.gone_at
        poll = getattr(self, "poll", None)
        confirmed_at: datetime | None = poll.confirmed_at if poll else None
        if confirmed_at is not None and not self.is_terminal:
            return confirmed_at
        return max((at for at in (self.observed_at, self.account.last_pass_at) if at), default=None)

    @property
    def is_fetching_input(self) -> bool:
        percent = self.input_fetched_percent
        return self.is_active and percent is not None and percent < 100

    @property
    def input_is_web(self) -> bool:
        """Whether a browser can be sent to the input."""
        return parse_url(self.input_url).is_web
