"""Translates a request into the body of a creation."""

from collections.abc import Iterator
from typing import Any

from providers.core.types import JobRequest, Rendition, Thumbnails
from providers.parsing.object_ids import is_object_id
from providers.videosdk.presets import RESOLUTIONS

INPUT_FIELDS = frozenset({"videoId", "videoUrl"})

# No limit is documented. Each time is an entry of its own in the body.
MAX_THUMBNAILS = 100
DEFAULT_FORMATS = ("jpg",)
DEFAULT_FILTERS = ("none",)


def build(request: JobRequest) -> dict[str, Any]:
    body: dict[str, Any] = {}
    if not INPUT_FIELDS & request.extra.keys():
        body["videoId" if is_object_id(request.input) else "videoUrl"] = request.input
    if request.renditions:
        body["presets"] = [_build_preset(rendition) for rendition in request.renditions]
    if request.thumbnails:
        body["thumbnails"] = list(_build_thumbnails(request.thumbnails, request))
    return body


def _build_preset(rendition: Rendition) -> dict[str, Any]:
    resolutions = [_name(height) for height in dict.fromkeys(rendition.heights)]
    return {"resolutions": resolutions, "format": rendition.packaging}


def _build_thumbnails(thumbnails: Thumbnails, request: JobRequest) -> Iterator[dict[str, Any]]:
    """Yield one entry per time: Video SDK takes no numbers or intervals."""
    heights = [height for rendition in request.renditions for height in rendition.heights]
    height = thumbnails.height or max(heights, default=min(RESOLUTIONS))
    for seconds in map(int, thumbnails.timestamps):
        yield {
            "timestamp": f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}",
            # 4K: this list has a capital, that of the presets has none
            "resolutions": [_name(height).upper()],
            "formats": list(thumbnails.formats or DEFAULT_FORMATS),
            "filters": list(thumbnails.filters or DEFAULT_FILTERS),
        }


def _name(height: int) -> str:
    return RESOLUTIONS.get(height, str(height))
