"""What several shapes share."""

from datetime import datetime
from typing import Annotated, Any

from ninja import Field, Schema
from pydantic import (
    BeforeValidator,
    SerializerFunctionWrapHandler,
    WithJsonSchema,
    model_serializer,
)

from providers.core.errors import CLASSES

Id = Annotated[str, BeforeValidator(str)]
# The columns hold "" for what was not reported; that is null to the outside
Text = Annotated[str | None, BeforeValidator(lambda value: value or None)]
ErrorClassName = Annotated[str, WithJsonSchema({"type": "string", "enum": list(CLASSES)})]


class AccountReference(Schema):
    id: Id = Field(description="Our id of the account.")
    name: str = Field(description="Its name, which is unique in the organization.")
    provider: str = Field(description="The slug of its provider.")


class BatchReference(Schema):
    id: Id = Field(description="Our id of the batch.")
    name: str = Field(description="Its name, which is unique in the organization.")


class SearchedList(Schema):
    """A page of a list that may have been searched for a limited time."""

    next: str | None = Field(description="The cursor of the next page; null on the last one.")
    searched_to: datetime | None = Field(
        None,
        description="How far back a query that no index serves was searched in the time for one "
        "request: the page may be short or empty, and `next` continues there. Omitted otherwise.",
    )

    @model_serializer(mode="wrap")
    def leave_out_none(self, serialize: SerializerFunctionWrapHandler):  # type: ignore[no-untyped-def]
        # pydantic would document a type of the result in place of the fields
        shape: dict[str, Any] = serialize(self)
        if self.searched_to is None:
            del shape["searched_to"]
        return shape
