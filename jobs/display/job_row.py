"""What a row of the job list says of its job: worked out once, so that the template only prints."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from jobs.display.formats import duration
from jobs.display.names import split_name
from jobs.display.phases import Phase, phases
from jobs.display.provider_text import visible
from jobs.models import Job
from providers.core.errors import CLASSES
from providers.core.status import JobStatus
from providers.parsing.urls import parse_url

# What of a provider's own status fits into a mark
MARK_LENGTH = 18


@dataclass(frozen=True, slots=True)
class Mark:
    """What is out of the ordinary; a row has one at most. `sign` names its icon,
    `title` is the whole sentence.
    """

    sign: str
    text: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class ErrorLine:
    title: str
    message: str
    name: str


@dataclass(frozen=True, slots=True)
class Length:
    """How long a job took in all, with a note. `since` is set while it goes on, `stopped_at` once
    nothing confirms it any more.
    """

    text: str = ""
    note: str = ""
    title: str = ""
    since: datetime | None = None
    stopped_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class JobRow:
    """Figures are text here, which templates print without looking up a locale."""

    id: str
    status_label: str
    # per cent, for the bar and for reading; None where not reported
    progress: tuple[str, str] | None
    label: str
    head: str
    tail: str
    file: str
    # the provider, where the account's name does not begin with it, and the rest of the name
    account: tuple[str, str]
    is_lost: bool
    mark: Mark | None
    error: ErrorLine | None
    length: Length
    outputs: tuple[str, str]
    outputs_note: str

    @classmethod
    def of(cls, job: Job, now: datetime) -> "JobRow":
        name = visible(job)
        head, tail = split_name(name)
        file = parse_url(job.input_url).file_name if job.input_url else ""
        return cls(
            id=str(job.pk),
            status_label=job.status.capitalize(),
            progress=None
            if job.progress is None
            else (f"{job.progress:.1f}", f"{job.progress:.0f}"),
            label=name,
            head=head,
            tail=tail,
            file="" if file == job.name else file,
            account=split_account(job.account.name, job.account.provider_label),
            is_lost=job.gone_at is not None and job.status_value.is_active,
            mark=_mark(job),
            error=_error(job),
            length=_length(job, now),
            outputs=(str(job.outputs_succeeded), str(job.outputs_total)),
            outputs_note=_outputs_note(job),
        )


def split_account(name: str, provider_label: str) -> tuple[str, str]:
    """The provider and the rest, the same where the name begins with the provider already."""
    if name.startswith(provider_label):
        return provider_label, name.removeprefix(provider_label).strip()
    return (name, "") if provider_label in name else (provider_label, name)


def _mark(job: Job) -> Mark | None:
    if job.resolved_by_id:
        return Mark("retried", "Retry succeeded")
    if job.gone_at and job.is_terminal:
        return Mark("gone", "Gone", "The provider no longer has this job")
    if job.status == JobStatus.UNKNOWN and job.provider_status:
        reported = job.provider_status
        short = reported if len(reported) <= MARK_LENGTH else f"{reported[: MARK_LENGTH - 1]}…"
        return Mark("unknown", f"“{short}”", f"Reported as “{reported}”")
    if job.is_suspect:
        return Mark("suspect", "Suspect", job.suspect_reason)
    if job.is_partial:
        return Mark("partial", "Partial", "Some of its outputs failed")
    return Mark("test", "Test", "A test job: shortened and free") if job.is_test else None


def _error(job: Job) -> ErrorLine | None:
    if not job.error_class:
        return None
    known = CLASSES.get(job.error_class, CLASSES["unknown"])
    return ErrorLine(known.title, job.error_message or known.sentence, job.error_class)


def _outputs_note(job: Job) -> str:
    """Why there is no number of outputs."""
    if job.outputs_total:
        return ""
    is_silent = job.status == JobStatus.SUCCEEDED and not job.has_listed_outputs
    if job.status == JobStatus.UNKNOWN or is_silent:
        return "Not reported"
    return "None yet" if job.is_active else "None"


def _length(job: Job, now: datetime) -> Length:
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
        return _measured(last, last.length, last.started_at, "")
    wait = f"{duration(found[0].length)} wait"
    total = None if last.length is None else found[0].length + last.length
    return _measured(last, total, found[0].started_at, wait)


def _sum(found: list[Phase]) -> timedelta | None:
    lengths = [phase.length for phase in found if phase.length is not None]
    return sum(lengths, timedelta()) if lengths else None


def _measured(last: Phase, total: timedelta | None, since: datetime | None, note: str) -> Length:
    if last.stopped_at:
        return Length(duration(total), stopped_at=last.stopped_at)
    is_counting = last.is_ongoing and total is not None
    return Length(duration(total), note, since=since if is_counting else None)
