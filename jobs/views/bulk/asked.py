"""What the confirmation of a bulk action is about, as a link or its own form says it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Self

from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from jobs.bulk.service import BulkRequest
from jobs.models import BulkKind
from jobs.query.references import has_control_characters, read_id
from jobs.query.visibility import Visibility
from jobs.views.shared.scope import read_ids, read_scope
from organizations.access import Access

# For how long a page may have been open when it is sent
LONGEST_OPEN = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the page is about: as a link names it, then as its own form keeps it."""

    request: BulkRequest
    # why the jobs cannot be found
    error: str = ""

    @classmethod
    def by_link(cls, request: HttpRequest, access: Access) -> Self:
        """The filters of the job list, or some ids of jobs."""
        wanted, scope = _begin(request.GET, access), read_scope(request, access)
        query = scope.filters.text if scope.filters is not None else ""
        return cls(replace(wanted, query=query, ids=scope.ids), scope.error)

    @classmethod
    def by_form(cls, request: HttpRequest, access: Access) -> Self:
        """The query with the times that it was shown with."""
        given, wanted = request.POST, _begin(request.POST, access)
        query = given.get("q", "")
        if has_control_characters(query):
            return cls(wanted, "Remove the control characters.")
        last = read_id(given.get("last", ""))
        wanted = replace(wanted, at=_read_at(given.get("at", "")), last_job_id=last)
        if "id" in given:
            return cls(replace(wanted, ids=read_ids(given.getlist("id"))))
        return cls(replace(wanted, query=query))


def _begin(given: QueryDict, access: Access) -> BulkRequest:
    kind = given.get("action", "")
    return BulkRequest(
        BulkKind(kind) if kind in BulkKind.values else BulkKind.RESUBMIT,
        Visibility(access.organization, member_id=access.member_id),
        zone=timezone.get_current_timezone(),
        at=timezone.now(),
    )


def _read_at(text: str) -> datetime:
    now = timezone.now()
    try:
        at = parse_datetime(text)
    except ValueError:
        at = None
    is_recent = at is not None and timezone.is_aware(at) and now - LONGEST_OPEN <= at <= now
    return at if at is not None and is_recent else now
