"""Whether an answer is news, old news, or about another attempt: the ordering rules."""

from datetime import datetime, timedelta
from enum import Enum

from jobs.models import Job
from providers.core.status import JobStatus
from providers.core.types import RemoteJob

# Two times of one end are no further apart than rounding puts them.
SAME_END = timedelta(seconds=1)


class Decision(Enum):
    """What an answer means for our row."""

    UPDATE = "update"
    STALE = "stale"  # older than what we know
    REOPEN = "reopen"  # the provider runs it again: a new attempt


def decide(row: Job, remote: RemoteJob, observed_at: datetime) -> Decision:
    """Decide whether the answer is news. Reads `row.retry_of` and `row.poll`."""
    if row.observed_at is None:
        return Decision.UPDATE  # submitted here, and this is the provider's first answer about it
    poll = getattr(row, "poll", None)
    if observed_at < max(row.observed_at, poll.confirmed_at if poll else row.observed_at):
        return Decision.STALE
    if row.is_terminal and not remote.status.is_terminal:
        if remote.status is JobStatus.UNKNOWN:
            return Decision.STALE
        times = {remote.updated_at, remote.created_at, remote.started_at}
        times -= {row.created_at, row.started_at}  # its own times, by another clock
        return Decision.REOPEN if any(_is_after_end(row, at) for at in times) else Decision.STALE
    if remote.status.is_terminal and row.attempt > 1 and row.retry_of is not None:
        # a lagging list still reports how the attempt before ended
        ended_at = remote.finished_at or remote.updated_at
        if ended_at is not None and not shows_rerun(row.retry_of, remote):
            return Decision.STALE
    return Decision.REOPEN if _ended_again(row, remote) else Decision.UPDATE


def shows_rerun(before: Job, remote: RemoteJob) -> bool:
    """Whether an answer that was asked for after a resubmit of `before` is about the new attempt.

    Ends are compared by the provider's clock alone, as far as it reports them.
    """
    if not remote.status.is_terminal:
        return True
    if before.finished_at is None or remote.finished_at is None:
        ended_at = remote.finished_at or remote.updated_at
        return remote.status != before.status or _is_after_end(before, ended_at)
    later = remote.finished_at - before.finished_at
    # a list and the details may report the same end to the second and more exactly
    return later >= SAME_END if remote.status == before.status else later > timedelta(0)


def _ended_again(row: Job, remote: RemoteJob) -> bool:
    """Whether the job failed or was cancelled, ran again, and ended before we read it again."""
    if row.status not in (JobStatus.FAILED, JobStatus.CANCELLED):
        return False
    if row.finished_at is None or remote.finished_at is None:
        return False
    later = remote.finished_at - row.finished_at
    # a list and the details may report the same end to the second and more exactly
    return later > (SAME_END if remote.status == row.status else timedelta(0))


def _is_after_end(row: Job, at: datetime | None) -> bool:
    """Whether a provider's time is later than the end of `row`, or than our seeing it ended."""
    ended = row.finished_at or row.observed_at
    return at is not None and ended is not None and at > ended
