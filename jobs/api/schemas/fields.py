"""What several shapes share."""

from typing import Annotated

from ninja import Field, Schema
from pydantic import BeforeValidator, WithJsonSchema

from providers.core.errors import CLASSES

Id = Annotated[str, BeforeValidator(str)]
# The columns hold "" for what was not reported; that is null to the outside
Text = Annotated[str | None, BeforeValidator(lambda value: value or None)]
ErrorClassName = Annotated[str, WithJsonSchema({"type": "string", "enum": list(CLASSES)})]


class AccountReference(Schema):
    id: Id = Field(description="Our id of the account.")
    name: str = Field(description="Its name, which is unique in the organization.")
    provider: str = Field(description="The slug of its provider.")
