"""A provider that does not exist: one module, as docs/adding-a-provider.md asks for."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

from providers.core.contract import Found, Provider
from providers.core.errors import BadAnswer, classify
from providers.core.issues import RequestIssue
from providers.core.status import JobStatus, OutputStatus, read_status
from providers.core.types import (
    Capability,
    Field,
    JobRequest,
    Page,
    RemoteError,
    RemoteInput,
    RemoteJob,
    RemoteOutput,
)
from providers.http.redaction import redact, split_url
from providers.parsing import customer_text
from providers.parsing.listing import read_items
from providers.parsing.media import read_file_name
from providers.parsing.times import read_time
from providers.parsing.values import (
    limit_items,
    read_count,
    read_dict,
    read_id,
    read_list,
    read_text,
)


class Lantern(Provider):
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
    error_classes = {"E-WIND": "input.not_found"}
    echoes_key = True

    def list_jobs(self, cursor: str | None = None) -> Iterator[Page]:
        walked = {cursor}
        while True:
            params = {"after": cursor} if cursor else None
            body = read_dict(self._send("GET", "/lamps", params=params))
            if not isinstance(body.get("lamps"), list):
                raise BadAnswer("Lantern's list is not a list.")
            jobs = read_items(body["lamps"], self._read)
            cursor = read_id(body.get("next"))
            is_last = cursor is None or cursor in walked
            yield Page(jobs, None if is_last else cursor)
            if is_last:
                return
            walked.add(cursor)

    def get_job(self, remote_id: str) -> RemoteJob:
        return self._must_read(self._send("GET", f"/lamps/{quote(remote_id, safe='')}"))

    def build_request(self, request: JobRequest, key: str | None = None) -> dict[str, Any]:
        return {
            "oil": request.input,
            "heights": [height for one in request.renditions for height in one.heights],
            "note": customer_text.write(request.metadata, key),
            **request.extra,
        }

    def check_request(self, request: JobRequest) -> list[RequestIssue]:
        if self.build_request(request)["heights"]:
            return []
        return [self.refuse("renditions", "renditions_required")]

    def submit(self, request: JobRequest, key: str) -> RemoteJob:
        answer = self._send("POST", "/lamps", json=self.build_request(request, key))
        return replace(self._must_read(answer, ambiguous=True), key=key)

    def cancel(self, remote_id: str) -> None:
        self._send("DELETE", f"/lamps/{quote(remote_id, safe='')}")

    def find_by_key(self, key: str, request: JobRequest, since: datetime) -> Found:
        jobs = (job for page in self.list_jobs() for job in page.jobs)
        return Found(next((job for job in jobs if job.key == key), None))

    def check_credentials(self) -> None:
        next(self.list_jobs())

    def _send(self, method: str, path: str, **more: Any) -> Any:
        url = self.account.base_url.rstrip("/") + path
        headers = {"X-Wick": self.account.credentials.get("wick", "")}
        return self.http.send(method, url, headers=headers, **more).data

    def _read(self, item: Any) -> RemoteJob | None:
        return read_job(item, self.account.credentials.values())

    def _must_read(self, item: Any, *, ambiguous: bool = False) -> RemoteJob:
        if job := self._read(item):
            return job
        raise BadAnswer("Lantern's answer holds no job.", ambiguous=ambiguous)


def read_job(item: Any, secrets: Iterable[str]) -> RemoteJob | None:
    whole, secrets = read_dict(item), tuple(secrets)
    raw = redact(whole, secrets)
    remote_id = read_id(raw.get("lamp"))
    if remote_id is None:
        return None
    status = read_status(raw.get("glow"), Lantern.job_statuses, JobStatus.UNKNOWN)
    url, secret_url = _split(whole.get("oil"), secrets)
    metadata, key = customer_text.read(whole.get("note"))
    code, message = read_text(raw.get("code"), 100) or "", read_text(raw.get("why")) or ""
    error = RemoteError(classify(code, message, Lantern.error_classes, ()), code, message)
    return RemoteJob(
        remote_id=remote_id,
        status=status,
        provider_status=read_text(raw.get("glow")) or "",
        name=read_file_name(url),
        created_at=read_time(raw.get("lit_at")),
        finished_at=read_time(raw.get("out_at")),
        input=RemoteInput(url=url, secret_url=secret_url),
        outputs=limit_items(_read_outputs(whole, raw, secrets)),
        errors=(error,) if status is JobStatus.FAILED else (),
        metadata=redact(metadata, secrets),
        key=key,
        raw=raw,
    )


def _read_outputs(
    whole: Mapping[str, Any], raw: Mapping[str, Any], secrets: tuple[str, ...]
) -> Iterator[RemoteOutput]:
    seen: set[str] = set()
    pairs = zip(read_list(whole.get("beams")), read_list(raw.get("beams")), strict=False)
    for index, (whole_beam, beam) in enumerate(pairs):
        beam = read_dict(beam)
        remote_id = read_id(beam.get("beam")) or f"n{index}"
        if remote_id in seen:
            continue
        seen.add(remote_id)
        url, secret_url = _split(read_dict(whole_beam).get("shines_at"), secrets)
        word = beam.get("glow")
        yield RemoteOutput(
            remote_id=remote_id,
            status=read_status(word, Lantern.output_statuses, OutputStatus.UNKNOWN),
            provider_status=read_text(word) or "",
            height=read_count(beam.get("height")),
            url=url,
            secret_url=secret_url,
        )


def _split(address: Any, secrets: tuple[str, ...]) -> tuple[str | None, str | None]:
    url = read_text(address, 8000)
    return split_url(url, secrets) if url else (None, None)
