"""What the calls about a job's input report while Zencoder fetches it.

https://zencoder.support.brightcove.com/references/openapi.html
"""

from dataclasses import asdict, replace
from typing import Any

from providers.core.status import JobStatus, normalize_status
from providers.core.types import RemoteJob
from providers.parsing.payloads import Body
from providers.parsing.values import read_dict, read_id
from providers.zencoder.bodies import OUTPUT_STATUSES, UNFINISHED, read_input

FETCHING = "downloading"


def find_unfinished_input(job: RemoteJob, progress: Body) -> str | None:
    """The id of the input of a running job, unless it is known to be fetched and inspected."""
    known = read_dict(read_dict(job.raw).get("input_media_file"))
    state = progress.text("input.state") or known.get("state")
    if job.status is not JobStatus.RUNNING or not _is_unfinished(state):
        return None
    return progress.id("input.id") or read_id(known.get("id"))


def merge_input_progress(job: RemoteJob, body: Body) -> RemoteJob:
    """Only the event Downloading is fetching; while it inspects, Zencoder has all of the file."""
    event = (body.text("current_event") or "").lower()
    percent = body.percentage("current_event_progress") if event == FETCHING else None
    if (event and event != FETCHING) or not _is_unfinished(body.get("state")):
        percent = 100.0
    return replace(job, input=replace(job.input, fetched_percent=percent))


def merge_input(job: RemoteJob, body: Body) -> RemoteJob:
    """Fill in what the details of the job, which may be older, do not report."""
    known, found = asdict(job.input), asdict(read_input(body))
    new = {
        name: value
        for name, value in found.items()
        if known[name] is None and "url" not in name and value is not None
    }
    return replace(job, input=replace(job.input, **new))


def _is_unfinished(state: Any) -> bool:
    return OUTPUT_STATUSES.get(normalize_status(state)) in UNFINISHED
