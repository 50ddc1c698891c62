"""Following the list to its next page, whose whole address TPStreams writes into the answer.

What is kept of it is its query, whichever parameters that has.
"""

from typing import Any
from urllib.parse import parse_qsl, unquote

from providers.core.errors import BadAnswer
from providers.parsing.urls import parse_url

# What is kept of an import that goes on later; a page's number or a cursor is far shorter.
QUERY_LENGTH = 500

_PORTS = {"http": 80, "https": 443}


def read_query(query: str) -> dict[str, str]:
    """Take a query apart; one that makes no sense is none."""
    try:
        return dict(parse_qsl(query, max_num_fields=20))
    except ValueError:
        return {}


def read_next(value: Any, list_url: str) -> str | None:
    """Return the query of the next page, None at the end.

    The token goes along with every request: a page at any other address than `list_url` is
    refused with BadAnswer, and so is a query that is too long to be kept.
    """
    if value is None or value == "":
        return None
    if not isinstance(value, str) or _read_place(value) != _read_place(list_url):
        raise BadAnswer(
            "TPStreams' list goes on at another address than the account's base URL and "
            "organization; it is not followed there.",
            transient=False,
        )
    query = parse_url(value).query
    if len(query) > QUERY_LENGTH:
        raise BadAnswer("TPStreams' address of the next page is too long.", transient=False)
    return query


def _read_place(address: str) -> tuple[str, str, int | None, str]:
    """Scheme, host, port and path; no host where the URL cannot be read."""
    url = parse_url(address)
    return url.scheme, url.host, url.port or _PORTS.get(url.scheme), unquote(url.path)
