"""The history of jobs."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from jobs.models.mirror.job import Job
from organizations.models import Actor, ApiToken, User, name_actor
from providers.parsing.text import make_visible


class EventSource(models.TextChoices):
    POLL = "poll", "Poll"
    WEBHOOK = "webhook", "Webhook"
    SUBMIT = "submit", "Submission"
    ACTION = "action", "Action"
    IMPORT = "import", "Import"


class JobEvent(models.Model):
    """One change of a job, or one thing done to it. Append-only."""

    # its index is event_history
    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="events", db_index=False)
    at = models.DateTimeField()
    source = models.CharField(max_length=10, choices=EventSource.choices)
    from_status = models.CharField(max_length=12, blank=True)
    to_status = models.CharField(max_length=12, blank=True)
    message = models.CharField(max_length=500, blank=True)
    # Who did it, of the few events that somebody did. The indexes that these keys need, where a
    # user or a token is deleted, hold those alone: others would be written with each event.
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    token = models.ForeignKey(
        ApiToken,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
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
            models.Index(fields=["actor"], condition=Q(actor__isnull=False), name="event_actor"),
            models.Index(fields=["token"], condition=Q(token__isnull=False), name="event_token"),
        ]

    def __str__(self) -> str:
        return make_visible(self.message or f"{self.from_status} → {self.to_status}")

    @property
    def actor_name(self) -> str | None:
        """An e-mail address or `token:NAME`; None for what nobody did here."""
        return name_actor(self.actor, self.token)

    @classmethod
    def build(
        cls,
        job: Job,
        source: EventSource,
        before: str,
        after: str,
        message: str = "",
        actor: Actor | None = None,
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
            actor=actor if isinstance(actor, User) else None,
            token=actor if isinstance(actor, ApiToken) else None,
        )
