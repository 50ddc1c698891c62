"""What may be sent to `POST /jobs`, checked before anything is made of it."""

from functools import partial
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from jobs.media.urls import MAX_URL, check_url
from jobs.submission.limits import MAX_HEIGHT, check_json
from providers.core.types import JobRequest, Rendition, Thumbnails

MAX_RENDITIONS = 20

MediaUrl = Annotated[str, Field(max_length=MAX_URL), AfterValidator(check_url)]
# whether one without a scheme means anything is the provider's to say
Source = Annotated[
    str,
    Field(max_length=MAX_URL),
    AfterValidator(partial(check_url, schemeless_allowed=True)),
]
Json = Annotated[Any, AfterValidator(check_json)]
Height = Annotated[int, Field(ge=1, le=MAX_HEIGHT)]
Pixels = Annotated[int, Field(ge=1, le=7680)]


class Strict(BaseModel):
    """A misspelt field is refused: left out in silence, it would be encoded without."""

    model_config = ConfigDict(extra="forbid", strict=True)


class RenditionRequest(Strict):
    packaging: Literal["hls", "mp4"]
    heights: list[Height] = Field(min_length=1, max_length=MAX_RENDITIONS)

    @field_validator("heights")
    @classmethod
    def check_unique(cls, heights: list[int]) -> list[int]:
        if len(set(heights)) < len(heights):
            raise ValueError("Name each height once.")
        return heights


class ThumbnailsRequest(Strict):
    count: Annotated[int, Field(ge=1, le=1000)] | None = None
    interval_s: Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)] | None = None
    width: Pixels | None = None
    height: Pixels | None = None
    format: Literal["jpg", "png"] = "jpg"


class SubmitRequest(Strict):
    """A job to run, in terms that each provider's adapter translates."""

    account: str = Field(
        min_length=1, max_length=100, description="Id or exact name of a provider account."
    )
    input: Source
    destination: MediaUrl | None = None
    extra: dict[str, Any] = Field(
        {}, description="Merged into the provider's own job object; its keys win."
    )
    renditions: list[RenditionRequest] = Field(
        [],
        max_length=MAX_RENDITIONS,
        description="May be left out where `extra` says what to make.",
    )
    thumbnails: ThumbnailsRequest | None = None
    metadata: Json = Field(None, description="Returned with the job, unchanged.")
    test: bool = False
    priority: Annotated[int, Field(ge=-(2**31), lt=2**31)] | None = None
    allow_duplicate: bool = Field(False, description="Submit even if the same ran within 24 hours.")

    @field_validator("extra")
    @classmethod
    def check_extra(cls, extra: dict[str, Any]) -> dict[str, Any]:
        return check_json(extra)

    def as_job_request(self) -> JobRequest:
        thumbnails = self.thumbnails
        return JobRequest(
            input=self.input,
            destination=self.destination,
            renditions=tuple(
                Rendition(rendition.packaging, tuple(rendition.heights))
                for rendition in self.renditions
            ),
            thumbnails=Thumbnails(**thumbnails.model_dump()) if thumbnails else None,
            metadata=self.metadata,
            test=self.test,
            priority=self.priority,
            extra=self.extra,
        )


class ResubmitRequest(Strict):
    allow_duplicate: bool = Field(
        False,
        description="Run it once more while a retry of it has not ended; never where the provider "
        "runs the job again itself.",
    )
