"""What a new job is filled in with when it copies another one.

The request as stored where the job was submitted here, else one rebuilt from the mirror. Secrets
do not reach the page: it shows the redacted request, and what comes back unchanged is replaced by
the original.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from jobs.models import Job, JobSecret, Output
from jobs.models.fields import Undecryptable
from jobs.submission.stored_request import dump_request, find_sent_request, load_request
from providers.core.contract import Provider
from providers.core.issues import RequestIssue
from providers.core.types import Capability, JobRequest, OutputKind, Rendition, Thumbnails
from providers.http.redaction import has_marker, redact, redact_url, url_expiry

LOST_KEY = "The secret values: they cannot be decrypted, since none of CREDENTIALS_KEYS fits"
NO_LONGER_STORED = "The secret values: they are no longer stored"
RESTORED = ("input", "destination", "metadata", "extra")

_HEIGHT = re.compile(r"(?<!\d)(\d{3,4})p\b", re.ASCII)
_HLS_FORMATS = re.compile("hls|m3u8?|ts|mpeg-?ts", re.IGNORECASE)
_MP4_FORMATS = re.compile(".*(mp4|mpeg4|m4v).*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Source:
    """The job that is copied, with its request: `original` to be sent, `shown` to be displayed.

    `missing` names what the copy does not have.
    """

    job: Job
    original: JobRequest = field(repr=False)
    shown: JobRequest
    missing: tuple[str, ...] = ()

    def restore(self, request: JobRequest) -> JobRequest:
        """`request` with the original of each value that is still as it was shown."""
        values = {
            name: _restore(
                getattr(request, name), getattr(self.shown, name), getattr(self.original, name)
            )
            for name in RESTORED
        }
        return replace(request, **values)

    def describe_use(self, request: JobRequest, now: datetime) -> list[RequestIssue]:
        """Which fields of `request` are sent with a stored secret; blocking where it expired."""
        restored = self.restore(request)
        changed = [name for name in RESTORED if getattr(restored, name) != getattr(request, name)]
        return [_describe_use(name, getattr(restored, name), now) for name in changed]


def find_source(job: Job) -> Source:
    """What a copy of `job` starts from, whatever its provider, status and origin."""
    try:
        request = find_sent_request(job)
    except Undecryptable:
        request = None
        missing = LOST_KEY
    else:
        missing = NO_LONGER_STORED
    if request is not None:
        shown = _redact_request(request)
        return Source(job, request, shown, tuple(_find_unshown(request, job.account.adapter_class)))
    if job.request is None:
        return _rebuild(job)
    shown = load_request(job.request)
    return Source(job, shown, shown, (missing,) if has_marker(job.request) else ())


def _redact_request(request: JobRequest) -> JobRequest:
    shown = load_request(redact(dump_request(request)))
    destination = request.destination and redact_url(request.destination)
    return replace(shown, input=redact_url(request.input), destination=destination)


def _restore(value: Any, shown: Any, original: Any) -> Any:
    if value == shown:
        return original
    if isinstance(value, dict) and isinstance(shown, dict) and isinstance(original, dict):
        return {
            name: _restore(part, shown.get(name), original[name]) if name in original else part
            for name, part in value.items()
        }
    if isinstance(value, list) and isinstance(shown, list) and len(value) == len(shown):
        return [_restore(*parts) for parts in zip(value, shown, original, strict=True)]
    if isinstance(value, list) and isinstance(shown, list):
        # some were added or removed: what is left is recognised by what it shows
        return [original[shown.index(part)] if shown.count(part) == 1 else part for part in value]
    return value


def _describe_use(name: str, value: Any, now: datetime) -> RequestIssue:
    ends = [at for text in _texts(value) if (at := url_expiry(text)) and at <= now]
    if ends:
        expired_at = f"{min(ends):%Y-%m-%d %H:%M}"
        return RequestIssue(name, "stored_link_expired", {"at": expired_at})
    if name in ("input", "destination"):
        return RequestIssue(name, "stored_link_used", blocking=False)
    return RequestIssue(name, "stored_secret_used", blocking=False)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)


def _find_unshown(request: JobRequest, adapter_class: type[Provider]) -> Iterator[str]:
    """What the form has no field for."""
    wanted = request.thumbnails
    if wanted is None:
        return
    if wanted.count is None:
        yield "The number of thumbnails"
    if wanted.interval_s is not None and adapter_class.spreads_thumbnails:
        yield f"The interval of thumbnails ({wanted.interval_s:g} s)"
    if wanted.width or wanted.height or wanted.format != "jpg":
        yield "The size and format of thumbnails"


def _rebuild(job: Job) -> Source:
    """The request of a job that was submitted elsewhere, as far as its mirror tells it."""
    adapter_class = job.account.adapter_class
    outputs = list(
        job.outputs.select_related("preset").defer("secret_url").order_by("position", "pk")
    )
    media = [output for output in outputs if output.kind != OutputKind.IMAGE]
    url, missing = _find_input(job)
    if adapter_class.request_help.get("destination", "") is not None:
        missing.append("The destination")
    renditions: dict[str, list[int]] = {}
    extra: dict[str, Any] = {}
    if adapter_class.preset_field:
        ids = dict.fromkeys(one.preset.remote_id for one in media if one.preset)
        extra = {adapter_class.preset_field: list(ids)} if ids else {}
        missing += [f"The preset of output {one}" for one in media if not one.preset]
    else:
        renditions, unknown = _find_renditions(media, adapter_class)
        missing += unknown
        missing.append("Codecs, bitrates and other settings of the outputs")
    thumbnails, unknown = _find_thumbnails(len(outputs) - len(media), adapter_class)
    missing += [*unknown, "Extra settings, such as notifications"]
    if has_marker(job.metadata):
        missing.append("Secret values in the metadata")
    original = JobRequest(
        input=url,
        renditions=tuple(
            Rendition(name, tuple(sorted(set(heights)))) for name, heights in renditions.items()
        ),
        thumbnails=thumbnails,
        metadata=job.metadata,
        test=job.is_test,
        priority=job.priority,
        extra=extra,
    )
    return Source(job, original, replace(original, input=job.input_url), tuple(missing))


def _find_input(job: Job) -> tuple[str, list[str]]:
    secret = JobSecret.objects.filter(pk=job.pk).first()
    try:
        url = (secret and secret.input_url) or job.input_url
    except Undecryptable:
        return job.input_url, [LOST_KEY]
    if not url:
        return "", ["The source file"]
    return url, [NO_LONGER_STORED] if has_marker(url) else []


def _find_renditions(
    media: list[Output], adapter_class: type[Provider]
) -> tuple[dict[str, list[int]], list[str]]:
    """Heights by packaging, and the outputs of which neither can be told."""
    renditions: dict[str, list[int]] = {}
    unknown = []
    for output in media:
        packaging = _find_packaging(output) if adapter_class.packagings else "hls"
        heights = _find_heights(output)
        if packaging and heights:
            renditions.setdefault(packaging, []).extend(heights)
        elif packaging != "hls" or not adapter_class.packagings:
            unknown.append(f"Output {output} ({output.get_kind_display().lower()})")
    # a playlist of the renditions beside it has no height of its own
    if "hls" not in renditions and any(one.kind == OutputKind.PLAYLIST for one in media):
        unknown.append("The heights of the playlist")
    return renditions, unknown


def _find_packaging(output: Output) -> str:
    if output.kind == OutputKind.PLAYLIST or _HLS_FORMATS.fullmatch(output.format):
        return "hls"
    is_mp4 = not output.format or _MP4_FORMATS.fullmatch(output.format)
    return "mp4" if output.kind == OutputKind.VIDEO and is_mp4 else ""


def _find_heights(output: Output) -> list[int]:
    """As asked for: a label or preset names it, while the file may be smaller than that."""
    for text in (output.preset.name if output.preset else "", output.label):
        if found := _HEIGHT.findall(text):
            return [int(height) for height in found]
    return [output.height] if output.height else []


def _find_thumbnails(
    count: int, adapter_class: type[Provider]
) -> tuple[Thumbnails | None, list[str]]:
    if not count or not adapter_class.supports(Capability.THUMBNAILS):
        return None, []
    missing = [] if adapter_class.spreads_thumbnails else ["The interval of thumbnails"]
    return Thumbnails(count=count), missing
