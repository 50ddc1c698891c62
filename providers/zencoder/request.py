"""Translates a request into the body of POST /jobs.

https://zencoder.support.brightcove.com/encoding-settings/quick-reference.html
"""

from collections.abc import Iterator, Mapping
from typing import Any

from providers.core.types import JobRequest, Rendition, Thumbnails

MAX_THUMBNAILS = 100  # of each set
# Zencoder itself would make PNGs, several times as large.
DEFAULT_FORMATS = ("jpg",)


def build(request: JobRequest) -> dict[str, Any]:
    body: dict[str, Any] = {"input": request.input}
    # `output` is the older name: with both, it would be left to chance which one counts
    if "output" not in request.extra and (outputs := _build_outputs(request)):
        body["outputs"] = outputs
    if request.test:
        body["test"] = True
    return body


def list_outputs(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """List the outputs as Zencoder reads them: under either name, and one without a list."""
    outputs = body.get("outputs", body.get("output"))
    parts = outputs if isinstance(outputs, list) else [outputs]
    return [part for part in parts if isinstance(part, dict)]


def _build_outputs(request: JobRequest) -> list[dict[str, Any]]:
    outputs = [part for rendition in request.renditions for part in _build_rendition(rendition)]
    if not outputs and (request.destination or request.thumbnails):
        outputs = [{}]  # Zencoder's own default
    if request.destination:
        for output in outputs:
            output["base_url"] = request.destination
    if request.thumbnails:
        sets = list(_build_thumbnails(request.thumbnails, request.destination))
        outputs[0]["thumbnails"] = sets if len(sets) > 1 else sets[0]
    return outputs


def _build_rendition(rendition: Rendition) -> Iterator[dict[str, Any]]:
    """One output per height; the width follows from the source. HLS adds the playlist of all."""
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


def _build_thumbnails(thumbnails: Thumbnails, destination: str | None) -> Iterator[dict[str, Any]]:
    """Yield one set per format. Where there are several, each needs a label."""
    formats = thumbnails.formats or DEFAULT_FORMATS
    fields = {
        "number": thumbnails.count,
        "interval": thumbnails.interval_s,
        "times": list(thumbnails.timestamps) or None,
        "width": thumbnails.width,
        "height": thumbnails.height,
        "base_url": destination,
    }
    common = {name: value for name, value in fields.items() if value is not None}
    for form in formats:
        label = {"label": form} if len(formats) > 1 else {}
        yield {**label, "format": form, **common}
