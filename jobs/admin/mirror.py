"""The mirrored tables and what was submitted, read-only."""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from jobs.admin.base import (
    ACCOUNT_SECRETS,
    LargeTableAdmin,
    VisibleValuesFilter,
    is_free_text,
    isolated_column,
    pretty,
)
from jobs.models import (
    AutomaticRetry,
    IdempotencyKey,
    Job,
    JobAction,
    JobBody,
    JobEvent,
    JobPoll,
    Note,
    Output,
    Preset,
    RequestTemplate,
    RetryRule,
    StoredLocation,
    Submission,
    TemplateVersion,
    WebhookDelivery,
)
from jobs.models.fields import EncryptedJSONField
from jobs.models.mirror.job import HEAVY_COLUMNS


class MirrorAdmin(LargeTableAdmin):
    """Read-only. Encrypted columns are left out without having to be named."""

    hidden: ClassVar[Sequence[str]] = ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        shown = [f.name for f in self.opts.fields if is_shown(f) and f.name not in self.hidden]
        return [*self.isolated(shown, models.ForeignKey), *self.readonly_fields]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return self.isolated(self.list_display)

    def get_list_display_links(self, request: HttpRequest, list_display: Any) -> list[Any]:
        return self.isolated(self.list_display_links or self.list_display[:1])

    def isolated(self, names: Iterable[Any], *but: type[models.Field[Any, Any]]) -> list[Any]:
        """These columns, the text of others printed as on the pages, but for kinds in `but`."""
        texts = {
            field.name: isolated_column(field.name, str(field.verbose_name))
            for field in self.opts.fields
            if is_free_text(field) and not isinstance(field, but)
        }
        return [texts.get(name, name) for name in names]


def is_shown(field: models.Field[Any, Any]) -> bool:
    return not isinstance(field, EncryptedJSONField | models.BinaryField)


def job_columns(*names: str) -> list[str]:
    """What a row that only names its job need not load of it."""
    return [*names, *(f"job__{column}" for column in HEAVY_COLUMNS)]


@admin.register(Job)
class JobAdmin(MirrorAdmin):
    list_display = [
        "name",
        "status",
        "organization",
        "account",
        "remote_id",
        "attempt",
        "error_class",
        "sort_at",
    ]
    list_display_links = ["name", "remote_id"]
    list_filter = [
        "status",
        "account__provider",
        ("gone_at", admin.EmptyFieldListFilter),
        "is_partial",
        "is_suspect",
        "organization",
    ]
    list_select_related = ["organization", "account"]
    search_fields = ["name", "remote_id__exact", "batch__name__exact"]
    search_help_text = "Words of the name, or the provider's id or the batch's name in full."
    deferred = [*HEAVY_COLUMNS, *(f"account__{column}" for column in ACCOUNT_SECRETS)]
    readonly_fields = ["last_body"]

    @admin.display(description="last body")
    def last_body(self, job: Job) -> str:
        body = JobBody.objects.filter(job=job).first()
        return pretty(lambda: body.value) if body else "-"


@admin.register(JobBody)
class JobBodyAdmin(MirrorAdmin):
    list_display = ["job", "stored_at"]
    list_select_related = ["job"]
    search_fields = ["job__remote_id__exact"]
    search_help_text = "The provider's id, in full."
    deferred = job_columns("compressed")
    readonly_fields = ["content"]

    @admin.display(description="redacted body")
    def content(self, body: JobBody) -> str:
        return pretty(lambda: body.value)


@admin.register(Output)
class OutputAdmin(MirrorAdmin):
    list_display = ["__str__", "job", "kind", "format", "status", "size_bytes", "error_class"]
    list_filter = ["status", "kind"]
    list_select_related = ["job"]
    search_fields = ["label", "remote_id__exact", "job__remote_id__exact"]
    search_help_text = "Words of the label, or the provider's id of the output or its job, in full."
    deferred = job_columns("secret_url")


@admin.register(Preset)
class PresetAdmin(MirrorAdmin):
    list_display = ["name", "account", "kind", "remote_id", "changed_at"]
    list_filter = [("kind", VisibleValuesFilter), "account"]
    list_select_related = ["account"]
    search_fields = ["name", "remote_id__exact"]
    deferred = ["settings"]


@admin.register(JobEvent)
class JobEventAdmin(MirrorAdmin):
    list_display = ["at", "job", "source", "from_status", "to_status", "message", "actor"]
    list_filter = ["source", ("to_status", VisibleValuesFilter)]
    list_select_related = ["job", "actor"]
    search_fields = ["job__remote_id__exact", "message"]
    deferred = job_columns()


@admin.register(JobPoll)
class JobPollAdmin(MirrorAdmin):
    list_display = ["job", "account", "confirmed_at", "next_at"]
    list_filter = ["account"]
    list_select_related = ["job", "account"]
    search_fields = ["job__remote_id__exact"]
    deferred = job_columns()


@admin.register(JobAction)
class JobActionAdmin(MirrorAdmin):
    list_display = ["job", "kind", "state", "actor", "token", "created_at", "note"]
    list_filter = ["kind", "state"]
    list_select_related = ["job", "actor", "token"]
    search_fields = ["job__remote_id__exact"]
    deferred = job_columns()


@admin.register(Submission)
class SubmissionAdmin(MirrorAdmin):
    list_display = ["job", "organization", "state", "sends", "failures", "created_at", "note"]
    list_filter = ["state"]
    list_select_related = ["job", "organization"]
    search_fields = ["key__exact", "job__remote_id__exact"]
    deferred = job_columns("request", "remarks")


@admin.register(RequestTemplate)
class RequestTemplateAdmin(MirrorAdmin):
    list_display = ["name", "organization", "archived_at"]
    list_filter = [("archived_at", admin.EmptyFieldListFilter), "organization"]
    list_select_related = ["organization"]
    search_fields = ["name"]


@admin.register(TemplateVersion)
class TemplateVersionAdmin(MirrorAdmin):
    list_display = ["template", "number", "is_newest", "saved_at", "saved_by"]
    list_filter = ["is_newest"]
    list_select_related = ["template", "saved_by"]
    search_fields = ["template__name"]
    deferred = ["settings", "shown"]


@admin.register(RetryRule)
class RetryRuleAdmin(MirrorAdmin):
    list_display = ["name", "organization", "account", "error_class", "error_group", "starts_at"]
    list_filter = [("starts_at", admin.EmptyFieldListFilter), "organization"]
    list_select_related = ["organization", "account", "error_group"]
    search_fields = ["name"]
    deferred = [f"account__{column}" for column in ACCOUNT_SECRETS]


@admin.register(AutomaticRetry)
class AutomaticRetryAdmin(MirrorAdmin):
    list_display = ["job", "rule", "number", "state", "next_at", "requested_at", "reason"]
    list_filter = ["state"]
    list_select_related = ["job", "rule"]
    search_fields = ["job__remote_id__exact", "rule_name"]
    deferred = job_columns()


@admin.register(StoredLocation)
class StoredLocationAdmin(MirrorAdmin):
    list_display = ["name", "organization", "kind", "is_source", "is_destination", "checked_at"]
    list_filter = ["kind", "organization"]
    list_select_related = ["organization"]
    search_fields = ["name"]
    deferred = ["credentials"]


@admin.register(Note)
class NoteAdmin(MirrorAdmin):
    """Deleted and changed on the board, where it leaves an audit entry without the text."""

    list_display = ["__str__", "organization", "job", "error_group", "author_name", "created_at"]
    list_filter = ["organization"]
    list_select_related = ["organization", "job", "error_group"]
    search_fields = ["author_name__exact", "job__remote_id__exact"]
    deferred = job_columns("text")


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(MirrorAdmin):
    list_display = ["key", "owner", "organization", "call", "job", "created_at"]
    list_select_related = ["organization", "job"]
    search_fields = ["key__exact", "owner__exact"]
    deferred = job_columns()


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(MirrorAdmin):
    list_display = ["received_at", "account", "verdict", "remote_id", "result", "handled_at"]
    list_filter = ["verdict", "account"]
    list_select_related = ["account"]
    search_fields = ["remote_id__exact"]
    deferred = ["headers", "body"]
