"""How the API says no: one JSON shape for every way in which a call can fail."""

import json
import logging
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.core.serializers.json import DjangoJSONEncoder
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, UnreadablePostError
from django.urls import URLPattern, URLResolver, path
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, Throttled, ValidationError
from ninja.operation import Operation
from ninja.parser import Parser
from pydantic import BaseModel, Field

from jobs.submission.limits import read_json

log = logging.getLogger(__name__)

NOT_FOUND = "Not found. A token sees its own organization only."


class ErrorDetail(BaseModel):
    code: str = Field(description="For programs; it does not change.")
    message: str = Field(description="For people.")
    fields: dict[str, str] | None = Field(
        None, description="What is wrong with which field; inner ones as `renditions.0.heights`."
    )


class ErrorBody(BaseModel):
    error: ErrorDetail


# What calls may answer beside their own, for the OpenAPI document
READ_REFUSALS: Mapping[Any, Any] = dict.fromkeys((401, 404, 429), ErrorBody)
LIST_REFUSALS: Mapping[Any, Any] = dict.fromkeys((401, 422, 429), ErrorBody)
ACTION_REFUSALS: Mapping[Any, Any] = dict.fromkeys((401, 403, 404, 409, 429), ErrorBody)
SUBMIT_REFUSALS: Mapping[Any, Any] = dict.fromkeys((400, 401, 403, 413, 415, 422, 429), ErrorBody)


class ApiError(Exception):
    """Ends a call. `beside` are further keys of the answer, next to `error`."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        fields: Mapping[str, str] | None = None,
        **beside: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.fields = fields
        self.beside = beside

    def response(self) -> HttpResponse:
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.fields:
            error["fields"] = dict(self.fields)
        return HttpResponse(
            json.dumps({"error": error, **self.beside}, cls=DjangoJSONEncoder),
            status=self.status,
            content_type="application/json; charset=utf-8",
        )


def not_found() -> ApiError:
    """The same for an id of another organization and one that does not exist."""
    return ApiError(404, "not_found", NOT_FOUND)


def invalid(fields: Mapping[str, str]) -> ApiError:
    return ApiError(422, "invalid", "Some fields are not valid: see `fields`.", fields)


class JsonParser(Parser):
    """Reads strict JSON, sent as JSON."""

    def parse_body(self, request: HttpRequest) -> Any:
        kind = request.content_type or ""
        if kind != "application/json" and not kind.endswith("+json"):
            raise ApiError(
                415, "not_json", "Send the body as JSON, with Content-Type: application/json."
            )
        try:
            return read_json(request.body)
        except ValueError as error:
            raise ApiError(400, "broken_json", f"The body is not valid JSON: {error}.") from error


class JsonAPI(NinjaAPI):
    """A ninja API that also answers in JSON where ninja leaves the answer to Django."""

    def __init__(self, **options: Any) -> None:
        super().__init__(parser=JsonParser(), **options)
        handlers: dict[type[Exception], Callable[[HttpRequest, Any], HttpResponse]] = {
            ApiError: lambda request, error: error.response(),
            ValidationError: _answer_invalid,
            HttpError: _answer_http_error,
            AuthenticationError: _answer_unauthenticated,
            Throttled: lambda request, error: ApiError(
                429, "too_many_requests", "Too many requests; wait as long as Retry-After says."
            ).response(),
            RequestDataTooBig: lambda request, error: ApiError(
                413, "too_large", "The body is too large."
            ).response(),
            UnreadablePostError: _answer_unreadable,
            Exception: _answer_failure,
        }
        for kind, handler in handlers.items():
            self.add_exception_handler(kind, handler)

    def get_openapi_operation_id(self, operation: Operation) -> str:
        """The name of its function in generated clients: no move of ours may change it."""
        return operation.view_func.__name__

    @property
    def urls(self) -> tuple[list[URLResolver | URLPattern], str, str]:
        patterns, app_name, namespace = super().urls
        for pattern in patterns:
            if isinstance(pattern, URLPattern):
                pattern.callback = _in_json(pattern.callback)
        return [*patterns, path("<path:rest>", _unknown_path)], app_name, namespace


def _in_json(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    # a token in a header is nothing that a browser would send along by itself
    @csrf_exempt
    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            response = view(request, *args, **kwargs)
        except Http404:
            return not_found().response()
        if response.status_code != 405:
            return response
        refused = ApiError(
            405, "method_not_allowed", f"{request.method} is not allowed here."
        ).response()
        refused["Allow"] = response["Allow"]
        return refused

    return answer


@csrf_exempt
def _unknown_path(request: HttpRequest, rest: str) -> HttpResponse:
    return ApiError(404, "not_found", f"The API has no path /{rest}.").response()


def _answer_invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    fields: dict[str, str] = {}
    for issue in error.errors:
        # loc: where it was sent, then (in a body) the parameter's name, then the way to the field
        source, *way = issue["loc"]
        inner = way[1:] if source == "body" else way
        name = ".".join(map(str, inner)) or source
        fields.setdefault(name, issue["msg"].removeprefix("Value error, "))
    return invalid(fields).response()


def _answer_http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    if isinstance(error.__cause__, ApiError):
        # ninja makes a 400 of whatever a parser raises
        return error.__cause__.response()
    return ApiError(error.status_code, "refused", error.message).response()


def _answer_unauthenticated(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    response = ApiError(
        401, "not_authenticated", "Send a valid token as Authorization: Bearer TOKEN."
    ).response()
    response["WWW-Authenticate"] = "Bearer"
    return response


def _answer_unreadable(request: HttpRequest, error: UnreadablePostError) -> HttpResponse:
    cause: BaseException | None = error
    while isinstance(cause, UnreadablePostError):  # Django wraps what it caught more than once
        cause = cause.__cause__
    is_late = isinstance(cause, TimeoutError)
    message = "The body did not arrive in time." if is_late else "The body ended early."
    return ApiError(408 if is_late else 400, "unfinished_body", message).response()


def _answer_failure(request: HttpRequest, error: Exception) -> HttpResponse:
    log.error("API call failed: %s", request.path, exc_info=error)
    return ApiError(500, "failure", "Internal error; it has been logged.").response()
