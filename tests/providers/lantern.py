"""A provider that does not exist: one module, written by docs/adding-a-provider.md."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from providers.core.adapter import Adapter
from providers.core.contract import Found, per_minute
from providers.core.error_tables import ErrorTable
from providers.core.status import JobStatus, OutputStatus, read_status
from providers.core.types import (
    Capability,
    Field,
    JobRequest,
    RemoteInput,
    RemoteJob,
    RemoteOutput,
)
from providers.paging.key_search import find_in_pages
from providers.paging.listing import Listing
from providers.parsing import customer_text
from providers.parsing.customer_fields import CustomerField
from providers.parsing.payloads import Body
from providers.parsing.values import read_id

ERRORS = ErrorTable(
    codes={"E-WIND": "input.not_found"},
    patterns=((r"no oil|unreadable", "input.corrupt"),),
)


class Lantern(Adapter):
    slug = "lantern"
    label = "Lantern Works"
    docs_url = "https://lantern.example/docs"
    default_base_url = "https://api.lantern.example/v3"
    capabilities = frozenset(
        {
            Capability.SUBMIT,
            Capability.CANCEL,
            Capability.FIND_BY_KEY,
            Capability.CHECK_CREDENTIALS,
        }
    )
    credential_fields = (Field("wick", "Wick", "From the lighthouse.", secret=True),)
    id_field = "lamp"
    status_field = "glow"
    outputs_field = "beams"
    request_help = {"destination": None}
    customer_field = CustomerField("note", customer_text, max_length=500)
    job_statuses = {
        "unlit": JobStatus.QUEUED,
        "burning": JobStatus.RUNNING,
        "bright": JobStatus.SUCCEEDED,
        "blownout": JobStatus.FAILED,
        "snuffed": JobStatus.CANCELLED,
    }
    output_statuses = {
        "unlit": OutputStatus.QUEUED,
        "burning": OutputStatus.RUNNING,
        "bright": OutputStatus.SUCCEEDED,
        "blownout": OutputStatus.FAILED,
        "snuffed": OutputStatus.CANCELLED,
    }
    error_classes = ERRORS.codes
    rate_limits = per_minute(default=60)
    echoes_key = True
    output_fields = ("heights",)

    # Reading

    def fetch_page(self, cursor: str | None) -> Listing:
        params = {"after": cursor} if cursor else None
        data = self.send("GET", "/lamps", params=params).data
        return Listing(self.read_list(data, "lamps"), read_id(data.get("next")))

    def get_job(self, remote_id: str) -> RemoteJob:
        return self.read_single(self.send("GET", "/lamps/{}", remote_id).data)

    def translate(self, job: RemoteJob, body: Body) -> RemoteJob:
        oil = body.url("oil")
        code, message = body.text("code"), body.text("why")
        return replace(
            job,
            created_at=body.time("lit_at"),
            finished_at=body.time("out_at"),
            input=RemoteInput(
                url=oil.redacted,
                secret_url=oil.original,
                duration_ms=body.duration_ms("burns_for", unit="s"),
            ),
            outputs=tuple(self._read_outputs(body)),
            errors=(ERRORS.read(code, message),) if job.status is JobStatus.FAILED else (),
        )

    def _read_outputs(self, body: Body) -> Iterator[RemoteOutput]:
        for beam in body.items("beams"):
            url = beam.url("shines_at")
            yield RemoteOutput(
                remote_id=beam.id("beam") or f"n{beam.index}",
                status=read_status(beam.get("glow"), self.output_statuses, OutputStatus.UNKNOWN),
                provider_status=beam.text("glow") or "",
                height=beam.count("height"),
                duration_ms=beam.duration_ms("burns_for", unit="s"),
                url=url.redacted,
                secret_url=url.original,
                expires_at=url.expires_at,
            )

    # Acting

    def build_request(self, request: JobRequest, key: str | None = None) -> dict[str, Any]:
        heights = [height for rendition in request.renditions for height in rendition.heights]
        return self.finish_request({"oil": request.input, "heights": heights}, request, key)

    def submit(self, request: JobRequest, key: str) -> RemoteJob:
        body = self.build_submission(request, key)
        return self.read_created(self.send("POST", "/lamps", json=body).data, key)

    def cancel(self, remote_id: str) -> None:
        self.send("DELETE", "/lamps/{}", remote_id)

    def find_by_key(self, key: str, request: JobRequest, since: datetime) -> Found:
        return find_in_pages(self.list_jobs(), key, since)

    # The account

    def check_credentials(self) -> None:
        next(self.list_jobs())

    def auth_headers(self) -> Mapping[str, str]:
        return {"X-Wick": self.account.credentials.get("wick", "")}
