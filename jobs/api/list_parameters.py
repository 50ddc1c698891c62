"""The query string of a list: read as on the pages, but nothing in it is overlooked."""

from typing import TypeVar

from jobs.api.auth import ApiRequest, visible_to
from jobs.api.errors import invalid
from jobs.query.list_filter import ListFilter
from jobs.query.parameters import find_careless

Filter = TypeVar("Filter", bound=ListFilter)


def read_filters(kind: type[Filter], request: ApiRequest) -> Filter:
    """What the call asks for. Raises ApiError for a parameter that would not be used as sent."""
    careless = find_careless(request.GET, (*kind.CONDITIONS, *kind.OTHERS), kind.REPEATED)
    filters = kind.parse(request.GET, visible_to(request))
    if wrong := {**filters.errors, **careless}:
        raise invalid(wrong)
    return filters
