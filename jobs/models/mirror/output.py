"""What a job makes."""

from datetime import datetime

from django.db import models
from django.db.models import F, Q

from jobs.models.account import ProviderAccount
from jobs.models.fields import EncryptedJSONField
from jobs.models.mirror.job import Job
from jobs.models.mirror.preset import Preset
from organizations.encryption import Undecryptable
from organizations.models import Organization
from providers.core.status import JobStatus, OutputStatus
from providers.core.types import OutputKind
from providers.parsing.text import make_visible
from providers.parsing.urls import parse_url


def kind_choices() -> list[tuple[str, str]]:
    return [(kind.value, kind.value.capitalize()) for kind in OutputKind]


def output_status_choices() -> list[tuple[str, str]]:
    return [(status.value, status.value.capitalize()) for status in OutputStatus]


# Not `secret_url`, which is decrypted when it is read.
LISTED_COLUMNS = (
    "organization",
    "account",
    "job",
    "sort_at",
    "remote_id",
    "kind",
    "label",
    "format",
    "width",
    "height",
    "video_codec",
    "audio_codec",
    "duration_ms",
    "size_bytes",
    "url",
    "expires_at",
    "status",
    "provider_status",
)

UNFINISHED = frozenset({OutputStatus.QUEUED, OutputStatus.RUNNING})

JOB_COLUMNS = (
    *("name", "remote_id", "status", "provider_status", "gone_at", "is_newest"),
    *("ended_at", "is_suspect", "suspect_reason"),
)


class OutputQuerySet(models.QuerySet["Output"]):
    def for_organization(self, organization: Organization) -> "OutputQuerySet":
        return self.filter(organization=organization)

    def for_list(self) -> "OutputQuerySet":
        """Files as a list shows them: one query with job, account and organization.

        Of the job its name and state alone; no secret, so that nothing is decrypted.
        """
        return self.select_related("job", "account", "organization").only(
            *LISTED_COLUMNS,
            *(f"job__{name}" for name in JOB_COLUMNS),
            *(f"account__{name}" for name in ("name", "provider", "enabled", "refused_at")),
            *(f"organization__{name}" for name in ("name", "slug")),
        )

    def media(self) -> "OutputQuerySet":
        """Outputs that count as such: everything but images."""
        return self.exclude(kind=OutputKind.IMAGE)

    def images(self) -> "OutputQuerySet":
        return self.filter(kind=OutputKind.IMAGE)


class Output(models.Model):
    # its index is that of output_identity
    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="outputs", db_index=False)
    # The job's own three, kept here by the mirror's writer: lists of files are filtered and sorted
    # by them over millions of rows, which an index cannot serve across a join. Their keys have no
    # index of their own, since those below begin with them.
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    account = models.ForeignKey(
        ProviderAccount, on_delete=models.CASCADE, related_name="outputs", db_index=False
    )
    sort_at = models.DateTimeField()
    remote_id = models.CharField(max_length=255)
    # its place among the outputs requested, where the provider gives a file its id only later
    slot = models.CharField(max_length=255, blank=True)
    # the provider's order within the job
    position = models.PositiveIntegerField(default=0)
    kind = models.CharField(max_length=10, choices=kind_choices)
    label = models.CharField(max_length=255, blank=True)
    preset = models.ForeignKey(
        Preset,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="outputs",
        db_index=False,
    )
    format = models.CharField(max_length=60, blank=True)
    width = models.PositiveIntegerField(null=True, blank=True)
    height = models.PositiveIntegerField(null=True, blank=True)
    frame_rate = models.FloatField(null=True, blank=True)
    video_codec = models.CharField(max_length=60, blank=True)
    audio_codec = models.CharField(max_length=60, blank=True)
    video_bitrate_kbps = models.PositiveIntegerField(null=True, blank=True)
    audio_bitrate_kbps = models.PositiveIntegerField(null=True, blank=True)
    duration_ms = models.PositiveBigIntegerField(null=True, blank=True)
    size_bytes = models.PositiveBigIntegerField(null=True, blank=True)
    url = models.TextField(blank=True)
    # the original URL, where it carries a signature or a key
    secret_url = EncryptedJSONField(null=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    status = models.CharField(max_length=12, choices=output_status_choices)
    provider_status = models.CharField(max_length=100, blank=True)
    progress = models.FloatField(null=True, blank=True)
    error_class = models.CharField(max_length=40, blank=True)
    error_code = models.CharField(max_length=200, blank=True)
    error_message = models.CharField(max_length=1000, blank=True)

    objects = OutputQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint("job", "remote_id", name="output_identity"),
            models.CheckConstraint(
                condition=Q(kind__in=[kind.value for kind in OutputKind]), name="output_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(status__in=[status.value for status in OutputStatus]),
                name="output_status_known",
            ),
        ]
        indexes = [
            # the list of files, and its keyset pages
            models.Index(
                F("organization"), F("sort_at").desc(), F("id").desc(), name="output_list"
            ),
            # the same of one kind: captions are rare among a thousand thumbnails each
            models.Index(
                F("organization"),
                F("kind"),
                F("sort_at").desc(),
                F("id").desc(),
                name="output_list_kind",
            ),
            # one account's files
            models.Index(
                F("account"), F("sort_at").desc(), F("id").desc(), name="output_list_account"
            ),
            # The media, without images, of a status, a format or a height that few have; where many
            # have it, it is looked for in the order of the list. In no order themselves, they are
            # small: PostgreSQL keeps equal keys once.
            models.Index(
                fields=["organization", "status"],
                condition=~Q(kind=OutputKind.IMAGE.value),
                name="output_status",
            ),
            models.Index(
                fields=["organization", "format"],
                condition=~Q(kind=OutputKind.IMAGE.value),
                name="output_format",
            ),
            models.Index(
                fields=["organization", "height"],
                condition=~Q(kind=OutputKind.IMAGE.value),
                name="output_height",
            ),
            # how often a preset was used since a time, when last, and the jobs that used it;
            # most outputs name none
            models.Index(
                F("preset"),
                F("sort_at").desc(),
                F("job"),
                condition=Q(preset__isnull=False),
                name="output_preset_use",
            ),
        ]

    def __str__(self) -> str:
        return make_visible(self.label or self.remote_id)

    @property
    def opens_at(self) -> str:
        """The URL a browser can be sent to; empty when there is none, or its key is lost."""
        try:
            return self.secret_url or self.url
        except Undecryptable:
            return ""

    @property
    def is_web(self) -> bool:
        """Whether a browser can be sent to it: the original URL begins as the redacted one."""
        return parse_url(self.url).is_web

    @property
    def is_unfinished(self) -> bool:
        return self.status in UNFINISHED

    @property
    def is_awaited(self) -> bool:
        """Whether it is still to come: not where its job has ended or is gone."""
        return self.is_unfinished and not self.job.is_terminal and self.job.gone_at is None

    @property
    def was_made(self) -> bool:
        """Whether there is a file: providers name a URL before there is one, and without one."""
        if self.status == OutputStatus.UNKNOWN:
            ended_without = self.job.status in (JobStatus.FAILED, JobStatus.CANCELLED)
            return bool(self.url) and not ended_without
        return bool(self.url) and self.status == OutputStatus.SUCCEEDED

    def is_expired(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now
