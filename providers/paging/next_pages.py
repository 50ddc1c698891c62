"""Following a list whose answers hold the URL of the next page.

What is kept of it is its query, whichever parameters that has.
"""

from typing import Any
from urllib.parse import parse_qsl, unquote

from providers.core.errors import BadAnswer
from providers.parsing.urls import parse_url

# What is kept of an import that goes on later; a page's number or a cursor is far shorter.
QUERY_LENGTH = 500

_PORTS = {"http": 80, "https": 443}


def read_query(query: str | None) -> dict[str, str]:
    """Split a query into parameters; one that makes no sense has none."""
    try:
        return dict(parse_qsl(query or "", max_num_fields=20))
    except ValueError:
        return {}


def read_next(value: Any, list_url: str) -> str | None:
    """Return the query of the next page, None at the end.

    Credentials are sent with every request: a page at any other URL than `list_url` is refused
    with BadAnswer, and so is a query that is too long to be kept.
    """
    if value is None or value == "":
        return None
    if not isinstance(value, str) or _read_place(value) != _read_place(list_url):
        raise BadAnswer(
            "The next page of the provider's list is not at the account's base URL and options; "
            "it was not followed.",
            transient=False,
        )
    query = parse_url(value).query
    if len(query) > QUERY_LENGTH:
        raise BadAnswer("The URL of the list's next page is too long.", transient=False)
    return query


def _read_place(url: str) -> tuple[str, str, int | None, str]:
    """Scheme, host, port and path; no host where the URL cannot be read."""
    parts = parse_url(url)
    port = parts.port or _PORTS.get(parts.scheme)
    return parts.scheme, parts.host, port, unquote(parts.path)
