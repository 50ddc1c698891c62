"""Inputs and outputs: names, facts, and how they open."""

from django import template

from jobs.display import formats
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
def input_facts(job: Job) -> list[tuple[str, str]]:
    """What is known of the input; an empty value is one that the provider did not report."""
    picture = f"{job.input_width} × {job.input_height or '?'} px" if job.input_width else ""
    if picture and job.input_frame_rate:
        picture += f", {job.input_frame_rate:g} fps"
    codecs = job.input_video_codec or job.input_audio_codec
    return [
        ("Duration", formats.duration(job.input_duration_ms)),
        ("Size", formats.size(job.input_size_bytes)),
        ("Video", picture),
        (
            "Codecs",
            f"{job.input_video_codec or 'no video'}, {job.input_audio_codec or 'no audio'}"
            if codecs
            else "",
        ),
        ("Bitrate", formats.bitrate(job.input_bitrate_kbps)),
    ]


@register.filter
def file_name(output: Output) -> str:
    """The last part of an output's URL; its label or id where that names no file."""
    return parse_url(output.url).file_name or str(output)
