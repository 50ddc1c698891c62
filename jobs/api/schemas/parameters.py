"""Types of query parameters, for the OpenAPI document.

They arrive as text, and jobs.query reads them, for the pages as well: the types here only say what
it accepts, and check nothing.
"""

from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from jobs.query.parameters import DEFAULT_LIMIT, MAX_LIMIT


def documented(**schema: Any) -> Any:
    return WithJsonSchema(schema)


Flag = Annotated[str, documented(type="boolean")]
Height = Annotated[str, documented(type="integer", minimum=1, maximum=999_999)]
# an age is counted back from now
Time = Annotated[
    str,
    documented(
        anyOf=[
            {"type": "string", "format": "date-time"},
            {"type": "string", "pattern": "^[0-9]{1,5}[smhdw]$"},
        ]
    ),
]
Limit = Annotated[
    str,
    documented(type="integer", minimum=1, maximum=MAX_LIMIT),
    Field(description=f"How many at most; by default {DEFAULT_LIMIT}."),
]
Cursor = Annotated[
    str,
    documented(type="string"),
    Field(description="`next` of the page before; everything else as it was there."),
]
Slugs = Annotated[list[str], Field(description="Of these providers, by slug.")]
Accounts = Annotated[list[str], Field(description="Of these accounts, by id or exact name.")]


def one_of(values: Any) -> Any:
    """Several values of a closed list."""
    return documented(type="array", items={"type": "string", "enum": [str(v) for v in values]})


def sorts(names: Any) -> Any:
    return documented(type="string", enum=[sign + name for name in names for sign in ("", "-")])
