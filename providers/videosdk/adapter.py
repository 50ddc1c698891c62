"""Video SDK's encoder, API v1.

The product is withdrawn, and its pages are gone from https://docs.videosdk.live/; what they said
is in docs/providers/videosdk.md.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from providers.core import errors
from providers.core.adapter import Adapter
from providers.core.contract import Account, Found, per_minute
from providers.core.issues import RequestIssue
from providers.core.status import JobStatus, normalize_status
from providers.core.thumbnails import ThumbnailSupport
from providers.core.types import Capability, Field, JobRequest, RemoteJob, WebhookEvent
from providers.http.answers import Answer, error_by_status, join_messages, read_messages
from providers.http.client import HttpClient
from providers.paging.key_search import search_pages
from providers.paging.listing import Listing
from providers.parsing import customer_object
from providers.parsing.customer_fields import CustomerField
from providers.parsing.object_ids import is_object_id
from providers.parsing.payloads import Body
from providers.parsing.values import read_count, read_dict, read_int
from providers.videosdk import request as job_request
from providers.videosdk.bodies import JOB_STATUSES, OUTPUT_STATUSES, fill_job
from providers.videosdk.paging import NumberedPage, fetch_newest_first
from providers.videosdk.presets import RESOLUTIONS
from providers.videosdk.tokens import Tokens

PAGE_SIZE = 20  # the documented default; no other one is known to be taken

# A job that only looks like ours is taken for it from this long before ours was sent: longer, and
# it is likelier to be another client's; shorter, and a provider whose clock is behind hides ours.
SIMILAR_SKEW = timedelta(minutes=5)

_NOT_QUEUED = "Video SDK deletes queued jobs only, and this one is not queued any more."

# How a job that is not queued is refused is not documented.
_refuse_deletion = error_by_status(
    errors.Conflict, dict.fromkeys((400, 405, 409, 422), _NOT_QUEUED)
)

# What a message mentions that is about the credentials, as opposed to the service.
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
            Capability.JOB_WEBHOOK,
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
            "Signs tokens that are valid for ten minutes.",
            secret=True,
            required=False,
        ),
        Field(
            "token",
            "Token",
            "A ready JSON web token instead of the key and the secret, valid until it expires.",
            secret=True,
            required=False,
        ),
    )
    credential_alternatives = (("api_key", "secret"), ("token",))
    outputs_field = "files"
    private_fields = frozenset({"user"})
    customer_field = CustomerField("userData", customer_object)
    job_statuses = JOB_STATUSES
    output_statuses = OUTPUT_STATUSES
    # None is documented: these are polite, and far above what polling needs.
    rate_limits = per_minute(list=60, details=120, submit=60, cancel=60)
    read_buckets = ("details",)
    cancellable = frozenset({JobStatus.QUEUED})
    input_schemes = ("http", "https")
    writes_to_buckets = False
    accepts_schemeless_inputs = True  # the id of a file in its storage
    input_fields = job_request.INPUT_FIELDS
    output_fields = ("presets",)
    heights = tuple(RESOLUTIONS)
    thumbnails = ThumbnailSupport(
        placements=("timestamps",),
        formats=("jpg", "webp"),
        filters=("none", "blur"),
        sizes=("height",),
        heights=tuple(RESOLUTIONS),
        max_count=job_request.MAX_THUMBNAILS,
        whole_seconds=True,
    )
    request_help = {
        "input": "An http or https URL, or the id of a file in Video SDK's storage.",
        "destination": None,
    }
    webhook_steps = (
        'Add "webhookUrl": "{url}" to each job that is created elsewhere. Those submitted here '
        "carry it, unless the account's settings say otherwise.",
        "Keep the URL secret: nothing else distinguishes a genuine delivery from a forged one.",
    )

    def __init__(self, account: Account, http: HttpClient) -> None:
        super().__init__(account, http)
        self._tokens = Tokens(account.credentials)
        self._is_offered = False
        # why the list could not be read the last time
        self._list_error: errors.ProviderError | None = None

    # Reading

    def fetch_page(self, cursor: str | None) -> Listing:
        return fetch_newest_first(self._read_list_page, cursor)

    def get_job(self, remote_id: str) -> RemoteJob:
        return self.read_single(self._send_about("GET", remote_id, bucket="details").data)

    def translate(self, job: RemoteJob, body: Body) -> RemoteJob:
        return fill_job(job, body)

    def _read_list_page(self, number: int, size: int = PAGE_SIZE) -> NumberedPage:
        params = {"page": number, "perPage": size}
        self._list_error = None
        try:
            data = self._send_to_service(
                "GET", "/encoder/jobs/", bucket="list", params=params, classify=_read_withdrawal
            ).data
        except errors.ProviderError as error:
            self._list_error = error
            raise
        info = read_dict(read_dict(data).get("pageInfo"))
        reported = read_int(info.get("currentPage")) or number
        return NumberedPage(
            self.read_list(data, "data"), reported, read_count(info.get("lastPage"))
        )

    # Acting

    def build_request(self, request: JobRequest, key: str | None = None) -> dict[str, Any]:
        return self.finish_request(job_request.build(request), request, key)

    def find_issues(self, request: JobRequest, body: Mapping[str, Any]) -> Iterator[RequestIssue]:
        is_id = "://" not in request.input and "videoId" not in body
        if is_id and not self.input_fields & request.extra.keys():
            yield self.refuse("input", "input_scheme_or_id", schemes=self.input_schemes)

    def add_webhook(self, body: dict[str, Any], url: str) -> None:
        body.setdefault("webhookUrl", url)

    def submit(self, request: JobRequest, key: str) -> RemoteJob:
        body = self.build_submission(request, key)
        answer = self._send_to_service(
            "POST", "/encoder/jobs", bucket="submit", json=body, classify=_read_rejection
        )
        return self.read_created(answer.data, key)

    def cancel(self, remote_id: str) -> None:
        """Delete a queued job. The answer is the deleted job as it was, so it is not kept."""
        try:
            answer = self._send_about(
                "DELETE", remote_id, bucket="cancel", classify=_refuse_deletion
            )
        except errors.AuthRefused as error:
            if error.code != "403":
                raise
            # The list takes the same token: it is this job that must not be deleted.
            raise errors.Conflict(_NOT_QUEUED, code="403").quote(error.provider_message) from None
        status = self.open(answer.data).text("status")
        if status and JOB_STATUSES.get(normalize_status(status)) is not JobStatus.QUEUED:
            raise errors.Conflict(_NOT_QUEUED).quote(join_messages(answer.data), self.secrets)

    def find_by_key(self, key: str, request: JobRequest, since: datetime) -> Found:
        """Search for our key, else for the one job of the same source and presets since then.

        That `userData` comes back is not proven. Two jobs that could be it are none: a person
        has to decide.
        """
        body = self.open(self.build_request(request))
        asked = self.translate(RemoteJob("", JobStatus.QUEUED), body)
        alike: dict[str, RemoteJob] = {}

        def find(job: RemoteJob) -> RemoteJob | None:
            if job.key == key:
                return job
            is_new = job.created_at is not None and job.created_at >= since - SIMILAR_SKEW
            is_alike = _list_settings(job) == _list_settings(asked)
            if is_new and is_alike and not job.key:
                alike[job.remote_id] = job
            return None

        found = search_pages(self.list_jobs(), since, find)
        is_clear = found.job is None and found.complete and len(alike) == 1
        return Found(next(iter(alike.values()))) if is_clear else found

    # The account

    def check_credentials(self) -> None:
        self._read_list_page(1, size=1)

    # Webhooks

    @classmethod
    def read_webhook(cls, headers: Mapping[str, str], body: bytes, secret: str) -> WebhookEvent:
        """Find which job a delivery is about. Nothing is known of its body or its signature."""
        delivery = cls.open_delivery(headers, body, secret)
        parts = [delivery, delivery.object("data"), delivery.object("job")]
        # the `id` of a file is not that of its job
        ids = [part.get("jobId") for part in parts]
        ids += [part.get("id") for part in parts if "fileUrl" not in part]
        ids += [file.get("jobId") for part in parts for file in part.items("files")]
        remote_id = next((value for value in ids if is_object_id(value)), None)
        if remote_id is None:
            return WebhookEvent(None, "a delivery that names no job")
        statuses = [part.text("status", max_length=40) for part in parts]
        return WebhookEvent(remote_id, f"job {next(filter(None, statuses), 'changed')}")

    # HTTP

    def auth_headers(self) -> Mapping[str, str]:
        return {"Authorization": self._tokens.get()}

    def read_refusal(self, answer: Answer) -> errors.ProviderError | None:
        return None  # what a web page means depends on the call

    def _send_to_service(self, *args: str, **more: Any) -> Answer:
        """Send a call that a service which is there has an answer to. Raises Withdrawn."""
        try:
            answer = self.send(*args, **more)
        except errors.BadAnswer as error:
            if not error.code.startswith("text/html"):
                raise
            raise _withdrawn("a web page", error.code, ambiguous=error.ambiguous) from None
        self._is_offered = True
        return answer

    def _send_about(self, method: str, remote_id: str, **more: Any) -> Answer:
        """Send a call about one job. Raises NotFound only while the service is seen to be there.

        A withdrawn service does not know any job. Were that believed, all would be gone at once.
        """
        try:
            answer = self.send(method, "/encoder/jobs/{}", remote_id, **more)
        except (errors.NotFound, errors.AuthRefused, errors.BadAnswer) as error:
            if not self._is_offered:
                self._check_offered(error)
            raise
        self._is_offered = self._is_offered or self.read_job_id(answer.data) is not None
        return answer

    def _check_offered(self, error: errors.ProviderError) -> None:
        """Raise Withdrawn where the list is not there, either.

        A list that has just failed is not asked again: threads that read single jobs have no
        requests of that kind.
        """
        known = self._list_error
        if known is None:
            try:
                self._read_list_page(1, size=1)
                return
            except errors.Withdrawn as withdrawn:
                known = withdrawn
        if isinstance(error, errors.NotFound):
            raise errors.NotFoundOrWithdrawn(str(known), code=known.code)
        if isinstance(known, errors.Withdrawn):
            raise errors.Withdrawn(str(known), code=known.code)


def _list_settings(job: RemoteJob) -> set[str | None]:
    return {job.input.url, *(preset.remote_id for preset in job.presets)}


def _withdrawn(what: str, code: str, *, ambiguous: bool = False) -> errors.Withdrawn:
    return errors.Withdrawn(
        f"Video SDK no longer offers its encoder at this URL: it answers with {what}.",
        code=code,
        ambiguous=ambiguous,
    )


def _read_withdrawal(answer: Answer) -> errors.ProviderError | None:
    """What the list and a creation are never answered with by a service that is there."""
    if answer.status == 403 and _ABOUT_CREDENTIALS.search(join_messages(answer.data)):
        return None
    is_page = answer.status in {400, 405} and "html" in answer.headers.get("content-type", "")
    if answer.status in {403, 404, 410} or is_page:
        return _withdrawn(str(answer.status), str(answer.status))
    return None


def _read_rejection(answer: Answer) -> errors.ProviderError | None:
    """A 404 that mentions the video is about the id or the URL that was sent."""
    messages, fields = read_messages(answer.data)
    message = "; ".join(messages)
    if answer.status != 404 or not _ABOUT_SOURCE.search(message):
        return _read_withdrawal(answer)
    return errors.Rejected(
        message, messages=messages, fields=fields, error_class="input.not_found", code="404"
    )
