"""How pages draw icons, times, figures and statuses: one way each."""

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog
from django import template
from django.contrib.staticfiles.storage import staticfiles_storage
from django.db import DatabaseError
from django.db.models import Model
from django.forms import BoundField
from django.template import Context, Engine
from django.utils import timezone
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString

from jobs.accounts.freshness import Trust
from jobs.display import formats
from jobs.display.phases import Phase, live_version, phases
from jobs.display.provider_text import copyable, provider_text, visible
from jobs.forms.job import FieldNote, JobForm, dress_widget
from jobs.media.playback import opening, playable
from jobs.models import Job, Output, RowFailure, Verdict
from jobs.query.jobs import Count
from providers.core.status import JobStatus, OutputStatus
from providers.core.types import OutputKind
from providers.http.redaction import REDACTED
from providers.parsing.clock import is_ahead
from providers.parsing.text import make_visible
from providers.parsing.urls import parse_url

log = structlog.get_logger(__name__)
register = template.Library()

# Beyond it a page shows plain JSON: providers nest as deep as they like.
TREE_DEPTH = 12
TREE_TEXT = 2000

SPRITE = "vendor/tabler-icons/sprite.svg"

ICONS: dict[str, str] = {
    JobStatus.SUBMITTING: "send",
    JobStatus.QUEUED: "clock",
    JobStatus.RUNNING: "loader-2",
    JobStatus.SUCCEEDED: "circle-check",
    JobStatus.FAILED: "alert-triangle",
    JobStatus.CANCELLED: "ban",
    JobStatus.UNKNOWN: "help-circle",
    OutputStatus.SKIPPED: "circle-minus",
    Trust.OK: "circle-check",
    Trust.UNCHECKED: "help-circle",
    Trust.IMPORTING: "download",
    Trust.LATE: "clock",
    Trust.FAILING: "plug-connected-x",
    Trust.REFUSED: "lock",
    Trust.PAUSED: "player-pause",
    OutputKind.VIDEO: "video",
    OutputKind.AUDIO: "music",
    OutputKind.PLAYLIST: "stack-2",
    OutputKind.IMAGE: "photo",
    OutputKind.ARCHIVE: "archive",
    OutputKind.CAPTIONS: "badge-cc",
    Verdict.ACCEPTED: "circle-check",
    Verdict.IGNORED: "circle-minus",
    Verdict.REFUSED: "ban",
}

register.filter("provider_text", provider_text)
register.filter("visible", visible)
register.filter("copyable", copyable)
register.filter("duration", formats.duration)
register.filter("size", formats.size)
register.filter("bitrate", formats.bitrate)


@register.simple_tag
def icon(name: str, extra: str = "") -> SafeString:
    """An icon of the sprite, for the eye alone: the words stand beside it."""
    sprite = staticfiles_storage.url(SPRITE)
    css = f"icon {extra}".rstrip()
    return format_html(
        '<svg class="{}" aria-hidden="true"><use href="{}#{}"/></svg>', css, sprite, name
    )


@register.simple_tag
def icon_of(word: str, extra: str = "") -> SafeString:
    """The icon of a status, a kind of output or an account's state."""
    return icon(ICONS.get(word, ICONS[JobStatus.UNKNOWN]), extra)


@register.simple_tag(takes_context=True)
def row(
    context: Context,
    template: str,
    item: Model,
    columns: int = 1,
    instead: str = "jobs/shared/_broken_row.html",
    **names: Any,
) -> SafeString:
    """The row of `item`. One that cannot be rendered says so, and the rest of the page works."""
    engine = Engine.get_default()
    try:
        with context.push(**names):
            return engine.get_template(template).render(context)
    except Exception:
        log.exception("row not rendered", template=template, pk=item.pk)
    with suppress(DatabaseError):
        RowFailure.record(template)
    fallback = {
        **names,
        "item": item,
        "columns": columns,
        "kind": template.rpartition("/_")[2].partition(".")[0].removesuffix("_row"),
        "version": getattr(item, "version", None),
        "job_id": item.pk if isinstance(item, Job) else getattr(item, "job_id", None),
    }
    with context.push(**fallback):
        return engine.get_template(instead).render(context)


@register.inclusion_tag("jobs/shared/_pill.html")
def pill(status: str, provider_status: str = "") -> dict[str, Any]:
    """A status as icon, word and colour; beside an unknown one the provider's own word."""
    return {"status": status, "provider_status": provider_status}


@register.inclusion_tag("jobs/shared/_job_pill.html")
def job_pill(job: Job) -> dict[str, Any]:
    """The status of `job`; of one that was active and is gone, that this is what it was last."""
    return {"item": job, "was_active": is_lost(job)}


@register.inclusion_tag("jobs/shared/_job_pill.html")
def output_pill(output: Output) -> dict[str, Any]:
    """The status of `output`; of an unfinished one whose job is gone, what it was last."""
    return {"item": output, "was_active": output.is_unfinished and is_lost(output.job)}


@register.filter
def version_mark(job: Job) -> str:
    return live_version(job.version, job.is_active, job.account)


@register.filter
def is_lost(job: Job) -> bool:
    """Whether the provider no longer knows the job, and never reported how it ended."""
    return job.gone_at is not None and job.status_value.is_active


@register.simple_tag
def ago(at: datetime | None) -> SafeString:
    """`3 min ago`, kept up to date by time.js; the tooltip has the absolute time."""
    if at is None:
        return SafeString("")
    now = timezone.now()
    extra = ' data-ago class="ahead"' if is_ahead(at, now) else " data-ago"
    return _time(at, formats.ago(at, now), SafeString(extra))


@register.filter
def is_in_future(at: datetime | None) -> bool:
    """Whether a provider reports a time that its clock alone has reached."""
    return at is not None and is_ahead(at, timezone.now())


@register.simple_tag
def moment(at: datetime | None) -> SafeString:
    """`2026-03-04 17:05:09 UTC`, for tables where the order and the day count."""
    if at is None:
        return SafeString("")
    return _time(at, f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC", SafeString(""))


def _time(at: datetime, words: str, extra: SafeString) -> SafeString:
    at = at.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{}"{}>{}</time>',
        f"{at:%Y-%m-%dT%H:%M:%SZ}",
        f"{at:%Y-%m-%d %H:%M:%S} UTC",
        extra,
        words,
    )


@register.filter
def count(number: Count) -> str:
    """`1,234`, and `10,000+` where counting stopped."""
    return f"{number.value:,}{'+' if number.capped else ''}"


@register.filter
def percent(part: float | None) -> str:
    """`98 %`, and `99.7 %` near the ends, where rounding would claim all or nothing."""
    if part is None:
        return ""
    places = 0 if part in (0, 1) or 0.01 <= part <= 0.99 else 1
    # never rounded up to all, or down to nothing
    shown = min(max(part * 100, 0.1), 99.9) if 0 < part < 1 else part * 100
    return f"{shown:.{places}f} %"


@register.filter
def input_file(job: Job) -> str:
    """The last part of the input's address."""
    return parse_url(job.input_url).file_name


@register.filter
def input_facts(job: Job) -> list[tuple[str, str]]:
    """What is known of the input; an empty value is one that the provider did not tell."""
    picture = f"{job.input_width} × {job.input_height or '?'} px" if job.input_width else ""
    if picture and job.input_frame_rate:
        picture += f", {job.input_frame_rate:g} fps"
    codecs = job.input_video_codec or job.input_audio_codec
    return [
        ("Duration", formats.duration(job.input_duration_ms)),
        ("Size", formats.size(job.input_size_bytes)),
        ("Picture", picture),
        (
            "Codecs",
            f"{job.input_video_codec or 'no picture'}, {job.input_audio_codec or 'no sound'}"
            if codecs
            else "",
        ),
        ("Bitrate", formats.bitrate(job.input_bitrate_kbps)),
    ]


@register.filter
def phases_of(job: Job) -> list[Phase]:
    return phases(job, timezone.now())


@register.filter
def any_length(found: list[Phase]) -> bool:
    """Whether there is something to say of the length of at least one phase."""
    return any(phase.length is not None or phase.problem for phase in found)


@register.filter
def iso(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


@register.simple_tag
def tree(value: Any, depth: int = 0) -> SafeString:
    """JSON as nested lists of named parts; what lies deeper than anyone looks, as JSON."""
    parts = _branches(value) if depth < TREE_DEPTH else []
    if not parts:
        return format_html(
            '<span class="tree-value">{}</span>',
            provider_text(json_word(value), TREE_TEXT),
        )
    return format_html(
        '<ul class="tree">{}</ul>',
        format_html_join(
            "",
            '<li><span class="tree-name">{}</span> {}</li>',
            ((provider_text(name), tree(part, depth + 1)) for name, part in parts),
        ),
    )


def _branches(value: Any) -> list[tuple[str, Any]]:
    """The named parts of a JSON object or array; empty for plain values and lists of these."""
    if isinstance(value, dict):
        return [(str(key), part) for key, part in value.items()]
    if isinstance(value, list) and any(isinstance(part, dict | list) for part in value):
        return [(str(number), part) for number, part in enumerate(value, start=1)]
    return []


@register.filter
def json_word(value: Any) -> str:
    """A plain JSON value as JSON writes it, but text without quotes; `{}` and `[]` when empty.

    Several plain values stand on one line.
    """
    if isinstance(value, list) and value:
        return ", ".join(map(json_word, value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@register.filter
def given(settings: dict[str, Any]) -> dict[str, Any]:
    """What was set of settings: neither null nor empty, at any depth."""
    parts = {
        name: given(part) if isinstance(part, dict) else part for name, part in settings.items()
    }
    return {name: part for name, part in parts.items() if part not in (None, [], {}, "")}


@register.filter
def mark_redacted(text: str) -> SafeString:
    """Text with what was taken out of it made visible as such."""
    mark = f"<mark>{REDACTED}</mark>"
    return SafeString(escape(make_visible(text)).replace(REDACTED, mark))


@dataclass(frozen=True, slots=True)
class Bar:
    """A phase on the time line, in per cent of its width."""

    x: float
    width: float
    css: str


@register.filter
def bar_class(phase: Phase) -> str:
    if phase.length is None:
        return "unreported"
    return {"Waiting": "waiting", "Running": "running"}.get(phase.name, "mixed")


@register.filter
def bars(found: list[Phase]) -> list[Bar]:
    """Each phase by its share; where shares are not known, all of one width."""
    drawn, x = [], 0.0
    for phase in found:
        width = 100 / len(found) if phase.share is None else phase.share
        drawn.append(Bar(x, width, bar_class(phase)))
        x += width
    return drawn


register.filter("playable", playable)
register.filter("opening", opening)


@register.filter
def file_name(output: Output) -> str:
    """The last part of an output's address; its label or id where that names no file."""
    return parse_url(output.url).file_name or str(output)


@register.filter
def notes(field: BoundField) -> list[FieldNote]:
    """What the provider says to a field of the form for jobs."""
    form = field.form
    return form.notes.get(field.name, []) if isinstance(form, JobForm) else []


@register.filter
def dressed(field: BoundField) -> BoundField:
    """A form's field, of whatever origin, with Tabler's classes."""
    dress_widget(field.field.widget, has_errors=bool(field.errors))
    return field
