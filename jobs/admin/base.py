"""What the lists of large tables share."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from organizations.pagination import CappedPaginator

# Columns of an account that no list needs
ACCOUNT_SECRETS = ("credentials", "hook_secret")


class LargeTableAdmin(admin.ModelAdmin):
    paginator = CappedPaginator
    show_full_result_count = False
    # facets would count each filter's values over the whole table
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    deferred: ClassVar[Sequence[str]] = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer(*self.deferred)
