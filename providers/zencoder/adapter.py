"""Zencoder, API v2: https://zencoder.support.brightcove.com/references/openapi.html"""

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
    ProviderError,
    RateLimited,
    Withdrawn,
)
from providers.core.issues import RequestIssue
from providers.core.status import JobStatus, OutputStatus
from providers.core.types import (
    Capability,
    Field,
    JobRequest,
    Page,
    RemoteJob,
    Usage,
    WebhookEvent,
)
from providers.http.answers import Answer, read_words
from providers.http.client import Classify
from providers.http.redaction import redact_text
from providers.parsing import customer_text
from providers.parsing.customer_fields import CustomerField
from providers.parsing.key_search import find_in_pages
from providers.parsing.listing import read_items
from providers.parsing.values import (
    read_bool,
    read_dict,
    read_id,
    read_int,
    read_list,
    read_text,
)
from providers.parsing.webhooks import check_secret, read_object
from providers.zencoder import request as job_request
from providers.zencoder.bodies import JOB_STATUSES, OUTPUT_STATUSES, merge_progress, read_job
from providers.zencoder.error_classes import ERROR_CLASSES

MAX_OUTPUTS = 20
MAX_NOTIFICATIONS = 5  # of a job, and of each output

PAGE_SIZE = 50  # the most that a page holds, whatever is asked for

_RATE_LIMIT_WORDS = "rate limit"

# Nothing else of the account is read: the rest is personal and billing data.
_FACTS = (
    ("account_state", "Account"),
    ("plan", "Plan"),
    ("minutes_used", "Minutes used"),
    ("minutes_included", "Minutes included"),
    ("billing_state", "Billing"),
)


class Zencoder(Adapter):
    slug = "zencoder"
    label = "Zencoder"
    docs_url = "https://zencoder.support.brightcove.com/"
    default_base_url = "https://app.zencoder.com/api/v2"
    capabilities = frozenset(
        {
            Capability.SUBMIT,
            Capability.CANCEL,
            Capability.RESUBMIT,
            Capability.PROGRESS,
            Capability.FIND_BY_KEY,
            Capability.WEBHOOK,
            Capability.WEBHOOK_SECRET,
            Capability.CHECK_CREDENTIALS,
            Capability.USAGE,
            Capability.TEST_MODE,
            Capability.THUMBNAILS,
        }
    )
    credential_fields = (
        Field(
            "api_key",
            "API key",
            "A full-access key: a read-only key cannot list jobs.",
            secret=True,
        ),
        Field(
            "webhook_secret",
            "Notification secret",
            "From the API page of Zencoder's dashboard. Deliveries without it are then refused.",
            secret=True,
            required=False,
        ),
    )
    job_statuses = JOB_STATUSES
    output_statuses = OUTPUT_STATUSES
    error_classes = ERROR_CLASSES
    # https://zencoder.support.brightcove.com/general-information/faq-rate-limiting.html
    # and the X-Zencoder-Rate-Remaining of fresh quotas.
    rate_limits = (
        RateLimit("list", 60),
        RateLimit("details", 60),
        RateLimit("progress", 5000),
        RateLimit("submit", 1000),
        RateLimit("cancel", 60),
        RateLimit("resubmit", 60),
        RateLimit("account", 5000),
    )
    read_buckets = ("details", "progress")
    refresh_buckets = ("progress",)
    history_days = 60
    customer_field = CustomerField("pass_through", customer_text, max_length=255)
    output_fields = ("outputs", "output")
    cut_fields = frozenset({"start_clip", "clip_length"})
    echoes_key = True
    thumbnail_formats = ("jpg", "png")
    max_thumbnails = 100
    webhook_secret_header = "X-Zencoder-Notification-Secret"  # noqa: S105 - a header's name
    webhook_steps = (
        "Copy the notification secret from the API page of Zencoder's dashboard to this account.",
        'Add "notifications": ["{url}"] to each job that is created elsewhere.',
        "Leave the format of the notifications at JSON.",
    )

    # Reading

    def list_jobs(self, cursor: str | None = None) -> Iterator[Page]:
        number = max(read_int(cursor) or 1, 1)
        before: list[str] = []
        while True:
            params = {"page": number, "per_page": PAGE_SIZE}
            answer = self._send("GET", "/jobs", "list", params=params, classify=_refuse_read_only)
            if not isinstance(answer.data, list):
                raise BadAnswer("Zencoder's list of jobs is not a list.")
            jobs = read_items(answer.data, self._read)
            ids = [job.remote_id for job in jobs]
            # The same page once more comes from a server that ignores the number.
            is_last = len(answer.data) < PAGE_SIZE or ids == before
            yield Page(jobs, None if is_last else str(number + 1))
            if is_last:
                return
            before = ids
            number += 1

    def get_job(self, remote_id: str) -> RemoteJob:
        job = self._read(self._send("GET", f"/jobs/{_quote(remote_id)}", "details").data)
        if job is None:
            raise BadAnswer("Zencoder's details of the job hold no job.")
        try:
            return self.refresh_job(job)
        except (AuthRefused, RateLimited):
            raise  # it is about the account, not about this percentage
        except ProviderError:
            return job  # whole but for the percentage

    def refresh_job(self, job: RemoteJob) -> RemoteJob:
        if not job.status.is_active:
            return job
        answer = self._send("GET", f"/jobs/{_quote(job.remote_id)}/progress", "progress")
        return merge_progress(job, read_dict(answer.data))

    # Acting

    def build_request(self, request: JobRequest, key: str | None = None) -> dict[str, Any]:
        return self.finish_request(job_request.build(request), request, key)

    def find_issues(self, request: JobRequest, body: Mapping[str, Any]) -> Iterator[RequestIssue]:
        if "api_key" in body:
            yield self.refuse("extra", "api_key_in_extra")
        if body.get("mock"):
            yield self.refuse("extra", "mock_unsupported")
        outputs = job_request.list_outputs(body)
        if len(outputs) > MAX_OUTPUTS:
            values = {"limit": MAX_OUTPUTS, "count": len(outputs)}
            yield self.refuse("renditions", "outputs_too_many", **values)
        labels = [str(output["label"]).lower() for output in outputs if output.get("label")]
        if len(labels) != len(set(labels)):
            yield self.refuse("renditions", "renditions_duplicated")
        if not any(output.get("base_url") or output.get("url") for output in outputs):
            yield self.note("destination", "destination_temporary", hours=24)
        targets = [read_list(part.get("notifications")) for part in (body, *outputs)]
        if max(map(len, targets)) > MAX_NOTIFICATIONS:
            yield self.refuse("extra", "notifications_too_many", limit=MAX_NOTIFICATIONS)

    def submit(self, request: JobRequest, key: str) -> RemoteJob:
        body = self.build_submission(request, key)
        answer = self._send("POST", "/jobs", "submit", json=body)
        job = self._read(answer.data)
        if job is None:
            raise BadAnswer("Zencoder's answer names no job.", ambiguous=True)
        # The answer tells ids alone. A job that was just made waits.
        outputs = tuple(replace(output, status=OutputStatus.QUEUED) for output in job.outputs)
        return replace(job, status=JobStatus.QUEUED, outputs=outputs, key=key)

    def cancel(self, remote_id: str) -> None:
        self._send("PUT", f"/jobs/{_quote(remote_id)}/cancel", "cancel")

    def resubmit(self, remote_id: str) -> None:
        path = f"/jobs/{_quote(remote_id)}/resubmit"
        self._send("PUT", path, "resubmit", classify=_refuse_resubmission)

    def find_by_key(self, key: str, request: JobRequest, since: datetime) -> Found:
        return find_in_pages(self.list_jobs(), key, since)

    # The account

    def check_credentials(self) -> None:
        self._read_account()

    def usage(self) -> Usage:
        account = self._read_account()
        told = ((label, read_text(account.get(name), 100)) for name, label in _FACTS)
        is_test_mode = read_bool(account.get("integration_mode"))
        facts = tuple((label, words) for label, words in told if words)
        return Usage(facts=facts, is_test_mode=is_test_mode)

    def _read_account(self) -> Mapping[str, Any]:
        answer = self._send("GET", "/account", "account", classify=_refuse_read_only)
        if not isinstance(answer.data, dict):
            raise BadAnswer("Zencoder's account is not an object.")
        return answer.data

    # Webhooks

    @classmethod
    def read_webhook(cls, headers: Mapping[str, str], body: bytes, secret: str) -> WebhookEvent:
        check_secret(headers, "x-zencoder-notification-secret", secret)
        data = read_object(body)
        job, output = read_dict(data.get("job")), read_dict(data.get("output"))
        state = read_text((output or job).get("state"), 40) or "changed"
        what = f"output {read_id(output.get('id')) or '?'}" if output else "job"
        return WebhookEvent(read_id(job.get("id")), redact_text(f"{what} {state}"))

    # HTTP

    def _send(
        self,
        method: str,
        path: str,
        bucket: str,
        *,
        params: Mapping[str, str | int] | None = None,
        json: Any = None,
        classify: Classify | None = None,
    ) -> Answer:
        answer = self.http.send(
            method,
            self.account.base_url.rstrip("/") + path,
            headers={"Zencoder-Api-Key": self.account.credentials.get("api_key", "")},
            params=params,
            json=json,
            bucket=bucket,
            classify=lambda answer: (
                _read_rate_limit(answer)
                or _refuse_web_page(answer)
                or (classify and classify(answer))
            ),
        )
        if bucket in {"list", "details"}:  # the limits that are reached first
            self.http.rate_remaining = read_int(answer.headers.get("x-zencoder-rate-remaining"))
        return answer

    def _read(self, item: Any) -> RemoteJob | None:
        job = read_job(item, self.account.credentials.values())
        if job is None or self.account.base_url.rstrip("/") != self.default_base_url:
            return job
        return replace(job, console_url=f"https://app.zencoder.com/jobs/{_quote(job.remote_id)}")


def _quote(remote_id: str) -> str:
    return quote(remote_id, safe="")


def _read_rate_limit(answer: Answer) -> ProviderError | None:
    """Its rate limit is a 403 whose body is text; any other 403 has neither word nor header.

    The header counts even where its value cannot be read: a refused key never has one.
    """
    if answer.status != 403:
        return None
    if "retry-after" not in answer.headers and _RATE_LIMIT_WORDS not in answer.text.lower():
        return None
    return RateLimited("Zencoder's rate limit is reached.", code="403", wait_s=answer.wait_s)


def _refuse_web_page(answer: Answer) -> ProviderError | None:
    """A web page is about the address. The body of a job that is gone is not documented, but it
    is that of an API."""
    if answer.status not in {404, 410} or "html" not in answer.headers.get("content-type", ""):
        return None
    return Withdrawn(
        f"Zencoder's API is not at this address: it answers with a web page ({answer.status}). "
        "Check the base URL and its version.",
        code=str(answer.status),
    )


def _refuse_read_only(answer: Answer) -> ProviderError | None:
    if answer.status not in {401, 403}:
        return None
    return AuthRefused(
        f"Zencoder refused the API key ({answer.status}). It may be wrong, or read-only: such a "
        "key can neither list jobs nor read the account.",
        code=str(answer.status),
    )


def _refuse_resubmission(answer: Answer) -> ProviderError | None:
    """A 403 here is documented as too many attempts, a 409 as finished or too old."""
    if answer.status not in {403, 409}:
        return None
    reason = ""
    if answer.status == 403:
        reason = ", since it was resubmitted too often (five times at most)"
    elif not read_words(answer.data):
        reason = ", since it is finished, or failed more than seven days ago"
    return Conflict(f"Zencoder does not run this job again{reason}.", code=str(answer.status))
