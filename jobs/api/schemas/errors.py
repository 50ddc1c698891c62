"""Errors of jobs and outputs."""

from ninja import Field, Schema

from jobs.api.schemas.fields import ErrorClassName, Text


class ErrorInfo(Schema):
    class_: ErrorClassName = Field(alias="class", description="Ours, the same at every provider.")
    code: Text = Field(description="The provider's own code.")
    message: str = Field(description="The provider's message; ours, if it gave none.")
    hint: str = Field(description="What to do about it.")
    transient: bool = Field(description="Whether it goes away by itself.")


class ListedError(ErrorInfo):
    origin: str = Field(description="`job`, `input` or `output:` and its remote id.")
