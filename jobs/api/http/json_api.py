"""A ninja API that answers in JSON where ninja leaves the answer to Django."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, UnreadablePostError
from django.urls import URLPattern, URLResolver, path
from django.utils.cache import patch_vary_headers
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation
from ninja.parser import Parser

from jobs.api.errors import ApiError, not_found
from jobs.api.http.document import complete
from jobs.api.http.encoding import ApiRenderer
from jobs.api.http.field_errors import refuse_fields
from jobs.models.statement_limit import TOO_SLOW, is_too_slow
from jobs.submission.limits import read_json

log = logging.getLogger(__name__)

RETRY_S = 5
Handler = Callable[[HttpRequest, Any], HttpResponse]


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
    def __init__(self, **options: Any) -> None:
        super().__init__(parser=JsonParser(), renderer=ApiRenderer(), **options)
        self._document: OpenAPISchema | None = None
        for kind, handler in HANDLERS.items():
            self.add_exception_handler(kind, handler)

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        """Made once: it takes a second, and is the same until the process ends."""
        if self._document is None:
            self._document = super().get_openapi_schema(**options)
            complete(self._document)
        return self._document

    def get_openapi_operation_id(self, operation: Operation) -> str:
        """The name of its function in generated clients: no move of ours may change it."""
        return operation.view_func.__name__

    @property
    def urls(self) -> tuple[list[URLResolver | URLPattern], str, str]:
        patterns, app_name, namespace = super().urls
        for pattern in patterns:
            if isinstance(pattern, URLPattern):
                pattern.callback = _in_json(pattern.callback)
        return [*patterns, path("<path:rest>", unknown_path)], app_name, namespace


def _in_json(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    # a token in a header is nothing that a browser would send along by itself
    @csrf_exempt
    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            response = view(request, *args, **kwargs)
        except Http404:
            return not_found().response()
        if response.status_code == 405:
            return _refuse_method(request, response)
        if request.method == "GET" and response.status_code == 200:
            # kept by the caller alone, who asks each time whether it is still the same
            response.headers.setdefault("Cache-Control", "private, no-cache")
            patch_vary_headers(response, ["Authorization"])
        return response

    return answer


def _refuse_method(request: HttpRequest, response: HttpResponseBase) -> HttpResponse:
    return ApiError(
        *(405, "method_not_allowed", f"{request.method} is not allowed here."),
        headers={"Allow": response["Allow"]},
    ).response()


@csrf_exempt
def unknown_path(request: HttpRequest, rest: str = "") -> HttpResponse:
    return ApiError(404, "not_found", f"The API has no path {request.path}.").response()


def _answer_with(status: int, code: str, message: str) -> Handler:
    return lambda request, error: ApiError(status, code, message).response()


def _answer_http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    if isinstance(error.__cause__, ApiError):
        # ninja makes a 400 of whatever a parser raises
        return error.__cause__.response()
    return ApiError(error.status_code, "refused", error.message).response()


def _answer_unauthenticated(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    return ApiError(
        *(401, "not_authenticated", "Send a valid token as Authorization: Bearer TOKEN."),
        headers={"WWW-Authenticate": "Bearer"},
    ).response()


def _answer_unreadable(request: HttpRequest, error: UnreadablePostError) -> HttpResponse:
    cause: BaseException | None = error
    while isinstance(cause, UnreadablePostError):  # Django wraps what it caught more than once
        cause = cause.__cause__
    is_late = isinstance(cause, TimeoutError)
    message = "The body did not arrive in time." if is_late else "The body ended early."
    return ApiError(408 if is_late else 400, "unfinished_body", message).response()


def _answer_unavailable(request: HttpRequest, error: Exception) -> HttpResponse:
    if is_too_slow(error):
        log.warning("A query took too long: %s", request.path)
        return ApiError(503, "too_slow", TOO_SLOW).response()
    log.error("API call without a database: %s", request.path, exc_info=error)
    return ApiError(
        *(503, "unavailable", "The database does not answer. Try again in a few seconds."),
        headers={"Retry-After": str(RETRY_S)},
    ).response()


def _answer_failure(request: HttpRequest, error: Exception) -> HttpResponse:
    log.error("API call failed: %s", request.path, exc_info=error)
    return ApiError(500, "failure", "Internal error; it has been logged.").response()


HANDLERS: dict[type[Exception], Handler] = {
    ApiError: lambda request, error: error.response(),
    ValidationError: lambda request, error: refuse_fields(error.errors).response(),
    HttpError: _answer_http_error,
    AuthenticationError: _answer_unauthenticated,
    RequestDataTooBig: _answer_with(413, "too_large", "The body is too large."),
    SuspiciousOperation: _answer_with(400, "bad_request", "The request cannot be read."),
    UnreadablePostError: _answer_unreadable,
    OperationalError: _answer_unavailable,
    InterfaceError: _answer_unavailable,
    Exception: _answer_failure,
}
