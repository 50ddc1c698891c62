"""What is changed in the Django admin, recorded in the audit log beside the admin's own."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db import models, transaction
from django.db.models import Model
from django.http import HttpRequest, HttpResponse

from organizations.access import organizations_of, require_user
from organizations.audit.changes import changes
from organizations.models import AuditEntry, Organization, User
from providers.http.redaction import REDACTED, redact

# Never shown, beside what `redact` knows by its name and columns that are encrypted.
SECRET_COLUMNS = {"password", "digest", "data"}
_BEFORE = "_before_the_change"

Values = dict[str, Any]


class AuditedAdmin(admin.ModelAdmin):
    """Base of our admin pages. Rows of inlines are recorded as well.

    `audited_as` is the noun of the actions, by default the model's name. `recorded_elsewhere` are
    those (`added`, `changed`, `deleted`) of which the page's own code records an entry.
    """

    audited_as: ClassVar[str] = ""
    recorded_elsewhere: ClassVar[frozenset[str]] = frozenset()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            obj.__dict__[_BEFORE] = describe(_stored(obj))
        super().save_model(request, obj, form, change)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        rows = list(formset.get_queryset())
        before = {row.pk: (row, describe(_stored(row))) for row in rows}
        super().save_formset(request, form, formset, change)
        for row in formset.new_objects:
            record_change(request, noun_of(row), "added", row, {}, describe(_stored(row)))
        left = formset.model._base_manager.in_bulk(before)
        for pk, (row, values) in before.items():
            if pk not in left:
                row.pk = pk
                record_change(request, noun_of(row), "deleted", row, values, {})
            else:
                after = describe(left[pk])
                record_change(request, noun_of(row), "changed", row, values, after)

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> LogEntry:
        if "added" not in self.recorded_elsewhere:
            record_change(request, self._noun, "added", obj, {}, describe(_stored(obj)))
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> LogEntry:
        before = obj.__dict__.pop(_BEFORE, None)
        if before is not None:
            record_change(request, self._noun, "changed", obj, before, describe(_stored(obj)))
        elif "changed" not in self.recorded_elsewhere:  # such as the page that sets a password
            _record(request, self._noun, "changed", obj, {}, {}, {"fields": _fields(message)})
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> list[LogEntry]:
        for obj in () if "deleted" in self.recorded_elsewhere else queryset:
            record_change(request, self._noun, "deleted", obj, describe(obj), {})
        return super().log_deletions(request, queryset)

    def response_action(
        self, request: HttpRequest, queryset: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse | None:
        """Rows are deleted with their entries, or not at all; other actions do so themselves."""
        if request.POST.get("action") != "delete_selected":
            return super().response_action(request, queryset, *args, **kwargs)
        with transaction.atomic():
            return super().response_action(request, queryset, *args, **kwargs)

    @property
    def _noun(self) -> str:
        return self.audited_as or str(self.opts.model_name)


def noun_of(row: Model) -> str:
    registered = admin.site._registry.get(type(row))
    named = registered.audited_as if isinstance(registered, AuditedAdmin) else ""
    return named or str(row._meta.model_name)


def record_change(
    request: HttpRequest, noun: str, verb: str, row: Model, before: Values, after: Values
) -> None:
    """An entry for each organization that `row` belongs to; none where nothing changed."""
    sides = changes(before, after)
    if verb == "changed" and not sides["before"]:
        return
    _record(request, noun, verb, row, _mask(row, sides["before"]), _mask(row, sides["after"]), {})


def _record(
    request: HttpRequest,
    noun: str,
    verb: str,
    row: Model,
    before: Values,
    after: Values,
    details: Values,
) -> None:
    for organization in _organizations(row):
        AuditEntry.record(
            organization,
            f"{noun}.{verb}",
            row,
            actor=require_user(request),
            before=before,
            after=after,
            details={"in": "Django admin", **details},
        )


def describe(row: Model) -> Values:
    """The columns of a row that are not empty, as a person reads them; secrets are not masked."""
    fields = [field for field in row._meta.concrete_fields if not field.primary_key]
    values = {field.name: _show(row, field) for field in fields}
    for many in row._meta.many_to_many:
        values[many.name] = sorted(map(str, getattr(row, many.name).all()))
    return {name: value for name, value in values.items() if value not in (None, "", [], {})}


def _show(row: Model, field: Any) -> Any:
    if isinstance(field, models.ForeignKey):
        related = getattr(row, field.name)
        return None if related is None else str(related)
    if field.choices:
        return str(getattr(row, f"get_{field.name}_display")())
    value = field.value_from_object(row)
    is_plain = value is None or isinstance(value, bool | int | float | str)
    return value if is_plain else field.value_to_string(row)


def _mask(row: Model, values: Values) -> Values:
    shown: Values = redact(values)
    for name in values:
        is_secret = getattr(row._meta.get_field(name), "is_secret", False)
        if values[name] is not None and (is_secret or name in SECRET_COLUMNS):
            shown[name] = REDACTED
    return shown


def _stored(row: Model) -> Model:
    return type(row)._base_manager.get(pk=row.pk)


def _organizations(row: Any) -> Iterable[Organization | None]:
    if isinstance(row, Organization):
        return [row]
    if owner := getattr(row, "organization", None):
        return [owner]
    user = getattr(row, "user", row)
    if not isinstance(user, User):
        return [None]  # about the board itself
    return list(organizations_of(user)) or [None]


def _fields(message: Any) -> list[str]:
    parts = message if isinstance(message, list) else []
    return [str(name) for part in parts for name in part.get("changed", {}).get("fields", ())]
