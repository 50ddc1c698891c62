"""What the panels beside a job say of it."""

from django import template

from jobs.display import formats
from jobs.display.flatten import flatten
from jobs.models import Job
from jobs.templatetags.text import json_text
from providers.parsing.urls import parse_url

register = template.Library()

# More, or longer, has a panel of its own
CHIPS = 6
CHIP_LENGTH = 60


@register.filter
def metadata_chips(job: Job) -> list[str]:
    """The metadata as `course: optics`, where it is short; else empty."""
    metadata = job.metadata
    if not isinstance(metadata, dict) or len(metadata) > CHIPS:
        return []
    pairs = list(flatten(metadata))
    chips = [f"{'.'.join(map(str, path))}: {json_text(value)}" for path, value in pairs]
    is_short = len(chips) <= CHIPS and all(len(chip) <= CHIP_LENGTH for chip in chips)
    return chips if is_short else []


@register.filter
def input_place(job: Job) -> str:
    """The folder that the input is in, with scheme and host: `s3://footage/2026/`."""
    name = parse_url(job.input_url).file_name
    place, found, _ = job.input_url.partition("?")[0].rpartition("/")
    return f"{place}/" if name and found else ""


@register.filter
def input_facts(job: Job) -> list[tuple[str, str, str]]:
    """What is known of the input: a label, a value, and what goes with it."""
    picture = f"{job.input_width} × {job.input_height or '?'}" if job.input_width else ""
    rate = f"{job.input_frame_rate:g} fps" if job.input_frame_rate else ""
    moving = " ".join(filter(None, [job.input_video_codec, picture]))
    facts = [
        ("Video", ", ".join(filter(None, [moving, rate])), ""),
        ("Audio", job.input_audio_codec, ""),
        ("Duration", formats.duration(job.input_duration_ms), ""),
        ("Size", formats.size(job.input_size_bytes), ""),
        ("Bitrate", formats.bitrate(job.input_bitrate_kbps), ""),
    ]
    if job.input_size_bytes is not None:
        *others, (label, size, _), (_, bitrate, _) = facts
        facts = [*others, (label, size, bitrate)]
    return [fact for fact in facts if fact[1]]


@register.filter
def input_gaps(job: Job) -> str:
    """What the provider did not report of the input: `video, audio`; empty where it did."""
    known = {label for label, _, _ in input_facts(job)}
    wanted = ("Video", "Audio", "Duration", "Size")
    return ", ".join(label.lower() for label in wanted if label not in known)
