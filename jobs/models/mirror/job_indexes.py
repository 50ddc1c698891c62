"""The indexes of Job, each with the query that it serves."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce

JOB_INDEXES = [
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
    # any jobs by when they started, and a range of starts
    models.Index(
        F("organization"),
        Coalesce("sort_started_at", "sort_at").desc(),
        F("id").desc(),
        name="job_list_started",
    ),
    # any jobs by when they ended, and a range of ends
    models.Index(
        F("organization"),
        Coalesce("ended_at", "sort_at").desc(),
        F("id").desc(),
        name="job_list_ended",
    ),
    # the few among them that ended with failed outputs, and those whose success looks wrong
    models.Index(
        F("organization"),
        F("sort_at").desc(),
        F("id").desc(),
        condition=Q(is_partial=True),
        name="job_list_partial",
    ),
    models.Index(
        F("organization"),
        F("sort_at").desc(),
        F("id").desc(),
        condition=Q(is_suspect=True),
        name="job_list_suspect",
    ),
    models.Index(
        F("organization"),
        F("sort_at").desc(),
        F("id").desc(),
        condition=Q(is_stuck=True),
        name="job_list_stuck",
    ),
    # what one person, or one token, submitted
    models.Index(
        F("submitted_by"),
        F("sort_at").desc(),
        F("id").desc(),
        condition=Q(submitted_by__isnull=False),
        name="job_list_submitted_by",
    ),
    models.Index(
        F("submitted_token"),
        F("sort_at").desc(),
        F("id").desc(),
        condition=Q(submitted_token__isnull=False),
        name="job_list_submitted_token",
    ),
    # what one member looks after, of which there is little
    models.Index(
        F("assignee"),
        F("sort_at").desc(),
        F("id").desc(),
        condition=Q(assignee__isnull=False),
        name="job_list_assignee",
    ),
    # how many failures one has left, beside the navigation of each page
    models.Index(
        fields=["assignee"],
        condition=Q(assignee__isnull=False, is_unresolved=True),
        name="job_count_assignee",
    ),
    # the retries of some jobs, and what a job resolved. Few jobs have these keys: an index of all
    # would be written for each, and SQLite would take it for useless.
    models.Index(fields=["retry_of"], condition=Q(retry_of__isnull=False), name="job_retries"),
    models.Index(
        fields=["resolved_by"], condition=Q(resolved_by__isnull=False), name="job_resolutions"
    ),
    # whether a template was used
    models.Index(
        fields=["template_version"],
        condition=Q(template_version__isnull=False),
        name="job_template_version",
    ),
    # one account's jobs
    models.Index(F("account"), F("sort_at").desc(), F("id").desc(), name="job_list_account"),
    # the tabs of one account, or of some, and their counts
    models.Index(
        F("account"),
        F("status"),
        Coalesce("ended_at", "sort_at").desc(),
        F("id").desc(),
        name="job_list_account_status",
    ),
    # the poll of a list: what came into it since a revision
    models.Index(fields=["account", "status_revision"], name="job_status_revision"),
    # a pasted provider id
    models.Index(fields=["organization", "remote_id"], name="job_remote_id"),
    # API: what changed since
    models.Index(fields=["organization", "changed_at", "id"], name="job_changed"),
    # the jobs of a batch, and how many of them are in each status
    models.Index(
        F("batch"),
        F("sort_at").desc(),
        F("id").desc(),
        condition=Q(batch__isnull=False),
        name="job_list_batch",
    ),
    models.Index(fields=["batch", "status"], condition=Q(batch__isnull=False), name="job_batch"),
    # failed jobs of one class
    models.Index(
        F("organization"),
        F("error_class"),
        F("sort_at").desc(),
        F("id").desc(),
        condition=~Q(error_class=""),
        name="job_list_error",
    ),
    # the jobs of one error group
    models.Index(
        F("error_group"),
        F("sort_at").desc(),
        F("id").desc(),
        condition=Q(error_group__isnull=False),
        name="job_list_error_group",
    ),
    # how many failures each group has, when and where, read from the index alone
    models.Index(
        fields=["error_group", "-ended_at", "account", "is_unresolved"],
        condition=Q(error_group__isnull=False),
        name="job_count_error_group",
    ),
    # how many of some classes are in each status: in most of them none
    models.Index(
        fields=["organization", "error_class", "status"],
        condition=~Q(error_class=""),
        name="job_count_error",
    ),
]
