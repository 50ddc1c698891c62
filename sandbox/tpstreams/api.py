"""TPStreams' server API, as far as transcoding jobs and webhooks go."""

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from sandbox.http.media import LINK_LIFE_S
from sandbox.http.web import Refused, Request, Response, html_response, json_response, text_response
from sandbox.jobs.model import ACTIVE_JOB, Job, JobState, Media
from sandbox.jobs.notifications import Notice
from sandbox.jobs.operations import JobOperations
from sandbox.tpstreams import hooks, ids, payloads
from sandbox.tpstreams.job_requests import RequestRefused, read_job_request

PER_PAGE = 20
FIRST, SECOND = "first", "second"
NAMES = {FIRST: "Lighthouse Lectures", SECOND: "Northlight School"}

STATES = {
    "queued": (JobState.PENDING, JobState.WAITING),
    "transcoding": (JobState.PROCESSING,),
    "completed": (JobState.FINISHED,),
    "error": (JobState.FAILED,),
}


@dataclass(frozen=True, slots=True)
class Call:
    """One request of one organization; `item` is the id in its path, empty without one."""

    request: Request
    account: str
    item: str


Handler = Callable[["TPStreams", Call], Response]


class TPStreams:
    slug = "tpstreams"
    prefix = "/tpstreams/api"
    base_path = "/tpstreams/api/v1"
    accounts = (FIRST, SECOND)
    key_names = (
        "tpstreams_token",
        "tpstreams_organization_id",
        "tpstreams_webhook_secret",
        "tpstreams_second_token",
        "tpstreams_second_organization_id",
        "tpstreams_second_webhook_secret",
    )

    def __init__(self, operations: JobOperations, keys: dict[str, str]) -> None:
        self._operations = operations
        self._store = operations.store
        self._hooks = hooks.Hooks(operations.store)
        names = {FIRST: "tpstreams", SECOND: "tpstreams_second"}
        self._keys = keys
        self._by_token = {keys[f"{name}_token"]: account for account, name in names.items()}
        self._organizations = {
            account: keys[f"{name}_organization_id"] for account, name in names.items()
        }

    def handle(self, request: Request) -> Response:
        try:
            return self._route(request)
        except Refused as refusal:
            return refusal.response

    def refuse_rate(self, wait_s: int) -> Response:
        """Django REST's own; the provider documents no limit."""
        detail = f"Request was throttled. Expected available in {wait_s} seconds."
        return _detail(429, detail).with_headers({"Retry-After": str(wait_s)})

    def refuse_key(self) -> Response:
        return _detail(401, "Invalid token.").with_headers({"WWW-Authenticate": "Token"})

    def not_found(self) -> Response:
        return _detail(404, "Not found.")

    def notice(self, job: Job, output: Media | None) -> Notice:
        """The whole job in either case. Its own hooks carry the secrets as headers."""
        return Notice(payloads.notified(job), {})

    def _route(self, request: Request) -> Response:
        path = request.path.removeprefix(self.base_path)
        if not request.path.startswith(self.base_path):
            return _unknown_url()
        if not path.endswith("/"):
            return _moved(f"{request.path}/")
        account = self._identify(request)
        for pattern, handlers in ROUTES:
            match = pattern.fullmatch(path)
            if not match:
                continue
            if match.groups() and match[1] != self._organizations[account]:
                return _unknown_url()
            handler = handlers.get(request.method)
            if handler is None:
                return _detail(405, f'Method "{request.method}" not allowed.')
            item = match[2] if len(match.groups()) > 1 else ""
            return handler(self, Call(request, account, item))
        return _unknown_url()

    def _identify(self, request: Request) -> str:
        """The keyword is taken in any case."""
        given = request.headers.get("authorization", "")
        keyword, _, token = given.partition(" ")
        if keyword.lower() != "token":
            message = "Authentication credentials were not provided."
            raise Refused(_detail(401, message).with_headers({"WWW-Authenticate": "Token"}))
        account = self._by_token.get(token.strip())
        if account is None:
            raise Refused(self.refuse_key())
        return account

    def _job(self, call: Call) -> Job:
        number = ids.from_public(call.item)
        job = None if number is None else self._store.get(number)
        if job is None or (job.provider, job.account) != (self.slug, call.account):
            raise Refused(self.not_found())
        return job

    # Jobs

    def create_job(self, call: Call) -> Response:
        now = self._operations.clock.now()
        try:
            job = read_job_request(_object_of(call.request), call.account, now, LINK_LIFE_S)
        except RequestRefused as refusal:
            return json_response(400, refusal.errors)
        self._hooks.attach(job)
        self._operations.submit(job)
        self._hooks.notify_asset(job, now)
        return json_response(201, payloads.created(job))

    def list_jobs(self, call: Call) -> Response:
        query = call.request.queries
        number = _read_page(query.get("page", ["1"])[-1])
        jobs, total = self._store.select(
            self.slug,
            call.account,
            PER_PAGE,
            (number - 1) * PER_PAGE,
            states=_read_states(query.get("status", [])),
            own=_read_drm(query.get("enable_drm", [])),
            since=_read_time(query, "created_from", 0),
            until=_read_time(query, "created_to", math.inf),
            oldest_first=query.get("ordering", [""])[-1] == "created",
        )
        last = max(1, math.ceil(total / PER_PAGE))
        if number > last:
            return _detail(404, "Invalid page.")
        return json_response(
            200,
            {
                "count": total,
                "next": self._page_url(call, number + 1) if number < last else None,
                "previous": self._page_url(call, number - 1) if number > 1 else None,
                "results": [payloads.listed(job) for job in jobs],
            },
        )

    def _page_url(self, call: Call, number: int) -> str:
        """Absolute, at the host that was asked, with the filters of the request; the first page has
        no number."""
        pairs = [
            (name, value)
            for name, values in call.request.queries.items()
            for value in values
            if name != "page"
        ]
        pairs += [("page", str(number))] if number > 1 else []
        base = call.request.origin + call.request.path
        return f"{base}?{urlencode(pairs)}" if pairs else base

    def show_job(self, call: Call) -> Response:
        return json_response(200, payloads.details(self._job(call)))

    def cancel_job(self, call: Call) -> Response:
        job = self._job(call)
        if job.state in ACTIVE_JOB and self._operations.cancel(job.id):
            return json_response(200, {"message": "Job cancelled successfully."})
        return json_response(400, {"message": "Job is already completed."})

    # The organization

    def list_organizations(self, call: Call) -> Response:
        """With the DRM keys in clear, so that a client that keeps them is found out."""
        organization = {
            "name": NAMES[call.account],
            "uuid": self._organizations[call.account],
            "drm_aes_signing_iv": "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
            "drm_aes_signing_key": "a1" * 32,
        }
        return json_response(
            200, {"count": 1, "next": None, "previous": None, "results": [organization]}
        )

    def list_hooks(self, call: Call) -> Response:
        found = self._hooks.all_of(call.account)
        return json_response(
            200, {"count": len(found), "next": None, "previous": None, "results": found}
        )

    def add_hook(self, call: Call) -> Response:
        fields = _hook_of(call.request)
        return json_response(201, self._hooks.add(call.account, fields))

    def change_hook(self, call: Call) -> Response:
        changed = self._hooks.change(call.account, call.item, _hook_of(call.request))
        return json_response(200, changed) if changed else self.not_found()

    def remove_hook(self, call: Call) -> Response:
        if not self._hooks.remove(call.account, call.item):
            return self.not_found()
        return Response(204)


_JOBS = r"/([^/]+)/transcoding_jobs/"
_HOOKS = r"/([^/]+)/webhooks/"
_ITEM = r"([^/]+)/"
ROUTES: tuple[tuple[re.Pattern[str], dict[str, Handler]], ...] = (
    (re.compile("/organizations/"), {"GET": TPStreams.list_organizations}),
    (re.compile(_JOBS), {"GET": TPStreams.list_jobs, "POST": TPStreams.create_job}),
    (re.compile(_JOBS + _ITEM), {"GET": TPStreams.show_job, "DELETE": TPStreams.cancel_job}),
    (re.compile(_HOOKS), {"GET": TPStreams.list_hooks, "POST": TPStreams.add_hook}),
    (
        re.compile(_HOOKS + _ITEM),
        {"PUT": TPStreams.change_hook, "DELETE": TPStreams.remove_hook},
    ),
)


def _detail(status: int, sentence: str) -> Response:
    return json_response(status, {"detail": sentence})


def _unknown_url() -> Response:
    """An organization that is not known ends here as well, and this is no JSON."""
    return text_response(404, "The requested resource was not found on this server.\n")


def _moved(path: str) -> Response:
    """Django adds the slash by a redirect, whatever the method: a body is lost on the way."""
    return html_response(301, "").with_headers({"Location": path})


def _object_of(request: Request) -> dict[str, Any]:
    try:
        value = json.loads(request.body)
    except ValueError as error:
        raise Refused(_detail(400, f"JSON parse error - {error}")) from error
    if not isinstance(value, dict):
        kind = type(value).__name__
        message = f"Invalid data. Expected a dictionary, but got {kind}."
        raise Refused(json_response(400, {"non_field_errors": [message]}))
    return value


def _hook_of(request: Request) -> dict[str, Any]:
    fields = _object_of(request)
    if problems := hooks.find_problems(fields):
        raise Refused(json_response(400, problems))
    return fields


def _read_page(text: str) -> int:
    if not re.fullmatch(r"[1-9]\d{0,6}", text):
        raise Refused(_detail(404, "Invalid page."))
    return int(text)


def _read_states(names: list[str]) -> list[JobState]:
    """Lower case only, as the filter takes them; others are refused."""
    for name in names:
        if name not in STATES:
            message = f"Select a valid choice. {name} is not one of the available choices."
            raise Refused(json_response(400, {"status": [message]}))
    return [state for name in names for state in STATES[name]]


def _read_drm(values: list[str]) -> dict[str, bool]:
    known = {"true": True, "false": False}
    return {"enable_drm": known[values[-1]]} if values and values[-1] in known else {}


def _read_time(query: Any, name: str, default: float) -> float:
    text = query.get(name, [""])[-1]
    if not text:
        return default
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(json_response(400, {name: ["Enter a valid date/time."]})) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
