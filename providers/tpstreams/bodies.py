"""The fields of TPStreams' jobs, and its statuses.

List, details, the answer to a creation and webhooks have four different sets of keys.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from providers.core.error_tables import ErrorTable
from providers.core.status import JobStatus, OutputStatus
from providers.core.types import RemoteInput, RemoteJob, RemoteOutput
from providers.parsing.payloads import Body
from providers.parsing.values import read_count, read_id

# Cancelling is documented, the status that follows is not; "processing" and "not started" are
# statuses of the same company's open transcoder, and of its assets.
JOB_STATUSES: Mapping[str, JobStatus] = {
    "notstarted": JobStatus.QUEUED,
    "queued": JobStatus.QUEUED,
    "transcoding": JobStatus.RUNNING,
    "processing": JobStatus.RUNNING,
    "completed": JobStatus.SUCCEEDED,
    "error": JobStatus.FAILED,
    "cancelled": JobStatus.CANCELLED,
    "canceled": JobStatus.CANCELLED,
}
# A rendition has no status of its own: it is as far as its job.
OUTPUT_STATUSES: Mapping[str, OutputStatus] = {
    label: OutputStatus(status.value) for label, status in JOB_STATUSES.items()
}

# Under which of the two names a path comes back is not documented.
SOURCES = ("input_url", "input_path")

_RESOLUTION = re.compile(r"(\d{2,5})p?", re.ASCII)

# TPStreams has no codes and documents one sentence: "The specified input URL does not exist or
# cannot be accessed". The first pattern that fits decides, so what names a side comes before what
# does not.
_OUTPUT = r"(output|destination|upload|writ(e|ing)\b)"
_DENIED = (
    r"(denied|forbidden|permission|credential|access.?key|signature|not authori[sz]ed|\b403\b)"
)
_MISSING = r"(not exist|not found|no such|unknown bucket|cannot be reached|\b404\b)"
ERRORS = ErrorTable(
    patterns=(
        (rf"{_OUTPUT}.*{_DENIED}|{_DENIED}.*{_OUTPUT}", "output.access_denied"),
        (rf"{_OUTPUT}.*{_MISSING}|{_MISSING}.*{_OUTPUT}", "output.not_found"),
        (_OUTPUT, "output.failed"),
        (r"(transcod|encod|worker|job)\w*.*tim(ed|e).?out", "provider.timeout"),
        (r"quota|minutes left|subscription|billing|credits", "quota.plan"),
        (_MISSING, "input.not_found"),
        (rf"{_DENIED}|cannot be accessed|expired", "input.access_denied"),
        (r"tim(ed|e).?out|no answer|connection|unreachable|download", "input.timeout"),
        (r"\bno (audio|video|media|stream|sound)|not an? (video|media|audio)", "input.no_media"),
        (r"corrupt|damaged|truncated|incomplete|invalid data|decod", "input.corrupt"),
        (r"unsupported|not supported|codec|protected", "input.unsupported"),
        (r"resolution|setting|parameter", "settings.invalid"),
        (r"transcod|encod|ffmpeg|packaging", "encode.failed"),
        (r"internal|server error|something went wrong", "provider.outage"),
    )
)


def fill_job(job: RemoteJob, body: Body) -> RemoteJob:
    source = body.url(*SOURCES)
    message = body.text("error_message")
    return replace(
        job,
        started_at=body.time("start_time"),
        finished_at=body.time("end_time"),
        input=RemoteInput(
            url=source.redacted,
            secret_url=source.web_original,
            duration_ms=body.duration_ms("video_duration", unit="s") or None,
        ),
        outputs=tuple(_read_outputs(job, body)),
        errors=(ERRORS.read("", message),) if message else (),
    )


def is_job(body: Body) -> bool:
    """Distinguish a job from an asset or a live stream. No delivery names its event."""
    has_source = any(name in body for name in SOURCES)
    return has_source and "output_path" in body and "resolutions" in body


def _read_outputs(job: RemoteJob, body: Body) -> Iterator[RemoteOutput]:
    """Yield the renditions asked for. Of each is known its height, and where all of them go."""
    url = body.url("output_path")
    for label in map(_read_resolution, body.values("resolutions")):
        if label is None:
            continue
        height = _RESOLUTION.fullmatch(label)
        yield RemoteOutput(
            remote_id=label,
            status=OutputStatus(job.status.value),
            provider_status=job.provider_status,
            label=label,
            height=int(height[1]) if height else None,
            url=url.redacted,
            secret_url=url.web_original,
            expires_at=url.expires_at,
            progress=job.progress,
        )


def _read_resolution(value: Any) -> str | None:
    """Read `240p`; other calls of the same API write 240."""
    name = read_id(value)
    return f"{name}p" if name and read_count(name) is not None else name
