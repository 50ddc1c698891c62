"""Reads Xvid's bodies. Any key may be missing, null, or of another type than documented.

A reference to a file or a preset is `{id, href}`, the whole object, or null, whatever was asked
for. No address in a body is ever called: the id alone is used, at the account's own base URL.
Everything is read from the redacted body; only the address that opens and our key are taken from
the whole one.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from providers.core.errors import classify
from providers.core.status import JobStatus, OutputStatus, read_status
from providers.core.types import (
    OutputKind,
    RemoteError,
    RemoteInput,
    RemoteJob,
    RemoteOutput,
    RemotePreset,
)
from providers.http.redaction import redact, split_url
from providers.parsing import customer_text
from providers.parsing.media import read_file_name, read_kind
from providers.parsing.times import read_duration_ms, read_epoch_ms
from providers.parsing.values import (
    limit_items,
    read_count,
    read_dict,
    read_float,
    read_id,
    read_list,
    read_progress,
    read_text,
)
from providers.xvid.error_classes import ERROR_CLASSES, PATTERNS, fold_code

# https://mediahub.xvid.com/manual/api/jobs/DELETE.html. What a cancelled job is called is not
# documented; these two words could mean nothing else.
JOB_STATUSES: Mapping[str, JobStatus] = {
    "queued": JobStatus.QUEUED,
    "processing": JobStatus.RUNNING,
    "success": JobStatus.SUCCEEDED,
    "failure": JobStatus.FAILED,
    "cancelled": JobStatus.CANCELLED,
    "canceled": JobStatus.CANCELLED,
}
# Outputs have no word of their own: the job's word is read for each of them.
OUTPUT_STATUSES: Mapping[str, OutputStatus] = {
    "queued": OutputStatus.QUEUED,
    "processing": OutputStatus.RUNNING,
    "success": OutputStatus.SUCCEEDED,
    "failure": OutputStatus.FAILED,
    "cancelled": OutputStatus.CANCELLED,
    "canceled": OutputStatus.CANCELLED,
}
_ENDED_BADLY = frozenset({JobStatus.FAILED, JobStatus.CANCELLED})

# Whatever these hold beyond an id is not for us: a pipeline's folders carry the credentials of
# its storage, a user has an address and a password field.
_PRIVATE = frozenset({"pipeline", "user", "application"})

# Of a preset, what says who keeps it and when rather than what it does.
_BOOKKEEPING = frozenset(
    {"id", "href", "name", "type", "user", "application", "version", "created_at", "updated_at"}
)


@dataclass(frozen=True, slots=True)
class _Part:
    """One file that an output makes, told of or yet to come (then `file` is empty)."""

    slot: str
    kind: OutputKind
    output: Mapping[str, Any]
    file: Mapping[str, Any]


def read_job(body: Any, base_url: str, secrets: Iterable[str]) -> RemoteJob | None:
    """Read the object of a job; None when it has no id, so that it is none."""
    whole = read_dict(body)
    secrets = tuple(secrets)
    raw = redact(_take_private_off(whole), secrets)
    # Not of `raw`: redaction cuts what comes late in a body that is too large.
    remote_id = read_id(redact(whole.get("id"), secrets))
    if remote_id is None:
        return None
    status = read_status(raw.get("status"), JOB_STATUSES, JobStatus.UNKNOWN)
    source = _read_input(whole, raw, secrets)
    error = _read_error(raw, status)
    whole_files = {part.slot: part.file for part in _split(whole)}
    file_name = read_text(_dig(raw, "input", "file").get("name"), 255)
    metadata, key = customer_text.read(whole.get("user_data"))
    return RemoteJob(
        remote_id=remote_id,
        status=status,
        provider_status=read_text(raw.get("status")) or "",
        # The name of the file is what people know; the address may be a generated path.
        name=file_name or read_file_name(source.url),
        progress=100.0
        if status is JobStatus.SUCCEEDED
        else _read_percentage(raw, ended_badly=status in _ENDED_BADLY),
        created_at=read_epoch_ms(raw.get("created_at")),
        finished_at=read_epoch_ms(raw.get("finished_at")),
        # `updated_at` lies half a second and more before `created_at`, and stays there.
        updated_at=None,
        input=source,
        outputs=limit_items(
            _read_output(part, whole_files.get(part.slot, {}), raw, error, base_url, secrets)
            for part in _split(raw)
        ),
        presets=limit_items(_read_presets_used(raw)),
        errors=(error,) if error else (),
        metadata=redact(metadata, secrets),
        key=key,
        raw=raw,
        lists_outputs="outputs" in raw,
        # with `show_null` it is null where the whole input is encoded
        is_clip=True if _dig(raw, "input").get("start_time") else None,
    )


def read_preset(body: Any) -> RemotePreset | None:
    """Read a preset or a reference to one, which tells no name."""
    return _read_redacted_preset(redact(_take_private_off(read_dict(body))))


def find_file_id(body: Any, output_id: str) -> str | None:
    """Find the id of the file of an output of a job, by the output's remote id or its slot."""
    for part in _split(read_dict(body)):
        file_id = read_id(part.file.get("id"))
        if file_id and output_id in (file_id, part.slot):
            return file_id
    return None


def read_web_address(value: Any) -> str | None:
    """Find the first web address in an answer whose shape is not documented.

    `href` is passed over: it is an address of the API, which opens with our token alone.
    """
    if isinstance(value, str):
        text = value.strip()
        return text if text.lower().startswith(("https://", "http://")) else None
    parts: Iterable[Any] = value if isinstance(value, list) else ()
    if isinstance(value, dict):
        parts = [part for name, part in value.items() if name != "href"]
    return next((found for part in parts if (found := read_web_address(part))), None)


def download_url(base_url: str, file_id: str) -> str:
    return f"{base_url}/files/downloads/?file_id={quote(file_id, safe='')}"


def _read_redacted_preset(preset: Mapping[str, Any]) -> RemotePreset | None:
    remote_id = read_id(preset.get("id"))
    if remote_id is None:
        return None
    return RemotePreset(
        remote_id=remote_id,
        name=read_text(preset.get("name"), 255) or "",
        kind=read_text(preset.get("type"), 60) or "",
        settings={name: value for name, value in preset.items() if name not in _BOOKKEEPING},
    )


def _take_private_off(value: Any) -> Any:
    if isinstance(value, list):
        return [_take_private_off(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _keep_reference(part) if name in _PRIVATE else _take_private_off(part)
        for name, part in value.items()
    }


def _keep_reference(value: Any) -> Any:
    """Cut to id and address; users come as a list of one where they are asked for themselves."""
    if isinstance(value, list):
        return [_keep_reference(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: value[key] for key in ("id", "href") if key in value}


def _dig(body: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    for name in names:
        body = read_dict(body.get(name))
    return body


def _read_input(
    whole: Mapping[str, Any], raw: Mapping[str, Any], secrets: tuple[str, ...]
) -> RemoteInput:
    """`input_name` is a path in the pipeline's store, or an address with all it may carry."""
    told = read_text(_dig(whole, "input").get("input_name"), 8000)
    url, secret_url = split_url(told, secrets) if told else (None, None)
    file = _dig(raw, "input", "file")
    video, audio = _first(file, "video_tracks"), _first(file, "audio_tracks")
    bitrates = [
        read_count(track.get(name))
        for tracks, name in (("video_tracks", "video_bitrate"), ("audio_tracks", "audio_bitrate"))
        for track in map(read_dict, read_list(file.get(tracks)))
    ]
    return RemoteInput(
        url=url,
        secret_url=secret_url,
        duration_ms=_read_duration(file, video, audio),
        size_bytes=read_count(file.get("size")),
        width=read_count(video.get("width")),
        height=read_count(video.get("height")),
        frame_rate=read_float(video.get("framerate")),
        video_codec=read_text(video.get("video_codec"), 100),
        audio_codec=read_text(audio.get("audio_codec"), 100),
        bitrate_kbps=sum(rate for rate in bitrates if rate) or None,
    )


def _split(body: Mapping[str, Any]) -> Iterator[_Part]:
    """Yield the files of each output: the video, the archive of thumbnails, the thumbnails.

    Outputs have no id, and the file's comes late: until then its place in the list stands for it.
    """
    for index, output in enumerate(read_list(body.get("outputs"))):
        if not isinstance(output, dict):
            continue
        yield _Part(str(index), OutputKind.VIDEO, output, _dig(output, "file"))
        archive = _dig(output, "thumbnail_zip", "file")
        if read_id(archive.get("id")):
            yield _Part(f"{index}/thumbnails.zip", OutputKind.ARCHIVE, output, archive)
        for number, image in enumerate(read_list(output.get("thumbnails"))):
            if isinstance(image, dict):
                slot = f"{index}/thumbnails/{number}"
                yield _Part(slot, OutputKind.IMAGE, output, _dig(image, "file"))


def _read_output(
    part: _Part,
    whole_file: Mapping[str, Any],
    raw: Mapping[str, Any],
    error: RemoteError | None,
    base_url: str,
    secrets: tuple[str, ...],
) -> RemoteOutput:
    file = part.file
    video, audio = _first(file, "video_tracks"), _first(file, "audio_tracks")
    url, secret_url = _read_address(whole_file, base_url, secrets)
    job_status = read_status(raw.get("status"), JOB_STATUSES, JobStatus.UNKNOWN)
    percentage = _read_percentage(part.output, ended_badly=job_status in _ENDED_BADLY)
    status = _read_output_status(raw.get("status"), file, percentage)
    if status is OutputStatus.SUCCEEDED:
        percentage = 100.0
    elif part.kind is not OutputKind.VIDEO:
        percentage = None  # it is the video's
    return RemoteOutput(
        remote_id=read_id(file.get("id")) or part.slot,
        slot=part.slot,
        kind=_read_output_kind(part, video, audio),
        status=status,
        label=read_text(part.output.get("output_name"), 255),
        preset_id=read_id(_dig(part.output, "preset").get("id")),
        format=_read_format(file),
        width=read_count(video.get("width")),
        height=read_count(video.get("height")),
        frame_rate=read_float(video.get("framerate")),
        video_codec=read_text(video.get("video_codec"), 100),
        audio_codec=read_text(audio.get("audio_codec"), 100),
        video_bitrate_kbps=read_count(video.get("video_bitrate")),
        audio_bitrate_kbps=read_count(audio.get("audio_bitrate")),
        duration_ms=_read_duration(file, video, audio),
        # Not `size_on_disk`, which is eight times as much.
        size_bytes=read_count(file.get("size")),
        url=url,
        secret_url=secret_url,
        expires_at=read_epoch_ms(file.get("expires_at")),
        progress=percentage,
        error=error if status is OutputStatus.FAILED else None,
    )


def _read_percentage(body: Mapping[str, Any], *, ended_badly: bool) -> float | None:
    """Read how far a job or an output is.

    Whether a bad end sets it back is not documented. A zero tells nothing then, so that how far
    it was last seen to be stays known.
    """
    percentage = read_progress(body.get("percentage_completed"))
    return None if ended_badly and percentage == 0 else percentage


def _read_output_status(
    word: Any, file: Mapping[str, Any], percentage: float | None
) -> OutputStatus:
    """Read the job's word for an output. One that was whole before the job ended badly stays."""
    status = read_status(word, OUTPUT_STATUSES, OutputStatus.UNKNOWN)
    is_whole = percentage == 100 and read_epoch_ms(file.get("finished_at")) is not None
    if is_whole and status in {OutputStatus.FAILED, OutputStatus.CANCELLED}:
        return OutputStatus.SUCCEEDED
    return status


def _read_output_kind(
    part: _Part, video: Mapping[str, Any], audio: Mapping[str, Any]
) -> OutputKind:
    if part.kind is not OutputKind.VIDEO:
        return part.kind
    if audio and not video:
        return OutputKind.AUDIO
    return read_kind(read_text(part.file.get("name"), 255)) or OutputKind.VIDEO


def _read_format(file: Mapping[str, Any]) -> str | None:
    """The container, else the type; that may be a GStreamer caps string with more behind it."""
    container = read_text(file.get("container"), 60)
    mime_type = re.split(r"[,;]", read_text(file.get("mime_type"), 255) or "")[0].strip()
    return container or mime_type[:60] or None


def _read_address(
    file: Mapping[str, Any], base_url: str, secrets: tuple[str, ...]
) -> tuple[str | None, str | None]:
    file_id = read_id(file.get("id"))
    url = read_text(file.get("uri"), 8000) or (file_id and download_url(base_url, file_id))
    return split_url(url, secrets) if url else (None, None)


def _read_duration(
    file: Mapping[str, Any], video: Mapping[str, Any], audio: Mapping[str, Any]
) -> int | None:
    told = (file.get("duration"), video.get("video_duration"), audio.get("audio_duration"))
    return next((ms for value in told if (ms := read_duration_ms(value))), None)


def _first(file: Mapping[str, Any], tracks: str) -> Mapping[str, Any]:
    return next((track for track in read_list(file.get(tracks)) if isinstance(track, dict)), {})


def _read_presets_used(raw: Mapping[str, Any]) -> Iterator[RemotePreset]:
    outputs = map(read_dict, read_list(raw.get("outputs")))
    told = (_read_redacted_preset(_dig(output, "preset")) for output in outputs)
    yield from {preset.remote_id: preset for preset in told if preset}.values()


def _read_error(raw: Mapping[str, Any], status: JobStatus) -> RemoteError | None:
    code = read_text(raw.get("error_code"), 200) or ""
    message = read_text(raw.get("error_msg")) or read_text(raw.get("error_message")) or ""
    is_told = bool(message or fold_code(code).strip("0x"))
    if not is_told:
        return RemoteError("unknown") if status is JobStatus.FAILED else None
    name = classify(fold_code(code), message, ERROR_CLASSES, PATTERNS)
    return RemoteError(name, code, message)
