"""How the API says no: one JSON shape for every way in which a call can fail."""

import json
from collections.abc import Mapping
from itertools import islice
from typing import Any

from django.http import HttpResponse
from pydantic import BaseModel, Field

from jobs.api.http.encoding import ApiEncoder

NOT_FOUND = "Not found. A token sees its own organization only."
MAX_FIELDS = 50


class ErrorDetail(BaseModel):
    code: str = Field(description="For programs; it does not change.")
    message: str = Field(description="For people.")
    fields: dict[str, str] | None = Field(
        None, description="What is wrong with which field; inner ones as `renditions.0.heights`."
    )


class ErrorBody(BaseModel):
    error: ErrorDetail = Field(description="What went wrong.")


# What calls may answer beside their own, for the OpenAPI document
READ_REFUSALS: Mapping[Any, Any] = dict.fromkeys((401, 404, 429), ErrorBody)
LIST_REFUSALS: Mapping[Any, Any] = dict.fromkeys((401, 422, 429), ErrorBody)
ACTION_REFUSALS: Mapping[Any, Any] = dict.fromkeys((401, 403, 404, 409, 429), ErrorBody)
SUBMIT_REFUSALS: Mapping[Any, Any] = dict.fromkeys((400, 401, 403, 413, 415, 422, 429), ErrorBody)


class ApiError(Exception):
    """Ends a call. `beside` are further keys of the body, next to `error`."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        fields: Mapping[str, str] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        **beside: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.fields = fields
        self.headers = headers
        self.beside = beside

    def response(self) -> HttpResponse:
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.fields:
            error["fields"] = dict(self.fields)
        return HttpResponse(
            json.dumps({"error": error, **self.beside}, cls=ApiEncoder),
            status=self.status,
            content_type="application/json; charset=utf-8",
            headers=self.headers,
        )


def not_found() -> ApiError:
    """The same for an id of another organization and one that does not exist."""
    return ApiError(404, "not_found", NOT_FOUND)


def invalid(fields: Mapping[str, str]) -> ApiError:
    shown = dict(islice(fields.items(), MAX_FIELDS))
    some = f", which has {MAX_FIELDS} of {len(fields):,}" if len(fields) > MAX_FIELDS else ""
    return ApiError(422, "invalid", f"Some fields are not valid: see `fields`{some}.", shown)
