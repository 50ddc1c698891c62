"""What a row of the job list says of its job: worked out once, so that the template only prints.

A page has fifty such rows, and how they are printed is a third of what it costs. So what a row
holds is ready to be printed: looking up a number's locale, escaping digits and asking again what
an account is called take longer than all that is done here.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from jobs.display.formats import duration
from jobs.display.names import split_name
from jobs.display.phases import Phase, live_version, phases, waiting_mark
from jobs.display.provider_text import provider_text, visible
from jobs.display.stuck import TimeLeft, stuck_mark, stuck_sentence
from jobs.models import Job
from providers.core.errors import CLASSES
from providers.core.status import JobStatus
from providers.parsing.urls import parse_url

# What of a provider's own status fits into a mark
MARK_LENGTH = 18
# The accounts whose names are kept ready; an organization rarely has twenty.
ACCOUNTS_KEPT = 500


class Printed:
    """What templates read: they try an item before an attribute, and to learn that there are no
    items takes an exception for each name.
    """

    __slots__ = ()
    __getitem__ = object.__getattribute__


@dataclass(frozen=True, slots=True)
class AccountLabel(Printed):
    """An account in a row; `html` begins with the provider, whatever the account is called."""

    title: str
    html: SafeString


@dataclass(frozen=True, slots=True)
class Progress(Printed):
    """Per cent, for the bar and for reading."""

    width: str
    rounded: str


@dataclass(frozen=True, slots=True)
class Mark(Printed):
    """What is out of the ordinary; a row has one at most. `sign` names its icon,
    `title` is the whole sentence.
    """

    sign: str
    text: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class ErrorLine(Printed):
    title: str
    message: SafeString
    name: SafeString


@dataclass(frozen=True, slots=True)
class Length(Printed):
    """How long a job took in all, with a note. `since` is set while it goes on, `stopped_at` once
    nothing confirms it any more, `left` where the note says how much longer.
    """

    text: str = ""
    note: str = ""
    title: str = ""
    since: datetime | None = None
    stopped_at: datetime | None = None
    left: TimeLeft | None = None


@dataclass(frozen=True, slots=True)
class JobRow(Printed):
    """The status is that of the job, `gone` for one that was lost while it was active."""

    id: SafeString
    version: SafeString
    status: str
    status_label: str
    css: str
    # None where not reported
    progress: Progress | None
    label: str
    head: str
    tail: str
    remote_id: SafeString
    attempt: SafeString
    file: SafeString
    account: AccountLabel
    mark: Mark | None
    error: ErrorLine | None
    length: Length
    outputs: SafeString
    outputs_made: SafeString
    outputs_note: str
    assignee: str

    @classmethod
    def of(cls, job: Job, now: datetime, left: TimeLeft | None = None) -> "JobRow":
        name = visible(job)
        head, tail = split_name(name)
        file = parse_url(job.input_url).file_name if job.input_url else ""
        is_lost = job.gone_at is not None and job.status_value.is_active
        return cls(
            id=SafeString(job.pk),
            version=SafeString(
                live_version(job.version, job.is_active, job.account) + waiting_mark(job)
            ),
            status="gone" if is_lost else job.status,
            status_label=f"Gone, last seen {job.status}" if is_lost else job.status.capitalize(),
            css=_css(job),
            progress=_progress(job),
            label=name,
            head=head,
            tail=tail,
            remote_id=provider_text(job.remote_id),
            attempt=SafeString(job.attempt if job.attempt > 1 else ""),
            file=provider_text("" if file == job.name else file),
            account=label_account(job.account.name, job.account.provider_label),
            mark=_mark(job),
            error=_error(job),
            length=_length(job, now, left),
            outputs=SafeString(job.outputs_total or ""),
            outputs_made=SafeString(job.outputs_succeeded),
            outputs_note=_outputs_note(job),
            assignee=visible(job.assignee.user.display_name) if job.assignee else "",
        )


@lru_cache(ACCOUNTS_KEPT)
def label_account(name: str, provider_label: str) -> AccountLabel:
    if name.startswith(provider_label):
        provider, rest = provider_label, name.removeprefix(provider_label).strip()
    else:
        provider, rest = (name, "") if provider_label in name else (provider_label, name)
    html = provider_text(provider)
    if rest:
        html = format_html('{} <span class="account-label">{}</span>', html, provider_text(rest))
    return AccountLabel(visible(name), html)


def _progress(job: Job) -> Progress | None:
    if job.progress is None:
        return None
    return Progress(f"{job.progress:.1f}", f"{job.progress:.0f}")


def _css(job: Job) -> str:
    if not job.error_class:
        return ""
    return "has-error is-resolved" if job.resolved_by_id else "has-error"


def _mark(job: Job) -> Mark | None:
    if job.resolved_by_id:
        return Mark("retried", "Retry succeeded")
    if job.gone_at and job.is_terminal:
        return Mark("gone", "Gone", "The provider no longer has this job")
    if job.status == JobStatus.UNKNOWN and job.provider_status:
        reported = job.provider_status
        short = reported if len(reported) <= MARK_LENGTH else f"{reported[: MARK_LENGTH - 1]}…"
        return Mark("unknown", f"“{short}”", f"Reported as “{reported}”")
    # only lists that say so have read it
    if waiting := getattr(job, "waiting", None):
        return Mark("waiting", "Waiting here", str(waiting))
    if job.is_stuck:
        return Mark("stuck", stuck_mark(job), stuck_sentence(job, timezone.now()))
    if job.is_suspect:
        return Mark("suspect", "Suspect", job.suspect_reason)
    if job.is_partial:
        return Mark("partial", "Partial", "Some of its outputs failed")
    return Mark("test", "Test", "A test job: shortened and free") if job.is_test else None


def _error(job: Job) -> ErrorLine | None:
    if not job.error_class:
        return None
    known = CLASSES.get(job.error_class, CLASSES["unknown"])
    message = provider_text(job.error_message or known.sentence)
    return ErrorLine(known.title, message, provider_text(job.error_class))


def _outputs_note(job: Job) -> str:
    """How many of the outputs failed, or why there is no number of outputs."""
    if job.outputs_total:
        return f"{job.outputs_failed} failed" if job.outputs_failed else ""
    is_silent = job.status == JobStatus.SUCCEEDED and not job.has_listed_outputs
    if job.status == JobStatus.UNKNOWN or is_silent:
        return "Not reported"
    return "None yet" if job.is_active else "None"


def _length(job: Job, now: datetime, left: TimeLeft | None) -> Length:
    found = phases(job, now)
    problem = next((phase for phase in found if phase.problem), None)
    if problem:
        known = _sum(found)
        return Length(duration(known) if known else "", problem.problem, problem.explanation)
    if job.status in (JobStatus.SUBMITTING, JobStatus.QUEUED):
        note = "submitting" if job.status == JobStatus.SUBMITTING else "waiting"
        return _measured(found[0], found[0].length, found[0].started_at, note)
    last = found[-1]
    if len(found) == 1 or found[0].length is None:
        length = _measured(last, last.length, last.started_at, "")
    else:
        wait = f"{duration(found[0].length)} wait"
        total = None if last.length is None else found[0].length + last.length
        length = _measured(last, total, found[0].started_at, wait)
    if left is None:
        return length
    about = f"From {left.jobs:,} comparable jobs"
    title = f"{about}, after {length.note}" if length.note else about
    return replace(length, note=left.text, title=title, left=left)


def _sum(found: list[Phase]) -> timedelta | None:
    lengths = [phase.length for phase in found if phase.length is not None]
    return sum(lengths, timedelta()) if lengths else None


def _measured(last: Phase, total: timedelta | None, since: datetime | None, note: str) -> Length:
    if last.stopped_at:
        return Length(duration(total), stopped_at=last.stopped_at)
    is_counting = last.is_ongoing and total is not None
    return Length(duration(total), note, since=since if is_counting else None)
