"""Icons of the sprite, by their own name or by what they mean."""

from functools import cache

from django import template
from django.contrib.staticfiles.storage import staticfiles_storage
from django.utils.html import format_html
from django.utils.safestring import SafeString

from jobs.accounts.freshness import HealthStatus
from jobs.models import Verdict
from providers.core.status import JobStatus, OutputStatus
from providers.core.types import OutputKind

register = template.Library()

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
    HealthStatus.OK: "circle-check",
    HealthStatus.UNCHECKED: "help-circle",
    HealthStatus.IMPORTING: "download",
    HealthStatus.LATE: "clock",
    HealthStatus.FAILING: "plug-connected-x",
    HealthStatus.REFUSED: "lock",
    HealthStatus.PAUSED: "player-pause",
    OutputKind.VIDEO: "video",
    OutputKind.AUDIO: "music",
    OutputKind.PLAYLIST: "stack-2",
    OutputKind.IMAGE: "photo",
    OutputKind.ARCHIVE: "archive",
    OutputKind.CAPTIONS: "badge-cc",
    Verdict.ACCEPTED: "circle-check",
    Verdict.IGNORED: "circle-minus",
    Verdict.REFUSED: "ban",
    # marks of a job
    "gone": "file-off",
    "suspect": "zoom-question",
    "stuck": "hourglass-high",
    "waiting": "clock",
    "partial": "circle-minus",
    "retried": "circle-check",
    "test": "info-circle",
}


# The address of the sprite is the same for as long as the process runs.
@cache
def _draw(name: str, extra: str) -> SafeString:
    sprite = staticfiles_storage.url(SPRITE)
    css = f"icon {extra}".rstrip()
    return format_html(
        '<svg class="{}" aria-hidden="true"><use href="{}#{}"/></svg>', css, sprite, name
    )


@register.simple_tag
def icon(name: str, extra: str = "") -> SafeString:
    """An icon of the sprite, hidden from screen readers: it is always beside a text."""
    return _draw(name, extra)


@register.simple_tag
def icon_of(value: str, extra: str = "") -> SafeString:
    """The icon of a status, a kind of output or an account's state."""
    return icon(ICONS.get(value, ICONS[JobStatus.UNKNOWN]), extra)
