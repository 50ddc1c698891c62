"""Paging that never counts an entire table."""

from functools import cached_property
from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet

COUNT_CAP = 10_000


class CappedPaginator(Paginator[Any]):
    """Counts to COUNT_CAP and no further: what lies beyond is found by search, not by paging.

    For `ModelAdmin.paginator`, together with `show_full_result_count = False`.
    """

    @cached_property
    def count(self) -> int:
        if isinstance(self.object_list, QuerySet):
            return self.object_list.order_by()[:COUNT_CAP].count()
        return len(self.object_list)
