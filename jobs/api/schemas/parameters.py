"""Types of query parameters, for the OpenAPI document.

They arrive as text, and jobs.query reads them, for the pages as well: the types here only say what
it accepts, and check nothing.
"""

from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from jobs.query.files import MAX_PIXELS
from jobs.query.parameters import DEFAULT_LIMIT, MAX_CURSOR, MAX_LIMIT, MAX_TEXT, MAX_VALUES
from jobs.query.references import ID_PATTERN

# without control characters, and not blank
TEXT_PATTERN = r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f\x85][^\x00-\x1f\x7f]*$"
TEXT: dict[str, Any] = {
    "type": "string",
    "minLength": 1,
    "maxLength": MAX_TEXT,
    "pattern": TEXT_PATTERN,
}
_ID = {"type": "string", "pattern": ID_PATTERN}


def documented(**schema: Any) -> Any:
    return WithJsonSchema(schema)


def several(item: dict[str, Any]) -> Any:
    return documented(type="array", minItems=1, maxItems=MAX_VALUES, items=item)


Text = Annotated[str, documented(**TEXT)]
Texts = Annotated[list[str], several(TEXT)]
Ids = Annotated[list[str], several(_ID)]
Flag = Annotated[str, documented(type="boolean")]
Height = Annotated[str, documented(type="integer", minimum=1, maximum=MAX_PIXELS)]
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
    documented(type="string", maxLength=MAX_CURSOR, pattern="^[A-Za-z0-9._-]+$"),
    Field(description="`next` of the page before; everything else as it was there."),
]
Slugs = Annotated[Texts, Field(description="Of these providers, by slug.")]
Accounts = Annotated[Texts, Field(description="Of these accounts, by id or exact name.")]


def one_of(values: Any) -> Any:
    """Several values of a closed list."""
    return several({"type": "string", "enum": [str(value) for value in values]})


def sorts(names: Any) -> Any:
    return documented(type="string", enum=[sign + name for name in names for sign in ("", "-")])
