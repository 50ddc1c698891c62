"""The mirror's tables. Imported from here: `from jobs.models import Job`."""

from jobs.models.account import HealthState, ProviderAccount
from jobs.models.action import ActionKind, ActionState, JobAction
from jobs.models.batch.batch import Batch, BatchState
from jobs.models.batch.input import BatchInput, InputOutcome
from jobs.models.bulk.action import BulkAction, BulkKind, BulkState
from jobs.models.bulk.target import BulkOutcome, BulkTarget
from jobs.models.host import ProviderHost
from jobs.models.idempotency import IdempotencyKey
from jobs.models.lists.export_slot import ExportSlot
from jobs.models.lists.saved_view import DefaultView, SavedView, ViewCounting
from jobs.models.members.end_notice import EndNotice
from jobs.models.members.note import Mention, Note
from jobs.models.mirror.error_group import GroupMark, GroupState, JobErrorGroup
from jobs.models.mirror.event import EventSource, JobEvent
from jobs.models.mirror.job import EndSource, Job, StuckKind
from jobs.models.mirror.moved_end import MovedEnd
from jobs.models.mirror.output import Output
from jobs.models.mirror.preset import Preset
from jobs.models.mirror.sidecars import JobBody, JobPoll, JobSecret
from jobs.models.mirror.usual_times import UsualTimes
from jobs.models.rate_budget import RateBudget
from jobs.models.requests.storage import LocationKind, StoredLocation
from jobs.models.requests.template import RequestTemplate, TemplateVersion
from jobs.models.retry_rules.retry import AutomaticRetry, RetryState
from jobs.models.retry_rules.rule import RetryRule
from jobs.models.row_failure import RowFailure
from jobs.models.search.row import JobSearch
from jobs.models.submission import Submission, SubmissionState
from jobs.models.webhook import Verdict, WebhookDelivery

__all__ = [
    "ActionKind",
    "ActionState",
    "Batch",
    "BatchInput",
    "BatchState",
    "AutomaticRetry",
    "BulkAction",
    "BulkKind",
    "BulkOutcome",
    "BulkState",
    "BulkTarget",
    "DefaultView",
    "EndNotice",
    "EndSource",
    "EventSource",
    "ExportSlot",
    "GroupMark",
    "GroupState",
    "HealthState",
    "IdempotencyKey",
    "InputOutcome",
    "Job",
    "JobAction",
    "JobBody",
    "JobErrorGroup",
    "JobEvent",
    "JobPoll",
    "JobSearch",
    "JobSecret",
    "LocationKind",
    "Mention",
    "MovedEnd",
    "Note",
    "Output",
    "Preset",
    "ProviderAccount",
    "ProviderHost",
    "RateBudget",
    "RequestTemplate",
    "RetryRule",
    "RetryState",
    "RowFailure",
    "SavedView",
    "StoredLocation",
    "StuckKind",
    "Submission",
    "SubmissionState",
    "TemplateVersion",
    "UsualTimes",
    "Verdict",
    "ViewCounting",
    "WebhookDelivery",
]
