"""Inputs and outputs: names, facts, and how they open."""

from django import template

from jobs.media.playback import opening, playable
from jobs.models import Job, Output
from providers.parsing.urls import parse_url

register = template.Library()

register.filter("playable", playable)
register.filter("opening", opening)


@register.filter
def input_file(job: Job) -> str:
    """The last part of the input's URL."""
    return parse_url(job.input_url).file_name


@register.filter
def media_facts(output: Output) -> str:
    """`MP4 h264, 25 fps`; the kind where the format is not known."""
    made = " ".join(filter(None, [output.format.upper(), output.video_codec or output.audio_codec]))
    rate = f"{output.frame_rate:g} fps" if output.frame_rate else ""
    return ", ".join(filter(None, [made or output.get_kind_display(), rate]))


@register.filter
def file_name(output: Output) -> str:
    """The last part of an output's URL; its label or id where that names no file."""
    return parse_url(output.url).file_name or str(output)


@register.filter
def total_size(outputs: list[Output]) -> int | None:
    """What several outputs take together; None unless each size is known."""
    sizes = [output.size_bytes for output in outputs]
    known = [size for size in sizes if size is not None]
    return sum(known) if len(sizes) > 1 and len(known) == len(sizes) else None
