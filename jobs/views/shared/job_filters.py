"""The filters of the job list as a page's URL has them."""

from dataclasses import replace
from typing import ClassVar

from django.http import HttpRequest, QueryDict
from django.utils import timezone

from jobs.display.columns import read_columns, unknown_columns
from jobs.query.box.error import MarkedError
from jobs.query.jobs import JobFilter
from jobs.query.parameters import Params
from jobs.query.visibility import Visibility
from jobs.views.shared.layout import list_query
from organizations.access import Access


class PageFilter(JobFilter):
    """The filters, and what else the URL of the page says: which saved view it is, perhaps with
    other filters by now, and the columns, where they are not the usual ones."""

    # a form sends a column at a time, a link all of them in one
    REPEATED: ClassVar[tuple[str, ...]] = (*JobFilter.REPEATED, "columns")
    OTHERS: ClassVar[tuple[str, ...]] = (*JobFilter.OTHERS, "view", "columns")

    @property
    def view(self) -> str:
        return dict(self.given).get("view", "")

    @property
    def columns(self) -> tuple[str, ...]:
        return read_columns(dict(self.given).get("columns", ""))


def read_job_filters(request: HttpRequest, access: Access) -> PageFilter:
    """The query string; dates in it are days of the person who asks."""
    return _parse(request.GET, access)


def read_last_filters(request: HttpRequest, access: Access) -> PageFilter | None:
    """Those of the list that one comes from, if they could be read."""
    query = list_query(request, access)
    if query is None:
        return None
    filters = _parse(QueryDict(query), access)
    return None if filters.errors else filters


def mark_error(filters: JobFilter, *, keeps_list: bool) -> MarkedError | None:
    """What is wrong with the query in the box, if anything is."""
    search = filters.search
    if search.error is None:
        return None
    return MarkedError.of(search.error, search.text, keeps_list=keeps_list)


def _parse(params: Params, access: Access) -> PageFilter:
    zone = timezone.get_current_timezone()
    visible = Visibility(access.organization, member_id=access.member_id)
    return _join_columns(PageFilter.parse(params, visible, zone))


def _join_columns(filters: PageFilter) -> PageFilter:
    """With the columns as links have them: in one value, none where they are the usual ones."""
    text = ",".join(value for name, value in filters.given if name == "columns")
    if not text:
        return filters
    given = [pair for pair in filters.given if pair[0] != "columns"]
    if columns := read_columns(text):
        given.append(("columns", ",".join(columns)))
    unknown = [f"columns={name}" for name in unknown_columns(text)]
    return replace(filters, given=tuple(given), unknown=(*filters.unknown, *unknown))
