"""Video SDK's encoder, API v1.

The product is withdrawn, and its pages are gone from https://docs.videosdk.live/; what they said
is in docs/providers/videosdk.md.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

from providers.core.adapter import Adapter
from providers.core.contract import Account, Found, RateLimit
from providers.core.errors import (
    AuthRefused,
    BadAnswer,
    Conflict,
    NotFound,
    ProviderError,
    Rejected,
    Withdrawn,
)
from providers.core.issues import RequestIssue
from providers.core.status import JobStatus, fold
from providers.core.types import (
    Capability,
    Field,
    JobRequest,
    Page,
    RemoteJob,
    WebhookEvent,
)
from providers.http.answers import Answer, read_messages, read_words
from providers.http.client import Classify, HttpClient
from providers.http.redaction import redact_text
from providers.parsing import customer_object
from providers.parsing.customer_fields import CustomerField
from providers.parsing.key_search import LOOK_PAGES
from providers.parsing.listing import read_items
from providers.parsing.values import read_dict, read_list, read_text
from providers.parsing.webhooks import read_object
from providers.videosdk import request as job_request
from providers.videosdk.bodies import (
    JOB_STATUSES,
    OUTPUT_STATUSES,
    is_object_id,
    read_job,
    read_source,
)
from providers.videosdk.paging import (
    ListPage,
    Place,
    read_cursor,
    read_list_page,
)
from providers.videosdk.presets import RESOLUTIONS, read_presets
from providers.videosdk.tokens import Tokens

PAGE_SIZE = 20  # the documented default; no other one is known to be taken

# What is said where the credentials are meant, as opposed to the service.
_ABOUT_CREDENTIALS = re.compile(
    r"token|jwt|api ?key|credential|authenti|signature|expired", re.IGNORECASE
)
_ABOUT_SOURCE = re.compile(r"\b(video|file)", re.IGNORECASE)


class VideoSDK(Adapter):
    slug = "videosdk"
    label = "Video SDK"
    docs_url = "https://docs.videosdk.live/"
    default_base_url = "https://api.videosdk.live/v1"
    capabilities = frozenset(
        {
            Capability.SUBMIT,
            Capability.CANCEL,
            Capability.FIND_BY_KEY,
            Capability.WEBHOOK,
            Capability.CHECK_CREDENTIALS,
            Capability.THUMBNAILS,
        }
    )
    credential_fields = (
        Field(
            "api_key",
            "API key",
            "From the API keys page of Video SDK's dashboard, together with its secret.",
            secret=True,
            required=False,
        ),
        Field(
            "secret",
            "Secret",
            "Signs a token of ten minutes' life whenever one is needed.",
            secret=True,
            required=False,
        ),
        Field(
            "token",
            "Token",
            "A ready JSON web token, in place of the key and the secret. It ends when it says.",
            secret=True,
            required=False,
        ),
    )
    job_statuses = JOB_STATUSES
    output_statuses = OUTPUT_STATUSES
    # None is documented: these are polite, and far above what polling needs.
    rate_limits = (
        RateLimit("list", 60),
        RateLimit("details", 120),
        RateLimit("submit", 60),
        RateLimit("cancel", 60),
    )
    read_buckets = ("details",)
    cancellable = frozenset({JobStatus.QUEUED})
    customer_field = CustomerField("userData", customer_object)
    input_schemes = ("http", "https")
    accepts_schemeless_inputs = True  # the id of a file in its storage
    input_fields = job_request.INPUT_FIELDS
    output_fields = ("presets",)
    heights = tuple(RESOLUTIONS)
    thumbnail_formats = ("jpg", "webp")
    max_thumbnails = job_request.MAX_THUMBNAILS
    spreads_thumbnails = False
    request_help = {
        "input": "An http or https address, or the id of a file in Video SDK's storage.",
        "destination": None,
    }
    webhook_steps = (
        'Add "webhookUrl": "{url}" to each job, here in its extra settings.',
        "Keep the address to yourself: nothing else tells a true delivery from a made-up one.",
    )

    def __init__(self, account: Account, http: HttpClient) -> None:
        super().__init__(account, http)
        self._tokens = Tokens(account.credentials)
        self._is_offered = False

    # Reading

    def list_jobs(self, cursor: str | None = None) -> Iterator[Page]:
        place = read_cursor(cursor)
        before: list[str] = []
        while True:
            told = self._read_list_page(place.number)
            jobs = read_items(told.items, self._read)
            if cursor is None and place == Place() and told.leads_back_from_its_end(jobs):
                place = told.end
                continue
            if place.is_backwards and place.number > 1 and not told.items:
                place = told.shrunk_to(place)
                continue
            ids = [job.remote_id for job in jobs]
            following = told.follow(place)
            if ids == before and not place.is_backwards:
                following = None  # a server that ignores the number gives one page for ever
            yield Page(
                jobs[::-1] if place.is_backwards else jobs, following.cursor if following else None
            )
            if following is None:
                return
            place, before = following, ids

    def get_job(self, remote_id: str) -> RemoteJob:
        job = self._read(self._send_about("GET", remote_id, "details").data)
        if job is None:
            raise BadAnswer("Video SDK's details of the job hold no job.")
        return job

    # Acting

    def build_request(self, request: JobRequest, key: str | None = None) -> dict[str, Any]:
        return self.finish_request(job_request.build(request), request, key)

    def find_issues(self, request: JobRequest, body: Mapping[str, Any]) -> Iterator[RequestIssue]:
        is_id = "://" not in request.input and "videoId" not in body
        if is_id and not self.input_fields & request.extra.keys():
            yield self.refuse("input", "input_scheme_or_id", schemes=self.input_schemes)
        thumbnails = request.thumbnails
        if thumbnails is None or "thumbnails" in request.extra:
            return
        if thumbnails.count is None and thumbnails.interval_s:
            yield self.refuse("thumbnails", "thumbnails_count_required")
        if (thumbnails.count or 1) > 1 and (thumbnails.interval_s or 0) < 1:
            yield self.refuse("thumbnails", "thumbnails_interval_required")
        has_width_alone = thumbnails.width and not thumbnails.height
        if thumbnails.height not in {None, *self.heights} or has_width_alone:
            yield self.refuse("thumbnails", "thumbnails_height", heights=self.heights)

    def submit(self, request: JobRequest, key: str) -> RemoteJob:
        body = self.build_request(request, key)
        answer = self._send_to_service(
            "POST", "/encoder/jobs", "submit", json=body, classify=_refuse_source
        )
        job = self._read(answer.data)
        if job is None:
            raise BadAnswer("Video SDK's answer names no job.", ambiguous=True)
        # A job that was just made waits, where the answer does not say more.
        status = job.status if job.provider_status else JobStatus.QUEUED
        return replace(job, status=status, key=key)

    def cancel(self, remote_id: str) -> None:
        """Delete a queued job. The answer is the deleted job as it was, so it is not kept."""
        try:
            answer = self._send_about("DELETE", remote_id, "cancel", classify=_refuse_deletion)
        except AuthRefused as error:
            if error.code != "403":
                raise
            # The list takes the same token: it is this job that must not be deleted.
            raise _not_queued(error.code).quote(error.words) from None
        word = read_text(read_dict(answer.data).get("status"))
        if word and JOB_STATUSES.get(fold(word)) is not JobStatus.QUEUED:
            refusal = _not_queued(str(answer.status))
            raise refusal.quote(read_words(answer.data), self.account.credentials.values())

    def find_by_key(self, key: str, request: JobRequest, since: datetime) -> Found:
        """Look for our key, else for the one job of the same source and presets since then.

        That `userData` comes back is not proven. Two jobs that could be it are none: a person
        has to tell.
        """
        body = self.build_request(request)
        source = read_source(body, self.account.credentials.values()).url
        presets = {preset.stable_id for preset in read_presets(body)}
        alike: dict[str, RemoteJob] = {}
        is_complete = False
        try:
            for count, page in enumerate(self.list_jobs(), start=1):
                for job in page.jobs:
                    if job.key == key:
                        return Found(job)
                    is_new = job.created_at is not None and job.created_at >= since
                    asked = {preset.remote_id for preset in job.presets}
                    if is_new and not job.key and (job.input.url, asked) == (source, presets):
                        alike[job.remote_id] = job
                times = [job.created_at for job in page.jobs if job.created_at]
                is_complete = page.cursor is None or (bool(times) and max(times) < since)
                if is_complete or count == LOOK_PAGES:
                    break
        except ProviderError as error:
            if not error.transient:
                raise
        is_clear = is_complete and len(alike) == 1
        return Found(next(iter(alike.values())) if is_clear else None, complete=is_complete)

    # The account

    @classmethod
    def check_credentials_given(
        cls, credentials: Mapping[str, Any], options: Mapping[str, Any]
    ) -> dict[str, str]:
        token, api_key, secret = (credentials.get(name) for name in ("token", "api_key", "secret"))
        if token or (api_key and secret):
            return {}
        missing = "secret" if api_key else "api_key" if secret else "token"
        return {missing: f"{cls.label} needs a token, or an API key and its secret."}

    def check_credentials(self) -> None:
        self._read_list_page(1, size=1)

    # Webhooks

    @classmethod
    def read_webhook(cls, headers: Mapping[str, str], body: bytes, secret: str) -> WebhookEvent:
        """Find which job a delivery is about. Nothing is known of its body or its signature."""
        data = read_object(body)
        parts = [data, *(read_dict(data.get(name)) for name in ("data", "job"))]
        files = [read_dict(file) for part in parts for file in read_list(part.get("files"))]
        # the `id` of a file is not that of its job
        told = [part.get("jobId") for part in parts]
        told += [part.get("id") for part in parts if "fileUrl" not in part]
        told += [file.get("jobId") for file in files]
        remote_id = next((value for value in told if is_object_id(value)), None)
        word = next((word for part in parts if (word := read_text(part.get("status"), 40))), None)
        if remote_id is None:
            return WebhookEvent(None, "a delivery that names no job")
        return WebhookEvent(remote_id, redact_text(f"job {word or 'changed'}"))

    # HTTP

    def _read_list_page(self, number: int, size: int = PAGE_SIZE) -> ListPage:
        params = {"page": number, "perPage": size}
        answer = self._send_to_service("GET", "/encoder/jobs/", "list", params=params)
        return read_list_page(answer.data, number)

    def _send_to_service(
        self, method: str, path: str, bucket: str, *, classify: Classify | None = None, **more: Any
    ) -> Answer:
        """Send a call that a service which is there has an answer to. Raises Withdrawn."""
        try:
            answer = self._send(
                method,
                path,
                bucket,
                classify=lambda answer: (classify and classify(answer)) or _read_withdrawal(answer),
                **more,
            )
        except BadAnswer as error:
            if not error.code.startswith("text/html"):
                raise
            raise _withdrawn("a web page", error.code, ambiguous=error.ambiguous) from None
        self._is_offered = True
        return answer

    def _send_about(
        self, method: str, remote_id: str, bucket: str, *, classify: Classify | None = None
    ) -> Answer:
        """Send a call about one job. Raises NotFound only while the list is there.

        A withdrawn service does not know any job. Were that believed, all would be gone at once.
        """
        path = f"/encoder/jobs/{quote(remote_id, safe='')}"
        try:
            return self._send(method, path, bucket, classify=classify)
        except (NotFound, AuthRefused, BadAnswer):
            if not self._is_offered:
                self._read_list_page(1, size=1)
            raise

    def _send(self, method: str, path: str, bucket: str, **more: Any) -> Answer:
        return self.http.send(
            method,
            self.account.base_url.rstrip("/") + path,
            headers={"Authorization": self._tokens.get()},
            bucket=bucket,
            **more,
        )

    def _read(self, item: Any) -> RemoteJob | None:
        return read_job(item, self.account.credentials.values())


def _withdrawn(what: str, code: str, *, ambiguous: bool = False) -> Withdrawn:
    return Withdrawn(
        f"Video SDK no longer offers its encoder at this address: it answers with {what}.",
        code=code,
        ambiguous=ambiguous,
    )


def _read_withdrawal(answer: Answer) -> ProviderError | None:
    """What the list and a creation are never answered with by a service that is there."""
    words = read_words(answer.data)
    if answer.status == 403 and _ABOUT_CREDENTIALS.search(words):
        return None
    is_page = answer.status in {400, 405} and "html" in answer.headers.get("content-type", "")
    if answer.status in {403, 404, 410} or is_page:
        return _withdrawn(str(answer.status), str(answer.status))
    return None


def _refuse_source(answer: Answer) -> ProviderError | None:
    """A 404 that speaks of the video is about the id or the address that was sent."""
    messages, fields = read_messages(answer.data)
    words = "; ".join(messages)
    if answer.status != 404 or not _ABOUT_SOURCE.search(words):
        return None
    return Rejected(
        words, messages=messages, fields=fields, error_class="input.not_found", code="404"
    )


def _refuse_deletion(answer: Answer) -> ProviderError | None:
    """How a job that is not queued is refused is not documented."""
    is_refusal = answer.status in {400, 405, 409, 422}
    return _not_queued(str(answer.status)) if is_refusal else None


def _not_queued(code: str) -> Conflict:
    return Conflict(
        "Video SDK deletes queued jobs only, and this one is not queued any more.", code=code
    )
