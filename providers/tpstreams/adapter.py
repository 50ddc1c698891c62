"""TPStreams' transcoding jobs: https://developer.tpstreams.com/docs/transcoding-service/"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

from providers.core.adapter import Adapter
from providers.core.contract import Found, RateLimit
from providers.core.errors import (
    AuthRefused,
    BadAnswer,
    Conflict,
    NotFound,
    ProviderError,
    Withdrawn,
)
from providers.core.issues import RequestIssue
from providers.core.status import JobStatus
from providers.core.types import (
    Capability,
    Field,
    JobRequest,
    Page,
    RemoteJob,
    WebhookEvent,
)
from providers.http.answers import Answer, read_words
from providers.http.client import Classify
from providers.http.redaction import redact_text
from providers.parsing import customer_object
from providers.parsing.customer_fields import CustomerField
from providers.parsing.key_search import CLOCK_SKEW, LOOK_PAGES
from providers.parsing.listing import read_items
from providers.parsing.values import read_count, read_dict, read_id, read_text
from providers.parsing.webhooks import check_secret, read_object
from providers.tpstreams import request as job_request
from providers.tpstreams.bodies import (
    JOB_STATUSES,
    OUTPUT_STATUSES,
    is_job,
    read_job,
    read_source,
)
from providers.tpstreams.paging import read_next, read_query
from providers.tpstreams.search import fold_source, is_past, may_be_sent_as

NEWEST_FIRST = "-created"

# "10 KB", counted in the smaller of its two meanings.
METADATA_BYTES = 10_000

# A look for one submission reads so many jobs of the same source alone.
LOOK_JOBS = 20

_UNKNOWN_ORGANIZATION = "requested resource was not found on this server"
_NOT_CANCELLED = re.compile(r"already|can ?not|can't|can only|could not|unable", re.IGNORECASE)


class TPStreams(Adapter):
    slug = "tpstreams"
    label = "TPStreams"
    docs_url = "https://developer.tpstreams.com/docs/"
    default_base_url = "https://app.tpstreams.com/api/v1"
    capabilities = frozenset(
        {
            Capability.SUBMIT,
            Capability.CANCEL,
            Capability.FIND_BY_KEY,
            Capability.WEBHOOK,
            Capability.WEBHOOK_SECRET,
            Capability.CHECK_CREDENTIALS,
        }
    )
    credential_fields = (
        # Signing in here would spend the 20 tokens that an organization may have.
        Field(
            "token",
            "Token",
            "From signing in once by TPStreams' API. An organization may have 20, so share one.",
            secret=True,
        ),
        Field(
            "webhook_secret",
            "Webhook token",
            "The secret_token of the webhook. Deliveries without it are then refused.",
            secret=True,
            required=False,
        ),
    )
    option_fields = (
        Field(
            "organization_id", "Organization id", "Such as 6dnpyx, the uuid of the organization."
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
    echoes_key = True
    customer_field = CustomerField("client_metadata", customer_object, max_length=METADATA_BYTES)
    input_schemes = ("http", "https", "s3")
    input_fields = job_request.INPUT_FIELDS
    output_fields = ("resolutions",)
    heights = (240, 360, 480, 720, 1080)
    packagings = ()
    request_help = {
        "input": "An http, https or s3 address.",
        "destination": "Required: the s3 URL of a folder that TPStreams can write to.",
    }
    webhook_secret_header = "x-streams-token"  # noqa: S105 - a header's name
    webhook_steps = (
        "Make up a secret of 32 characters or more and enter it here as the webhook token.",
        "Register the webhook once for the organization: POST to its /webhooks/ the url {url} "
        "and the same secret as secret_token.",
        "Events of assets and live streams arrive at the same address; they are passed over.",
    )

    # Reading

    def list_jobs(self, cursor: str | None = None) -> Iterator[Page]:
        """The cursor is the query of the next page; where that page is, the account says."""
        query = cursor or ""
        walked = {query}
        while True:
            params = {**read_query(query), "ordering": NEWEST_FIRST}
            try:
                answer = self._send("GET", "list", params=params)
            except NotFound:
                if not query:
                    raise
                yield Page(())  # "Invalid page": the list ends before it
                return
            results = read_dict(answer.data).get("results")
            if not isinstance(results, list):
                raise BadAnswer("TPStreams' list of jobs is not a page of results.")
            jobs = read_items(results, self._read)
            following = read_next(read_dict(answer.data).get("next"), self._url())
            if following in walked:
                raise BadAnswer("TPStreams' list leads back to a page that was read already.")
            # the list leaves client_metadata out
            yield Page(
                tuple(replace(job, is_partial=True) for job in jobs),
                following,
                read_count(read_dict(answer.data).get("count")),
            )
            if following is None:
                return
            walked.add(following)
            query = following

    def get_job(self, remote_id: str) -> RemoteJob:
        job = self._read(self._send("GET", "details", remote_id=remote_id).data)
        if job is None:
            raise BadAnswer("TPStreams' details of the job hold no job.")
        return job

    # Acting

    def build_request(self, request: JobRequest, key: str | None = None) -> dict[str, Any]:
        return self.finish_request(job_request.build(request), request, key)

    def find_issues(self, request: JobRequest, body: Mapping[str, Any]) -> Iterator[RequestIssue]:
        destination = body.get("output_path")
        if not destination:
            yield self.refuse("destination", "destination_required", schemes=["s3"])
        elif isinstance(destination, str) and not job_request.is_s3(destination):
            yield self.refuse("destination", "destination_scheme", schemes=["s3"])

    def submit(self, request: JobRequest, key: str) -> RemoteJob:
        body = self.build_submission(request, key)
        job = self._read(self._send("POST", "submit", json=body).data)
        if job is None:
            raise BadAnswer("TPStreams' answer names no job.", ambiguous=True)
        # A job that was just made waits, where the answer does not say more.
        status = job.status if job.provider_status else JobStatus.QUEUED
        return replace(job, status=status, key=key)

    def cancel(self, remote_id: str) -> None:
        answer = self._send("DELETE", "cancel", remote_id=remote_id, classify=_refuse_cancelling)
        if refusal := _refuse_cancelling(answer):
            raise refusal.quote(read_words(answer.data), self.account.credentials.values())

    def find_by_key(self, key: str, request: JobRequest, since: datetime) -> Found:
        """The list carries neither our key nor when a job was made.

        Jobs of the same source are read one by one. What began before `since` was made before
        it, and so was all that follows in a list that is newest first.
        """
        source = fold_source(read_source(self.build_request(request)))
        earliest = since - CLOCK_SKEW
        reads = 0
        try:
            for count, page in enumerate(self.list_jobs(), start=1):
                for job in page.jobs:
                    if job.key == key:
                        return Found(job)
                    if not may_be_sent_as(job, source, earliest):
                        continue
                    if reads == LOOK_JOBS:
                        return Found(None, complete=False)
                    reads += 1
                    if (whole := self._get_if_there(job.remote_id)) and whole.key == key:
                        return Found(whole)
                if page.cursor is None or is_past(page, earliest):
                    return Found(None)
                if count == LOOK_PAGES:
                    break
        except ProviderError as error:
            if not error.transient:
                raise
        return Found(None, complete=False)

    def _get_if_there(self, remote_id: str) -> RemoteJob | None:
        try:
            return self.get_job(remote_id)
        except NotFound:
            return None

    # The account

    def check_credentials(self) -> None:
        """Read one page. The list of organizations would prove less, and tells their DRM keys."""
        next(self.list_jobs())

    # Webhooks

    @classmethod
    def read_webhook(cls, headers: Mapping[str, str], body: bytes, secret: str) -> WebhookEvent:
        check_secret(headers, "x-streams-token", secret)
        data = read_object(body)
        if is_job(data):
            return WebhookEvent(read_id(data.get("id")), _describe("transcoding job", data))
        for name, what in (("live_stream", "live stream"), ("video", "asset")):
            if isinstance(data.get(name), dict):
                return WebhookEvent(None, _describe(what, data[name]))
        return WebhookEvent(None, "an event that is not about a job")

    # HTTP

    def _url(self, remote_id: str | None = None) -> str:
        """Make an address. Without the slash at its end a POST is redirected and loses its body."""
        organization = _quote(str(self.account.options.get("organization_id", "")))
        jobs = f"{self.account.base_url.rstrip('/')}/{organization}/transcoding_jobs/"
        return jobs if remote_id is None else f"{jobs}{_quote(remote_id)}/"

    def _send(
        self,
        method: str,
        bucket: str,
        *,
        remote_id: str | None = None,
        params: Mapping[str, str | int] | None = None,
        json: Any = None,
        classify: Classify | None = None,
    ) -> Answer:
        return self.http.send(
            method,
            self._url(remote_id),
            headers={"Authorization": f"Token {self.account.credentials.get('token', '')}"},
            params=params,
            json=json,
            bucket=bucket,
            classify=lambda answer: _refuse_address(answer) or (classify and classify(answer)),
        )

    def _read(self, item: Any) -> RemoteJob | None:
        return read_job(item, self.account.credentials.values())


def _quote(segment: str) -> str:
    return quote(segment, safe="")


def _describe(what: str, data: Mapping[str, Any]) -> str:
    return redact_text(f"{what} {read_text(data.get('status'), 40) or 'changed'}")


def _refuse_address(answer: Answer) -> ProviderError | None:
    """A 404 about a job is JSON. Any other one is about the address, and no job is gone by it."""
    if answer.status != 404 or isinstance(answer.data, dict | list):
        return None
    if _UNKNOWN_ORGANIZATION in answer.text.lower():
        return AuthRefused(
            "TPStreams does not know the organization (404). Check the organization id.",
            code="404",
        )
    return Withdrawn(
        "TPStreams' API is not at this address (404). Check the base URL and its version.",
        code="404",
    )


def _refuse_cancelling(answer: Answer) -> ProviderError | None:
    """Whether it was cancelled is in the words; which status they come with is not documented."""
    is_about_job = answer.is_success or answer.status in {400, 409, 422}
    if not (is_about_job and _NOT_CANCELLED.search(read_words(answer.data))):
        return None
    return Conflict(
        "TPStreams did not cancel the job: it has ended already.", code=str(answer.status)
    )
