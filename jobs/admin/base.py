"""What the lists of large tables share."""

import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any, ClassVar

from django.contrib import admin
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from jobs.display.provider_text import provider_text
from organizations.admin_query import SafeQueryAdmin
from organizations.pagination import CappedPaginator
from providers.parsing.text import make_visible

# Columns of an account that no list needs
ACCOUNT_SECRETS = ("credentials", "hook_secret")


class LargeTableAdmin(SafeQueryAdmin):
    paginator = CappedPaginator
    show_full_result_count = False
    # facets would count each filter's values over the entire table
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    deferred: ClassVar[Sequence[str]] = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer(*self.deferred)


def pretty(read: Callable[[], Any]) -> str:
    """The JSON value that `read` returns, set for people; a sentence where it cannot be read."""
    try:
        text = json.dumps(read(), indent=2, ensure_ascii=False)
    except (ValueError, zlib.error):
        return "Not readable: the stored JSON is damaged."
    return format_html("<pre>{}</pre>", make_visible(text))


def is_free_text(field: models.Field[Any, Any]) -> bool:
    kinds = models.CharField | models.TextField | models.JSONField | models.ForeignKey
    return isinstance(field, kinds) and not field.choices


@lru_cache
def isolated_column(name: str, label: str) -> Callable[[models.Model], str]:
    """One for each name, since the admin compares columns and links by identity."""

    def column(row: models.Model) -> str:
        value = getattr(row, name)
        if isinstance(row._meta.get_field(name), models.JSONField):
            return pretty(lambda: value)
        return provider_text(value) or "-"

    column.__name__ = name
    return admin.display(description=label, ordering=name)(column)


class VisibleValuesFilter(admin.AllValuesFieldListFilter):
    """Offers the values that a column of free text holds."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        for choice in super().choices(changelist):
            yield {**choice, "display": make_visible(str(choice["display"]))}
