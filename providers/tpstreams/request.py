"""Builds the body of a creation, and says beforehand what TPStreams would not take.

https://developer.tpstreams.com/docs/transcoding-service/transcode-a-video
"""

from collections.abc import Iterator
from typing import Any

from providers.core.types import JobRequest, RequestIssue
from providers.parsing import customer_object

HEIGHTS = (240, 360, 480, 720, 1080)

# "10 KB", counted in the smaller of its two meanings.
METADATA_BYTES = 10_000

_SOURCE_FIELDS = frozenset({"input_url", "input_path"})
_LONGEST_KEY = "0" * 36


def build(request: JobRequest, key: str | None) -> dict[str, Any]:
    """Build the body. A `client_metadata` in `extra` is the customer's value, and keeps our key."""
    body: dict[str, Any] = {}
    if not _SOURCE_FIELDS & request.extra.keys():
        body["input_path" if _is_s3(request.input) else "input_url"] = request.input
    if request.destination:
        body["output_path"] = request.destination
    if heights := _read_heights(request):
        body["resolutions"] = [f"{height}p" for height in heights]
    body |= request.extra
    metadata = customer_object.write(body.pop("client_metadata", None) or request.metadata, key)
    if metadata is not None:
        body["client_metadata"] = metadata
    return body


def is_metadata_too_long(body: dict[str, Any]) -> bool:
    return customer_object.measure(body.get("client_metadata")) > METADATA_BYTES


def find_issues(request: JobRequest) -> Iterator[RequestIssue]:
    body = build(request, _LONGEST_KEY)
    if not (_SOURCE_FIELDS & request.extra.keys() or _is_readable(request.input)):
        yield RequestIssue("input", "TPStreams reads sources at http, https and s3 addresses only.")
    output_path = body.get("output_path")
    if not output_path:
        yield RequestIssue(
            "destination", "TPStreams keeps no results: it needs an s3 address to write to."
        )
    elif isinstance(output_path, str) and not _is_s3(output_path):
        yield RequestIssue("destination", "TPStreams writes to s3 addresses only.")
    yield from _find_rendition_issues(request)
    if is_metadata_too_long(body):
        yield RequestIssue(
            "metadata",
            f"TPStreams keeps {METADATA_BYTES // 1000} KB of metadata, our key included.",
        )
    if request.thumbnails:
        yield RequestIssue("thumbnails", "TPStreams makes no thumbnails of transcoding jobs.")
    if request.test:
        yield RequestIssue("test", "TPStreams has no test mode: the job would be a real one.")
    if request.priority is not None:
        yield RequestIssue(
            "priority", "TPStreams knows no priority; it is left out.", blocking=False
        )


def _find_rendition_issues(request: JobRequest) -> Iterator[RequestIssue]:
    heights = _read_heights(request)
    if request.extra.get("resolutions"):
        if heights:
            yield RequestIssue(
                "renditions", "The resolutions in extra replace these.", blocking=False
            )
        return
    if not heights:
        yield RequestIssue("renditions", "TPStreams needs one height at least.")
        return
    if unknown := [height for height in heights if height not in HEIGHTS]:
        yield RequestIssue(
            "renditions",
            f"TPStreams makes heights of {_list(HEIGHTS)} only, not of {_list(unknown)}.",
        )
    yield RequestIssue(
        "renditions", "TPStreams decides by itself how the heights are packaged.", blocking=False
    )


def _read_heights(request: JobRequest) -> list[int]:
    """Each height once, whatever packagings it is asked for in."""
    return list(
        dict.fromkeys(height for rendition in request.renditions for height in rendition.heights)
    )


def _list(heights: tuple[int, ...] | list[int]) -> str:
    *others, last = map(str, heights)
    return f"{', '.join(others)} and {last}" if others else last


def _is_s3(address: str) -> bool:
    return address.lower().startswith("s3://")


def _is_readable(address: str) -> bool:
    return address.lower().startswith(("http://", "https://", "s3://"))
