"""Jobs that only the clock moves: the seeded ones, and all of them without an encoder."""

import threading
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from sandbox.clock import Clock
from sandbox.encoding.renditions import frame_size, image_size, image_times, length_s, skip_reason
from sandbox.jobs.model import (
    Event,
    Image,
    Job,
    JobState,
    Media,
    MediaInfo,
    MediaState,
    Mode,
    Problem,
    ProblemKind,
    Script,
)
from sandbox.jobs.store import Store

TICK_S = 0.2
PENDING_S = 0.4
# Words in an input's name, and what goes wrong with such an input.
PROBLEMS = {
    "corrupt": Problem(ProblemKind.INPUT_UNREADABLE, "The file could not be decoded."),
    "truncated": Problem(ProblemKind.INPUT_TRUNCATED, "The file ends too early."),
    "missing": Problem(ProblemKind.INPUT_NOT_FOUND, "There is no file at this URL (404)."),
    "forbidden": Problem(ProblemKind.INPUT_DENIED, "The server refused the download (403)."),
    "unanswered": Problem(ProblemKind.INPUT_TIMEOUT, "The server gave no answer."),
    "notes": Problem(ProblemKind.INPUT_HAS_NO_MEDIA, "This is a text file."),
    "page.html": Problem(ProblemKind.INPUT_IS_A_DOCUMENT, "The URL leads to a web page."),
}
TYPICAL_INPUT = MediaInfo(
    format="mpeg4",
    duration_ms=20_000,
    frame_rate=30,
    width=640,
    height=360,
    video_codec="h264",
    audio_codec="aac",
    audio_sample_rate=48_000,
    channels=2,
    audio_bitrate_kbps=96,
    video_bitrate_kbps=904,
    total_bitrate_kbps=1000,
    size_bytes=2_500_000,
)


def script_for(job: Job) -> Script:
    """Waits 1 to 3 s and takes about 10; the outcome follows from the input's name."""
    name = PurePosixPath(unquote(urlsplit(job.input.url or "").path)).name.lower()
    script = Script(wait_s=1 + job.id % 3, input_s=2, encode_s=8, input_info=TYPICAL_INPUT)
    script.input_problem = next((PROBLEMS[part] for part in PROBLEMS if part in name), None)
    if "partial" in name:
        last = str(len(job.outputs) - 1)
        problem = Problem(ProblemKind.ENCODE_FAILED, "The encoder stopped half-way.")
        script.output_problems = {last: problem}
    return script


def advance(job: Job, seconds: float, now: float) -> None:
    """Move the job on by so many seconds of its script; it may end."""
    script = job.script or script_for(job)
    job.script = script
    script.elapsed_s += seconds
    job.updated_at = now
    into_input = script.elapsed_s - script.wait_s
    into_encode = into_input - script.input_s
    if into_input < 0:
        _wait(job, script)
    elif into_encode < 0 and script.input_s:
        _read_input(job, 100 * into_input / script.input_s)
    elif script.input_problem:
        job.fail_input(script.input_problem, now)
    else:
        if not job.input.is_terminal:
            _take_input(job, script, now)
        _encode(job, script, into_encode, now)


class Mover(threading.Thread):
    """Moves every clock-driven job on, several times a second."""

    def __init__(self, store: Store, clock: Clock) -> None:
        super().__init__(name="mover", daemon=True)
        self._store, self._clock = store, clock
        self._stopping = threading.Event()

    def stop(self) -> None:
        self._stopping.set()

    def run(self) -> None:
        while not self._stopping.wait(TICK_S):
            seconds = self._clock.tick()
            if not seconds:
                continue
            for each in self._store.active(Mode.CLOCK):
                with self._store.edit(each.id) as job:
                    if job.is_active:
                        advance(job, seconds, self._clock.now())


def _wait(job: Job, script: Script) -> None:
    job.state = JobState.PENDING if script.elapsed_s < PENDING_S else JobState.WAITING
    soon = script.elapsed_s > script.wait_s * 0.8
    job.input.state = MediaState.ASSIGNING if soon else MediaState.QUEUED


def _read_input(job: Job, percent: float) -> None:
    job.state, job.progress = JobState.PROCESSING, round(percent * 0.2, 4)
    media = job.input
    media.state, media.progress = MediaState.PROCESSING, round(percent, 4)
    inspecting = percent >= 50
    media.event = Event.INSPECTING if inspecting else Event.DOWNLOADING
    media.event_progress = round(percent * 2 - (100 if inspecting else 0), 4)


def _take_input(job: Job, script: Script, now: float) -> None:
    job.state = JobState.PROCESSING
    job.input.end(MediaState.FINISHED, now)
    job.input.info = script.input_info
    for output in job.outputs:
        output.state, output.updated_at = MediaState.READY, now


def _encode(job: Job, script: Script, seconds: float, now: float) -> None:
    """Outputs are made one after the other, each in the same share of the time."""
    share = script.encode_s / len(job.outputs)
    for index, output in enumerate(job.outputs):
        percent = 100 * (seconds - index * share) / share if share else 100.0
        if output.is_terminal or percent < 0:
            continue
        if percent < 100:
            _transcode(output, percent)
        elif index in script.skipped or skip_reason(output.spec, script.input_info):
            output.end(MediaState.SKIPPED, now)
        elif problem := script.output_problems.get(str(index)):
            output.end(MediaState.FAILED, now, problem)
        else:
            output.end(MediaState.FINISHED, now)
            output.info = invent_info(output, script.input_info, job.test)
            output.images = invent_images(job, output, script.input_info, now)
    if all(output.is_terminal for output in job.outputs):
        job.conclude(now)
    else:
        job.progress = round(20 + 80 * min(1.0, seconds / script.encode_s), 4)


def _transcode(output: Media, percent: float) -> None:
    uploading = percent > 90
    output.state = MediaState.UPLOADING if uploading else MediaState.PROCESSING
    output.event = Event.UPLOADING if uploading else Event.TRANSCODING
    output.progress = round(percent, 4)
    output.event_progress = round((percent - 90) * 10 if uploading else percent / 0.9, 4)


def invent_info(output: Media, source: MediaInfo, test: bool) -> MediaInfo:
    """Facts that an encoder would plausibly have reached."""
    spec = output.spec
    if spec.kind == "playlist":
        return MediaInfo(size_bytes=120 + 80 * len(spec.streams))
    length = length_s(spec, source, test)
    has_video = bool(spec.video and source.video_codec and spec.container not in ("mp3", "m4a"))
    width, height = frame_size(spec, source)
    video = (spec.video_bitrate_kbps or round(width * height * 0.0028)) if has_video else None
    audio = (spec.audio_bitrate_kbps or 96) if spec.audio and source.audio_codec else None
    total = (video or 0) + (audio or 0)
    formats = {"ts": "mpeg-ts", "webm": "webm", "ogg": "ogg", "mp3": "mpeg audio"}
    return MediaInfo(
        format=formats.get(spec.container, "mpeg4"),
        duration_ms=round(length * 1000),
        frame_rate=(spec.frame_rate or source.frame_rate) if has_video else None,
        width=width if has_video else None,
        height=height if has_video else None,
        video_codec="h264" if has_video else None,
        audio_codec="aac" if audio else None,
        audio_sample_rate=48_000 if audio else None,
        channels=2 if audio else None,
        audio_bitrate_kbps=audio,
        video_bitrate_kbps=video,
        total_bitrate_kbps=total,
        size_bytes=round(total * 125 * length),
        rfc6381_video="avc1.4d401f" if has_video else None,
        rfc6381_audio="mp4a.40.2" if audio else None,
    )


def invent_images(job: Job, output: Media, source: MediaInfo, now: float) -> list[Image]:
    """Ids are derived from the output's: a clock-moved job has no files to give ids to."""
    length = length_s(output.spec, source, job.test)
    folder = (output.path or f"out/{job.token}/{output.id}/").rsplit("/", 1)[0]
    images: list[Image] = []
    for image_set in output.spec.image_sets:
        width, height = image_size(image_set, source)
        for number in range(len(image_times(image_set, length))):
            images.append(
                Image(
                    id=output.id * 1000 + len(images),
                    label=image_set.label,
                    path=f"{folder}/{image_set.prefix}_{number:04}.{image_set.format}",
                    format=image_set.format,
                    width=width,
                    height=height,
                    size_bytes=width * height // 9,
                    created_at=now,
                )
            )
    return images
