"""The request of a job that was submitted elsewhere, rebuilt from what its provider reports."""

import re
from dataclasses import dataclass, field
from typing import Any

from jobs.models import Job, JobSecret, Output
from organizations.encryption import Undecryptable
from providers.core.contract import Provider
from providers.core.types import JobRequest, OutputKind, Rendition, Thumbnails
from providers.http.redaction import has_marker

LOST_KEY = "Secret values: CREDENTIALS_KEYS has no key that decrypts them"
NO_LONGER_STORED = "Secret values: no longer stored"

_HEIGHT = re.compile(r"(?<!\d)(\d{3,4})p\b", re.ASCII)
_HLS_FORMATS = re.compile("hls|m3u8?|ts|mpeg-?ts", re.IGNORECASE)
_MP4_FORMATS = re.compile(".*(mp4|mpeg4|m4v).*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RebuiltRequest:
    """`missing` names what is not known, for people."""

    request: JobRequest = field(repr=False)
    missing: list[str]


@dataclass(frozen=True, slots=True)
class RebuiltOutputs:
    """What to make: renditions, or presets in `extra`."""

    renditions: tuple[Rendition, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)


def rebuild_request(job: Job) -> RebuiltRequest:
    """The request of a job that was submitted elsewhere, as far as the mirror has it."""
    adapter_class = job.account.adapter_class
    outputs = list(
        job.outputs.select_related("preset").defer("secret_url").order_by("position", "pk")
    )
    media = [output for output in outputs if output.kind != OutputKind.IMAGE]
    url, missing = _find_input(job)
    if adapter_class.request_help.get("destination", "") is not None:
        missing.append("Destination")
    found = _find_presets(media, adapter_class) or _find_renditions(media, adapter_class)
    images = [output for output in outputs if output.kind == OutputKind.IMAGE]
    thumbnails, unknown = _find_thumbnails(images, adapter_class)
    missing += [*found.missing, *unknown, "Extra settings, such as notifications"]
    if has_marker(job.metadata):
        missing.append("Secret values in the metadata")
    request = JobRequest(
        input=url,
        renditions=found.renditions,
        thumbnails=thumbnails,
        metadata=job.metadata,
        test=job.is_test,
        priority=job.priority,
        extra=found.extra,
    )
    return RebuiltRequest(request, missing)


def _find_input(job: Job) -> tuple[str, list[str]]:
    secret = JobSecret.objects.filter(pk=job.pk).first()
    try:
        url = (secret and secret.input_url) or job.input_url
    except Undecryptable:
        return job.input_url, [LOST_KEY]
    if not url:
        return "", ["Source file"]
    return url, [NO_LONGER_STORED] if has_marker(url) else []


def _find_presets(media: list[Output], adapter_class: type[Provider]) -> RebuiltOutputs | None:
    """None where the provider's jobs name no presets."""
    if adapter_class.preset_field is None:
        return None
    ids = dict.fromkeys(one.preset.remote_id for one in media if one.preset)
    return RebuiltOutputs(
        extra={adapter_class.preset_field: list(ids)} if ids else {},
        missing=[f"Preset of output {one}" for one in media if not one.preset],
    )


def _find_renditions(media: list[Output], adapter_class: type[Provider]) -> RebuiltOutputs:
    renditions: dict[str, list[int]] = {}
    missing = []
    for output in media:
        packaging = _find_packaging(output) if adapter_class.packagings else "hls"
        heights = _find_heights(output)
        if packaging and heights:
            renditions.setdefault(packaging, []).extend(heights)
        elif packaging != "hls" or not adapter_class.packagings:
            missing.append(f"Output {output} ({output.get_kind_display().lower()})")
    # a playlist of the renditions beside it has no height of its own
    if "hls" not in renditions and any(one.kind == OutputKind.PLAYLIST for one in media):
        missing.append("Heights of the playlist")
    missing.append("Codecs, bitrates and other output settings")
    return RebuiltOutputs(
        tuple(Rendition(name, tuple(sorted(set(heights)))) for name, heights in renditions.items()),
        missing=missing,
    )


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
    images: list[Output], adapter_class: type[Provider]
) -> tuple[Thumbnails | None, list[str]]:
    support = adapter_class.thumbnails
    if not images or support is None:
        return None, []
    if "count" not in support.placements:
        return None, ["Thumbnails: their times are not known"]
    made = {image.format for image in images}
    formats = tuple(one for one in support.formats if one in made)
    return Thumbnails(count=len(images) // max(1, len(formats)), formats=formats), []
