"""Reads Video SDK's jobs. Keys are absent until there is something to tell, and any of them may
be null or of another type than documented.

Everything is read from the redacted body; only the address that opens and our key are taken from
the whole one.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import PurePosixPath
from typing import Any

from providers.core.errors import classify
from providers.core.status import JobStatus, OutputStatus, read_status
from providers.core.types import OutputKind, RemoteError, RemoteInput, RemoteJob, RemoteOutput
from providers.http.answers import read_messages
from providers.http.redaction import redact, split_url, url_expiry
from providers.parsing import customer_object
from providers.parsing.media import read_file_name, read_kind
from providers.parsing.times import read_duration_ms, read_epoch_s, read_time
from providers.parsing.values import (
    limit_items,
    read_count,
    read_dict,
    read_id,
    read_list,
    read_text,
)
from providers.videosdk.error_patterns import CODE_FIELDS, ERROR_FIELDS, ERROR_PATTERNS
from providers.videosdk.presets import HLS, AskedPreset, read_label, read_presets

# A closed list. Its dashboard writes the words with capitals.
JOB_STATUSES: Mapping[str, JobStatus] = {
    "queued": JobStatus.QUEUED,
    "processing": JobStatus.RUNNING,
    "completed": JobStatus.SUCCEEDED,
    "failed": JobStatus.FAILED,
}
# The job's words for a file that was asked for and is not listed. A listed one is there; one
# that a completed job does not list is unknown.
OUTPUT_STATUSES: Mapping[str, OutputStatus] = {
    "queued": OutputStatus.QUEUED,
    "processing": OutputStatus.RUNNING,
    "failed": OutputStatus.FAILED,
}

ADDRESS_LENGTH = 8000

# Far more than a job has; a hostile body could make matching them with files take for ever.
MAX_ASKED = 200

# Begins what stands for the id of a file that has none.
_UNNAMED = "file-"

_OBJECT_ID = re.compile(r"[0-9a-f]{24}", re.IGNORECASE | re.ASCII)
_KINDS = {
    "video": OutputKind.VIDEO,
    "x-tar": OutputKind.PLAYLIST,  # the folder of an HLS package
    "audio": OutputKind.AUDIO,
    "image": OutputKind.IMAGE,
}


@dataclass(frozen=True, slots=True)
class _Asked:
    """A file that a preset asks for: one of each resolution, and one package for HLS."""

    slot: str
    preset: AskedPreset
    label: str | None

    @property
    def kind(self) -> OutputKind:
        return OutputKind.PLAYLIST if self.preset.format == HLS else OutputKind.VIDEO

    def may_be(self, file: RemoteOutput) -> bool:
        return file.kind is self.kind and file.format in {self.preset.format, None}


def is_object_id(value: Any) -> bool:
    """Whether this is an id of theirs: 24 hexadecimal digits."""
    return isinstance(value, str) and _OBJECT_ID.fullmatch(value) is not None


def read_id_time(object_id: str) -> datetime | None:
    """Read when an id was made: its first eight digits are seconds since 1970."""
    return read_epoch_s(int(object_id[:8], 16)) if is_object_id(object_id) else None


def read_job(item: Any, secrets: Iterable[str]) -> RemoteJob | None:
    """Read a job of the list, of the details or of the answer to a creation; None without id."""
    # Whoever created the job, with name and address, is nothing to keep.
    whole = {name: value for name, value in read_dict(item).items() if name != "user"}
    secrets = tuple(secrets)
    raw = redact(whole, secrets)
    # Not of `raw`: redaction cuts what comes late in a body that is too large.
    remote_id = read_id(redact(whole.get("id"), secrets))
    if remote_id is None:
        return None
    word = raw.get("status")
    status = read_status(word, JOB_STATUSES, JobStatus.UNKNOWN)
    source = read_source(whole, secrets)
    presets = limit_items(read_presets(raw))
    metadata, key = customer_object.read(whole.get("userData"))
    return RemoteJob(
        remote_id=remote_id,
        status=status,
        provider_status=read_text(word) or "",
        name=read_file_name(source.url),
        progress=100.0 if status is JobStatus.SUCCEEDED else None,
        created_at=read_time(raw.get("createdAt")) or read_id_time(remote_id),
        started_at=read_time(raw.get("startedAt")),
        finished_at=read_time(raw.get("finishedAt")),
        updated_at=read_time(raw.get("updatedAt")),
        input=source,
        outputs=limit_items(_read_outputs(whole, raw, presets, secrets)),
        presets=tuple({preset.stable_id: preset.as_remote for preset in presets}.values()),
        errors=(_read_error(raw),) if status is JobStatus.FAILED else (),
        metadata=redact(metadata, secrets),
        key=key,
        raw=raw,
        lists_outputs="files" in raw,
    )


def read_source(body: Mapping[str, Any], secrets: Iterable[str]) -> RemoteInput:
    """Read the source of a job, or of the body of its creation: an address, else a file's id."""
    url = read_text(body.get("videoUrl"), ADDRESS_LENGTH) or read_id(body.get("videoId"))
    if url is None:
        return RemoteInput()
    shown, secret_url = split_url(url, secrets)
    return RemoteInput(url=shown, secret_url=secret_url)


def _read_outputs(
    whole: Mapping[str, Any],
    raw: Mapping[str, Any],
    presets: Iterable[AskedPreset],
    secrets: tuple[str, ...],
) -> Iterator[RemoteOutput]:
    """Yield what was asked for, each as the file that it became, then the files that are left.

    What was asked for is known by its slot until it is a file with an id of its own. A thumbnail
    is not expected: nothing tells how many there will be.
    """
    # Not strict: redaction cuts a list that is too long to be looked through.
    pairs = zip(read_list(whole.get("files")), read_list(raw.get("files")), strict=False)
    files = limit_items(
        _read_file(read_dict(whole_part), part, index, secrets)
        for index, (whole_part, part) in enumerate(pairs)
        if isinstance(part, dict)
    )
    asked = list(islice(_list_asked(presets), MAX_ASKED))
    found = _match(asked, files)
    outputs = [_read_asked(one, found.get(one.slot), raw.get("status")) for one in asked]
    taken = {file.remote_id for file in found.values()}
    outputs += [file for file in files if file.remote_id not in taken]
    seen: set[str] = set()
    for output in outputs:
        if output.remote_id not in seen:
            seen.add(output.remote_id)
            yield output


def _list_asked(presets: Iterable[AskedPreset]) -> Iterator[_Asked]:
    for preset in presets:
        labels = [read_label(word) for word in preset.resolutions]
        if preset.format == HLS or not labels:
            # a package tells the size of its largest rendition alone
            yield _Asked(preset.job_preset_id, preset, labels[-1] if labels else None)
            continue
        for word, label in zip(preset.resolutions, labels, strict=True):
            yield _Asked(f"{preset.job_preset_id}:{word}", preset, label)


def _match(asked: Sequence[_Asked], files: Iterable[RemoteOutput]) -> dict[str, RemoteOutput]:
    """Find the file of each: the one of its size, else (no upscaling) the next of its format."""
    left = list(files)
    found: dict[str, RemoteOutput] = {}
    for by_size in (True, False):
        for one in asked:
            if one.slot in found:
                continue
            for file in left:
                if one.may_be(file) and (file.label == one.label or not by_size):
                    found[one.slot] = file
                    left.remove(file)
                    break
    return found


def _read_asked(one: _Asked, file: RemoteOutput | None, word: Any) -> RemoteOutput:
    preset_id = one.preset.stable_id
    if file is not None:
        has_id = not file.remote_id.startswith(_UNNAMED)
        return replace(
            file,
            remote_id=file.remote_id if has_id else one.slot,
            slot=one.slot,
            preset_id=preset_id,
            label=file.label or one.label,
            format=file.format or one.preset.format,
        )
    return RemoteOutput(
        remote_id=one.slot,
        slot=one.slot,
        kind=one.kind,
        status=read_status(word, OUTPUT_STATUSES, OutputStatus.UNKNOWN),
        provider_status=read_text(word) or "",
        label=one.label,
        preset_id=preset_id,
        format=one.preset.format,
    )


def _read_file(
    whole: Mapping[str, Any], part: Mapping[str, Any], index: int, secrets: tuple[str, ...]
) -> RemoteOutput:
    """Read one listed file. `fileUrl` is taken as it is: `filePath` tells another place."""
    address = read_text(whole.get("fileUrl"), ADDRESS_LENGTH)
    url, secret_url = split_url(address, secrets) if address else (None, None)
    meta = read_dict(part.get("meta"))
    # The list of fields has these two beside `meta`, the samples within it.
    told_format = read_text(meta.get("format") or part.get("format"), 100)
    seconds = meta.get("duration", part.get("duration"))
    size = read_dict(meta.get("resolution"))
    width, height = read_count(size.get("width")) or None, read_count(size.get("height")) or None
    word = (read_text(part.get("type"), 40) or "").lower()
    by_format = OutputKind.PLAYLIST if (told_format or "").lower() == HLS else None
    kind = _KINDS.get(word) or by_format or read_kind(url) or OutputKind.VIDEO
    return RemoteOutput(
        remote_id=read_id(part.get("id")) or f"{_UNNAMED}{index}",
        kind=kind,
        status=OutputStatus.SUCCEEDED,  # none is listed before it is made
        # upright pictures are 360 wide: the smaller side is the one that was asked for
        label=f"{min(width, height)}p" if width and height else None,
        format=_read_format(told_format, kind, url),
        width=width,
        height=height,
        duration_ms=read_duration_ms(seconds, unit="s"),
        size_bytes=read_count(part.get("size")),
        url=url,
        secret_url=secret_url,
        expires_at=url_expiry(url) if url else None,
    )


def _read_format(told: str | None, kind: OutputKind, url: str | None) -> str | None:
    """Name the format: `mov,mp4,m4a,...` is what ffprobe calls MP4, and images tell none."""
    names = [name.strip() for name in (told or "").lower().split(",") if name.strip()]
    if names:
        return "mp4" if "mp4" in names else names[0]
    if kind is OutputKind.PLAYLIST:
        return HLS
    return PurePosixPath(read_file_name(url) or "").suffix.lower()[1:100] or None


def _read_error(raw: Mapping[str, Any]) -> RemoteError:
    """Read why a job failed. No field for it is documented: likely ones are looked at."""
    messages, _ = read_messages({"errors": [raw.get(name) for name in ERROR_FIELDS]})
    message = "; ".join(dict.fromkeys(messages))
    places = (raw, read_dict(raw.get("error")))
    codes = (read_text(place.get(name), 255) for place in places for name in CODE_FIELDS)
    code = next((code for code in codes if code), "")
    return RemoteError(classify(code, message, {}, ERROR_PATTERNS), code, message)
