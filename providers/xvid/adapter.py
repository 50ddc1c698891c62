"""Xvid MediaHub, API v1: https://mediahub.xvid.com/manual"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from providers.core.adapter import Adapter
from providers.core.contract import Account, Found
from providers.core.errors import BadAnswer, Conflict, NotFound
from providers.core.issues import RequestIssue
from providers.core.status import JobStatus
from providers.core.types import (
    Capability,
    Field,
    JobRequest,
    OutputLink,
    Page,
    RemoteJob,
    RemotePreset,
)
from providers.http.client import HttpClient
from providers.http.redaction import url_expiry
from providers.parsing import customer_text
from providers.parsing.customer_fields import CustomerField
from providers.parsing.key_search import find_in_pages
from providers.parsing.listing import read_items
from providers.parsing.values import (
    read_dict,
    read_id,
    read_int,
    read_list,
    read_text,
)
from providers.xvid import bodies
from providers.xvid import request as job_request
from providers.xvid.bodies import JOB_STATUSES, OUTPUT_STATUSES
from providers.xvid.error_classes import ERROR_CLASSES
from providers.xvid.session import Session, nothing_created

# Expanded jobs take some 10 kB each: a page stays far below the limit of an answer, and below
# what made the provider's own client run into time-outs.
PAGE_SIZE = 100

# Jobs may vanish from the list between two pages, which pulls others over the page's edge.
OVERLAP = 5

# Long enough to watch a film; who holds the link needs no credentials.
LINK_LIFE = timedelta(hours=4)

# Addresses beyond some thousand characters are not sure to arrive.
FILTER_LENGTH = 1000

READ = {"show_null": "true", "expand": "file,preset"}


class Xvid(Adapter):
    slug = "xvid"
    label = "Xvid MediaHub"
    docs_url = "https://mediahub.xvid.com/manual"
    default_base_url = "https://api.xvid.com/v1"
    capabilities = frozenset(
        {
            Capability.SUBMIT,
            Capability.CANCEL,
            Capability.PROGRESS,
            Capability.FIND_BY_KEY,
            Capability.PRESETS,
            Capability.CHECK_CREDENTIALS,
            Capability.THUMBNAILS,
            Capability.OUTPUT_LINKS,
        }
    )
    credential_fields = (
        Field("client_id", "Client id", "Of an application from the Apps tab of MediaHub."),
        Field(
            "client_secret",
            "Client secret",
            "The application needs the scope mediahub_read, and mediahub_write to create and "
            "cancel jobs.",
            secret=True,
        ),
    )
    option_fields = (
        Field(
            "pipeline_id",
            "Pipeline id",
            "The pipeline that runs jobs submitted here; not needed for looking on.",
            required=False,
        ),
    )
    job_statuses = JOB_STATUSES
    output_statuses = OUTPUT_STATUSES
    error_classes = ERROR_CLASSES
    echoes_key = True
    customer_field = CustomerField("user_data", customer_text)
    accepts_schemeless_inputs = True  # a path in the pipeline's storage
    output_fields = ("outputs",)
    preset_field = "presets"
    cut_fields = frozenset({"start_time"})
    request_help = {
        "input": "An address, or a path in the storage of the account's pipeline.",
        "destination": "A folder in the pipeline's storage. Without one each job gets its own.",
        "thumbnails": "Any number asks for thumbnails; a preset of Xvid's decides how many.",
    }

    def __init__(self, account: Account, http: HttpClient) -> None:
        super().__init__(account, http)
        self.session = Session(account, http)

    # Reading

    def list_jobs(self, cursor: str | None = None) -> Iterator[Page]:
        return self._list_jobs({}, cursor)

    def list_unfinished(self) -> Iterator[Page]:
        return self._list_jobs({"inprogress": "true"})

    def get_job(self, remote_id: str) -> RemoteJob:
        job = self._read(self._get_job(remote_id, READ))
        if job is None:
            raise BadAnswer("Xvid's answer holds no job.")
        return job

    def list_presets(self) -> Iterator[RemotePreset]:
        seen: set[str] = set()
        for items, _ in self._walk("/presets/", "presets", {"show_null": "true"}):
            for preset in read_items(items, bodies.read_preset):
                if preset.remote_id not in seen:
                    seen.add(preset.remote_id)
                    yield preset

    def resolve_output_url(self, job_id: str, output_id: str) -> OutputLink:
        file_id = bodies.find_file_id(self._get_job(job_id, {}), output_id)
        if file_id is None:
            raise NotFound("Xvid has no file of this output.")
        expires_at = datetime.now(UTC) + LINK_LIFE
        params: dict[str, str | int] = {
            "file_id": file_id,
            # In seconds, as nothing else in this API.
            "expiry_time": int(expires_at.timestamp()),
            "streaming": "true",
        }
        answer = self.session.send("GET", "/files/downloads/", params=params)
        url = bodies.read_web_address(answer.data)
        if url is None:
            raise BadAnswer("Xvid's answer holds no address of the file.")
        return OutputLink(url, url_expiry(url) or expires_at)

    # Acting

    def build_request(self, request: JobRequest, key: str | None = None) -> dict[str, Any]:
        extra = dict(request.extra)
        presets = job_request.read_presets(extra.pop("presets", None)) or []
        body = job_request.build(request, self._pipeline_id, presets)
        return self.finish_request(body, replace(request, extra=extra), key)

    def find_issues(self, request: JobRequest, body: Mapping[str, Any]) -> Iterator[RequestIssue]:
        if not (body.get("pipeline") or body.get("pipeline_id")):
            yield self.refuse("account", "pipeline_required", option="pipeline_id")
        if "://" in (request.destination or ""):
            yield self.refuse("destination", "destination_not_a_folder")
        presets, outputs = request.extra.get("presets"), request.extra.get("outputs")
        if presets and job_request.read_presets(presets) is None:
            yield self.refuse("extra", "presets_invalid")
        if presets and outputs:
            yield self.note("extra", "presets_replaced")
        if request.thumbnails and outputs:
            yield self.note("thumbnails", "thumbnails_in_outputs")
        elif request.thumbnails and presets:
            preset = job_request.THUMBNAIL_PRESET
            yield self.note("thumbnails", "thumbnails_by_preset", preset=preset)

    def submit(self, request: JobRequest, key: str) -> RemoteJob:
        with nothing_created():
            body = job_request.replace_names(self.build_request(request, key), self.list_presets)
        answer = self.session.send("POST", "/jobs/", json={"job": body})
        told = read_dict(answer.data)
        job = self._read(told.get("job") or told)
        if job is None:
            raise BadAnswer("Xvid's answer names no job.", ambiguous=True)
        # What the answer tells beyond the id is not documented. A job that was just made waits.
        status = job.status if job.provider_status else JobStatus.QUEUED
        return replace(job, status=status, key=key)

    def cancel(self, remote_id: str) -> None:
        """The same call destroys a finished job and its files, so the job is read first."""
        job = self.get_job(remote_id)
        if not job.status.is_active:
            raise Conflict(
                f"The job is not under way at Xvid (it says {job.provider_status or 'nothing'}): "
                "cancelling it now would delete it with its files."
            )
        # Sent once: the token was good a moment ago, so a 403 is a missing scope, and by a
        # second try the job may have ended.
        answer = self.session.send("DELETE", _job_path(remote_id), renew=False)
        word = read_text(read_dict(read_dict(answer.data).get("result")).get("status"), 40)
        if word is not None and word.upper() != "SUCCESS":
            raise Conflict(f"Xvid did not cancel the job: it says {word}.")

    def find_by_key(self, key: str, request: JobRequest, since: datetime) -> Found:
        user_data = str(self.build_request(request, key)["user_data"])
        wanted = {"user_data": user_data} if len(user_data) <= FILTER_LENGTH else {}
        return find_in_pages(self._list_jobs(wanted), key, since)

    # The account

    def check_credentials(self) -> None:
        """A token proves the secret only; the list proves that it may be read."""
        self.session.send("GET", "/jobs/", params={"start": 0, "limit": 1})

    @property
    def _pipeline_id(self) -> str:
        return read_text(self.account.options.get("pipeline_id"), 255) or ""

    # Lists

    def _list_jobs(self, wanted: Mapping[str, str], cursor: str | None = None) -> Iterator[Page]:
        for items, after in self._walk("/jobs/", "jobs", {**READ, **wanted}, cursor):
            yield Page(read_items(items, self._read), after)

    def _walk(
        self, path: str, name: str, wanted: Mapping[str, str], cursor: str | None = None
    ) -> Iterator[tuple[list[Any], str | None]]:
        """Yield the items of each page, newest first, and the offset of the next page."""
        start = max(read_int(cursor) or 0, 0)
        before: list[str | None] = []
        while True:
            params: dict[str, str | int] = {
                **wanted,
                "start": start,
                "limit": PAGE_SIZE,
                "sort": "created_at",
                "direction": -1,
            }
            envelope = read_dict(self.session.send("GET", path, params=params).data)
            if not isinstance(envelope.get(name), list):
                raise BadAnswer(f"Xvid's list of {name} is not a list.")
            items = read_list(envelope[name])
            end = start + len(items)
            # The total is not always told, and a page may be cut shorter than was asked for.
            is_short = len(items) < PAGE_SIZE and end >= (read_int(envelope.get("total")) or 0)
            ids = [read_id(read_dict(item).get("id")) for item in items]
            # The same page once more comes from a server that ignores the offset.
            is_last = not items or is_short or ids == before
            start, before = max(end - OVERLAP, start + 1), ids
            yield items, None if is_last else str(start)
            if is_last:
                return

    # Single jobs

    def _get_job(self, remote_id: str, params: Mapping[str, str]) -> Any:
        """Only what is called a job is one: `{"result": {"status": "SUCCESS"}}` is not."""
        answer = self.session.send("GET", _job_path(remote_id), params=params)
        return read_dict(answer.data).get("job")

    def _read(self, body: Any) -> RemoteJob | None:
        return bodies.read_job(body, self.session.base_url, self.account.credentials.values())


def _job_path(remote_id: str) -> str:
    return f"/jobs/{quote(remote_id, safe='')}"
