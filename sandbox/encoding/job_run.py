"""One job from its download to its end, done with FFmpeg."""

import shutil
from collections.abc import Callable
from pathlib import Path

from sandbox.encoding.bench import Bench
from sandbox.encoding.downloads import InputProblem, download, refuse_content, refuse_destination
from sandbox.encoding.ffmpeg import FFmpegFailed, Stopped, md5_of, wait_politely
from sandbox.encoding.inspection import inspect, measure_picture
from sandbox.encoding.packaging import encode_arguments, playlist_text
from sandbox.encoding.renditions import length_s, skip_reason
from sandbox.encoding.thumbnails import take_images
from sandbox.jobs.model import (
    Event,
    Image,
    Job,
    JobState,
    Media,
    MediaInfo,
    MediaState,
    Problem,
    ProblemKind,
)

MAX_DURATION_S = 300
# With a held speed each short phase lasts this long, so that a person can see it.
PHASE_S = 0.4


class JobRun:
    """Each step first checks whether the job was cancelled (and perhaps resubmitted since) or the
    sandbox stops: then it raises Stopped and changes nothing."""

    def __init__(self, bench: Bench, job: Job, work: Path) -> None:
        self._bench = bench
        self._store, self._media, self._runner = bench.store, bench.media, bench.runner
        self._now = bench.clock.now
        self._job_id, self._attempt = job.id, job.attempt
        self._input = work / "input"

    def run(self) -> None:
        source = self._take_input()
        if source is None:
            return
        for index, output in enumerate(self._job().outputs):
            self._make_output(index, output, source)
        self._change(lambda job: job.conclude(self._now()))

    def _job(self) -> Job:
        self._check_stop()
        job = self._store.get(self._job_id)
        if job is None or not self._is_mine(job):
            raise Stopped
        return job

    def _is_mine(self, job: Job) -> bool:
        return job.is_active and job.attempt == self._attempt

    def _check_stop(self) -> None:
        """Before the store is touched: it may be closed."""
        if self._bench.is_stopping():
            raise Stopped

    def _change(self, change: Callable[[Job], object]) -> None:
        self._check_stop()
        with self._store.edit(self._job_id) as job:
            if not self._is_mine(job):
                raise Stopped
            change(job)
            job.updated_at = self._now()
            if job.is_active:
                job.progress = _overall(job)

    def _pause(self) -> None:
        if self._bench.speed:
            wait_politely(PHASE_S, self._bench.is_stopping)

    def _take_input(self) -> MediaInfo | None:
        """Download and inspect; None when that has failed the job."""
        job = self._job()
        self._change(lambda job: _set(job.input, MediaState.ASSIGNING))
        self._pause()
        self._change(_start)
        try:
            self._media.prepare_input(job.input.url or "")
            download(job.input.url or "", self._input, self._hear_download)
            self._pause()
            self._change(lambda job: _step(job.input, Event.INSPECTING, 0, 60))
            source = self._inspect_input()
            self._pause()
        except InputProblem as error:
            problem = error.problem
            size = self._input.stat().st_size if self._input.exists() else None
            self._change(lambda job: _fail_input(job, problem, size, self._now()))
            return None
        self._change(lambda job: _begin_encoding(job, source, self._now()))
        return source

    def _hear_download(self, percent: float) -> None:
        self._change(lambda job: _step(job.input, Event.DOWNLOADING, percent, percent * 0.5))

    def _inspect_input(self) -> MediaInfo:
        if refusal := refuse_content(self._input):
            raise refusal
        try:
            source = inspect(self._input, self._runner)
        except FFmpegFailed as error:
            raise InputProblem(
                ProblemKind.INPUT_UNREADABLE, f"The file could not be decoded: {error}."
            ) from error
        if source is None:
            raise InputProblem(
                ProblemKind.INPUT_HAS_NO_MEDIA, "The file has no sound and no moving picture."
            )
        if source.video_codec and source.audio_codec:
            source.video_ms = measure_picture(self._input, self._runner)
        source.md5 = md5_of(self._input)
        return source

    def _make_output(self, index: int, output: Media, source: MediaInfo) -> None:
        """Encode one output and end it, whatever comes."""
        if skip_reason(output.spec, source):
            self._finish(index, lambda media: media.end(MediaState.SKIPPED, self._now()))
            return
        self._change(lambda job: _step(job.outputs[index], Event.TRANSCODING, 0, 0))
        try:
            info, images = self._produce(index, output, source)
        except (FFmpegFailed, InputProblem) as error:
            problem = (
                error.problem
                if isinstance(error, InputProblem)
                else Problem(ProblemKind.ENCODE_FAILED, f"The encoder stopped: {error}.")
            )
            self._finish(index, lambda media: media.end(MediaState.FAILED, self._now(), problem))
            return
        self._change(lambda job: _upload(job.outputs[index]))
        self._pause()
        refusal = refuse_destination(output.url)
        self._finish(index, lambda media: _deliver(media, info, images, refusal, self._now()))

    def _finish(self, index: int, end: Callable[[Media], None]) -> None:
        self._change(lambda job: end(job.outputs[index]))

    def _produce(
        self, index: int, output: Media, source: MediaInfo
    ) -> tuple[MediaInfo, list[Image]]:
        job = self._job()
        target = self._media.root / (output.path or "")
        shutil.rmtree(target.parent, ignore_errors=True)
        target.parent.mkdir(parents=True)
        if output.spec.kind == "playlist":
            text = playlist_text(job, output)
            if text is None:
                raise InputProblem(
                    ProblemKind.NO_SOURCES, "None of the playlist's sources was made."
                )
            target.write_text(text)
            return MediaInfo(size_bytes=len(text)), []
        if output.spec.kind == "copy":
            shutil.copyfile(self._input, target)
            return source, []
        length = length_s(output.spec, source, job.test)
        if length > MAX_DURATION_S:
            raise FFmpegFailed(f"the sandbox encodes up to {MAX_DURATION_S // 60} minutes")
        arguments = encode_arguments(output.spec, source, length, self._bench.speed, target)

        def hear(seconds: float) -> None:
            percent = min(100.0, 100 * seconds / length) if length else 0.0
            self._change(
                lambda job: _step(job.outputs[index], Event.TRANSCODING, percent, percent * 0.95)
            )

        self._runner.run(
            ["-protocol_whitelist", "file", *arguments(self._input)], hear, target.parent
        )
        info = inspect(target, self._runner)
        if info is None:
            raise FFmpegFailed("the output is empty")
        if output.spec.md5:
            info.md5 = md5_of(target)
        return info, take_images(self._bench, self._input, output, source, length)


def _overall(job: Job) -> float:
    """The input counts for a fifth, the outputs share the rest."""
    done = 100.0 if job.input.state == MediaState.FINISHED else job.input.progress or 0.0
    parts = [100.0 if each.is_terminal else each.progress or 0.0 for each in job.outputs]
    return round(0.2 * done + 0.8 * sum(parts) / len(parts), 4)


def _set(media: Media, state: MediaState) -> None:
    media.state = state


def _start(job: Job) -> None:
    job.state = JobState.PROCESSING
    _step(job.input, Event.DOWNLOADING, 0, 0)


def _step(media: Media, event: Event, event_progress: float, progress: float) -> None:
    media.state, media.event = MediaState.PROCESSING, event
    media.event_progress, media.progress = round(event_progress, 4), round(progress, 4)


def _fail_input(job: Job, problem: Problem, size: int | None, now: float) -> None:
    job.fail_input(problem, now)
    job.input.info.size_bytes = size


def _begin_encoding(job: Job, source: MediaInfo, now: float) -> None:
    job.input.end(MediaState.FINISHED, now)
    job.input.info = source
    for output in job.outputs:
        output.state, output.updated_at = MediaState.READY, now


def _upload(output: Media) -> None:
    output.state, output.event = MediaState.UPLOADING, Event.UPLOADING
    output.event_progress, output.progress = 0.0, 95.0


def _deliver(
    output: Media, info: MediaInfo, images: list[Image], refusal: Problem | None, now: float
) -> None:
    if refusal:
        output.end(MediaState.FAILED, now, refusal)
        return
    output.end(MediaState.FINISHED, now)
    output.info, output.images = info, images
