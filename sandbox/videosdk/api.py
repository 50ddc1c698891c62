"""Video SDK's encoder and storage APIs, v1, as they were documented before they were withdrawn.

Statuses and bodies of refusals are not documented: these are plausible ones.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from sandbox.http.web import Refused, Request, Response, json_response
from sandbox.jobs.model import Image, Job, Media, Mode
from sandbox.jobs.notifications import Notice
from sandbox.jobs.operations import JobOperations
from sandbox.videosdk import ids, payloads
from sandbox.videosdk.files import Files
from sandbox.videosdk.job_requests import RequestRefused, read_job_request
from sandbox.videosdk.tokens import Owner, identify

PER_PAGE = 20
MAX_PER_PAGE = 100
LISTED_OUTPUTS_OF = 100  # jobs whose files the storage lists beside the uploads
FIRST, SECOND = "first", "second"


@dataclass(frozen=True, slots=True)
class Call:
    """One request of one account; `item` is the id in its path, empty without one."""

    request: Request
    account: str
    item: str


Handler = Callable[["VideoSDK", Call], Response]


class VideoSDK:
    slug = "videosdk"
    prefix = "/videosdk"
    base_path = "/videosdk/v1"
    accounts = (FIRST, SECOND)
    key_names = (
        "videosdk_api_key",
        "videosdk_secret",
        "videosdk_second_api_key",
        "videosdk_second_secret",
    )

    def __init__(self, operations: JobOperations, keys: Mapping[str, str]) -> None:
        self._operations = operations
        self._store, self._media = operations.store, operations.media
        self._files = Files(operations.store, operations.media)
        self._owners = {
            keys[f"{name}_api_key"]: Owner(account, keys[f"{name}_secret"])
            for account, name in ((FIRST, "videosdk"), (SECOND, "videosdk_second"))
        }

    def handle(self, request: Request) -> Response:
        try:
            return self._route(request)
        except Refused as refusal:
            return refusal.response

    def refuse_rate(self, wait_s: int) -> Response:
        refusal = _message(429, "Too many requests")
        return refusal.with_headers({"Retry-After": str(wait_s)})

    def refuse_key(self) -> Response:
        return _message(401, "Token is invalid or expired")

    def not_found(self) -> Response:
        return _message(404, "Not found")

    def notice(self, job: Job, output: Media | None) -> Notice:
        return Notice(payloads.notified(job, self._media), {})

    def _route(self, request: Request) -> Response:
        if shared := re.fullmatch(f"{payloads.CDN}/([^/]+)/([^/.]+)\\.[a-z0-9]+", request.path):
            return self._send_file(request, shared[1], shared[2])
        for pattern, handlers in ROUTES:
            match = pattern.fullmatch(request.path.removeprefix(self.prefix))
            if match and (handler := handlers.get(request.method)):
                account = identify(request.headers.get("authorization", ""), self._owners)
                if account is None:
                    return self.refuse_key()
                item = match[1] if match.groups() else ""
                return handler(self, Call(request, account, item))
        return self.not_found()

    def _job(self, call: Call) -> Job:
        job = self._find(call.item)
        if job is None or job.account != call.account:
            raise Refused(self.not_found())
        return job

    def _find(self, job_id: str) -> Job | None:
        """A job that can be listed, by the whole id: its time counts as well."""
        number = ids.from_public(job_id)
        job = None if number is None else self._store.get(number)
        if job is None or job.provider != self.slug or payloads.job_id(job) != job_id:
            return None
        return job if job.state in payloads.VISIBLE_STATES else None

    # The encoder

    def create_job(self, call: Call) -> Response:
        def find_file(file_id: str) -> str | None:
            file = self._files.get(call.account, file_id)
            return file["fileUrl"] if file else None

        try:
            job = read_job_request(
                _object_of(call.request), call.account, self._operations.clock.now(), find_file
            )
        except RequestRefused as refusal:
            return _message(refusal.status, str(refusal))
        self._operations.submit(job)
        return json_response(200, payloads.created(job))

    def list_jobs(self, call: Call) -> Response:
        number, size = _read_paging(call.request)
        jobs, total = self._store.select(
            self.slug, call.account, size, (number - 1) * size, states=payloads.VISIBLE_STATES
        )
        data = [payloads.details(job, self._media) for job in jobs]
        return json_response(200, _page(data, number, size, total))

    def show_job(self, call: Call) -> Response:
        return json_response(200, payloads.details(self._job(call), self._media))

    def delete_job(self, call: Call) -> Response:
        """The answer is the job as it was, `queued`; from now on it is not known."""
        with self._store.edit(self._job(call).id) as job:
            if payloads.status_label(job) != "queued":
                return _message(400, "Only queued jobs can be deleted")
            body = payloads.details(job, self._media)
            job.notifications = []
            job.cancel(self._operations.clock.now())
        self._operations.encoder.cancel(job.id)
        return json_response(200, body)

    # The storage

    def open_upload(self, call: Call) -> Response:
        return json_response(200, {"url": f"{self._media.base_url}{self.prefix}/storage/v1/files"})

    def upload(self, call: Call) -> Response:
        name = self._media.accept_upload(call.request)
        if isinstance(name, Response):
            return name
        return json_response(200, self._files.add(call.account, name, self._operations.clock.now()))

    def list_files(self, call: Call) -> Response:
        """Uploads, and what jobs have made."""
        number, size = _read_paging(call.request)
        jobs, _ = self._store.select(
            self.slug, call.account, LISTED_OUTPUTS_OF, 0, states=payloads.VISIBLE_STATES
        )
        files = self._files.all_of(call.account)
        files += [file for job in jobs for file in payloads.files_of(job, self._media)]
        data = files[(number - 1) * size : number * size]
        return json_response(200, _page(data, number, size, len(files)))

    def show_file(self, call: Call) -> Response:
        file = self._files.get(call.account, call.item)
        return json_response(200, file) if file else self.not_found()

    def delete_file(self, call: Call) -> Response:
        file = self._files.remove(call.account, call.item)
        return json_response(200, file) if file else self.not_found()

    def _send_file(self, request: Request, job_id: str, file_id: str) -> Response:
        """What the provider's CDN gives to anybody who knows the URL."""
        job, number = self._find(job_id), ids.from_public(file_id)
        parts: list[Media | Image] = [*job.outputs, *payloads.images_of(job)] if job else []
        path = next((part.path for part in parts if part.id == number), None)
        if job is None or path is None:
            return self.not_found()
        signed = urlsplit(self._media.output_url(path, self._operations.clock.now() + 60))
        inner = replace(request, path=f"/media/{path}", query=dict(parse_qsl(signed.query)))
        return self._media.serve(inner, is_simulated=job.mode == Mode.CLOCK)


ROUTES: tuple[tuple[re.Pattern[str], dict[str, Handler]], ...] = (
    (
        re.compile("/v1/encoder/jobs/?"),
        {"GET": VideoSDK.list_jobs, "POST": VideoSDK.create_job},
    ),
    (
        re.compile("/v1/encoder/jobs/([^/]+)"),
        {"GET": VideoSDK.show_job, "DELETE": VideoSDK.delete_job},
    ),
    (re.compile("/v1/files/?"), {"GET": VideoSDK.list_files, "POST": VideoSDK.open_upload}),
    (
        re.compile("/v1/files/([^/]+)"),
        {"GET": VideoSDK.show_file, "DELETE": VideoSDK.delete_file},
    ),
    (re.compile("/storage/v1/files"), {"POST": VideoSDK.upload}),
)


def _message(status: int, sentence: str) -> Response:
    return json_response(status, {"message": sentence})


def _object_of(request: Request) -> dict[str, Any]:
    try:
        value = json.loads(request.body)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise Refused(_message(400, "The body must be one JSON object"))
    return value


def _read_paging(request: Request) -> tuple[int, int]:
    def read(name: str, default: int) -> int:
        text = request.query.get(name, "")
        return int(text) if re.fullmatch(r"[1-9]\d{0,6}", text) else default

    return read("page", 1), min(read("perPage", PER_PAGE), MAX_PER_PAGE)


def _page(data: list[dict[str, Any]], number: int, size: int, total: int) -> dict[str, Any]:
    """The total is not reported."""
    info = {"currentPage": number, "perPage": size, "lastPage": math.ceil(total / size)}
    return {"pageInfo": info, "data": data}
