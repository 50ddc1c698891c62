"""The mirror's tables. Imported from here: `from jobs.models import Job`."""

from jobs.models.account import HealthState, ProviderAccount
from jobs.models.action import ActionKind, ActionState, JobAction
from jobs.models.event import EventSource, JobEvent
from jobs.models.host import ProviderHost
from jobs.models.idempotency import IdempotencyKey
from jobs.models.job import EndSource, Job
from jobs.models.output import Output
from jobs.models.preset import Preset
from jobs.models.rate_budget import RateBudget
from jobs.models.row_failure import RowFailure
from jobs.models.sidecars import JobBody, JobPoll, JobSecret
from jobs.models.submission import Submission, SubmissionState
from jobs.models.webhook import Verdict, WebhookDelivery

__all__ = [
    "ActionKind",
    "ActionState",
    "EndSource",
    "EventSource",
    "HealthState",
    "IdempotencyKey",
    "Job",
    "JobAction",
    "JobBody",
    "JobEvent",
    "JobPoll",
    "JobSecret",
    "Output",
    "Preset",
    "ProviderAccount",
    "ProviderHost",
    "RateBudget",
    "RowFailure",
    "Submission",
    "SubmissionState",
    "Verdict",
    "WebhookDelivery",
]
