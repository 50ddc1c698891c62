"""After an ambiguous end: look for our key at the provider before anything is sent again.

Where the provider does not echo the key, a person decides.
"""

from datetime import timedelta

from django.utils import timezone

from jobs.models import Submission, SubmissionState
from jobs.submission.outcome import (
    bind_remote_job,
    find_owner,
    give_up,
    is_late,
    record_event,
    settle,
)
from jobs.submission.stored_request import load_request
from jobs.workqueue import leases
from providers.core.contract import Provider
from providers.core.types import Capability

# When to look after an ambiguous end, in seconds since the look before.
LOOKS_S = (2, 5, 15, 60, 60)
# Two complete looks this far apart prove absence, at a provider that is known to echo the key.
PROOF = timedelta(seconds=60)
# The provider's clock may be behind ours by this much.
CLOCK_SKEW = timedelta(minutes=5)
MAX_SENDS = 3


def look_for(submission: Submission, adapter: Provider) -> None:
    """Look for a job that may or may not have been created."""
    if not adapter.supports(Capability.FIND_BY_KEY):
        give_up(submission)
        return
    observed_at = timezone.now()
    since = (submission.sent_at or submission.created_at) - CLOCK_SKEW
    found = adapter.find_by_key(submission.key, load_request(submission.request), since)
    # where the key does not come back, the likest job may be another submission's
    if found.job is not None and find_owner(submission, found.job.remote_id) is None:
        bind_remote_job(submission, found.job, observed_at)
        return
    looks = submission.empty_looks + found.complete
    first_at = submission.first_empty_look_at or (observed_at if found.complete else None)
    failures = submission.failures + (not found.complete)
    leases.held(submission).update(
        empty_looks=looks, first_empty_look_at=first_at, failures=failures
    )
    # a host that comes and goes is looked at more often than LOOKS_S says
    is_old = first_at is not None and observed_at - first_at >= PROOF
    proven = looks >= 2 and is_old
    if proven and adapter.echoes_key and submission.sends < MAX_SENDS:
        if settle(submission, SubmissionState.DUE):
            message = "Not found at the provider in two complete looks: sending again"
            record_event(submission.job, message)
    elif looks >= len(LOOKS_S) and is_old:
        give_up(submission)
    elif not found.complete and is_late(submission, observed_at):
        give_up(submission, "It could not be looked for to the end.")
    else:
        wait_s = LOOKS_S[min(looks + failures, len(LOOKS_S) - 1)]
        settle(submission, SubmissionState.LOOKING, wait_s=wait_s)
