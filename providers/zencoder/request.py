"""Builds the body of POST /jobs, and says beforehand what Zencoder would not take.

https://zencoder.support.brightcove.com/encoding-settings/quick-reference.html
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from providers.core.types import JobRequest, Rendition, RequestIssue, Thumbnails
from providers.parsing import customer_text

PASS_THROUGH_LENGTH = 255
MAX_OUTPUTS = 20
MAX_THUMBNAILS = 100
MAX_NOTIFICATIONS = 5  # of a job, and of each output

# What our key takes of the field: a space, the prefix and a UUID.
KEY_ROOM = 1 + len(customer_text.KEY_PREFIX) + 36


def build(request: JobRequest, key: str | None) -> dict[str, Any]:
    """Build the body. A `pass_through` in `extra` is the customer's value, and keeps our key."""
    body: dict[str, Any] = {"input": request.input}
    # `output` is the older name: with both, it would be left to chance which one counts.
    if "output" not in request.extra and (outputs := _build_outputs(request)):
        body["outputs"] = outputs
    if request.test:
        body["test"] = True
    body |= request.extra
    if kept := customer_text.write(body.pop("pass_through", None) or request.metadata, key):
        body["pass_through"] = kept
    return body


def _build_outputs(request: JobRequest) -> list[dict[str, Any]]:
    outputs = [part for rendition in request.renditions for part in _build_rendition(rendition)]
    if not outputs and (request.destination or request.thumbnails):
        outputs = [{}]  # Zencoder's own default, put where it is wanted
    if request.destination:
        for output in outputs:
            output["base_url"] = request.destination
    if request.thumbnails:
        outputs[0]["thumbnails"] = _build_thumbnails(request.thumbnails, request.destination)
    return outputs


def _build_rendition(rendition: Rendition) -> Iterator[dict[str, Any]]:
    """One output a height; the width follows from the source. HLS adds the playlist of all."""
    packaging = rendition.packaging
    is_hls = packaging == "hls"
    labels = [f"{packaging}-{height}p" for height in rendition.heights]
    for label, height in zip(labels, rendition.heights, strict=True):
        output: dict[str, Any] = {"label": label, "video_codec": "h264", "height": height}
        output["format"] = "ts" if is_hls else packaging
        output["filename"] = f"{label}.{'m3u8' if is_hls else packaging}"
        if is_hls:
            output["type"] = "segmented"
        yield output
    if is_hls and labels:
        yield {
            "label": packaging,
            "type": "playlist",
            "filename": f"{packaging}.m3u8",
            "streams": [{"source": label, "path": f"{label}.m3u8"} for label in labels],
        }


def _build_thumbnails(wanted: Thumbnails, destination: str | None) -> dict[str, Any]:
    told = {
        "interval": wanted.interval_s,
        "number": (wanted.count or 1) if wanted.interval_s is None else None,
        "format": wanted.format,
        "width": wanted.width,
        "height": wanted.height,
        "base_url": destination,
    }
    return {name: value for name, value in told.items() if value is not None}


def find_issues(request: JobRequest) -> Iterator[RequestIssue]:
    body = build(request, None)
    if "api_key" in body:
        yield RequestIssue("extra", "The API key belongs to the account, not to a job.")
    if body.get("mock"):
        yield RequestIssue(
            "extra", "A mock job does not exist at Zencoder: there is none to follow."
        )
    if len(body.get("pass_through", "")) > PASS_THROUGH_LENGTH - KEY_ROOM:
        yield RequestIssue(
            "metadata",
            f"Zencoder keeps {PASS_THROUGH_LENGTH} characters, of which "
            f"{PASS_THROUGH_LENGTH - KEY_ROOM} are left for metadata.",
        )
    if request.priority is not None:
        yield RequestIssue(
            "priority", "Zencoder knows no priority; it is left out.", blocking=False
        )
    yield from _find_thumbnail_issues(request)
    outputs = _list_outputs(body)
    yield from _find_output_issues(request, outputs)
    if any(_count_targets(part) > MAX_NOTIFICATIONS for part in (body, *outputs)):
        yield RequestIssue(
            "extra",
            f"Zencoder notifies {MAX_NOTIFICATIONS} addresses of a job or an output at most.",
        )


def _list_outputs(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The outputs as Zencoder reads them: under either name, and one may stand by itself."""
    outputs = body.get("outputs", body.get("output"))
    parts = outputs if isinstance(outputs, list) else [outputs]
    return [part for part in parts if isinstance(part, dict)]


def _count_targets(part: Mapping[str, Any]) -> int:
    targets = part.get("notifications")
    return len(targets) if isinstance(targets, list) else 0


def _find_thumbnail_issues(request: JobRequest) -> Iterator[RequestIssue]:
    wanted = request.thumbnails
    if wanted is None:
        return
    if wanted.format not in {"jpg", "png"}:
        yield RequestIssue("thumbnails", "Zencoder makes thumbnails as jpg or png only.")
    if (wanted.count or 0) > MAX_THUMBNAILS:
        yield RequestIssue("thumbnails", f"Zencoder makes {MAX_THUMBNAILS} thumbnails at most.")


def _find_output_issues(
    request: JobRequest, parts: Sequence[Mapping[str, Any]]
) -> Iterator[RequestIssue]:
    if any(rendition.packaging not in {"mp4", "hls"} for rendition in request.renditions):
        yield RequestIssue("renditions", "The packaging can be mp4 or hls; use extra for others.")
    # without outputs Zencoder makes one by its own defaults, and charges for it
    if not (request.renditions or _list_outputs(request.extra)) or not parts:
        yield RequestIssue("renditions", "Name at least one packaging with its heights.")
    elif any(not rendition.heights for rendition in request.renditions):
        yield RequestIssue("renditions", "Name at least one height for each packaging.")
    if request.renditions and ("outputs" in request.extra or "output" in request.extra):
        yield RequestIssue("renditions", "The outputs in extra replace these.", blocking=False)
    if len(parts) > MAX_OUTPUTS:
        yield RequestIssue(
            "renditions", f"Zencoder makes {MAX_OUTPUTS} outputs a job at most, not {len(parts)}."
        )
    labels = [str(part["label"]).lower() for part in parts if part.get("label")]
    if len(labels) != len(set(labels)):
        yield RequestIssue("renditions", "The same packaging and height is asked for twice.")
    if not any(part.get("base_url") or part.get("url") for part in parts):
        yield RequestIssue(
            "destination",
            "Without a destination Zencoder keeps the files for 24 hours.",
            blocking=False,
        )
