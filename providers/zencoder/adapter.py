"""Zencoder, API v2: https://zencoder.support.brightcove.com/references/openapi.html"""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from providers.core import errors
from providers.core.adapter import Adapter
from providers.core.contract import Found, per_minute
from providers.core.issues import RequestIssue
from providers.core.thumbnails import ThumbnailSupport
from providers.core.types import (
    Capability,
    Field,
    JobRequest,
    RemoteJob,
    Usage,
    WebhookEvent,
)
from providers.http.answers import Answer, error_by_status, join_messages
from providers.paging.key_search import find_in_pages
from providers.paging.listing import Listing
from providers.parsing import customer_text
from providers.parsing.customer_fields import CustomerField
from providers.parsing.payloads import Body
from providers.parsing.values import read_int, read_list
from providers.zencoder import request as job_request
from providers.zencoder.bodies import JOB_STATUSES, OUTPUT_STATUSES, fill_job, merge_progress
from providers.zencoder.error_table import ERROR_CLASSES
from providers.zencoder.inputs import find_unfinished_input, merge_input, merge_input_progress

PAGE_SIZE = 50  # the most that a page holds, whatever is asked for

MAX_OUTPUTS = 20
MAX_NOTIFICATIONS = 5  # of a job, and of each output

# Nothing else of the account is read: the rest is personal and billing data.
_FACTS = {
    "account_state": "Account",
    "plan": "Plan",
    "minutes_used": "Minutes used",
    "minutes_included": "Minutes included",
    "billing_state": "Billing",
}


_refuse_read_only = error_by_status(
    errors.AuthRefused,
    dict.fromkeys(
        (401, 403),
        "Zencoder refused the API key. It may be wrong, or read-only: such a key can neither list "
        "jobs nor read the account.",
    ),
)
_refuse_switch = error_by_status(
    errors.Conflict,
    {402: "Zencoder keeps integration mode on until billing is set up in its dashboard."},
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
            Capability.JOB_WEBHOOK,
            Capability.CHECK_CREDENTIALS,
            Capability.USAGE,
            Capability.INTEGRATION_MODE,
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
    console_url = "https://app.zencoder.com/jobs/{}"
    status_field = "state"
    outputs_field = "output_media_files"
    # of outputs and of the input; their shape is not documented
    warnings_field = "warnings"
    customer_field = CustomerField("pass_through", customer_text, max_length=255)
    job_statuses = JOB_STATUSES
    output_statuses = OUTPUT_STATUSES
    error_classes = ERROR_CLASSES
    # https://zencoder.support.brightcove.com/general-information/faq-rate-limiting.html
    # and the X-Zencoder-Rate-Remaining of fresh quotas.
    rate_limits = per_minute(
        list=60,
        details=60,
        progress=5000,
        submit=1000,
        cancel=60,
        resubmit=60,
        account=5000,
        mode=60,
    )
    read_buckets = ("details", "progress")
    refresh_buckets = ("progress",)
    history_days = 60
    echoes_key = True
    output_fields = ("outputs", "output")
    cut_fields = frozenset({"start_clip", "clip_length"})
    thumbnails = ThumbnailSupport(
        formats=("jpg", "png"), sizes=("width", "height"), max_count=job_request.MAX_THUMBNAILS
    )
    webhook_secret_header = "X-Zencoder-Notification-Secret"  # noqa: S105 - a header's name
    webhook_steps = (
        "Copy the notification secret from the API page of Zencoder's dashboard to this account.",
        'Add "notifications": ["{url}"] to each job that is created elsewhere. Those submitted '
        "here carry it, unless the account's settings say otherwise.",
        "Leave the format of the notifications at JSON.",
    )

    # Reading

    def fetch_page(self, cursor: str | None) -> Listing:
        number = max(read_int(cursor) or 1, 1)
        params = {"page": number, "per_page": PAGE_SIZE}
        answer = self.send("GET", "/jobs", bucket="list", params=params, classify=_refuse_read_only)
        jobs = self.read_list(answer.data)
        following = str(number + 1) if len(jobs) >= PAGE_SIZE else None
        return Listing(jobs, following, is_counted=True)

    def get_job(self, remote_id: str) -> RemoteJob:
        job = self.read_single(self.send("GET", "/jobs/{}", remote_id, bucket="details").data)
        try:
            return self.refresh_job(job)
        except (errors.AuthRefused, errors.RateLimited):
            raise  # it is about the account, not about this percentage
        except errors.ProviderError:
            return job  # complete but for the percentage

    def refresh_job(self, job: RemoteJob) -> RemoteJob:
        if not job.status.is_active:
            return job
        answer = self.send("GET", "/jobs/{}/progress", job.remote_id, bucket="progress")
        progress = self.open(answer.data)
        job = merge_progress(job, progress)
        input_id = find_unfinished_input(job, progress)
        return job if input_id is None else self._add_input(job, input_id)

    def _add_input(self, job: RemoteJob, input_id: str) -> RemoteJob:
        """Add how much of the input is fetched; once that is done, what it is found to be.

        These calls have a limit of 5000 a minute, far above what they are used for.
        """
        try:
            answer = self.send("GET", "/inputs/{}/progress", input_id, bucket="input")
            job = merge_input_progress(job, self.open(answer.data))
            if job.input.fetched_percent == 100:
                answer = self.send("GET", "/inputs/{}", input_id, bucket="input")
                job = merge_input(job, self.open(answer.data))
        except (errors.AuthRefused, errors.RateLimited):
            raise
        except errors.ProviderError:
            pass  # complete but for the input
        return job

    def translate(self, job: RemoteJob, body: Body) -> RemoteJob:
        return fill_job(job, body)

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
        has_target = any(output.get("base_url") or output.get("url") for output in outputs)
        if not (has_target or request.destination):
            yield self.note("destination", "destination_temporary", hours=24)
        targets = [read_list(part.get("notifications")) for part in (body, *outputs)]
        if max(map(len, targets)) > MAX_NOTIFICATIONS:
            yield self.refuse("extra", "notifications_too_many", limit=MAX_NOTIFICATIONS)

    def add_webhook(self, body: dict[str, Any], url: str) -> None:
        """Add one to those of the job, where there is room. Its deliveries carry the secret."""
        given = body.get("notifications")
        targets = given if isinstance(given, list) else [given] if given else []
        if len(targets) < MAX_NOTIFICATIONS and url not in json.dumps(targets, default=str):
            body["notifications"] = [*targets, url]

    def submit(self, request: JobRequest, key: str) -> RemoteJob:
        body = self.build_submission(request, key)
        return self.read_created(self.send("POST", "/jobs", bucket="submit", json=body).data, key)

    def cancel(self, remote_id: str) -> None:
        self.send("PUT", "/jobs/{}/cancel", remote_id, bucket="cancel")

    def resubmit(self, remote_id: str) -> None:
        path = "/jobs/{}/resubmit"
        self.send("PUT", path, remote_id, bucket="resubmit", classify=_refuse_resubmission)

    def find_by_key(self, key: str, request: JobRequest, since: datetime) -> Found:
        return find_in_pages(self.list_jobs(), key, since)

    # The account

    def check_credentials(self) -> None:
        self._read_account()

    def usage(self) -> Usage:
        account = self._read_account()
        facts = ((label, account.text(name, max_length=100)) for name, label in _FACTS.items())
        return Usage(
            facts=tuple((label, value) for label, value in facts if value),
            is_test_mode=account.flag("integration_mode"),
        )

    def switch_integration_mode(self, is_on: bool) -> None:
        path = "/account/integration" if is_on else "/account/live"
        self.send("PUT", path, bucket="mode", classify=_refuse_switch)

    def _read_account(self) -> Body:
        answer = self.send("GET", "/account", bucket="account", classify=_refuse_read_only)
        if not isinstance(answer.data, dict):
            raise errors.BadAnswer("Zencoder's account is not an object.")
        return self.open(answer.data)

    # Webhooks

    @classmethod
    def read_webhook(cls, headers: Mapping[str, str], body: bytes, secret: str) -> WebhookEvent:
        delivery = cls.open_delivery(headers, body, secret)
        job, output = delivery.object("job"), delivery.object("output")
        state = (output or job).text("state", max_length=40) or "changed"
        subject = f"output {output.id('id') or '?'}" if output else "job"
        return WebhookEvent(job.id("id"), f"{subject} {state}")

    # HTTP

    def auth_headers(self) -> Mapping[str, str]:
        return {"Zencoder-Api-Key": self.account.credentials.get("api_key", "")}

    def send(self, *args: Any, bucket: str = "default", **more: Any) -> Answer:
        answer = super().send(*args, bucket=bucket, **more)
        if bucket in {"list", "details"}:  # the limits that are reached first
            self.http.rate_remaining = read_int(answer.headers.get("x-zencoder-rate-remaining"))
        return answer

    def read_refusal(self, answer: Answer) -> errors.ProviderError | None:
        """Its rate limit is a 403 with text as its body; a refused key has no text and no header.

        The header counts even where its value cannot be read.
        """
        is_limit = "retry-after" in answer.headers or "rate limit" in answer.text.lower()
        if answer.status == 403 and is_limit:
            sentence = "Zencoder's rate limit is reached."
            return errors.RateLimited(sentence, code="403", wait_s=answer.wait_s)
        return super().read_refusal(answer)


def _refuse_resubmission(answer: Answer) -> errors.ProviderError | None:
    """A 403 here is documented as too many attempts, a 409 as finished or too old."""
    if answer.status not in {403, 409}:
        return None
    reason = ""
    if answer.status == 403:
        reason = ", since it was resubmitted too often (five times at most)"
    elif not join_messages(answer.data):
        reason = ", since it is finished, or failed more than seven days ago"
    return errors.Conflict(
        f"Zencoder does not run this job again{reason}.", code=str(answer.status)
    )
