"""What several shapes share."""

from typing import Annotated

from ninja import Schema
from pydantic import BeforeValidator

Id = Annotated[str, BeforeValidator(str)]
# The columns hold "" for what was not reported; that is null to the outside
Text = Annotated[str | None, BeforeValidator(lambda value: value or None)]


class AccountReference(Schema):
    id: Id
    name: str
    provider: str
