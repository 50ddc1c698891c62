"""The settings of a preset, or of a template, on one line."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from jobs.display.flatten import flatten

# Of a preset's settings, as many as fit on a line, and what they begin with where it is set
SUMMARY_PARTS = 4
LEADING = (
    *("description", "container", "format", "resolutions", "resolution", "size", "width"),
    *("height", "max height", "codec", "bitrate", "bit rate", "quality"),
)


def summarize(settings: Any) -> str:
    """The main settings on one line, as `height 720, codec h264, …`; empty when there are none.

    Ids say nothing to a person, and the same value under a second name nothing new.
    """
    found: dict[str, str] = {}
    for name, value in sorted(_find_set(settings), key=_rank):
        if name.rpartition(" ")[2] == "id" or (value and value in found.values()):
            continue
        found[value if name == "description" else f"{name} {value}".strip()] = value
    parts = [part[:60] for part in islice(found, SUMMARY_PARTS)]
    return ", ".join(parts + ["…"] * (len(found) > SUMMARY_PARTS))


def _rank(leaf: tuple[str, str]) -> int:
    name, _ = leaf
    return LEADING.index(name) if name in LEADING else len(LEADING)


def _find_set(settings: Any) -> Iterator[tuple[str, str]]:
    """The name and value of what is set: not what is null, off or empty."""
    for path, value in flatten(settings):
        keys = [part for part in path if isinstance(part, str)]
        name = keys[-1].replace("_", " ") if keys else ""
        if value is True:
            yield name, ""
        elif isinstance(value, list) and value:
            yield name, "/".join(map(str, value))
        elif value not in (None, "", False, []):
            yield name, str(value)


def summarize_request(settings: Mapping[str, Any]) -> str:
    """What a request makes, as `HLS 360p, 720p; MP4 1080p to s3://delivery/`; may be empty."""
    made = [
        f"{one['packaging'].upper()} {', '.join(f'{height}p' for height in one['heights'])}"
        for one in settings.get("renditions") or ()
    ]
    if settings.get("thumbnails"):
        made.append("thumbnails")
    destination = settings.get("destination")
    return "; ".join(made) + (f" to {destination}" if destination else "")
