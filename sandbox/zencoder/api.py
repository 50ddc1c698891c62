"""Zencoder's API v2: who may call what, how often, and what is answered."""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from typing import Any

from sandbox.http.limits import Limiter
from sandbox.http.media import LINK_LIFE_S
from sandbox.http.web import Refused, Request, Response, html_response, json_response, text_response
from sandbox.jobs.model import Job, JobState, Media
from sandbox.jobs.notifications import Notice
from sandbox.jobs.operations import JobOperations
from sandbox.jobs.store import RETENTION_S
from sandbox.zencoder import payloads
from sandbox.zencoder.job_requests import RequestRefused, read_job_request

PER_PAGE = 50
MAX_RESUBMITS = 5
RESUBMIT_AGE_S = 7 * 86_400
MAX_REPORT_DAYS = 62
FIRST, SECOND = "first", "second"

# Quotas a minute as the documentation and recorded headers give them.
FEW, MANY, PLENTY = 60, 1000, 5000

RECORDED_HEADERS = {
    "Server": "ZenServer 0.1.9",
    "Cache-Control": "private, max-age=0, must-revalidate",
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE",
    "Access-Control-Allow-Headers": "Zencoder-Api-Key",
    "Access-Control-Max-Age": "300",
}


@dataclass(frozen=True, slots=True)
class Caller:
    """`kind` of the key: full, read_only or integration."""

    account: str
    kind: str


Handler = Callable[["Zencoder", Request, Caller, int], Response]


@dataclass(frozen=True, slots=True)
class Route:
    """`family` shares one quota per account and method; `per_id` gives each id its own."""

    method: str  # empty for any
    pattern: re.Pattern[str]
    handler: Handler
    family: str
    quota: int = FEW
    per_id: bool = False
    read_only: bool = False


class Zencoder:
    slug = "zencoder"
    prefix = "/zencoder/api"
    base_path = "/zencoder/api/v2"
    accounts = (FIRST, SECOND)
    key_names = (
        "zencoder_api_key",
        "zencoder_read_only_key",
        "zencoder_integration_key",
        "zencoder_webhook_secret",
        "zencoder_second_api_key",
        "zencoder_second_webhook_secret",
    )

    def __init__(self, operations: JobOperations, limiter: Limiter, keys: dict[str, str]) -> None:
        self._operations = operations
        self._store = operations.store
        self._limiter = limiter
        self._keys = keys
        self._callers = {
            keys["zencoder_api_key"]: Caller(FIRST, "full"),
            keys["zencoder_read_only_key"]: Caller(FIRST, "read_only"),
            keys["zencoder_integration_key"]: Caller(FIRST, "integration"),
            keys["zencoder_second_api_key"]: Caller(SECOND, "full"),
        }

    def handle(self, request: Request) -> Response:
        try:
            response = self._route(request)
        except Refused as refusal:
            response = refusal.response
        etag = hashlib.sha256(response.body).hexdigest()[:32]
        return Response(
            response.status,
            response.body,
            {**RECORDED_HEADERS, "ETag": f'"{etag}"', **response.headers},
        )

    def refuse_rate(self, wait_s: int) -> Response:
        """403 and no JSON, as the provider does it."""
        refusal = text_response(403, "403 Forbidden (Rate Limit Exceeded)\n")
        return refusal.with_headers(
            {**RECORDED_HEADERS, "Retry-After": str(wait_s), "X-Zencoder-Rate-Remaining": "0"}
        )

    def refuse_key(self) -> Response:
        return _errors(401, "The API key is missing or not valid.")

    def not_found(self) -> Response:
        return _errors(404, "There is no such thing.")

    def notice(self, job: Job, output: Media | None) -> Notice:
        secret = {FIRST: "zencoder_webhook_secret", SECOND: "zencoder_second_webhook_secret"}
        headers = {"X-Zencoder-Notification-Secret": self._keys[secret[job.account]]}
        return Notice(self._writer().notification(job, output), headers)

    def _route(self, request: Request) -> Response:
        path = request.path.removeprefix(self.prefix).rstrip("/")
        version = re.match(r"/(v\d+)(?=/|$)", path)
        if version and version[1] != "v2":
            return _moved(version[1])
        path = path[version.end() :] if version else path
        path = path.removesuffix(".json")
        if request.method == "OPTIONS":
            return json_response(200, {})
        for route in ROUTES:
            match = route.pattern.fullmatch(path)
            if match and route.method in ("", request.method):
                caller = self._identify(request, route)
                item = int(match[1]) if match.groups() else 0
                remaining = self._count(request, route, caller, item)
                response = route.handler(self, request, caller, item)
                return response.with_headers({"X-Zencoder-Rate-Remaining": str(remaining)})
        return _errors(404, "There is no such URL.")

    def _identify(self, request: Request, route: Route) -> Caller:
        key = request.headers.get("zencoder-api-key") or request.query.get("api_key")
        if not key and request.length:
            payload = _json_of(request)
            key = str(payload.get("api_key") or "") if isinstance(payload, dict) else ""
        caller = self._callers.get(key or "")
        if caller is None:
            raise Refused(self.refuse_key())
        if caller.kind == "read_only" and not route.read_only:
            raise Refused(_errors(403, "This API key may only read single jobs and files."))
        return caller

    def _count(self, request: Request, route: Route, caller: Caller, item: int) -> int:
        key = (caller.account, request.method, route.family, item if route.per_id else 0)
        remaining, wait_s = self._limiter.take(key, route.quota)
        if wait_s:
            raise Refused(self.refuse_rate(wait_s))
        return remaining

    def _writer(self, caller: Caller | None = None) -> payloads.Writer:
        sanitised = caller is not None and caller.kind == "read_only"
        return payloads.Writer(self._operations.media.output_url, sanitised)

    def _oldest(self) -> float:
        return self._operations.clock.now() - RETENTION_S

    def _job(self, caller: Caller, job_id: int) -> Job:
        return self._own(self._store.get(job_id), caller, "job")

    def _own(self, job: Job | None, caller: Caller, what: str) -> Job:
        if (
            job is None
            or (job.provider, job.account) != (self.slug, caller.account)
            or job.created_at < self._oldest()
        ):
            raise Refused(_errors(404, f"There is no {what} with this id."))
        return job

    def create_job(self, request: Request, caller: Caller, _: int) -> Response:
        payload = _json_of(request)
        if not isinstance(payload, dict):
            return _errors(400, "The body must be one JSON object.")
        if caller.kind == "integration" or self._is_integrating(caller.account):
            payload["test"] = True
        try:
            job = read_job_request(
                payload, caller.account, self._operations.clock.now(), LINK_LIFE_S
            )
        except RequestRefused as refusal:
            return _errors(422, *refusal.errors)
        if payload.get("mock") is True:
            mocked = self._writer().created(job)
            outputs = [{**output, "id": None} for output in mocked["outputs"]]
            return json_response(201, {**mocked, "id": None, "outputs": outputs})
        self._operations.submit(job)
        return json_response(201, self._writer().created(job))

    def list_jobs(self, request: Request, caller: Caller, _: int) -> Response:
        """The undocumented `state` filter of old clients is ignored."""
        page, per_page = _paging(request)
        jobs = self._store.newest(
            self.slug, caller.account, per_page, (page - 1) * per_page, self._oldest()
        )
        return json_response(200, [self._writer(caller).details(job) for job in jobs])

    def show_job(self, request: Request, caller: Caller, job_id: int) -> Response:
        return json_response(200, self._writer(caller).details(self._job(caller, job_id)))

    def show_job_progress(self, request: Request, caller: Caller, job_id: int) -> Response:
        return json_response(200, self._writer(caller).progress(self._job(caller, job_id)))

    def cancel_job(self, request: Request, caller: Caller, job_id: int) -> Response:
        self._job(caller, job_id)
        if not self._operations.cancel(job_id):
            return _errors(409, "Only waiting and processing jobs can be cancelled.")
        return _done()

    def resubmit_job(self, request: Request, caller: Caller, job_id: int) -> Response:
        job = self._job(caller, job_id)
        if job.attempt > MAX_RESUBMITS:
            return _errors(403, f"This job was resubmitted {MAX_RESUBMITS} times already.")
        if job.state not in (JobState.FAILED, JobState.CANCELLED):
            return _errors(409, "Only failed and cancelled jobs can be resubmitted.")
        if self._operations.clock.now() - job.submitted_at > RESUBMIT_AGE_S:
            return _errors(409, "The job is too old to be resubmitted.")
        self._operations.resubmit(job_id, LINK_LIFE_S)
        return _done()

    def finish_job(self, request: Request, caller: Caller, job_id: int) -> Response:
        self._job(caller, job_id)
        return _errors(409, "Only Live streaming jobs can be finished.")

    def show_input(self, request: Request, caller: Caller, file_id: int) -> Response:
        job = self._own(self._store.by_file(file_id, "input"), caller, "input")
        return json_response(200, self._writer(caller).alone(job, job.input))

    def show_input_progress(self, request: Request, caller: Caller, file_id: int) -> Response:
        job = self._own(self._store.by_file(file_id, "input"), caller, "input")
        return json_response(200, payloads.media_progress(job.input))

    def show_output(self, request: Request, caller: Caller, file_id: int) -> Response:
        job = self._own(self._store.by_file(file_id, "output"), caller, "output")
        return json_response(200, self._writer(caller).alone(job, job.output_by_id(file_id)))

    def show_output_progress(self, request: Request, caller: Caller, file_id: int) -> Response:
        job = self._own(self._store.by_file(file_id, "output"), caller, "output")
        return json_response(200, payloads.media_progress(job.output_by_id(file_id)))

    def list_notifications(self, request: Request, caller: Caller, _: int) -> Response:
        page, per_page = _paging(request)
        since = 0.0
        if text := request.query.get("since"):
            try:
                since = datetime.fromisoformat(text).timestamp()
            except ValueError:
                return _errors(422, "Since must be a time in ISO 8601.")
        sent = self._store.deliveries_of(
            self.slug, caller.account, since, per_page, (page - 1) * per_page
        )
        now = payloads.timestamp(self._operations.clock.now())
        bodies = [json.loads(each.body) for each in sent]
        return json_response(200, {"notifications": bodies, "sent_at": now})

    def show_account(self, request: Request, caller: Caller, _: int) -> Response:
        """With the personal fields that the real answer carries, so that a client that keeps
        them is found out."""
        total = self._totals(caller, self._oldest(), self._operations.clock.now())
        return json_response(
            200,
            {
                "account_state": "active",
                "plan": "Sandbox",
                "minutes_used": round(sum(minutes for _, _, minutes in total)),
                "minutes_included": 25_000,
                "billing_state": "active" if caller.account == FIRST else "none",
                "privacy_mode": False,
                "integration_mode": self._is_integrating(caller.account),
                "billing_first_name": "Petra",
                "billing_last_name": "Zandkasteel",
                "credit_card_last_four": "4929",
                "balance_in_cents": 184_220,
            },
        )

    def start_integration(self, request: Request, caller: Caller, _: int) -> Response:
        self._store.set(f"zencoder.integration.{caller.account}", "1")
        return _done()

    def end_integration(self, request: Request, caller: Caller, _: int) -> Response:
        if caller.account != FIRST:
            return _errors(402, "Billing must be set up first.")
        self._store.set(f"zencoder.integration.{caller.account}", "")
        return _done()

    def report_vod(self, request: Request, caller: Caller, _: int) -> Response:
        """The running day is left out."""
        today = datetime.fromtimestamp(self._operations.clock.now(), UTC).date()
        try:
            start = date.fromisoformat(request.query.get("from") or str(today - timedelta(30)))
            end = date.fromisoformat(request.query.get("to") or str(today - timedelta(1)))
        except ValueError:
            return _errors(422, "Dates must be like 2026-01-31.")
        if not timedelta(0) <= end - start <= timedelta(MAX_REPORT_DAYS):
            return _errors(422, "The range must be of up to two months.")
        end = min(end, today - timedelta(1))
        totals = self._totals(caller, _midnight(start), _midnight(end + timedelta(1)))
        chosen = request.query.get("grouping")
        statistics = [
            {
                "grouping": grouping,
                "collected_on": day,
                "encoded_minutes": round(minutes),
                "billable_minutes": round(minutes * 1.25),
            }
            for day, grouping, minutes in totals
            if chosen in (None, grouping)
        ]
        names = ("encoded_minutes", "billable_minutes")
        total = {name: sum(int(str(each[name])) for each in statistics) for name in names}
        return json_response(200, {"total": total, "statistics": statistics})

    def _totals(
        self, caller: Caller, start: float, end: float
    ) -> list[tuple[str, str | None, float]]:
        """(day, grouping, minutes made), in order of days."""
        sums: dict[tuple[str, str | None], float] = {}
        for job in self._store.finished_between(self.slug, caller.account, start, end):
            day = str(datetime.fromtimestamp(job.created_at, UTC).date())
            made = sum(output.info.duration_ms or 0 for output in job.outputs) / 60_000
            sums[day, job.grouping] = sums.get((day, job.grouping), 0) + made
        return [(day, grouping, minutes) for (day, grouping), minutes in sums.items()]

    def _is_integrating(self, account: str) -> bool:
        return bool(self._store.setting(f"zencoder.integration.{account}"))


def _route(method: str, path: str, handler: Handler, family: str, **options: Any) -> Route:
    return Route(method, re.compile(path.replace("ID", r"(\d{1,18})")), handler, family, **options)


ROUTES = (
    _route("POST", "/jobs", Zencoder.create_job, "jobs", quota=MANY),
    _route("GET", "/jobs", Zencoder.list_jobs, "jobs"),
    # Details of jobs, inputs and outputs share one quota.
    _route("GET", "/jobs/ID", Zencoder.show_job, "details", read_only=True),
    _route("GET", "/inputs/ID", Zencoder.show_input, "details", read_only=True),
    _route("GET", "/outputs/ID", Zencoder.show_output, "details", read_only=True),
    _route(
        "GET",
        "/jobs/ID/progress",
        Zencoder.show_job_progress,
        "job progress",
        quota=PLENTY,
        read_only=True,
    ),
    _route(
        "GET",
        "/inputs/ID/progress",
        Zencoder.show_input_progress,
        "input progress",
        quota=PLENTY,
        read_only=True,
    ),
    _route(
        "GET",
        "/outputs/ID/progress",
        Zencoder.show_output_progress,
        "output progress",
        per_id=True,
        read_only=True,
    ),
    _route("", "/jobs/ID/cancel", Zencoder.cancel_job, "cancel"),
    _route("PUT", "/jobs/ID/resubmit", Zencoder.resubmit_job, "resubmit"),
    _route("PUT", "/jobs/ID/finish", Zencoder.finish_job, "finish", quota=PLENTY),
    _route("GET", "/notifications", Zencoder.list_notifications, "notifications"),
    _route("GET", "/account", Zencoder.show_account, "account", quota=PLENTY),
    _route("PUT", "/account/integration", Zencoder.start_integration, "account mode"),
    _route("PUT", "/account/live", Zencoder.end_integration, "account mode"),
    _route("GET", "/reports/(?:vod|minutes)", Zencoder.report_vod, "reports"),
)


def _errors(status: int, *sentences: str) -> Response:
    return json_response(status, {"errors": list(sentences)})


def _done() -> Response:
    """204 with nothing after it: the space that was recorded there breaks clients on Node."""
    return Response(204)


def _moved(version: str) -> Response:
    phrase = f"{HTTPStatus.MOVED_PERMANENTLY.value} {HTTPStatus.MOVED_PERMANENTLY.phrase}"
    body = f"<html><head><title>{phrase}</title></head><body><h1>{phrase}</h1></body></html>\n"
    return html_response(301, body).with_headers({"Location": f"/zencoder/{version}-is-unknown"})


def _json_of(request: Request) -> Any:
    try:
        return json.loads(request.body)
    except ValueError as error:
        raise Refused(_errors(400, "The body is not valid JSON.")) from error


def _paging(request: Request) -> tuple[int, int]:
    """More than 50 a page silently gives 50."""

    def read(name: str, default: int) -> int:
        text = request.query.get(name, "")
        return max(1, int(text)) if re.fullmatch(r"\d{1,9}", text) else default

    return read("page", 1), min(PER_PAGE, read("per_page", PER_PAGE))


def _midnight(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
