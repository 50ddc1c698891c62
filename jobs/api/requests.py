"""What may be sent to `POST /jobs`, checked before anything is made of it."""

from dataclasses import fields
from functools import partial
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic.config import JsonDict

from jobs.media.urls import MAX_URL, SOURCE_PATTERN, URL_PATTERN, check_url
from jobs.models.requests.template import MAX_NAME
from jobs.models.work import MAX_PRIORITY
from jobs.submission.limits import MAX_HEIGHT, check_json
from jobs.submission.timestamps import (
    CLOCK_PATTERN,
    MAX_TIME_S,
    MAX_TIMESTAMPS,
    read_timestamp,
)
from organizations.models.audit import MAX_REASON
from providers.core.types import JobRequest, Rendition, Thumbnails

MAX_RENDITIONS = 20
REQUEST_FIELDS = {one.name for one in fields(JobRequest)}


def as_whole(value: object) -> object:
    """JSON has one kind of number: 720.0 is as whole as 720."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


MediaUrl = Annotated[
    str,
    Field(max_length=MAX_URL, json_schema_extra={"pattern": URL_PATTERN}),
    AfterValidator(check_url),
]
# whether one without a scheme means anything is the provider's to say
Source = Annotated[
    str,
    Field(max_length=MAX_URL, json_schema_extra={"pattern": SOURCE_PATTERN}),
    AfterValidator(partial(check_url, schemeless_allowed=True)),
]
TemplateName = Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
Json = Annotated[Any, AfterValidator(check_json)]
Height = Annotated[int, Field(ge=1, le=MAX_HEIGHT), BeforeValidator(as_whole)]
Pixels = Annotated[int, Field(ge=1, le=7680), BeforeValidator(as_whole)]
Count = Annotated[int, Field(ge=1, le=1000), BeforeValidator(as_whole)]
Priority = Annotated[int, Field(ge=-MAX_PRIORITY, le=MAX_PRIORITY), BeforeValidator(as_whole)]
ImageFormat = Literal["jpg", "png", "webp"]
ImageFilter = Literal["none", "blur"]
Timestamp = Annotated[
    float,
    BeforeValidator(read_timestamp),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": MAX_TIME_S},
                {"type": "string", "pattern": CLOCK_PATTERN},
            ]
        }
    ),
]


class Strict(BaseModel):
    """A misspelt field is refused: left out in silence, it would be encoded without."""

    model_config = ConfigDict(extra="forbid", strict=True)


class RenditionRequest(Strict):
    packaging: Literal["hls", "mp4"] = Field(description="How the outputs are packaged.")
    heights: list[Height] = Field(
        min_length=1,
        max_length=MAX_RENDITIONS,
        description="An output for each of these heights, in pixels.",
        json_schema_extra={"uniqueItems": True},
    )

    @field_validator("heights")
    @classmethod
    def check_unique(cls, heights: list[int]) -> list[int]:
        if len(set(heights)) < len(heights):
            raise ValueError("Name each height once.")
        return heights


# what `check_choices` says; in `allOf`, where generators of clients do not take it for a union
_ALTERNATIVES: dict[str, JsonDict] = {
    "count": {"type": "integer"},
    "interval_s": {"type": "number"},
    "timestamps": {"type": "array", "items": {}},
}
_CHOICES: JsonDict = {
    "allOf": [
        {
            "oneOf": [
                {"required": [name], "properties": {name: schema}}
                for name, schema in _ALTERNATIVES.items()
            ]
        }
    ],
    "not": {
        "required": ["format", "formats"],
        "properties": {"format": {"type": "string"}, "formats": {"minItems": 1}},
    },
}


class ThumbnailsRequest(Strict):
    """Exactly one of `count`, `interval_s` and `timestamps`. What a provider lacks is refused."""

    model_config = ConfigDict(json_schema_extra=_CHOICES)

    count: Count | None = Field(None, description="How many, evenly spaced.")
    interval_s: Annotated[float, Field(gt=0, le=MAX_TIME_S, allow_inf_nan=False)] | None = Field(
        None, description="Seconds from each to the next."
    )
    timestamps: list[Timestamp] | None = Field(
        None,
        min_length=1,
        max_length=MAX_TIMESTAMPS,
        description="When in the video: seconds, or `HH:MM:SS`.",
        json_schema_extra={"uniqueItems": True},
    )
    formats: list[ImageFormat] = Field(
        default_factory=list,
        max_length=3,
        description="Each is made in all of them; by default in `jpg`.",
        json_schema_extra={"uniqueItems": True},
    )
    width: Pixels | None = Field(None, description="In pixels.")
    height: Pixels | None = Field(None, description="In pixels.")
    filters: list[ImageFilter] = Field(
        default_factory=list,
        max_length=2,
        description="Each is made with all of them; by default with `none`.",
        json_schema_extra={"uniqueItems": True},
    )
    format: ImageFormat | None = Field(
        None, deprecated=True, description="The same as `formats` with one item."
    )

    @field_validator("timestamps", "formats", "filters")
    @classmethod
    def check_unique(cls, values: list[Any] | None) -> list[Any] | None:
        if values and len(set(values)) < len(values):
            raise ValueError("Name each of them once.")
        return values

    @model_validator(mode="after")
    def check_choices(self) -> Self:
        given = (self.count, self.interval_s, self.timestamps)
        if sum(one is not None for one in given) != 1:
            raise ValueError("Give exactly one of count, interval_s and timestamps.")
        if self.__dict__["format"] and self.formats:
            raise ValueError("Give formats without format.")
        return self

    def as_thumbnails(self) -> Thumbnails:
        form = self.__dict__["format"]  # read so, a deprecated field gives no warning
        return Thumbnails(
            count=self.count,
            interval_s=self.interval_s,
            timestamps=tuple(self.timestamps or ()),
            formats=tuple(self.formats or ([form] if form else ())),
            width=self.width,
            height=self.height,
            filters=tuple(self.filters),
        )


class OverridableSettings(Strict):
    """How a job is encoded, in terms that each provider's adapter translates."""

    destination: Source | None = Field(
        None,
        description="Where the provider delivers the outputs: a URL, or `NAME/path` of a stored "
        "destination; by default, it decides.",
    )
    extra: dict[str, Any] = Field(
        {}, description="Merged into the provider's own job object; its keys win."
    )
    renditions: list[RenditionRequest] = Field(
        [],
        max_length=MAX_RENDITIONS,
        description="May be left out where `template` or `extra` says what to make.",
    )
    thumbnails: ThumbnailsRequest | None = Field(None, description="Pictures of the video.")
    test: bool = Field(False, description="Submit as a test, where the provider has that.")
    priority: Priority | None = Field(
        None,
        description="What waits at an account is sent in this order, highest first; 0 by default. "
        "Passed on to providers that have priorities.",
    )

    @field_validator("extra")
    @classmethod
    def check_extra(cls, extra: dict[str, Any]) -> dict[str, Any]:
        return check_json(extra)

    def given_fields(self) -> dict[str, Any]:
        """The fields of JobRequest that were sent."""
        values = {
            **self.__dict__,
            "renditions": tuple(
                Rendition(rendition.packaging, tuple(rendition.heights))
                for rendition in self.renditions
            ),
            "thumbnails": self.thumbnails.as_thumbnails() if self.thumbnails else None,
        }
        names = REQUEST_FIELDS & self.model_fields_set
        return {name: value for name, value in values.items() if name in names}


class RequestSettings(OverridableSettings):
    """What jobs with different inputs share."""

    metadata: Json = Field(
        None, description="Returned with the job as it was sent, but for secrets."
    )


class SubmitRequest(RequestSettings):
    """A job to run, in terms that each provider's adapter translates."""

    account: str = Field(
        min_length=1, max_length=100, description="Id or exact name of a provider account."
    )
    input: Source = Field(description="URL of the source file, or `NAME/path` of a stored source.")
    template: TemplateName | None = Field(
        None,
        description="Id or exact name of a template, whose settings are used where the call gives "
        "none; `extra` is merged into the template's.",
    )
    allow_duplicate: bool = Field(False, description="Submit even if the same ran within 24 hours.")


class AssignRequest(Strict):
    assignee: Annotated[str, Field(max_length=254)] | None = Field(
        description="The e-mail address of a member; null: nobody."
    )


class ResubmitRequest(Strict):
    allow_duplicate: bool = Field(
        False,
        description="Run it once more while a retry of it has not ended; never where the provider "
        "runs the job again itself.",
    )
    account: str | None = Field(
        None,
        min_length=1,
        max_length=100,
        description="Id or exact name of another account, at which it is run as a new job.",
    )
    presets: list[Annotated[str, Field(min_length=1, max_length=255)]] = Field(
        [],
        max_length=MAX_RENDITIONS,
        description="With `account`: ids or names of presets there, one for each output, at a "
        "provider that needs some.",
    )
    priority: Priority | None = Field(None, description="With `account`: instead of the job's own.")
    destination: Annotated[str, Field(min_length=1, max_length=4000)] | None = Field(
        None, description="With `account`: instead of the job's own."
    )
    reason: Annotated[str, Field(max_length=MAX_REASON)] = Field(
        "", description="With `account`: for the audit log."
    )
