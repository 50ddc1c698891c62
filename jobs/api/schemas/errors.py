"""Errors of jobs and outputs."""

from ninja import Field, Schema

from jobs.api.schemas.fields import Text


class ErrorInfo(Schema):
    class_: str = Field(alias="class", description="One of the closed list of error classes.")
    code: Text = Field(description="The provider's own.")
    message: str = Field(description="The provider's message, else ours.")
    hint: str = Field(description="What to do about it.")
    transient: bool = Field(description="Whether it goes away by itself.")


class ListedError(ErrorInfo):
    origin: str = Field(description="`job`, `input` or `output:` and its remote id.")
