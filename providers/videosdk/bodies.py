"""The fields of Video SDK's jobs, and its statuses.

Keys are absent until there is something to report.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any

from providers.core.error_tables import ErrorTable
from providers.core.status import JobStatus, OutputStatus, read_status
from providers.core.types import OutputKind, RemoteInput, RemoteJob, RemoteOutput
from providers.http.answers import join_messages
from providers.parsing.media import read_kind, read_suffix
from providers.parsing.object_ids import read_id_time
from providers.parsing.payloads import Body
from providers.parsing.times import read_time
from providers.videosdk.presets import JobPreset, read_label, read_presets

# A closed list. Its dashboard writes them with capitals.
JOB_STATUSES: Mapping[str, JobStatus] = {
    "queued": JobStatus.QUEUED,
    "processing": JobStatus.RUNNING,
    "completed": JobStatus.SUCCEEDED,
    "failed": JobStatus.FAILED,
}
# The job's status is that of a file that was asked for and is not listed. A listed one is there;
# one that a completed job does not list is unknown.
OUTPUT_STATUSES: Mapping[str, OutputStatus] = {
    "queued": OutputStatus.QUEUED,
    "processing": OutputStatus.RUNNING,
    "failed": OutputStatus.FAILED,
}

# Neither the reasons of a failure are documented nor their field: likely ones are searched.
ERROR_FIELDS = ("error", "errors", "errorMessage", "failureReason", "reason", "message")
CODE_FIELDS = ("errorCode", "code", "error.errorCode", "error.code")
ERRORS = ErrorTable(
    patterns=(
        (r"no (video|audio|media|stream)|not a (video|media)", "input.no_media"),
        (r"access denied|forbidden|permission|unauthori[sz]ed|\b40[13]\b", "input.access_denied"),
        (r"not found|no such|does not exist|\b404\b", "input.not_found"),
        (r"time(d)? ?out|too long", "input.timeout"),
        (r"corrupt|truncated|damaged|invalid data", "input.corrupt"),
        (r"unsupported|not supported|codec", "input.unsupported"),
        (r"transcod|encod|ffmpeg", "encode.failed"),
    )
)

HLS = "hls"

# Far more than a job has; a hostile body could make matching them with files take for ever.
MAX_EXPECTED = 200

# Begins what is used as the id of a file that has none.
_UNNAMED = "file-"

_KINDS = {
    "video": OutputKind.VIDEO,
    "x-tar": OutputKind.PLAYLIST,  # the folder of an HLS package
    "audio": OutputKind.AUDIO,
    "image": OutputKind.IMAGE,
}


def read_created_at(job: Mapping[str, Any]) -> datetime | None:
    return read_time(job.get("createdAt")) or read_id_time(job.get("id"))


def fill_job(job: RemoteJob, body: Body) -> RemoteJob:
    source = body.url("videoUrl", "videoId")
    presets = list(read_presets(body))
    message = join_messages({"errors": [body.get(name) for name in ERROR_FIELDS]})
    error = ERRORS.read(body.text(*CODE_FIELDS), message)
    return replace(
        job,
        created_at=read_created_at(body.redacted),
        started_at=body.time("startedAt"),
        finished_at=body.time("finishedAt"),
        updated_at=body.time("updatedAt"),
        input=RemoteInput(url=source.redacted, secret_url=source.original),
        outputs=tuple(_read_outputs(job, body, presets)),
        presets=tuple(preset.as_remote for preset in presets),
        errors=(error,) if job.status is JobStatus.FAILED else (),
    )


def _read_outputs(job: RemoteJob, body: Body, presets: list[JobPreset]) -> Iterator[RemoteOutput]:
    """Yield what was asked for, each as the file that it became, then the files that are left.

    What was asked for is known by its slot until it is a file with an id of its own. Thumbnails
    are not expected: nothing says how many there will be.
    """
    files = [_read_file(file) for file in body.items("files")]
    expected = list(islice(_list_expected(job, presets), MAX_EXPECTED))
    found = _match(expected, files)
    for output in expected:
        file = found.get(output.slot)
        yield _merge(output, file) if file else output
    matched = {file.remote_id for file in found.values()}
    yield from (file for file in files if file.remote_id not in matched)


def _list_expected(job: RemoteJob, presets: Iterable[JobPreset]) -> Iterator[RemoteOutput]:
    """Yield one output for each resolution of a preset, and one package for HLS."""
    for preset in presets:
        labels = {resolution: read_label(resolution) for resolution in preset.resolutions}
        slots = [(f"{preset.id}:{resolution}", label) for resolution, label in labels.items()]
        if preset.format == HLS or not labels:
            # a package reports the size of its largest rendition alone
            slots = [(preset.id, next(reversed(labels.values()), ""))]
        for slot, label in slots:
            yield RemoteOutput(
                remote_id=slot,
                slot=slot,
                kind=OutputKind.PLAYLIST if preset.format == HLS else OutputKind.VIDEO,
                status=read_status(job.provider_status, OUTPUT_STATUSES, OutputStatus.UNKNOWN),
                provider_status=job.provider_status,
                label=label or None,
                preset_id=preset.as_remote.remote_id,
                format=preset.format,
            )


def _match(
    expected: Sequence[RemoteOutput], files: Iterable[RemoteOutput]
) -> dict[str, RemoteOutput]:
    """Find the file of each: the one of its size, else (no upscaling) the next of its format."""
    left = list(files)
    found: dict[str, RemoteOutput] = {}
    for by_size in (True, False):
        for output in expected:
            if output.slot in found:
                continue
            for file in left:
                is_format = file.kind is output.kind and file.format in {output.format, None}
                if is_format and (file.label == output.label or not by_size):
                    found[output.slot] = file
                    left.remove(file)
                    break
    return found


def _merge(expected: RemoteOutput, file: RemoteOutput) -> RemoteOutput:
    has_id = not file.remote_id.startswith(_UNNAMED)
    return replace(
        file,
        remote_id=file.remote_id if has_id else expected.slot,
        slot=expected.slot,
        preset_id=expected.preset_id,
        label=file.label or expected.label,
        format=file.format or expected.format,
    )


def _read_file(file: Body) -> RemoteOutput:
    """Read one listed file. `fileUrl` is taken as it is: `filePath` names another place.

    The list of fields has format and duration beside `meta`, the samples within it.
    """
    url = file.url("fileUrl")
    form = (file.text("meta.format", "format") or "").lower()
    width, height = file.positive("meta.resolution.width"), file.positive("meta.resolution.height")
    by_format = OutputKind.PLAYLIST if form == HLS else None
    by_type = _KINDS.get((file.text("type") or "").lower())
    kind = by_type or by_format or read_kind(url.redacted) or OutputKind.VIDEO
    return RemoteOutput(
        remote_id=file.id("id") or f"{_UNNAMED}{file.index}",
        kind=kind,
        status=OutputStatus.SUCCEEDED,  # none is listed before it is made
        # upright pictures are 360 wide: the smaller side is the one that was asked for
        label=f"{min(width, height)}p" if width and height else None,
        format=_read_format(form, kind, url.redacted),
        width=width,
        height=height,
        duration_ms=file.duration_ms("meta.duration", "duration", unit="s"),
        size_bytes=file.count("size"),
        url=url.redacted,
        secret_url=url.original,
        expires_at=url.expires_at,
    )


def _read_format(form: str, kind: OutputKind, url: str | None) -> str | None:
    """Name the format: `mov,mp4,m4a,...` is what ffprobe calls MP4, and images have none."""
    names = [name.strip() for name in form.split(",") if name.strip()]
    if names:
        return "mp4" if "mp4" in names else names[0]
    if kind is OutputKind.PLAYLIST:
        return HLS
    return read_suffix(url)[1:] or None
