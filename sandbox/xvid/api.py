"""Xvid MediaHub's API v1: who may call what, and what is answered.

Paths of collections end with a slash, those of items do not; the other way is 404, as live.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from sandbox.http.web import Refused, Request, Response, html_response, json_response
from sandbox.jobs.model import Job, Media, MediaState
from sandbox.jobs.notifications import Notice
from sandbox.jobs.operations import JobOperations
from sandbox.xvid import payloads
from sandbox.xvid.ids import Kind, Name, read_id
from sandbox.xvid.job_requests import InvalidInput, read_job_request
from sandbox.xvid.presets import presets_of
from sandbox.xvid.tokens import Application, Tokens

FIRST, SECOND = "first", "second"
DEFAULT_LIMIT, MAX_LIMIT = 1000, 5000
RECENT_S = 15 * 60  # jobs that ended so lately still count as in progress
LINK_LIFE_S = 180
READ = ("mediahub_read",)
WRITE = ("mediahub_write",)
SUBMIT = ("mediahub_write", "mediahub_submit_jobs")
DOWNLOAD = ("mediahub_read", "mediahub_download_files")

Handler = Callable[["Xvid", Request, str, str], Response]


@dataclass(frozen=True, slots=True)
class Route:
    """`scopes`, of which one is needed; none: open to everybody."""

    method: str
    pattern: re.Pattern[str]
    handler: Handler
    scopes: tuple[str, ...]


class Xvid:
    slug = "xvid"
    prefix = "/xvid/v1"
    base_path = "/xvid/v1"
    key_names = (
        "xvid_client_id",
        "xvid_client_secret",
        "xvid_token",
        "xvid_pipeline_id",
        "xvid_reader_client_id",
        "xvid_reader_client_secret",
        "xvid_second_client_id",
        "xvid_second_client_secret",
        "xvid_second_pipeline_id",
    )

    def __init__(self, operations: JobOperations, keys: dict[str, str]) -> None:
        self._operations = operations
        self._store = operations.store
        reader = frozenset({"me", "mediahub_read"})
        self.tokens = Tokens(
            {
                keys["xvid_client_id"]: Application(FIRST, keys["xvid_client_secret"]),
                keys["xvid_reader_client_id"]: Application(
                    FIRST, keys["xvid_reader_client_secret"], reader
                ),
                keys["xvid_second_client_id"]: Application(
                    SECOND, keys["xvid_second_client_secret"]
                ),
            },
            {keys["xvid_token"]: FIRST},
        )
        pipelines = {FIRST: "xvid_pipeline_id", SECOND: "xvid_second_pipeline_id"}
        self._owners = {
            account: payloads.Owner(
                account, keys[name], _invent_id("user", account), _invent_id("application", account)
            )
            for account, name in pipelines.items()
        }

    def handle(self, request: Request) -> Response:
        path = request.path.removeprefix(self.prefix)
        for route in ROUTES:
            match = route.pattern.fullmatch(path)
            if match and route.method == request.method:
                account = self._identify(request, route)
                item = match[1] if match.groups() else ""
                return route.handler(self, request, account, item)
        return html_response(404, "<html><body><h1>404 Not Found</h1></body></html>")

    def refuse_rate(self, wait_s: int) -> Response:
        """Nothing is known of limits here, so this is what HTTP has for it."""
        refusal = _error(429, "0x0000001", "Too many requests")
        return refusal.with_headers({"Retry-After": str(wait_s)})

    def refuse_key(self) -> Response:
        return _error(403, "0x0000003", "Invalid access token")

    def not_found(self) -> Response:
        return _error(404, "0x0050005", "Job does not exist")

    def notice(self, job: Job, output: Media | None) -> Notice:
        """Never asked for: pings belong to pipelines, and what they say is not documented."""
        return Notice({}, {})

    def _identify(self, request: Request, route: Route) -> str:
        """The caller's account; empty where none is required."""
        token = self.tokens.find(request.headers.get("authorization", ""))
        if route.scopes and not (token and token.allows(route.scopes)):
            raise Refused(self.refuse_key())
        return token.account if token else ""

    def give_token(self, request: Request, account: str, _: str) -> Response:
        """The grant type is the provider's own, and the life is a text."""
        kind = request.headers.get("content-type", "").partition(";")[0]
        form = dict(parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True))
        if kind != "application/x-www-form-urlencoded" or (
            form.get("grant_type") != "client_credential"
        ):
            return _invalid_input()
        issued = self.tokens.issue(form)
        if issued is None:
            return _error(403, "0x0000003", "Invalid client")
        token, life_s = issued
        return json_response(200, {"access_token": token, "expires_in": str(life_s)})

    # Jobs

    def list_jobs(self, request: Request, account: str, _: str) -> Response:
        query = request.query
        start, limit = _paging(request)
        newest_first = query.get("direction") == "-1"
        own = {"user_data": query["user_data"]} if "user_data" in query else None
        states = _states_of(query.get("status"))
        # Nothing here runs for longer than a day: a poll need not read the whole history.
        is_poll = query.get("inprogress") == "true"
        since = self._operations.clock.now() - 86_400 if is_poll else 0
        is_plain = query.get("sort", "created_at") == "created_at" and not set(query) & {
            *("inprogress", "autograph", "pipeline.id", "input.file.name")
        }
        jobs, total = self._store.select(
            self.slug,
            account,
            limit if is_plain else 1_000_000,
            start if is_plain else 0,
            states=states,
            own=own,
            since=since,
            oldest_first=not newest_first,
        )
        writer = self._writer(request, account)
        if is_plain:
            bodies = [writer.job(job) for job in jobs]
        else:
            kept = [job for job in jobs if self._matches(job, request, account)]
            everything = _sort([writer.job(job) for job in kept], query)
            total, bodies = len(everything), everything[start : start + limit]
        envelope = {"jobs": bodies, "total": total, "start": start, "limit": limit}
        return _answer(request, envelope)

    def show_job(self, request: Request, account: str, item: str) -> Response:
        job = self._find_job(account, item)
        return _answer(request, {"job": self._writer(request, account).job(job)})

    def create_job(self, request: Request, account: str, _: str) -> Response:
        try:
            job = read_job_request(
                _json_of(request),
                account,
                self._owners[account].pipeline_id,
                self._operations.media.input_url(""),
                self._operations.clock.now(),
                payloads.KEPT_S,
            )
        except InvalidInput:
            return _invalid_input()
        self._operations.submit(job)
        return _answer(request, {"job": self._writer(request, account).job(job)}, status=201)

    def delete_job(self, request: Request, account: str, item: str) -> Response:
        """An unfinished job is cancelled; a finished one goes, and its files with it."""
        job = self._find_job(account, item)
        if not self._operations.cancel(job.id):
            self._store.remove(job.id)
            self._operations.media.discard(job.token)
        return json_response(200, {"result": {"status": "SUCCESS"}})

    # Files

    def list_files(self, request: Request, account: str, _: str) -> Response:
        start, limit = _paging(request)
        query = request.query
        types = set(filter(None, query.get("type", "").split(",")))
        jobs, _total = self._store.select(self.slug, account, 1_000_000, 0, oldest_first=True)
        if "job.id" in query:
            jobs = [job for job in jobs if payloads.id_of_job(job) == query["job.id"]]
        writer = self._writer(request, account)
        files = [
            file for job in jobs for file in writer.files(job) if not types or file["type"] in types
        ]
        page = _sort(files, query)[start : start + limit]
        envelope = {"files": page, "total": len(files), "start": start, "limit": limit}
        return _answer(request, envelope)

    def show_file(self, request: Request, account: str, item: str) -> Response:
        name = read_id(item)
        job, media = self._find_file(account, name)
        writer = self._writer(request, account)
        if name and name.kind is Kind.IMAGE:
            return _answer(request, {"file": writer.image(job, media, name.index)})
        if name and name.kind is Kind.ARCHIVE:
            return _answer(request, {"file": writer.archive(job, media)})
        return _answer(request, {"file": writer.file(job, media)})

    def download(self, request: Request, account: str, _: str) -> Response:
        """One URL, or those of all in an archive; as JSON, or to be followed."""
        name = read_id(request.query.get("file_id", ""))
        job, media = self._find_file(account, name)
        until = request.query.get("expiry_time", "")
        now = self._operations.clock.now()
        expires_at = int(until) if until.isdecimal() and len(until) < 12 else now + LINK_LIFE_S
        paths = [media.path or ""]
        if name and name.kind is Kind.IMAGE:
            paths = [media.images[name.index].path]
        elif name and name.kind is Kind.ARCHIVE:
            paths = [image.path for image in media.images]
        urls = [self._operations.media.output_url(path, expires_at) for path in paths]
        if media is job.input:
            urls = [job.input.url or ""]
        if request.query.get("redirect") == "true":
            return Response(302, headers={"Location": urls[0]})
        if len(urls) > 1:
            return json_response(200, {"downloads": [{"uri": url} for url in urls]})
        return json_response(200, {"download": {"uri": urls[0]}})

    # What jobs are made with

    def list_presets(self, request: Request, account: str, _: str) -> Response:
        start, limit = _paging(request)
        kind = request.query.get("type")
        writer = self._writer(request, account)
        presets = [
            writer.preset(preset.id)
            for preset in presets_of(account)
            if kind in (None, preset.type)
        ]
        page = _sort([each for each in presets if each], request.query)[start : start + limit]
        envelope = {"presets": page, "total": len(presets), "start": start, "limit": limit}
        return _answer(request, envelope)

    def show_preset(self, request: Request, account: str, item: str) -> Response:
        preset = self._writer(request, account).preset(item)
        if preset is None:
            return _error(404, "0x0050005", "Preset does not exist")
        return _answer(request, {"preset": preset})

    def list_pipelines(self, request: Request, account: str, _: str) -> Response:
        return _answer(request, {"pipelines": [self._writer(request, account).pipeline()]})

    def show_pipeline(self, request: Request, account: str, item: str) -> Response:
        if item != self._owners[account].pipeline_id:
            return _error(404, "0x0050005", "Pipeline does not exist")
        return _answer(request, {"pipeline": self._writer(request, account).pipeline()})

    def list_users(self, request: Request, account: str, _: str) -> Response:
        """A list of one, with what a client must not keep."""
        user = {
            **self._writer(request, account).link("users", self._owners[account].user_id),
            "email": f"{account}@studio.example.com",
            "password": "*******",
            "billing_address": {"name": "Petra Zandkasteel", "city": "Utrecht"},
        }
        return _answer(request, {"users": [user]})

    def _writer(self, request: Request, account: str) -> payloads.Writer:
        expand = frozenset(request.query.get("expand", "").split(","))
        if request.query.get("expand_all") == "true":
            expand = frozenset({"file", "preset", "pipeline"})
        api_url = self._operations.media.base_url + self.base_path
        return payloads.Writer(api_url, self._owners[account or FIRST], expand)

    def _find_job(self, account: str, item: str) -> Job:
        name = read_id(item)
        job = self._store.get(name.number) if name and name.kind is Kind.JOB else None
        if job is None or (job.provider, job.account) != (self.slug, account):
            raise Refused(self.not_found())
        return job

    def _find_file(self, account: str, name: Name | None) -> tuple[Job, Media]:
        """The job, and the input or output that is the file or that the file was made of."""
        if name and name.kind is not Kind.JOB:
            role = "input" if name.kind is Kind.INPUT else "output"
            job = self._store.by_file(name.number, role)
            if job and (job.provider, job.account) == (self.slug, account):
                media = job.input if role == "input" else job.output_by_id(name.number)
                is_listed = name.kind is not Kind.IMAGE or name.index < len(media.images)
                if media.state == MediaState.FINISHED and is_listed:
                    return job, media
        raise Refused(_error(404, "0x0050005", "File does not exist"))

    def _matches(self, job: Job, request: Request, account: str) -> bool:
        query = request.query
        since = self._operations.clock.now() - RECENT_S
        name = payloads.file_name(job, job.input).lower()
        return all(
            (
                query.get("inprogress") != "true"
                or job.is_active
                or (job.finished_at or 0) >= since,
                query.get("pipeline.id") in (None, self._owners[account].pipeline_id),
                query.get("input.file.name", "").lower() in name,
                query.get("autograph") in (None, str(bool(job.own.get("autograph"))).lower()),
            )
        )


def _route(method: str, path: str, handler: Handler, scopes: tuple[str, ...]) -> Route:
    return Route(method, re.compile(path.replace("ID", r"([\w-]{1,64})")), handler, scopes)


ROUTES: Sequence[Route] = (
    _route("POST", "/oauth2/token/", Xvid.give_token, ()),
    _route("GET", "/jobs/", Xvid.list_jobs, READ),
    _route("POST", "/jobs/", Xvid.create_job, SUBMIT),
    _route("GET", "/jobs/ID", Xvid.show_job, READ),
    _route("DELETE", "/jobs/ID", Xvid.delete_job, WRITE),
    _route("GET", "/files/", Xvid.list_files, READ),
    _route("GET", "/files/downloads/", Xvid.download, DOWNLOAD),
    _route("GET", "/files/ID", Xvid.show_file, READ),
    _route("GET", "/presets/", Xvid.list_presets, ()),
    _route("GET", "/presets/ID", Xvid.show_preset, ()),
    _route("GET", "/pipelines/", Xvid.list_pipelines, READ),
    _route("GET", "/pipelines/ID", Xvid.show_pipeline, READ),
    _route("GET", "/users/", Xvid.list_users, ("me",)),
)


def _answer(request: Request, value: dict[str, Any], status: int = 200) -> Response:
    is_whole = request.query.get("show_null") == "true"
    return json_response(status, value if is_whole else payloads.without_nulls(value))


def _error(status: int, code: str, message: str) -> Response:
    return json_response(status, {"error": {"error_code": code, "error_message": message}})


def _invalid_input() -> Response:
    return _error(400, "0050001", "Invalid Input")


def _json_of(request: Request) -> Any:
    try:
        return json.loads(request.body)
    except ValueError:
        return None


def _paging(request: Request) -> tuple[int, int]:
    def read(name: str, default: int) -> int:
        text = request.query.get(name, "")
        return int(text) if re.fullmatch(r"\d{1,9}", text) else default

    return read("start", 0), min(read("limit", DEFAULT_LIMIT) or DEFAULT_LIMIT, MAX_LIMIT)


def _states_of(status: str | None) -> Iterable[str]:
    """The core's states for a status; an unknown status finds nothing."""
    if status is None:
        return ()
    return [state for state, known in payloads.STATUSES.items() if known == status] or ["none"]


def _sort(bodies: list[dict[str, Any]], query: Any) -> list[dict[str, Any]]:
    """By any key; values of different types don't meet, and what lacks the key comes first."""
    key = query.get("sort", "created_at")

    def rank(body: dict[str, Any]) -> tuple[int, float, str]:
        value = body.get(key)
        if isinstance(value, int | float):
            return 1, value, ""
        return (2, 0, value) if isinstance(value, str) else (0, 0, "")

    return sorted(bodies, key=rank, reverse=query.get("direction") == "-1")


def _invent_id(kind: str, account: str) -> str:
    return hashlib.sha256(f"{kind}:{account}".encode()).hexdigest()[:24]
