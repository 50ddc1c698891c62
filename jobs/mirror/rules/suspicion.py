"""Why a success is suspect: outputs that are missing, or figures that cannot be true."""

from collections.abc import Collection, Iterator
from typing import Any

from jobs.display import formats
from jobs.models import Job, Output
from providers.core.status import OutputStatus
from providers.core.types import OutputKind

# A duration is wrong when it is off by more than this part of the input and by this much.
DURATION_TOLERANCE = 0.02
DURATION_FLOOR_MS = 1000

# Nothing that is encoded is that long, or so many times longer than its input.
LONGEST_MS = 72 * 3_600_000
LONGEST_RATIO = 20

# How much smaller than its bitrate suggests a file may be.
SMALLEST_PART = 0.1

FAULTS_NAMED = 3
LABEL_LENGTH = 60

_FILES = (OutputKind.VIDEO, OutputKind.AUDIO)
# A playlist is as long as what it plays; its size is that of a text, of a package, or unknown.
_TIMED = (*_FILES, OutputKind.PLAYLIST)


def find_faults(job: Job, media: list[Output], cut_fields: Collection[str]) -> str:
    """Sentences that say what is wrong with the outputs of a succeeded job; empty: nothing.

    `media` are its outputs but images, `cut_fields` the names of the settings by which the
    provider encodes a part of the input only.
    """
    faults = [*_find_missing(job, media)]
    is_cut = job.is_test or job.is_clip or has_setting(job.request, cut_fields)
    for output in media:
        if output.status == OutputStatus.SUCCEEDED and (fault := _find_fault(job, output, is_cut)):
            faults.append(f"Output {str(output)[:LABEL_LENGTH]} {fault}.")
    more = len(faults) - FAULTS_NAMED
    return " ".join([*faults[:FAULTS_NAMED], *([f"And {more} more."] if more > 0 else [])])


def _find_missing(job: Job, media: list[Output]) -> Iterator[str]:
    if not media:
        if job.has_listed_outputs:
            yield "The provider lists no outputs."
        return
    done = [output for output in media if output.status == OutputStatus.SUCCEEDED]
    skipped = [output for output in media if output.status == OutputStatus.SKIPPED]
    lost = [one for one in media if one.status in (OutputStatus.FAILED, OutputStatus.CANCELLED)]
    if not done and len(skipped) < len(media) and (lost or job.has_listed_outputs):
        yield "No output succeeded."
        return
    requested = _count_requested(job.request)
    if len(media) < requested:
        yield f"{requested} outputs were requested, but the provider lists {len(media)}."
    for output in media:
        is_made = output.url or output.size_bytes
        if output.status == OutputStatus.UNKNOWN and job.has_listed_outputs and not is_made:
            yield f"Output {str(output)[:LABEL_LENGTH]} is missing."


def _find_fault(job: Job, output: Output, is_cut: bool) -> str:
    """What is wrong with one finished output, as the end of a sentence."""
    if output.kind in _FILES and output.size_bytes == 0:
        return "is empty"
    length = output.duration_ms
    if output.kind not in _TIMED or length is None:
        return ""
    source_ms = job.input_duration_ms
    if length > LONGEST_MS or (source_ms and length > LONGEST_RATIO * source_ms):
        return f"is {formats.duration(length)} long, which is impossible"
    if source_ms and not is_cut:
        off = abs(length - source_ms)
        if off >= DURATION_FLOOR_MS and off > source_ms * DURATION_TOLERANCE:
            source_length = formats.duration(source_ms)
            return f"is {formats.duration(length)} long, but its input is {source_length}"
    bitrate_kbps = (output.video_bitrate_kbps or 0) + (output.audio_bitrate_kbps or 0)
    if output.kind in _FILES and output.size_bytes is not None:
        expected = bitrate_kbps * length / 8
        if output.size_bytes < expected * SMALLEST_PART:
            size, bitrate = formats.size(output.size_bytes), formats.bitrate(bitrate_kbps)
            return f"is {size}, too small for {formats.duration(length)} at {bitrate}"
    return ""


def has_setting(value: Any, names: Collection[str]) -> bool:
    """Whether a request sets one of `names`, at any depth."""
    if isinstance(value, dict):
        return any(
            (name in names and part not in (None, "", 0, False)) or has_setting(part, names)
            for name, part in value.items()
        )
    return isinstance(value, list) and any(has_setting(part, names) for part in value)


def _count_requested(request: dict[str, Any] | None) -> int:
    """The fewest outputs that fulfil a request: one file a height, one package for HLS.

    What `extra` asks for is in the provider's terms, and may replace the renditions.
    """
    if not request or request.get("extra"):
        return 0
    return sum(
        len(rendition["heights"]) if rendition["packaging"] == "mp4" else 1
        for rendition in request.get("renditions") or []
    )
