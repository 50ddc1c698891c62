"""After an ambiguous end: search for our key at the provider before anything is sent again.

Where the provider does not return the key, a person decides.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from jobs.models import Submission, SubmissionState
from jobs.submission.outcome import (
    bind_remote_job,
    find_other_submission,
    is_search_overdue,
    mark_unconfirmed,
    record_event,
    set_state,
    was_known_before,
)
from jobs.submission.stored_request import load_request
from jobs.submission.validation import resolve_or_reject
from jobs.sync.without_list import is_about_list
from jobs.workqueue import leases
from providers.core.contract import Provider
from providers.core.errors import AuthRefused, ProviderError
from providers.core.types import Capability, RemoteJob

# The waits before each lookup, counted from the end or the lookup before it.
LOOKUP_DELAYS_S = tuple(wait_s / settings.RECOVERY_SPEEDUP for wait_s in (2, 5, 15, 60, 60))
# Two complete lookups this far apart confirm that the job is not there, at a provider that is
# known to return the key.
ABSENCE_CONFIRMATION = timedelta(seconds=60) / settings.RECOVERY_SPEEDUP
MAX_SENDS = 3


def search_by_key(submission: Submission, adapter: Provider) -> None:
    """Look once for a job that may or may not have been created, and decide what is next."""
    if not adapter.supports(Capability.FIND_BY_KEY):
        mark_unconfirmed(submission)
        return
    observed_at = timezone.now()
    since = submission.sent_at or submission.created_at
    try:
        request = resolve_or_reject(submission.job.account, load_request(submission.request))
        found = adapter.find_by_key(submission.key, request, since)
    except ProviderError as error:
        if not _cannot_search(error):
            raise
        mark_unconfirmed(submission, f"The provider's jobs cannot be searched: {error}")
        return
    if found.job is not None and _is_settled_by(found.job, submission, observed_at):
        return
    _record_lookup(submission, observed_at, is_complete=found.complete)
    if _is_absent(submission, adapter, observed_at):
        _send_again(submission)
    elif _has_had_all_lookups(submission, observed_at):
        mark_unconfirmed(submission)
    elif not found.complete and _has_searched_enough(submission, observed_at):
        mark_unconfirmed(submission, "The provider could not be searched to the end.")
    else:
        tries = submission.empty_lookups + submission.failures
        wait_s = LOOKUP_DELAYS_S[min(tries, len(LOOKUP_DELAYS_S) - 1)]
        set_state(submission, SubmissionState.VERIFYING, wait_s=wait_s)


def _cannot_search(error: ProviderError) -> bool:
    """Whether the list that would be searched is not there. A refused key may be replaced soon."""
    return is_about_list(error) and not isinstance(error, AuthRefused)


def _has_searched_enough(submission: Submission, observed_at: datetime) -> bool:
    """Whether searches that are cut short are given up: at once where syncs do without the list."""
    return bool(submission.job.account.list_error) or is_search_overdue(submission, observed_at)


def _is_settled_by(remote: RemoteJob, submission: Submission, observed_at: datetime) -> bool:
    """Bind the job that was found; False where it is only the best match, and another's."""
    other = find_other_submission(submission, remote.remote_id)
    if remote.key != submission.key and was_known_before(submission, remote.remote_id):
        return False
    if other is None:
        bind_remote_job(submission, remote, observed_at)
    elif remote.key == submission.key:
        mark_unconfirmed(submission, f"Its job at the provider is already job {other.pk} here.")
    else:
        return False
    return True


def _record_lookup(submission: Submission, observed_at: datetime, *, is_complete: bool) -> None:
    """Count one lookup that found nothing; one that was cut short counts as a failure."""
    if is_complete:
        submission.empty_lookups += 1
        submission.first_empty_lookup_at = submission.first_empty_lookup_at or observed_at
    else:
        submission.failures += 1
    leases.held(submission).update(
        empty_lookups=submission.empty_lookups,
        first_empty_lookup_at=submission.first_empty_lookup_at,
        failures=submission.failures,
    )


def _is_absent(submission: Submission, adapter: Provider, observed_at: datetime) -> bool:
    """Whether it is confirmed that the job is not there, and the request may be sent again."""
    return (
        adapter.echoes_key
        and submission.empty_lookups >= 2
        and submission.sends < MAX_SENDS
        and _are_far_apart(submission, observed_at)
    )


def _has_had_all_lookups(submission: Submission, observed_at: datetime) -> bool:
    has_all = submission.empty_lookups >= len(LOOKUP_DELAYS_S)
    return has_all and _are_far_apart(submission, observed_at)


def _are_far_apart(submission: Submission, observed_at: datetime) -> bool:
    """Whether the lookups span long enough: an unstable host is searched more often."""
    first_at = submission.first_empty_lookup_at
    return first_at is not None and observed_at - first_at >= ABSENCE_CONFIRMATION


def _send_again(submission: Submission) -> None:
    if set_state(submission, SubmissionState.DUE):
        message = "Not found at the provider in two complete lookups: sending again"
        record_event(submission.job, message)
