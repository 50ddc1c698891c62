"""Jobs as an adapter returns them: two outputs, in different states unless given others."""

from datetime import datetime, timedelta
from typing import Any

from jobs.mirror import writer
from jobs.mirror.batch import Applied
from jobs.mirror.payload import Shape
from jobs.models import EventSource, Job, ProviderAccount
from providers.core.status import JobStatus, OutputStatus
from providers.core.types import RemoteError, RemoteInput, RemoteJob, RemoteOutput
from tests.jobs.factories import NOON

FINISHED = NOON + timedelta(minutes=4)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def reported(
    remote_id: str = "71", status: JobStatus = JobStatus.RUNNING, **fields: Any
) -> RemoteJob:
    defaults: dict[str, Any] = {
        "provider_status": {"running": "processing", "succeeded": "finished"}.get(status, status),
        "name": f"reel-{remote_id}.mov",
        "created_at": NOON,
        "finished_at": FINISHED if status.is_terminal else None,
        "input": RemoteInput(url=f"s3://rushes/reel-{remote_id}.mov", duration_ms=60_000),
        "outputs": (
            output("a", OutputStatus.SUCCEEDED, duration_ms=60_000, size_bytes=9_000),
            output("b", OutputStatus.SUCCEEDED if status.is_terminal else OutputStatus.RUNNING),
        ),
        "raw": {"id": remote_id, "state": str(status)},
    }
    return RemoteJob(remote_id, status, **(defaults | fields))


def output(
    remote_id: str, status: OutputStatus = OutputStatus.SUCCEEDED, **fields: Any
) -> RemoteOutput:
    return RemoteOutput(remote_id, status=status, provider_status=str(status), **fields)


def failed(remote_id: str = "71", **fields: Any) -> RemoteJob:
    error = RemoteError("input.not_found", "FileNotFoundError", "No file.", "input")
    return reported(remote_id, JobStatus.FAILED, **({"errors": (error,)} | fields))


def apply(
    account: ProviderAccount,
    *remotes: RemoteJob,
    at: float = 0,
    source: EventSource = EventSource.POLL,
    shape: Shape | None = Shape.LIST,
) -> Applied:
    """Apply answers that were asked for `at` seconds after noon."""
    return writer.apply(account, remotes, source=source, observed_at=after(at), shape=shape)


def newest(account: ProviderAccount, remote_id: str = "71") -> Job:
    return Job.objects.get(account=account, remote_id=remote_id, is_newest=True)
