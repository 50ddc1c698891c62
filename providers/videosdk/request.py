"""Builds the body of a creation, and says beforehand what Video SDK would not take."""

from collections.abc import Iterator
from typing import Any

from providers.core.types import JobRequest, Rendition, RequestIssue, Thumbnails
from providers.parsing import customer_object
from providers.videosdk.bodies import is_object_id
from providers.videosdk.presets import RESOLUTIONS

FORMATS = ("mp4", "hls")
IMAGE_FORMATS = ("jpg", "webp")

# No limit is documented. Each picture is an entry of its own in the body.
MAX_THUMBNAILS = 100

_SOURCE_FIELDS = frozenset({"videoId", "videoUrl"})


def build(request: JobRequest, key: str | None) -> dict[str, Any]:
    """Build the body. A `userData` in `extra` is the customer's value, and keeps our key."""
    body: dict[str, Any] = {}
    if not _SOURCE_FIELDS & request.extra.keys():
        body["videoId" if is_object_id(request.input) else "videoUrl"] = request.input
    if request.renditions:
        body["presets"] = [_build_preset(rendition) for rendition in request.renditions]
    if request.thumbnails:
        body["thumbnails"] = list(_build_thumbnails(request.thumbnails, request))
    body |= request.extra
    kept = customer_object.write(body.pop("userData", None) or request.metadata, key)
    if kept is not None:
        body["userData"] = kept
    return body


def _build_preset(rendition: Rendition) -> dict[str, Any]:
    words = [_name(height) for height in dict.fromkeys(rendition.heights)]
    return {"resolutions": words, "format": rendition.packaging}


def _build_thumbnails(wanted: Thumbnails, request: JobRequest) -> Iterator[dict[str, Any]]:
    """Yield one entry a picture: Video SDK takes times, not numbers or intervals."""
    heights = [height for rendition in request.renditions for height in rendition.heights]
    height = wanted.height or max(heights, default=min(RESOLUTIONS))
    for number in range(min(wanted.count or 1, MAX_THUMBNAILS)):
        seconds = int(number * (wanted.interval_s or 0))
        yield {
            "timestamp": f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}",
            # 4K: this list has a capital, that of the presets has none
            "resolutions": [_name(height).upper()],
            "formats": [wanted.format],
            "filters": ["none"],
        }


def _name(height: int) -> str:
    return RESOLUTIONS.get(height, str(height))


def find_issues(request: JobRequest) -> Iterator[RequestIssue]:
    if not (_SOURCE_FIELDS & request.extra.keys() or _is_readable(request.input)):
        yield RequestIssue(
            "input",
            "Video SDK reads http and https addresses, and files of its own storage by their id "
            "of 24 digits.",
        )
    if request.destination:
        yield RequestIssue(
            "destination", "Video SDK keeps the results itself and delivers them nowhere else."
        )
    yield from _find_rendition_issues(request)
    if request.thumbnails and "thumbnails" not in request.extra:
        yield from _find_thumbnail_issues(request.thumbnails)
    if request.test:
        yield RequestIssue("test", "Video SDK has no test mode: the job would be a real one.")
    if request.priority is not None:
        yield RequestIssue(
            "priority", "Video SDK knows no priority; it is left out.", blocking=False
        )


def _find_rendition_issues(request: JobRequest) -> Iterator[RequestIssue]:
    if request.extra.get("presets"):
        if request.renditions:
            yield RequestIssue("renditions", "The presets in extra replace these.", blocking=False)
        return
    if not request.renditions or not all(each.heights for each in request.renditions):
        yield RequestIssue("renditions", "Video SDK needs a packaging with one height at least.")
    if any(rendition.packaging not in FORMATS for rendition in request.renditions):
        yield RequestIssue("renditions", "The packaging can be mp4 or hls.")
    heights = {height for rendition in request.renditions for height in rendition.heights}
    if unknown := sorted(heights - RESOLUTIONS.keys()):
        yield RequestIssue(
            "renditions",
            f"Video SDK makes heights of {_list(list(RESOLUTIONS))} only, not of {_list(unknown)}.",
        )


def _find_thumbnail_issues(wanted: Thumbnails) -> Iterator[RequestIssue]:
    if wanted.format not in IMAGE_FORMATS:
        yield RequestIssue("thumbnails", "Video SDK makes thumbnails as jpg or webp only.")
    if wanted.count is None and wanted.interval_s:
        yield RequestIssue(
            "thumbnails", "Video SDK takes no open end: give a count with the interval."
        )
    if (wanted.count or 1) > 1 and (wanted.interval_s or 0) < 1:
        yield RequestIssue(
            "thumbnails",
            "Video SDK takes the times of thumbnails in whole seconds: give an interval of one "
            "or more with the count.",
        )
    if (wanted.count or 1) > MAX_THUMBNAILS:
        yield RequestIssue("thumbnails", f"Ask for {MAX_THUMBNAILS} thumbnails at most.")
    if wanted.height not in {None, *RESOLUTIONS} or (wanted.width and not wanted.height):
        yield RequestIssue(
            "thumbnails",
            f"The size of a thumbnail is told by its height: {_list(list(RESOLUTIONS))}.",
        )


def _list(heights: list[int]) -> str:
    *others, last = map(str, heights)
    return f"{', '.join(others)} and {last}" if others else last


def _is_readable(source: str) -> bool:
    return is_object_id(source) or source.lower().startswith(("http://", "https://"))
