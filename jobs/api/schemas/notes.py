"""Notes."""

from datetime import datetime
from typing import Annotated

from ninja import Field, Schema
from pydantic import AfterValidator

from jobs.api.requests import Strict
from jobs.api.schemas.fields import Id
from jobs.notes.text import MAX_TEXT, clean_text

# with line breaks and tabs, but no other control characters, and not blank
_ALLOWED = r"[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*"
_PATTERN = rf"^{_ALLOWED}[^\s\x00-\x1f\x7f\x85]{_ALLOWED}$"
NoteText = Annotated[
    str,
    Field(min_length=1, max_length=MAX_TEXT, json_schema_extra={"pattern": _PATTERN}),
    AfterValidator(clean_text),
]


class NoteRequest(Strict):
    text: NoteText = Field(
        description="Plain text. `@` and the e-mail address of a member mentions them."
    )


class NoteShape(Schema):
    id: Id = Field(description="Our id of the note.")
    text: str = Field(description="Plain text, as it was written.")
    author: str = Field(
        description="An e-mail address or `token:NAME`; of somebody who was deleted what it was."
    )
    mentions: list[str] = Field(description="The e-mail addresses of the members it mentions.")
    created_at: datetime = Field(description="When it was written.")
    edited_at: datetime | None = Field(description="When its text was last changed.")
    html_url: str = Field(description="Where it is on the board.")


class NoteList(Schema):
    results: list[NoteShape] = Field(description="The notes of this page, newest first.")
    next: str | None = Field(description="The cursor of the next page; null on the last one.")
