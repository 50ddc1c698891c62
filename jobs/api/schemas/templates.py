"""Templates: in their list, and at the jobs that were submitted with them."""

from datetime import datetime
from typing import Any

from ninja import Field, Schema

from jobs.api.schemas.fields import AccountReference, Id


class TemplateReference(Schema):
    id: Id = Field(description="Our id of the template.", validation_alias="template_id")
    name: str = Field(description="Its name.", validation_alias="template.name")
    version: int = Field(
        description="Which version was used; later ones change nothing about the job.",
        validation_alias="number",
    )


class TemplateSettingsShape(Schema):
    """As in `POST /jobs`, with secrets redacted; but `extra` has one object for each provider."""

    destination: str | None = Field(None, description="Where the provider delivers the outputs.")
    renditions: list[dict[str, Any]] = Field([], description="`packaging` and `heights` of each.")
    thumbnails: dict[str, Any] | None = Field(None, description="Pictures of the video.")
    metadata: Any = Field(None, description="Returned with the job.")
    test: bool = Field(False, description="Submit as a test.")
    priority: int | None = Field(None, description="Null: the usual one.")
    extra: dict[str, dict[str, Any]] = Field(
        {}, description="By the provider's slug: what is merged into its own job object."
    )


class TemplateShape(Schema):
    id: Id = Field(description="Our id of the template.")
    name: str = Field(description="Its name, which is unique in the organization.")
    version: int = Field(description="The number of its newest version.")
    saved_at: datetime = Field(description="When that was saved.")
    saved_by: str | None = Field(description="The e-mail address of who saved it.")
    default_at: list[AccountReference] = Field(
        description="Where the form for new jobs begins with it."
    )
    settings: TemplateSettingsShape = Field(description="What a job takes from it.")


class TemplateList(Schema):
    results: list[TemplateShape] = Field(description="The templates.")
    next: None = Field(None, description="Always null: an organization's templates fit on a page.")
