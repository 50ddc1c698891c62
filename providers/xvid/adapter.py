"""Xvid MediaHub, API v1: https://mediahub.xvid.com/manual"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from providers.core import errors
from providers.core.adapter import Adapter
from providers.core.contract import Account, Found
from providers.core.issues import RequestIssue
from providers.core.thumbnails import ThumbnailSupport
from providers.core.types import (
    Capability,
    Field,
    JobRequest,
    OutputLink,
    Page,
    RemoteJob,
    RemotePreset,
)
from providers.http.answers import Answer, error_by_status
from providers.http.client import HttpClient
from providers.http.redaction import url_expiry
from providers.http.tokens import TOKENS, Token, owner_of
from providers.paging.key_search import find_in_pages
from providers.paging.listing import Listing, crawl_pages, read_items
from providers.parsing import customer_text
from providers.parsing.customer_fields import CustomerField
from providers.parsing.payloads import Body
from providers.parsing.values import read_dict, read_int, read_text
from providers.xvid import bodies
from providers.xvid import request as job_request
from providers.xvid.bodies import JOB_STATUSES, OUTPUT_STATUSES
from providers.xvid.error_table import ERRORS
from providers.xvid.session import sign_in

# Expanded jobs take some 10 kB each: a page stays far below the limit of an answer, and below
# what made the provider's own client run into time-outs.
PAGE_SIZE = 100

# Jobs may vanish from the list between two pages, which pulls others over the page's edge.
OVERLAP = 5

# Long enough to watch a film; who holds the link needs no credentials.
LINK_LIFE = timedelta(hours=4)

# URLs beyond some thousand characters are not sure to arrive.
FILTER_LENGTH = 1000

READ = {"show_null": "true", "expand": "file,preset"}

_refuse_token = error_by_status(
    errors.AuthRefused,
    dict.fromkeys(
        (401, 403),
        "Xvid refused the access token. It may have expired, or its application may lack the scope "
        "mediahub_read, or mediahub_write to create and cancel jobs.",
    ),
)


class Xvid(Adapter):
    """Paths of collections end with a slash, those of single things do not: else it is a 404."""

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
        Field(
            "client_id",
            "Client id",
            "Of an application from the Apps tab of MediaHub, together with its secret.",
            required=False,
        ),
        Field(
            "client_secret",
            "Client secret",
            "The application needs the scope mediahub_read, and mediahub_write to create and "
            "cancel jobs.",
            secret=True,
            required=False,
        ),
        Field(
            "token",
            "Token",
            "A ready bearer token instead of the client id and its secret, valid until it expires.",
            secret=True,
            required=False,
        ),
    )
    credential_alternatives = (("client_id", "client_secret"), ("token",))
    option_fields = (
        Field(
            "pipeline_id",
            "Pipeline id",
            "The pipeline that runs jobs submitted here; not needed for reading jobs.",
            required=False,
        ),
    )
    # A pipeline's folders carry the credentials of its storage.
    private_fields = frozenset({"pipeline", "user", "application"})
    customer_field = CustomerField("user_data", customer_text)
    job_statuses = JOB_STATUSES
    output_statuses = OUTPUT_STATUSES
    error_classes = ERRORS.codes
    echoes_key = True
    writes_to_buckets = False
    accepts_schemeless_inputs = True  # a path in the pipeline's storage
    output_fields = ("outputs",)
    preset_field = "presets"
    cut_fields = frozenset({"start_time"})
    thumbnails = ThumbnailSupport(placements=("count",))
    request_help = {
        "input": "A URL, or a path in the storage of the account's pipeline.",
        "destination": "A folder in the pipeline's storage. Without one each job gets its own.",
        "thumbnails": "Enter any number to get thumbnails: a preset at Xvid decides how many.",
    }

    def __init__(self, account: Account, http: HttpClient) -> None:
        super().__init__(account, http)
        names = ("client_id", "client_secret")
        self._client = tuple(account.credentials.get(name, "") for name in names)
        # made elsewhere, and so never renewed; without it the client signs in
        self._ready_token = "" if all(self._client) else account.credentials.get("token", "")
        self._owner = owner_of(self.base_url, *self._client)
        self._pipeline_id = read_text(account.options.get("pipeline_id")) or ""

    # Reading

    def fetch_page(self, cursor: str | None) -> Listing:
        return self._fetch("/jobs/", "jobs", READ, cursor)

    def list_unfinished(self) -> Iterator[Page]:
        return self._list_filtered({"inprogress": "true"})

    def get_job(self, remote_id: str) -> RemoteJob:
        return self.read_single(self.send("GET", "/jobs/{}", remote_id, params=READ).data)

    def translate(self, job: RemoteJob, body: Body) -> RemoteJob:
        return bodies.fill_job(job, body, self.base_url)

    def list_presets(self) -> Iterator[RemotePreset]:
        fetch = partial(self._fetch, "/presets/", "presets", {"show_null": "true"})
        seen: set[str] = set()
        for page in crawl_pages(fetch, None, self.read_job_id):
            for preset in read_items(page.items, lambda item: bodies.read_preset(self.open(item))):
                if preset.remote_id not in seen:
                    seen.add(preset.remote_id)
                    yield preset

    def resolve_output_url(self, job_id: str, output_id: str) -> OutputLink:
        body = self.open(self.send("GET", "/jobs/{}", job_id).data)
        files = {part.slot: part.file.id("id") for part in bodies.list_parts(body)}
        file_id = output_id if output_id in files.values() else files.get(output_id)
        if file_id is None:
            raise errors.NotFound("Xvid has no file of this output.")
        expires_at = datetime.now(UTC) + LINK_LIFE
        params: dict[str, str | int] = {
            "file_id": file_id,
            # In seconds, as nothing else in this API.
            "expiry_time": int(expires_at.timestamp()),
            "streaming": "true",
        }
        url = bodies.read_web_url(self.send("GET", "/files/downloads/", params=params).data)
        if url is None:
            raise errors.BadAnswer("Xvid's answer holds no URL of the file.")
        return OutputLink(url, url_expiry(url) or expires_at)

    def _list_filtered(self, filters: Mapping[str, str]) -> Iterator[Page]:
        return self.list_pages(partial(self._fetch, "/jobs/", "jobs", {**READ, **filters}))

    def _fetch(
        self, path: str, name: str, filters: Mapping[str, str], cursor: str | None
    ) -> Listing:
        """Fetch one page of a list, newest first; the cursor is its offset."""
        start = max(read_int(cursor) or 0, 0)
        paging = {"start": start, "limit": PAGE_SIZE, "sort": "created_at", "direction": -1}
        data = self.send("GET", path, params={**filters, **paging}).data
        items = self.read_list(data, name)
        end = start + len(items)
        # The total is not always reported, and a page may be shorter than was asked for.
        is_short = len(items) < PAGE_SIZE and end >= (read_int(data.get("total")) or 0)
        following = None if not items or is_short else str(max(end - OVERLAP, start + 1))
        return Listing(items, following, is_counted=True)

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
        body = self.build_submission(request, key)
        with errors.unambiguous():
            body = job_request.replace_names(body, self.list_presets)
        return self.read_created(self.send("POST", "/jobs/", json={"job": body}).data, key)

    def cancel(self, remote_id: str) -> None:
        """The same call destroys a finished job and its files, so the job is read first."""
        job = self.get_job(remote_id)
        if not job.status.is_active:
            raise errors.Conflict(
                f"The job is not in progress at Xvid (it says {job.provider_status or 'nothing'}): "
                "cancelling it now would delete it with its files."
            )
        answer = self.open(self.send("DELETE", "/jobs/{}", remote_id).data)
        result = answer.text("result.status", max_length=40)
        if result is not None and result.upper() != "SUCCESS":
            raise errors.Conflict(f"Xvid did not cancel the job: it says {result}.")

    def find_by_key(self, key: str, request: JobRequest, since: datetime) -> Found:
        user_data = str(self.build_request(request, key)["user_data"])
        filters = {"user_data": user_data} if len(user_data) <= FILTER_LENGTH else {}
        return find_in_pages(self._list_filtered(filters), key, since)

    # The account

    def check_credentials(self) -> None:
        """A token proves the secret only; the list proves that it may be read."""
        self.send("GET", "/jobs/", params={"start": 0, "limit": 1})

    # HTTP

    def send(self, method: str, path: str, *ids: str, **more: Any) -> Answer:
        """Send with a token; once more with a new one when one of ours is refused, as at its end.

        A refused request was not carried out, so sending it again makes nothing twice. A deletion
        is not repeated: its token was good a moment ago, and by then the job may have ended.
        """
        token = self._get_token()
        try:
            return super().send(method, path, *ids, headers=_bearer(token), **more)
        except errors.AuthRefused:
            if method == "DELETE" or self._ready_token:
                raise
        token = self._get_token(refused=token)
        return super().send(method, path, *ids, headers=_bearer(token), **more)

    def read_refusal(self, answer: Answer) -> errors.ProviderError | None:
        return super().read_refusal(answer) or _refuse_token(answer)

    def read_error_code(self, answer: Answer) -> str:
        error = read_dict(read_dict(answer.data).get("error"))
        return read_text(error.get("error_code"), 40) or ""

    def _get_token(self, refused: str | None = None) -> str:
        if self._ready_token:
            return self._ready_token

        def fetch() -> Token:
            return sign_in(self.http, self.base_url, *self._client)

        return TOKENS.get(self._owner, fetch, refused)


def _bearer(token: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {token}"}
