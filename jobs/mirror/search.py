"""What a job is found by: the text of its search row, kept true by all that writes jobs."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from jobs.models import Job, JobSearch, Output
from jobs.models.search.normalization import normalize
from jobs.models.search.trigrams import END, mark_organization, trigrams_of
from providers.core.types import OutputKind
from providers.parsing.urls import parse_url, strip_query

# of a job and of its outputs
SEARCHED_COLUMNS = frozenset(
    {
        *("name", "remote_id", "batch", "console_url", "input_url", "metadata"),
        *("error_class", "error_code", "error_message", "errors"),
        *("label", "url", "kind"),
    }
)

# Characters. A job's own text fills a quarter of them at most; the rest is for its outputs.
MAX_TEXT = 8_000
MAX_VALUE = 1_000
MAX_METADATA = 3_000


def write_search(jobs: Iterable[tuple[Job, Collection[Output]]]) -> None:
    """Write the search rows of saved jobs, each with all of its outputs."""
    JobSearch.objects.bulk_create(
        [_build_row(job, outputs) for job, outputs in jobs],
        update_conflicts=True,
        unique_fields=["job"],
        update_fields=["text", "trigrams"],
    )


def refresh_search(pks: Sequence[int]) -> None:
    """Write the search rows of these jobs from what is stored."""
    jobs = Job.objects.filter(pk__in=pks).prefetch_related("outputs")
    write_search((job, list(job.outputs.all())) for job in jobs)


def build_text(job: Job, outputs: Collection[Output]) -> str:
    """What the row of `job` holds: nothing that was redacted, and no query of a URL."""
    entries: dict[str, None] = {}
    length = 0
    for value in _values(job, outputs):
        entry = normalize(value[:MAX_VALUE])
        if not entry or entry in entries:
            continue
        length += len(entry) + 1
        if length > MAX_TEXT:
            break
        entries[entry] = None
    # two characters more, so that the last ones begin a trigram like all others
    return END.join((mark_organization(job.organization_id), *entries, "", ""))


def _build_row(job: Job, outputs: Collection[Output]) -> JobSearch:
    text = build_text(job, outputs)
    return JobSearch(job=job, text=text, trigrams=trigrams_of(text))


def _values(job: Job, outputs: Collection[Output]) -> Iterator[str]:
    """What matters most comes first: the end may be cut."""
    yield job.name
    yield job.remote_id or ""
    yield job.batch
    yield from (job.error_class, job.error_code, job.error_message)
    yield from _url_values(job.input_url)
    yield job.console_url
    yield from _limit(_leaves(job.metadata), MAX_METADATA)
    for error in job.errors:
        yield from (error.get("class", ""), error.get("code", ""), error.get("message", ""))
    images = [output for output in outputs if output.kind == OutputKind.IMAGE]
    for output in outputs:
        if output.kind != OutputKind.IMAGE:
            yield from (output.label, output.remote_id, *_url_values(output.url))
            yield from (output.error_class, output.error_code, output.error_message)
    # there may be hundreds, which share their folder
    for output in images:
        yield from (output.label, output.remote_id, parse_url(output.url).file_name)


def _url_values(url: str) -> Iterator[str]:
    """The URL without its query, which may sign it; its name too, where that is cut or decoded."""
    yield strip_query(url)
    yield parse_url(url).file_name


def _leaves(value: Any, name: str = "") -> Iterator[str]:
    """Keys and values, as text."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(item, str(key))
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item, name)
    elif value is not None:
        text = str(value).lower() if isinstance(value, bool) else str(value)
        yield from (text[:MAX_VALUE], name[:MAX_VALUE])


def _limit(values: Iterable[str], length: int) -> Iterator[str]:
    for value in values:
        length -= len(value)
        if length < 0:
            return
        yield value
