"""TPStreams' transcoding jobs: https://developer.tpstreams.com/docs/transcoding-service/"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote, unquote

from providers.core import errors
from providers.core.adapter import Adapter
from providers.core.contract import Account, Found, per_minute
from providers.core.issues import RequestIssue
from providers.core.types import Bucket, Capability, Field, JobRequest, RemoteJob, WebhookEvent
from providers.http.answers import Answer, join_messages
from providers.http.client import HttpClient
from providers.http.redaction import redact_url
from providers.paging.key_search import CLOCK_SKEW, search_pages
from providers.paging.listing import Listing
from providers.paging.next_pages import read_next, read_query
from providers.parsing import customer_object
from providers.parsing.customer_fields import CustomerField
from providers.parsing.payloads import Body
from providers.parsing.urls import strip_query
from providers.parsing.values import read_count
from providers.tpstreams import request as job_request
from providers.tpstreams.bodies import JOB_STATUSES, OUTPUT_STATUSES, SOURCES, fill_job, is_job

# "10 KB", counted in the smaller of its two meanings.
METADATA_BYTES = 10_000

# So many jobs of the same source are read alone in one search.
MAX_READS = 20

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
            "Sign in once through TPStreams' API to get it. An organization can have 20.",
            secret=True,
        ),
        Field(
            "webhook_secret",
            "Webhook token",
            "The secret_token of the webhook. Deliveries without it are refused.",
            secret=True,
            required=False,
        ),
    )
    option_fields = (
        Field(
            "organization_id", "Organization id", "Such as 6dnpyx, the uuid of the organization."
        ),
    )
    outputs_field = "resolutions"
    lists_partial_jobs = True  # without client_metadata
    customer_field = CustomerField("client_metadata", customer_object, max_length=METADATA_BYTES)
    job_statuses = JOB_STATUSES
    output_statuses = OUTPUT_STATUSES
    # None is documented: these are polite, and far above what polling needs.
    rate_limits = per_minute(list=60, details=120, submit=60, cancel=60)
    read_buckets = ("details",)
    echoes_key = True
    input_schemes = ("http", "https", "s3")
    input_fields = frozenset(SOURCES)
    output_fields = ("resolutions",)
    heights = (240, 360, 480, 720, 1080)
    packagings = ()
    request_help = {
        "input": "An http, https or s3 URL.",
        "destination": "Required: the s3 URL of a folder that TPStreams can write to.",
    }
    webhook_secret_header = "x-streams-token"  # noqa: S105 - a header's name
    webhook_steps = (
        "Make up a secret of 32 characters or more and enter it here as the webhook token.",
        "Register the webhook once for the organization: POST to its /webhooks/ the url {url} "
        "and the same secret as secret_token.",
        "Events of assets and live streams arrive at the same URL and are ignored.",
    )

    def __init__(self, account: Account, http: HttpClient) -> None:
        super().__init__(account, http)
        organization = quote(str(account.options.get("organization_id", "")), safe="")
        self.base_url = f"{self.base_url}/{organization}/transcoding_jobs"

    # Reading

    def fetch_page(self, cursor: str | None) -> Listing:
        """The cursor is the query of the next page, below the account's own URL."""
        params = {**read_query(cursor), "ordering": "-created"}
        try:
            data = self.send("GET", "/", bucket="list", params=params).data
        except errors.NotFound:
            if not cursor:
                raise
            return Listing([])  # "Invalid page": the list ends before it
        jobs = self.read_list(data, "results")
        following = read_next(data.get("next"), f"{self.base_url}/")
        return Listing(jobs, following, total=read_count(data.get("count")))

    def get_job(self, remote_id: str) -> RemoteJob:
        return self.read_single(self.send("GET", "/{}/", remote_id, bucket="details").data)

    def translate(self, job: RemoteJob, body: Body) -> RemoteJob:
        return fill_job(job, body)

    # Acting

    @classmethod
    def bucket_url(cls, bucket: Bucket) -> str:
        return job_request.build_bucket_url(bucket)

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
        return self.read_created(self.send("POST", "/", bucket="submit", json=body).data, key)

    def cancel(self, remote_id: str) -> None:
        answer = self.send("DELETE", "/{}/", remote_id, bucket="cancel", classify=_read_conflict)
        if refusal := _read_conflict(answer):
            raise refusal.quote(join_messages(answer.data), self.secrets)

    def find_by_key(self, key: str, request: JobRequest, since: datetime) -> Found:
        """The list carries neither our key nor when a job was made.

        Jobs of the same source are read alone. One that began before `since` is read as well, as
        long as reads are left: the provider's clock may be wrong.
        """
        body = self.build_request(request)
        source = _strip_signature(next((body[name] for name in SOURCES if name in body), None))
        reads = 0

        def find(job: RemoteJob) -> RemoteJob | None:
            nonlocal reads
            if job.key == key:
                return job
            lists_key = isinstance(job.raw.get("client_metadata"), dict)
            if lists_key or _strip_signature(job.input.url) not in {source, ""}:
                return None
            if reads == MAX_READS:
                if job.started_at and job.started_at < since - CLOCK_SKEW:
                    return None
                raise errors.BudgetExhausted("The search stopped at its limit of jobs.")
            reads += 1
            try:
                details = self.get_job(job.remote_id)
            except errors.NotFound:
                return None
            return details if details.key == key else None

        return search_pages(self.list_jobs(), since, find, lambda job: job.started_at)

    # The account

    def check_credentials(self) -> None:
        """Read one page. The list of organizations would prove less, and has their DRM keys."""
        next(self.list_jobs())

    # Webhooks

    @classmethod
    def read_webhook(cls, headers: Mapping[str, str], body: bytes, secret: str) -> WebhookEvent:
        delivery = cls.open_delivery(headers, body, secret)
        if is_job(delivery):
            return WebhookEvent(delivery.id("id"), _describe("transcoding job", delivery))
        for name, subject in (("live_stream", "live stream"), ("video", "asset")):
            if isinstance(delivery.get(name), dict):
                return WebhookEvent(None, _describe(subject, delivery.object(name)))
        return WebhookEvent(None, "an event that is not about a job")

    # HTTP

    def auth_headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Token {self.account.credentials.get('token', '')}"}

    def read_refusal(self, answer: Answer) -> errors.ProviderError | None:
        """A 404 about a job is JSON. Any other one is about the URL, and no job is gone for it."""
        if answer.status != 404 or isinstance(answer.data, dict | list):
            return None
        if _UNKNOWN_ORGANIZATION in answer.text.lower():
            sentence = "TPStreams does not know the organization (404). Check the organization id."
            return errors.AuthRefused(sentence, code="404")
        return self.refuse_url(answer)


def _strip_signature(url: str | None) -> str:
    """Return what stays of a URL when it is signed anew, or listed without its secrets."""
    return unquote(strip_query(redact_url(url or ""))).rstrip("/")


def _describe(subject: str, body: Body) -> str:
    return f"{subject} {body.text('status', max_length=40) or 'changed'}"


def _read_conflict(answer: Answer) -> errors.ProviderError | None:
    """The message says whether it was cancelled; which status it comes with is not documented."""
    is_about_job = answer.is_success or answer.status in {400, 409, 422}
    if not (is_about_job and _NOT_CANCELLED.search(join_messages(answer.data))):
        return None
    sentence = "TPStreams did not cancel the job: it has ended already."
    return errors.Conflict(sentence, code=str(answer.status))
