"""What a job is found by: the text of its search row, kept true by all that writes jobs."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import prefetch_related_objects

from jobs.models import Job, JobSearch, Output
from jobs.models.search.normalization import normalize
from jobs.models.search.sections import CUT_IMAGES, CUT_MEDIA, Section, join_sections
from jobs.models.search.trigrams import mark_organization, trigrams_of
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

_URLS = (Section.FILE, Section.OUTPUT)

# Characters. A job's own text fills a quarter of them at most; the rest is for its outputs.
MAX_TEXT = 8_000
MAX_VALUE = 1_000
MAX_METADATA = 3_000


def write_search(jobs: Iterable[tuple[Job, Collection[Output]]]) -> None:
    """Write the search rows of saved jobs, each with all of its outputs."""
    jobs = list(jobs)
    # one query for those of batches, if there are any
    prefetch_related_objects([job for job, _ in jobs if job.batch_id], "batch")
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
    media = [output for output in outputs if output.kind != OutputKind.IMAGE]
    images = [output for output in outputs if output.kind == OutputKind.IMAGE]
    entries = _Entries()
    cut = ""
    if not entries.add(_values(job, media)):
        cut = CUT_MEDIA
    if not entries.add((Section.REST, value) for value in _image_values(images)):
        cut += CUT_IMAGES
    return join_sections(mark_organization(job.organization_id), entries.known, cut)


@dataclass
class _Entries:
    """Normalized, in their sections, each once; MAX_TEXT characters of them."""

    known: dict[Section | None, dict[str, None]] = field(default_factory=dict)
    length: int = 0

    def add(self, values: Iterable[tuple[Section | None, str]]) -> bool:
        """Whether there was room for all."""
        for section, value in values:
            entry = normalize(value[:MAX_VALUE])
            known = self.known.setdefault(section, {})
            # the name of a file is at the end of its URL, unless that was cut or is encoded
            is_within = section in _URLS and any(entry in one for one in known)
            if not entry or entry in known or is_within:
                continue
            self.length += len(entry) + 1
            if self.length > MAX_TEXT:
                return False
            known[entry] = None
        return True


def _build_row(job: Job, outputs: Collection[Output]) -> JobSearch:
    text = build_text(job, outputs)
    return JobSearch(job=job, text=text, trigrams=trigrams_of(text))


def _values(job: Job, media: Collection[Output]) -> Iterator[tuple[Section | None, str]]:
    """With their sections. What matters most comes first: the end may be cut."""
    yield None, job.remote_id or ""
    yield Section.NAME, job.name
    yield None, job.batch.name if job.batch else ""
    yield None, job.error_class
    yield Section.CODE, job.error_code
    yield None, job.error_message
    yield from ((Section.FILE, value) for value in _url_values(job.input_url))
    for value in _limit(_leaves(job.metadata), MAX_METADATA):
        yield Section.METADATA, value
    for output in media:
        yield Section.LABEL, output.label
        yield from ((Section.OUTPUT, value) for value in _url_values(output.url))
        yield Section.OUTPUT, output.remote_id
    yield from ((Section.REST, value) for value in _rest(job, media))


def _rest(job: Job, media: Collection[Output]) -> Iterator[str]:
    yield job.console_url
    for error in job.errors:
        yield from (error.get("class", ""), error.get("code", ""), error.get("message", ""))
    for output in media:
        yield from (output.error_class, output.error_code, output.error_message)


def _image_values(images: Collection[Output]) -> Iterator[str]:
    # there may be hundreds, which share their folder
    for output in images:
        yield from (output.label, output.remote_id, parse_url(output.url).file_name)


def _url_values(url: str) -> Iterator[str]:
    """The URL without its query, which may sign it; and its name, where `file:` finds it begin."""
    yield strip_query(url)
    if name := parse_url(url).file_name:
        yield f"/{name}"


def _leaves(value: Any) -> Iterator[str]:
    """Keys and values, as text."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _leaves(item)
            yield str(name)[:MAX_VALUE]
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    elif value is not None:
        text = str(value).lower() if isinstance(value, bool) else str(value)
        yield text[:MAX_VALUE]


def _limit(values: Iterable[str], length: int) -> Iterator[str]:
    for value in values:
        length -= len(value)
        if length < 0:
            return
        yield value
