"""What all adapters share: a provider's module adds its declarations and its translations."""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any, ClassVar
from urllib.parse import quote

from providers.core.contract import Account, Provider
from providers.core.errors import BadAnswer, ProviderError, Rejected, Withdrawn
from providers.core.issues import RequestIssue
from providers.core.request_checks import find_declared_issues
from providers.core.status import JobStatus, OutputStatus, read_status
from providers.core.types import JobRequest, ListedJob, Page, RemoteError, RemoteJob, RemoteOutput
from providers.http.answers import Answer, read_error
from providers.http.client import Classify, HttpClient
from providers.http.redaction import redact, redact_text, redact_url
from providers.paging.listing import Listing, crawl_pages, read_items
from providers.parsing.media import read_download_name
from providers.parsing.payloads import Body, OddValues, cut_references, read_redacted_id
from providers.parsing.values import limit_items, read_dict
from providers.parsing.webhooks import check_secret, read_object

# As long as the key of a submission: a UUID with its dashes.
LONGEST_KEY = "0" * 36


class Adapter(Provider):
    """Sends, pages, opens and finishes jobs; a subclass translates in between."""

    # the key under which an answer may hold its job, and keys of the job's object
    job_wrapper: ClassVar[str] = "job"
    id_field: ClassVar[str] = "id"
    status_field: ClassVar[str] = "status"
    outputs_field: ClassVar[str] = "outputs"
    # whether the list leaves out more than progress, so that each job is read alone once
    lists_partial_jobs: ClassVar[bool] = False
    # where a job is in the provider's own console, `{}` being its id
    console_url: ClassVar[str] = ""
    # keys, at any depth, of which only the id is kept: people, and storage with its credentials
    private_fields: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, account: Account, http: HttpClient) -> None:
        super().__init__(account, http)
        self.base_url = account.base_url.rstrip("/")
        hooks = [account.webhook_url] if account.webhook_url else []
        self.secrets = (*account.credentials.values(), *hooks)
        self.odd_values = OddValues(self.slug)

    # HTTP

    def send(
        self,
        method: str,
        path: str,
        *ids: str,
        bucket: str = "default",
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str | int] | None = None,
        json: Any = None,
        classify: Classify | None = None,
    ) -> Answer:
        """Send to a path below the base URL, in which `ids` take the places of `{}`.

        `classify` names the error of an answer where this call uses a status in its own way.
        """
        url = self.base_url + path.format(*(quote(part, safe="") for part in ids))
        headers = self.auth_headers() if headers is None else headers
        # a token that was made of the credentials is a secret as well; before it may be a scheme
        tokens = (value.rpartition(" ")[2] for value in headers.values())
        secrets = (*self.secrets, *tokens)

        def read_refusal(answer: Answer) -> ProviderError:
            error = self.read_refusal(answer) or (classify and classify(answer))
            error = error or read_error(answer, f"{method} {redact_url(url)}", secrets)
            error.code = redact_text(self.read_error_code(answer), secrets) or error.code
            return error

        return self.http.send(
            method,
            url,
            headers=headers,
            params=params,
            json=json,
            bucket=bucket,
            classify=read_refusal,
            secrets=secrets,
        )

    def auth_headers(self) -> Mapping[str, str]:
        """Return the headers that carry the account's credentials."""
        return {}

    def read_refusal(self, answer: Answer) -> ProviderError | None:
        """Name the error of an answer where the provider uses a status in its own way.

        A web page instead of JSON is about the URL: no job is gone for that.
        """
        is_page = "html" in answer.headers.get("content-type", "")
        return self.refuse_url(answer) if answer.status in {404, 410} and is_page else None

    def read_error_code(self, answer: Answer) -> str:
        """Read the provider's own code of an error, which is better than the status."""
        return ""

    def refuse_url(self, answer: Answer) -> Withdrawn:
        return Withdrawn(
            f"{self.label}'s API is not at this URL: it returned something else "
            f"({answer.status}). Check the base URL and its version.",
            code=str(answer.status),
        )

    # Reading

    @abstractmethod
    def translate(self, job: RemoteJob, body: Body) -> RemoteJob:
        """Fill in what `job` lacks: times, input, outputs, presets, errors and the like.

        Reads `body` alone: a job whose payload has not changed is not read again.

        It comes with id, status, metadata and key, which stay as they are. What follows from these
        and from the result is filled in afterwards: a name from the input's URL, an error of a
        failed job without one.
        """

    def read_job(self, item: Any) -> RemoteJob | None:
        """Read the job of any answer; None where there is no id, so that it is none."""
        remote_id = self.read_job_id(item)
        return None if remote_id is None else self._read_job(remote_id, item)

    def list_job(self, item: Any) -> ListedJob | None:
        """Read the id and the status of a job in a list, and the rest when it is asked for."""
        remote_id = self.read_job_id(item)
        if remote_id is None:
            return None

        @cache
        def read() -> RemoteJob:
            return replace(self._read_job(remote_id, item), is_partial=self.lists_partial_jobs)

        status = self._read_status(self._unwrap(item))
        return ListedJob(remote_id, status, self.lists_partial_jobs, item, read)

    def read_job_id(self, item: Any) -> str | None:
        return read_redacted_id(self._unwrap(item).get(self.id_field), self.secrets)

    def open(self, item: Any) -> Body:
        """Open the job's object, in its wrapper or without one."""
        kept = cut_references(self._unwrap(item), self.private_fields)
        return Body.open(kept, self.secrets, self.odd_values)

    def read_single(self, data: Any) -> RemoteJob:
        """Read the answer to a request for one job."""
        job = self.read_job(data)
        if job is None:
            raise BadAnswer(f"{self.label}'s response contains no job.")
        return job

    def read_created(self, data: Any, key: str) -> RemoteJob:
        """Read the answer to a submission. A job that was just made waits, unless it says more."""
        job = self.read_job(data)
        if job is None:
            raise BadAnswer(f"{self.label}'s response does not name the job.", ambiguous=True)
        if job.provider_status:
            return replace(job, key=key)
        outputs = tuple(
            replace(output, status=OutputStatus.QUEUED)
            if output.status is OutputStatus.UNKNOWN
            else output
            for output in job.outputs
        )
        return replace(job, status=JobStatus.QUEUED, outputs=outputs, key=key)

    def list_jobs(self, cursor: str | None = None) -> Iterator[Page]:
        return self.list_pages(self.fetch_page, cursor)

    @abstractmethod
    def fetch_page(self, cursor: str | None) -> Listing:
        """Fetch one page of the list, newest first; None is the first, and nonsense as well."""

    def list_pages(
        self, fetch: Callable[[str | None], Listing], cursor: str | None = None
    ) -> Iterator[Page]:
        """Yield the jobs of the pages that `fetch` gets, from `cursor` on."""
        for page in crawl_pages(fetch, cursor, self.read_job_id):
            yield Page(read_items(page.items, self.list_job), page.cursor, page.total)

    def read_list(self, data: Any, name: str = "") -> list[Any]:
        """Return the items of a page: the answer itself, or what it holds under `name`."""
        items = read_dict(data).get(name) if name else data
        if not isinstance(items, list):
            raise BadAnswer(f"{self.label}'s list is not a page of results.")
        return items

    def _unwrap(self, item: Any) -> Mapping[str, Any]:
        body = read_dict(item)
        wrapped = body.get(self.job_wrapper)
        return wrapped if isinstance(wrapped, dict) else body

    def _read_job(self, remote_id: str, item: Any) -> RemoteJob:
        body = self.open(item)
        return self._finish(self.translate(self._begin(remote_id, body), body))

    def _read_status(self, job: Mapping[str, Any]) -> JobStatus:
        return read_status(job.get(self.status_field), self.job_statuses, JobStatus.UNKNOWN)

    def _finish(self, job: RemoteJob) -> RemoteJob:
        console_url = None
        if self.console_url and self.base_url == self.default_base_url:
            console_url = self.console_url.format(quote(job.remote_id, safe=""))
        errors = limit_items(job.errors)
        if job.status is JobStatus.FAILED and not errors:
            errors = (RemoteError("unknown"),)
        outputs: dict[str, RemoteOutput] = {}
        for output in job.outputs:
            if output.remote_id in outputs and output.slot:  # two places with one file
                output = replace(output, remote_id=output.slot)
            outputs.setdefault(output.remote_id, output)
        presets = {preset.remote_id: preset for preset in job.presets}
        return replace(
            job,
            name=job.name or read_download_name(job.input.url),
            outputs=limit_items(outputs.values()),
            presets=limit_items(presets.values()),
            errors=errors,
            console_url=console_url,
        )

    def _begin(self, remote_id: str, body: Body) -> RemoteJob:
        field = self.customer_field
        metadata, key = field.format.read(body.original.get(field.name)) if field else (None, None)
        status = self._read_status(body.redacted)
        return RemoteJob(
            remote_id=remote_id,
            status=status,
            provider_status=body.text(self.status_field) or "",
            progress=100.0 if status is JobStatus.SUCCEEDED else None,
            metadata=redact(metadata, self.secrets),
            key=key,
            raw=body.redacted,
            lists_outputs=self.outputs_field in body,
        )

    # Acting

    def check_request(self, request: JobRequest) -> list[RequestIssue]:
        body = self.build_request(request, LONGEST_KEY)
        issues = [
            *find_declared_issues(type(self), request, body),
            *self.find_issues(request, body),
        ]
        named = {issue.field.partition(".")[0] for issue in issues}
        replaced = (name for name in self._find_replaced(request, body) if name not in named)
        return [*issues, *(self.note(name, "replaced_by_extra") for name in replaced)]

    def _find_replaced(self, request: JobRequest, body: Mapping[str, Any]) -> Iterator[str]:
        """Yield the fields that change nothing in `body`, since `extra` says the same otherwise."""
        if not request.extra:
            return
        without = {
            "input": replace(request, input=f"{request.input}-"),
            "destination": replace(request, destination=None),
            "renditions": replace(request, renditions=()),
            "thumbnails": replace(request, thumbnails=None),
            "metadata": replace(request, metadata=None),
            "test": replace(request, test=False),
        }
        for name, other in without.items():
            if other != request and self.build_request(other, LONGEST_KEY) == body:
                yield name

    def find_issues(self, request: JobRequest, body: Mapping[str, Any]) -> Iterator[RequestIssue]:
        """Yield what does not follow from the declarations. `body` is what would be sent."""
        yield from ()

    def finish_request(
        self, body: dict[str, Any], request: JobRequest, key: str | None
    ) -> dict[str, Any]:
        """Merge `extra` in, which wins, and add our webhook, the metadata and our key.

        Metadata that `extra` gives in the provider's own field is the customer's, and keeps our
        key as well.
        """
        body = {**body, **request.extra}
        if self.account.webhook_url:
            self.add_webhook(body, self.account.webhook_url)
        if self.customer_field:
            self.customer_field.fill(body, request.metadata, key)
        return body

    def build_submission(self, request: JobRequest, key: str) -> dict[str, Any]:
        """Build the body to send. Raises Rejected where our key finds no room in it."""
        body = self.build_request(request, key)
        if self.customer_field and self.customer_field.is_too_long(body):
            raise Rejected("The metadata is too long: it leaves no room for Reelboard's key.")
        return body

    # Webhooks

    @classmethod
    def open_delivery(cls, headers: Mapping[str, str], body: bytes, secret: str) -> Body:
        """Verify a delivery by its secret, where the provider sends one, and open it."""
        if cls.webhook_secret_header:
            check_secret(headers, cls.webhook_secret_header.lower(), secret)
        return Body.open(read_object(body), (), OddValues(cls.slug))
