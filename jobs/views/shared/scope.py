"""Which jobs of the list somebody means: the selected ones, those of the page, or all of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest

from jobs.bulk.service import MAX_IDS
from jobs.query.jobs import JobFilter
from jobs.query.references import read_id
from jobs.views.shared.job_filters import read_job_filters, read_last_filters
from organizations.access import Access


@dataclass(frozen=True, slots=True)
class Scope:
    """The jobs with `ids`, or those that `filters` find. `error`: why it is neither."""

    ids: Sequence[int] | None = None
    filters: JobFilter | None = None
    error: str = ""


def read_scope(request: HttpRequest, access: Access) -> Scope:
    """What the selection of the list sent; without one, the filters in the URL."""
    given = request.GET
    scope = given.get("scope", "")
    if scope == "page":
        return Scope(read_ids(given.get("page", "").split(",")))
    if scope == "selected" or (not scope and "id" in given):
        ids = read_ids(given.getlist("id"))
        return Scope(ids, error="" if ids else "Select a job first.")
    filters = (read_last_filters if scope == "all" else read_job_filters)(request, access)
    if filters is None:
        return Scope(error="The filters of the list cannot be read.")
    return Scope(filters=filters, error=" ".join(filters.errors.values()))


def read_ids(texts: Sequence[str]) -> list[int]:
    ids = (read_id(text) for text in texts[:MAX_IDS])
    return [pk for pk in ids if pk is not None]
