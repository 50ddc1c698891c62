"""Video SDK's create request to a core job."""

import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from sandbox.jobs.model import ImageSet, Job, Media, MediaState, OutputSpec
from sandbox.videosdk import ids

SHORT_SIDES = {"240": 240, "360": 360, "480": 480, "720": 720, "1080": 1080, "4k": 2160}
FORMATS = ("hls", "mp4")
IMAGE_FORMATS = ("jpg", "webp")
FILTERS = ("none", "blur")
# No link of this provider ends; ten years is as good as never.
LINK_LIFE_S = 10 * 365 * 86_400


class RequestRefused(Exception):
    """What is wrong, in a sentence. `status` is the answer's."""

    def __init__(self, sentence: str, status: int = 400) -> None:
        super().__init__(sentence)
        self.status = status


def read_job_request(
    payload: Mapping[str, Any],
    account: str,
    now: float,
    find_file: Callable[[str], str | None],
) -> Job:
    """Raises RequestRefused. `find_file` gives the URL of a stored file by its id."""
    presets = _read_presets(payload.get("presets"), now)
    thumbnails = _read_thumbnails(payload.get("thumbnails") or [], now)
    if not isinstance(payload.get("userData", {}), dict):
        raise RequestRefused("userData must be an object")
    webhook = payload.get("webhookUrl")
    if webhook is not None and not _is_url(webhook):
        raise RequestRefused("webhookUrl must be a url")
    token = secrets.token_urlsafe(24)
    own = {"presets": presets, "thumbnails": thumbnails, "webhookUrl": webhook}
    return Job(
        provider="videosdk",
        account=account,
        token=token,
        input=Media(
            state=MediaState.QUEUED,
            url=_read_source(payload, own, find_file),
            created_at=now,
            updated_at=now,
        ),
        outputs=make_outputs(presets, thumbnails, token, now),
        created_at=now,
        submitted_at=now,
        updated_at=now,
        expires_at=now + LINK_LIFE_S,
        notifications=[{"url": webhook}] if webhook else [],
        own=own,
    )


def make_outputs(
    presets: Sequence[Mapping[str, Any]],
    thumbnails: Sequence[Mapping[str, Any]],
    token: str,
    now: float,
) -> list[Media]:
    """A file for each size of an MP4; for HLS a rendition for each, and the playlist of all."""
    specs: dict[str, OutputSpec] = {}
    for number, preset in enumerate(presets):
        is_hls = preset["format"] == "hls"
        labels = {f"{number}-{preset['format']}-{name}": name for name in preset["resolutions"]}
        for label, resolution in labels.items():
            specs[label] = OutputSpec(
                kind="hls" if is_hls else "file",
                container="ts" if is_hls else "mp4",
                short_side=SHORT_SIDES[resolution],
            )
        if is_hls:
            streams = [{"source": label} for label in labels]
            specs[f"{number}-hls"] = OutputSpec("playlist", "ts", streams=streams)
    next(iter(specs.values())).image_sets = _make_image_sets(thumbnails)
    names = {"file": "video.mp4"}
    return [
        Media(
            path=f"out/{token}/{label}/{names.get(spec.kind, 'index.m3u8')}",
            label=label,
            spec=spec,
            created_at=now,
            updated_at=now,
        )
        for label, spec in specs.items()
    ]


def _make_image_sets(thumbnails: Sequence[Mapping[str, Any]]) -> list[ImageSet]:
    return [
        ImageSet(
            times=[_seconds(entry["timestamp"])],
            format=form,
            short_side=SHORT_SIDES[resolution],
            blur=name == "blur",
            prefix=f"{number}-{resolution}-{name}",
        )
        for number, entry in enumerate(thumbnails)
        for resolution in entry["resolutions"]
        for form in entry["formats"]
        for name in entry["filters"]
    ]


def _read_source(
    payload: Mapping[str, Any], own: dict[str, Any], find_file: Callable[[str], str | None]
) -> str:
    if file_id := payload.get("videoId"):
        source_url = find_file(file_id) if isinstance(file_id, str) else None
        if source_url is None:
            raise RequestRefused("video not found", status=404)
        own["videoId"] = file_id
        return source_url
    source_url = payload.get("videoUrl")
    if not _is_url(source_url):
        raise RequestRefused("videoId or videoUrl is required")
    return str(source_url)


def _read_presets(value: Any, now: float) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not value:
        raise RequestRefused("presets must hold one entry at least")
    return [
        {
            "resolutions": _read_values(entry, "resolutions", SHORT_SIDES),
            "id": ids.make(now),
            "format": _read_values({"format": [entry.get("format")]}, "format", FORMATS)[0],
        }
        for entry in map(_entry, value)
    ]


def _read_thumbnails(value: Any, now: float) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        raise RequestRefused("thumbnails must be an array")
    found = []
    for entry in map(_entry, value):
        if not re.fullmatch(r"\d\d:[0-5]\d:[0-5]\d", str(entry.get("timestamp"))):
            raise RequestRefused("timestamp must be HH:MM:SS")
        found.append(
            {
                "resolutions": _read_values(entry, "resolutions", SHORT_SIDES),
                "formats": _read_values(entry, "formats", IMAGE_FORMATS),
                "filters": _read_values(entry, "filters", FILTERS),
                "id": ids.make(now),
                "timestamp": entry["timestamp"],
            }
        )
    return found


def _entry(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise RequestRefused("presets and thumbnails must hold objects")
    return value


def _read_values(entry: Mapping[str, Any], name: str, known: Any) -> list[str]:
    """`4K` is taken as 4k."""
    value = entry.get(name)
    values = [str(each).lower() for each in value] if isinstance(value, list) else []
    if not values or any(each not in known for each in values):
        raise RequestRefused(f"{name} must be of {', '.join(known)}")
    return list(dict.fromkeys(values))


def _seconds(timestamp: str) -> float:
    hours, minutes, seconds = map(int, timestamp.split(":"))
    return hours * 3600 + minutes * 60 + seconds


def _is_url(value: Any) -> bool:
    try:
        parts = urlsplit(value) if isinstance(value, str) else None
    except ValueError:
        return False
    return parts is not None and parts.scheme in ("http", "https") and bool(parts.hostname)
