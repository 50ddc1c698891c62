"""Zencoder's create request to a core job, with the provider's own refusals."""

import re
import secrets
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from sandbox.jobs.model import ImageSet, Job, Media, OutputSpec

MAX_OUTPUTS = 20
MAX_NOTIFICATIONS = 5
MAX_PASS_THROUGH = 255
MAX_IMAGES = 100
INPUT_SCHEMES = ("http", "https", "ftp", "ftps", "sftp", "s3", "gcs", "cf", "azure", "asp")
KINDS = {"standard": "file", "segmented": "hls", "playlist": "playlist", "transfer-only": "copy"}
CONTAINERS = {
    **{name: name for name in ("mp4", "webm", "ogg", "mov", "mkv", "ts", "mp3", "m4a", "aac")},
    "m4v": "mp4",
    "ogv": "ogg",
    "3gp": "mp4",
}

TOO_MANY_OUTPUTS = (
    "There is a limit of 20 outputs per job. If you need more outputs, contact us at"
    " help@zencoder.com."
)


class RequestRefused(Exception):
    """What is wrong with the request, as sentences."""

    def __init__(self, errors: list[str]) -> None:
        super().__init__("; ".join(errors))
        self.errors = errors


def read_job_request(
    payload: Mapping[str, Any], account: str, now: float, link_life_s: float
) -> Job:
    """Raises RequestRefused with everything that is wrong, not only the first thing."""
    errors: list[str] = []
    token = secrets.token_urlsafe(24)
    raw_outputs = payload.get("outputs", payload.get("output")) or [{}]
    outputs = [raw_outputs] if isinstance(raw_outputs, Mapping) else raw_outputs
    if not isinstance(outputs, list) or not all(isinstance(each, Mapping) for each in outputs):
        raise RequestRefused(["Outputs must be a list of settings."])
    if len(outputs) > MAX_OUTPUTS:
        errors.append(TOO_MANY_OUTPUTS)
    errors += _job_errors(payload)
    media = [_read_output(each, n, token, errors) for n, each in enumerate(outputs[:MAX_OUTPUTS])]
    errors += _label_errors(media)
    notifications = _read_notifications(payload.get("notifications"), errors)
    if errors:
        raise RequestRefused(errors)
    for each in media:
        each.created_at = each.updated_at = now
    return Job(
        provider="zencoder",
        account=account,
        token=token,
        input=Media(state="queued", url=payload["input"], created_at=now, updated_at=now),
        outputs=media,
        metadata=payload.get("pass_through"),
        grouping=payload.get("grouping"),
        test=_is_true(payload.get("test")),
        private=_is_true(payload.get("private")),
        created_at=now,
        submitted_at=now,
        updated_at=now,
        expires_at=now + link_life_s,
        notifications=notifications,
    )


def _job_errors(payload: Mapping[str, Any]) -> list[str]:
    errors = []
    source_url = payload.get("input")
    if not source_url:
        errors.append("Input must be given.")
    elif not isinstance(source_url, str) or not _is_url(source_url):
        errors.append("Url of input file is invalid")
    pass_through = payload.get("pass_through")
    if pass_through is not None and not isinstance(pass_through, str):
        errors.append("Pass through must be text.")
    elif len(pass_through or "") > MAX_PASS_THROUGH:
        errors.append(f"Pass through may have up to {MAX_PASS_THROUGH} characters.")
    if payload.get("live_stream"):
        errors.append("Live streaming is no longer offered.")
    return errors


def _label_errors(outputs: list[Media]) -> list[str]:
    seen: set[str] = set()
    errors = []
    for output in outputs:
        label = (output.label or "").lower()
        if label and label in seen:
            errors.append(f"The label {output.label!r} is used by more than one output.")
        seen.add(label)
    return errors


def _read_output(raw: Mapping[str, Any], index: int, token: str, errors: list[str]) -> Media:
    label = raw.get("label")
    source_url = _output_url(raw)
    kind = KINDS.get(str(raw.get("type") or "standard"))
    if kind is None:
        errors.append(f"Type {raw.get('type')!r} of output {index + 1} is not offered here.")
        kind = "file"
    if source_url and not _is_url(source_url):
        errors.append(f"Url of output file {index + 1} is invalid")
        source_url = None
    path = _path_of(source_url or str(raw.get("filename") or ""))
    if path is None:
        errors.append(f"Filename of output file {index + 1} is invalid")
        path = ""
    container = _container(raw, path, kind, index, errors)
    filename = PurePosixPath(path).name
    name = "index.m3u8" if kind in ("hls", "playlist") else f"video.{container}"
    if filename and re.fullmatch(r"[\w.-]{1,100}", filename) and not filename.startswith("."):
        name = filename
    slug = re.sub(r"[^\w-]+", "-", str(label or kind))[:40]
    return Media(
        url=_public_url(source_url) if source_url else None,
        path=f"out/{token}/{index}-{slug}/{name}",
        label=str(label) if label is not None else None,
        spec=_read_spec(raw, kind, container, index, errors),
        notifications=_read_notifications(raw.get("notifications"), errors),
    )


def _read_spec(
    raw: Mapping[str, Any], kind: str, container: str, index: int, errors: list[str]
) -> OutputSpec:
    def number(name: str, source: Mapping[str, Any] = raw) -> float | None:
        return _number(source, name, f"output {index + 1}", errors)

    width, height = number("width"), number("height")
    if raw.get("size") is not None:
        width, height = _read_size(raw["size"], f"output {index + 1}", errors)
    streams = raw.get("streams") or []
    if not isinstance(streams, list):
        errors.append(f"Streams of output {index + 1} must be a list.")
        streams = []
    if kind == "playlist" and not streams:
        errors.append(f"Output {index + 1} is a playlist and needs streams.")
    quality = number("quality") or 3
    if quality not in (1, 2, 3, 4, 5):
        errors.append(f"Quality of output {index + 1} must be from 1 to 5.")
    return OutputSpec(
        kind=kind,
        container=container,
        width=_whole(width),
        height=_whole(height),
        upscale=_is_true(raw.get("upscale")),
        video=not _is_true(raw.get("skip_video")),
        audio=not _is_true(raw.get("skip_audio")),
        video_bitrate_kbps=_whole(number("video_bitrate")),
        audio_bitrate_kbps=_whole(number("audio_bitrate")),
        frame_rate=number("frame_rate"),
        max_frame_rate=number("max_frame_rate"),
        quality=int(quality),
        start_s=_seconds(raw, "start_clip", errors) or 0,
        clip_s=_seconds(raw, "clip_length", errors),
        segment_s=number("segment_seconds") or 10,
        streams=[dict(each) for each in streams if isinstance(each, Mapping)],
        image_sets=_read_image_sets(raw.get("thumbnails"), index, errors),
        skip=_read_skip(raw.get("skip") or {}, index, errors),
        md5=_is_true(raw.get("generate_md5_checksum")),
    )


def _read_image_sets(raw: Any, index: int, errors: list[str]) -> list[ImageSet]:
    sets = [raw] if isinstance(raw, Mapping) else raw or []
    where = f"thumbnails of output {index + 1}"
    if not isinstance(sets, list):
        errors.append(f"The {where} must be settings.")
        return []
    found = []
    for each in sets:
        if not isinstance(each, Mapping):
            errors.append(f"The {where} must be settings.")
            continue
        number = _number(each, "number", where, errors)
        interval = _number(each, "interval", where, errors)
        if not (number or interval or each.get("times")):
            number = 1
        if (number or 0) > MAX_IMAGES:
            errors.append(f"There may be up to {MAX_IMAGES} {where}.")
        if len(sets) > 1 and not each.get("label"):
            errors.append(f"Each set of {where} needs a label.")
        width, height = (
            _number(each, "width", where, errors),
            _number(each, "height", where, errors),
        )
        if each.get("size") is not None:
            width, height = _read_size(each["size"], where, errors)
        if each.get("format", "png") not in ("png", "jpg"):
            errors.append(f"Format of {where} must be png or jpg.")
        label = None if each.get("label") is None else str(each["label"])
        times = each.get("times") or []
        if not isinstance(times, list):
            errors.append(f"Times of {where} must be a list.")
            times = []
        found.append(
            ImageSet(
                label=label,
                number=_whole(number),
                interval_s=interval,
                times=[float(at) for at in times if _is_number(at)],
                format="jpg" if each.get("format") == "jpg" else "png",
                width=_whole(width),
                height=_whole(height),
                prefix=re.sub(r"[^\w-]+", "-", str(each.get("prefix") or label or "frame"))[:40],
                at_start=_is_true(each.get("start_at_first_frame")),
            )
        )
    return found


def _read_skip(raw: Any, index: int, errors: list[str]) -> dict[str, float]:
    if not isinstance(raw, Mapping):
        errors.append(f"Skip of output {index + 1} must be settings.")
        return {}
    rules: dict[str, float] = {}
    for bound in ("min", "max"):
        duration = _number(raw, f"{bound}_duration", f"output {index + 1}", errors)
        if duration is not None:
            rules[f"{bound}_duration"] = duration
        if raw.get(f"{bound}_size"):
            width, height = _read_size(raw[f"{bound}_size"], f"output {index + 1}", errors)
            rules[f"{bound}_width"], rules[f"{bound}_height"] = width or 0, height or 0
    return rules


def _read_notifications(raw: Any, errors: list[str]) -> list[dict[str, Any]]:
    """Only HTTP targets are kept: the sandbox sends no mail."""
    targets = raw if isinstance(raw, list) else [raw] if raw else []
    if len(targets) > MAX_NOTIFICATIONS:
        errors.append(f"There may be up to {MAX_NOTIFICATIONS} notifications.")
    found = []
    for target in targets:
        fields = target if isinstance(target, Mapping) else {"url": target}
        url = str(fields.get("url") or "")
        if url.startswith(("http://", "https://")):
            headers = fields.get("headers") or {}
            if not isinstance(headers, Mapping):
                errors.append("Headers of a notification must be settings.")
                continue
            found.append({"url": url, "headers": {str(k): str(v) for k, v in headers.items()}})
        elif "@" not in url:
            errors.append("Url of a notification is invalid")
    return found


def _container(raw: Mapping[str, Any], path: str, kind: str, index: int, errors: list[str]) -> str:
    if kind in ("hls", "playlist"):
        return "ts"
    suffix = PurePosixPath(path).suffix
    asked = str(raw.get("format") or suffix.lstrip(".") or "mp4").lower()
    if asked in CONTAINERS:
        return CONTAINERS[asked]
    if raw.get("format"):
        errors.append(f"Format {asked!r} of output {index + 1} is not valid.")
    return "mp4"


def _output_url(raw: Mapping[str, Any]) -> str | None:
    if raw.get("url"):
        return str(raw["url"])
    if raw.get("base_url"):
        return str(raw["base_url"]).rstrip("/") + "/" + str(raw.get("filename") or "output.mp4")
    return None


def _public_url(source_url: str) -> str:
    """Zencoder reports the web URL of what it puts into a bucket."""
    parts = urlsplit(source_url)
    if parts.scheme != "s3":
        return source_url
    return f"http://{parts.hostname}.s3.amazonaws.com{parts.path}"


def _path_of(source_url: str) -> str | None:
    """The path of a URL or of a mere file name; None for what is neither."""
    try:
        return urlsplit(source_url).path
    except ValueError:
        return None


def _is_url(source_url: str) -> bool:
    try:
        parts = urlsplit(source_url)
        return parts.scheme in INPUT_SCHEMES and bool(parts.hostname) and "\n" not in source_url
    except ValueError:
        return False


def _read_size(raw: Any, where: str, errors: list[str]) -> tuple[float | None, float | None]:
    match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", str(raw))
    if match and int(match[1]) and int(match[2]):
        return int(match[1]), int(match[2])
    errors.append(f"Size of {where} must be like 640x360.")
    return None, None


def _number(raw: Mapping[str, Any], name: str, where: str, errors: list[str]) -> float | None:
    value = raw.get(name)
    if value is None:
        return None
    number = float(value) if _is_number(value) else 0.0
    if number > 0:
        return number
    errors.append(f"{name.replace('_', ' ').capitalize()} of {where} must be a positive number.")
    return None


def _seconds(raw: Mapping[str, Any], name: str, errors: list[str]) -> float | None:
    """Seconds, or a clock time like 0:01:30.5."""
    value = raw.get(name)
    if value is None:
        return None
    parts = str(value).split(":")
    if len(parts) <= 3 and all(_is_number(part) for part in parts):
        return sum(float(part) * float(60**power) for power, part in enumerate(reversed(parts)))
    errors.append(f"{name.replace('_', ' ').capitalize()} must be a time.")
    return None


def _is_number(value: Any) -> bool:
    """Whether it is one without a sign, far below what no calculation would take."""
    if isinstance(value, bool):
        return False
    return bool(re.fullmatch(r"\d{1,12}(\.\d{1,20})?", str(value), re.ASCII))


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


def _is_true(value: Any) -> bool:
    return value is True or str(value).lower() in ("1", "true", "yes")
