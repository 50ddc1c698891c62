"""Saving templates, archiving them, and choosing which one an account begins with."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from jobs.mirror.storable import clean_json
from jobs.models import Batch, BatchState, Job, ProviderAccount, RequestTemplate, TemplateVersion
from jobs.query.references import has_control_characters, read_id
from jobs.submission.templates.settings import (
    TemplateSettings,
    dump_settings,
    read_settings,
    redact_settings,
)
from organizations.audit.changes import changes
from organizations.encryption import Undecryptable
from organizations.models import AuditEntry, Organization, User
from providers.core.issues import RequestIssue
from providers.http.redaction import REDACTED, has_marker

NAME_TAKEN = "There is a template with this name already."
NOT_ARCHIVED = "Archive the template first."
USED = "Jobs use this template, so it stays archived."


class TemplateRefused(Exception):
    """The template cannot be saved, or deleted, as asked.

    `field` is what to change: `name`, or a field of the settings, `extra.SLUG` for a provider's.
    """

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


def create_template(
    organization: Organization, name: str, settings: TemplateSettings, user: User
) -> TemplateVersion:
    """Save a new template; its first version. Raises TemplateRefused."""
    _refuse_redacted(settings)
    with _naming(), transaction.atomic():
        template = RequestTemplate.objects.create(organization=organization, name=name)
        version = _write_version(template, 1, settings, user)
        _record(template, "template.created", user, after=_describe(template, version))
    return version


def change_template(
    template: RequestTemplate,
    name: str,
    settings: TemplateSettings,
    user: User,
    *,
    based_on: int | None = None,
) -> TemplateVersion:
    """Save the name, and the settings as a new version where they differ; the newest version.

    `based_on` is the number of the version that was changed: where somebody saved a later one
    meanwhile, nothing is saved. Raises TemplateRefused.
    """
    _refuse_redacted(settings)
    with _naming(), transaction.atomic():
        template = _lock(template)
        newest = template.versions.get(is_newest=True)
        if based_on is not None and newest.number != based_on:
            raise TemplateRefused(
                f"Version {newest.number} was saved meanwhile. Open the template again to change "
                "that one."
            )
        before = _describe(template, newest)
        template.name = name
        template.save(update_fields=["name"])
        if not _are_stored(newest, settings):
            TemplateVersion.objects.filter(pk=newest.pk).update(is_newest=False)
            newest = _write_version(template, newest.number + 1, settings, user)
        after = _describe(template, newest)
        if after != before:
            _record(template, "template.changed", user, before, after)
    return newest


def archive_template(template: RequestTemplate, user: User) -> None:
    """Take the template out of use; jobs keep the versions that they used."""
    with transaction.atomic():
        template = _lock(template)
        if template.is_archived:
            return
        template.archived_at = timezone.now()
        template.save(update_fields=["archived_at"])
        template.default_at.update(default_template=None)
        _record(template, "template.archived", user)


def restore_template(template: RequestTemplate, user: User) -> None:
    """Put an archived template to use again. Raises TemplateRefused while another has its name."""
    with _naming(), transaction.atomic():
        template = _lock(template)
        if not template.is_archived:
            return
        template.archived_at = None
        template.save(update_fields=["archived_at"])
        _record(template, "template.restored", user)


def delete_template(template: RequestTemplate, user: User) -> None:
    """Delete an archived template with its versions.

    Raises TemplateRefused while it is not archived, and where `is_used`.
    """
    with transaction.atomic():
        template = _lock(template)
        # from an active one, a job may be about to be submitted
        if not template.is_archived:
            raise TemplateRefused(NOT_ARCHIVED)
        if is_used(template):
            raise TemplateRefused(USED)
        _record(template, "template.deleted", user)
        template.delete()


def is_used(template: RequestTemplate) -> bool:
    """Whether a job was submitted with any version of it, or a batch is still to be."""
    versions = template.versions.all()
    unsent = Batch.objects.filter(template_version__in=versions).exclude(state=BatchState.SENT)
    return Job.objects.filter(template_version__in=versions).exists() or unsent.exists()


def set_default_template(
    account: ProviderAccount, template: RequestTemplate | None, user: User
) -> None:
    """Have the form for new jobs at `account` begin with a template, or with none."""
    with transaction.atomic():
        if template is not None and _lock(template).is_archived:
            raise TemplateRefused(RequestIssue("template", "template_archived").message)
        before = account.default_template
        if before == template:
            return
        ProviderAccount.objects.filter(pk=account.pk).update(default_template=template)
        sides = changes({"default_template": _name(before)}, {"default_template": _name(template)})
        AuditEntry.record(
            account.organization,
            "account.changed",
            account,
            actor=user,
            before=sides["before"],
            after=sides["after"],
        )


def find_template(organization: Organization, reference: str) -> TemplateVersion | None:
    """The newest version of the template with this id or exact name; None where it names none.

    An id goes before a name made of digits.
    """
    if has_control_characters(reference):
        return None
    selectable = TemplateVersion.objects.selectable(organization)
    pk = read_id(reference)
    by_id = selectable.filter(template=pk).first() if pk is not None else None
    return by_id or selectable.filter(template__name=reference).first()


@contextmanager
def _naming() -> Iterator[None]:
    """Refuse a name that another template has, whoever was first."""
    try:
        yield
    except IntegrityError as error:
        raise TemplateRefused(NAME_TAKEN, "name") from error


def _refuse_redacted(settings: TemplateSettings) -> None:
    values = dump_settings(settings)
    by_provider = values.pop("extra")
    values |= {f"extra.{slug}": extra for slug, extra in by_provider.items()}
    for name, value in values.items():
        if has_marker(value):
            issue = RequestIssue(name, "value_redacted", {"marker": REDACTED})
            raise TemplateRefused(issue.message, name)


def _lock(template: RequestTemplate) -> RequestTemplate:
    return RequestTemplate.objects.select_for_update().get(pk=template.pk)


def _write_version(
    template: RequestTemplate, number: int, settings: TemplateSettings, user: User
) -> TemplateVersion:
    return TemplateVersion.objects.create(
        template=template,
        number=number,
        settings=dump_settings(settings),
        shown=clean_json(redact_settings(settings)),
        saved_by=user,
    )


def _are_stored(version: TemplateVersion, settings: TemplateSettings) -> bool:
    try:
        # compared as JSON, in which a tuple is a list
        return dump_settings(read_settings(version)) == dump_settings(settings)
    except Undecryptable:
        return False


def _describe(template: RequestTemplate, version: TemplateVersion) -> dict[str, Any]:
    """What the audit log says of it: the redacted settings."""
    return {"name": template.name, "version": version.number, **version.shown}


def _name(template: RequestTemplate | None) -> str:
    return template.name if template else ""


def _record(
    template: RequestTemplate,
    action: str,
    user: User,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    sides = changes(before or {}, after or {})
    AuditEntry.record(
        template.organization,
        action,
        template,
        actor=user,
        before=sides["before"],
        after=sides["after"],
    )
