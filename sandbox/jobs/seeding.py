"""A believable past, and jobs that keep moving, for a board that should not be empty."""

import random
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from urllib.parse import quote

from sandbox.clock import Clock
from sandbox.jobs.model import (
    ImageSet,
    Job,
    JobState,
    Media,
    MediaInfo,
    Mode,
    Origin,
    OutputSpec,
    Problem,
    Script,
)
from sandbox.jobs.seed_names import FOLDERS, NAMES, ODD_INPUTS
from sandbox.jobs.simulation import advance
from sandbox.jobs.store import Store

HISTORY_DAYS = 58  # all of it inside the providers' 60
QUIET_S = 3 * 3600  # longer than any job takes: all of the past has ended
LINK_LIFE_S = 86_400
FINISHED, FAILED, CANCELLED = 0.88, 0.08, 0.025  # the rest has outputs that were skipped
KEPT_TRICKLED = 500

# (width, height, frame rate, codec, sound, kbit/s) of what comes in.
SOURCES = (
    (1920, 1080, 25.0, "h264", "aac", 8_000),
    (1920, 1080, 29.97, "prores", "pcm_s16le", 120_000),
    (3840, 2160, 50.0, "hevc", "aac", 24_000),
    (1280, 720, 30.0, "h264", "aac", 3_500),
    (1080, 1920, 30.0, "h264", "aac", 6_000),
    (720, 576, 25.0, "mpeg2video", "mp2", 6_500),
    (1920, 1080, 59.94, "vp9", "opus", 5_000),
    (640, 480, 23.98, "mpeg4", "mp3", 1_200),
)


class History:
    """Makes ended jobs of one account, oldest first. The same seed makes the same jobs (but for
    the times, which count back from `now`)."""

    def __init__(
        self,
        provider: str,
        account: str,
        problems: Sequence[tuple[str, str, str | None]],
        seed: int,
    ) -> None:
        """`problems` are (input or output, the provider's own class, message)."""
        self.provider, self._account = provider, account
        self._on_input = [Problem(c, m) for where, c, m in problems if where == "input"]
        self._on_output = [Problem(c, m) for where, c, m in problems if where == "output"]
        self._random = random.Random(f"history:{provider}:{account}:{seed}")  # noqa: S311 (repeatable)

    def jobs(self, count: int, now: float, *, all_well: bool = False) -> Iterator[Job]:
        """`all_well`: nothing failed, was cancelled or left out."""
        rng = self._random
        latest = now - QUIET_S
        starts = [latest - rng.random() * HISTORY_DAYS * 86_400 for _ in range(count)]
        starts = sorted(_by_day(rng, at, latest) for at in starts)
        bad_days = {rng.randrange(HISTORY_DAYS): rng.choice(self._on_output) for _ in range(2)}
        odd = dict(zip(_spread(count, len(ODD_INPUTS)), ODD_INPUTS, strict=False))
        for index, at in enumerate(starts):
            outage = bad_days.get(int((now - at) / 86_400))
            fate = 0.0 if all_well else rng.random()
            yield self._ended(index, at, odd.get(index), None if all_well else outage, fate)

    def moving(self, now: float, phase: float = 0) -> Job:
        """A job that waits and then runs for a minute or two; `phase` of 1 is its end."""
        rng = self._random
        job = self._job(rng.randrange(10_000), now, None)
        job.origin = Origin.TRICKLE
        script = self._script(job, rng)
        job.script = replace(
            script,
            wait_s=rng.uniform(4, 20),
            input_s=rng.uniform(4, 12),
            encode_s=rng.uniform(30, 110),
        )
        if rng.random() < 0.15:
            job.script.output_problems = {"0": rng.choice(self._on_output)}
        total = job.script.wait_s + job.script.input_s + job.script.encode_s
        job.created_at = job.submitted_at = now - phase * total
        for media in (job.input, *job.outputs):
            media.created_at = job.created_at
        job.script.elapsed_s = phase * total
        return job

    def unknown(self, now: float) -> Job:
        """A job in a state that the documents don't know."""
        job = self._job(1, now - 3600, None)
        job.reported_state = "quarantined"
        job.script = None
        job.end(JobState.CANCELLED, now - 3600)
        return job

    def _ended(
        self,
        index: int,
        created_at: float,
        odd_input: str | None,
        outage: Problem | None,
        fate: float,
    ) -> Job:
        """`outage` is what goes wrong with much that was sent on that day; `fate`: 0 to 1."""
        rng = self._random
        job = self._job(index, created_at, odd_input)
        script = job.script = self._script(job, rng)
        total = script.wait_s + script.input_s + script.encode_s
        if outage and rng.random() < 0.4:
            fate, script.output_problems = 0.0, {"0": outage}
        if fate >= FINISHED + FAILED + CANCELLED and len(job.outputs) > 1:
            script.skipped = [0]
        elif FINISHED <= fate < FINISHED + FAILED:
            self._spoil(job, script, rng)
        if FINISHED + FAILED <= fate < FINISHED + FAILED + CANCELLED:
            seconds = rng.uniform(0, total)
            advance(job, seconds, created_at + seconds)
            if job.is_active:
                job.cancel(created_at + seconds + 1)
        else:
            self._live_through(job, script, created_at)
        job.script = None
        return job

    def _live_through(self, job: Job, script: Script, created_at: float) -> None:
        """In steps, so that each part carries the time at which it ended."""
        steps = [script.wait_s + script.input_s]
        steps += [script.encode_s / len(job.outputs)] * len(job.outputs) + [1.0]
        at = created_at
        for seconds in steps:
            at += seconds
            if job.is_active:
                advance(job, seconds, at)

    def _spoil(self, job: Job, script: Script, rng: random.Random) -> None:
        if rng.random() < 0.6:
            script.input_problem = rng.choice(self._on_input)
            return
        spoilt = rng.sample(range(len(job.outputs)), rng.randint(1, max(1, len(job.outputs) - 1)))
        script.output_problems = {str(index): rng.choice(self._on_output) for index in spoilt}

    def _job(self, index: int, created_at: float, odd_input: str | None) -> Job:
        rng = self._random
        token = f"{rng.getrandbits(192):048x}"
        url = odd_input or self._input_url(index, rng)
        stem = quote(url.split("?")[0].rsplit("/", 1)[-1].rsplit(".", 1)[0][:40])
        outputs = _packages(rng, stem, token)
        for media in outputs:
            media.created_at = media.updated_at = created_at
        return Job(
            provider=self.provider,
            account=self._account,
            token=token,
            input=Media(state="queued", url=url, created_at=created_at, updated_at=created_at),
            outputs=outputs,
            mode=Mode.CLOCK,
            origin=Origin.HISTORY,
            metadata=_metadata(rng, index),
            grouping=rng.choice((None, "news", "sport", "library")),
            test=rng.random() < 0.04,
            created_at=created_at,
            submitted_at=created_at,
            updated_at=created_at,
            expires_at=created_at + LINK_LIFE_S,
        )

    def _input_url(self, index: int, rng: random.Random) -> str:
        name = f"{rng.choice(NAMES)}-{index:05}.{rng.choice(('mov', 'mp4', 'mxf', 'mkv'))}"
        path = f"{rng.choice(FOLDERS)}/{name}"
        kind = rng.random()
        if kind < 0.55:
            return f"s3://ingest-studio/{path}"
        if kind < 0.8:
            return f"https://media.example.com/{path}"
        if kind < 0.9:
            signature = f"{rng.getrandbits(256):064x}"
            return (
                f"https://ingest-studio.s3.eu-west-1.amazonaws.com/{path}?X-Amz-Algorithm="
                "AWS4-HMAC-SHA256&X-Amz-Credential=AKIAEXAMPLESANDBOX%2Feu-west-1%2Fs3"
                f"&X-Amz-Expires=3600&X-Amz-Signature={signature}"
            )
        return f"ftp://studio:pw-{rng.getrandbits(40):010x}@ftp.example.com/{path}"

    def _script(self, job: Job, rng: random.Random) -> Script:
        width, height, rate, codec, sound, kbps = rng.choice(SOURCES)
        seconds = min(5400.0, rng.lognormvariate(4.6, 1.1) + 4)
        info = MediaInfo(
            format="mpeg4",
            duration_ms=round(seconds * 1000),
            frame_rate=rate,
            width=width,
            height=height,
            video_codec=codec,
            audio_codec=sound,
            audio_sample_rate=48_000,
            channels=2,
            audio_bitrate_kbps=192,
            video_bitrate_kbps=kbps,
            total_bitrate_kbps=kbps + 192,
            size_bytes=round((kbps + 192) * 125 * seconds),
            md5=f"{rng.getrandbits(128):032x}",
        )
        work = seconds * rng.uniform(0.3, 1.1) * len(job.outputs) / 3
        return Script(
            wait_s=rng.expovariate(1 / 25) + 1,
            input_s=seconds * 0.05 + 2,
            encode_s=min(5000.0, work + 5),
            input_info=info,
        )


class Trickle(threading.Thread):
    """Submits one moving job after another, while fewer than `at_most` are under way."""

    def __init__(
        self, store: Store, history: History, clock: Clock, every_s: float, at_most: int
    ) -> None:
        super().__init__(name="trickle", daemon=True)
        self._store, self._history, self._clock = store, history, clock
        self._every_s, self._at_most = every_s, at_most
        self._stopping = threading.Event()

    def stop(self) -> None:
        self._stopping.set()

    def run(self) -> None:
        while not self._stopping.wait(self._every_s):
            active = self._store.active(Mode.CLOCK)
            mine = [job for job in active if job.provider == self._history.provider]
            if sum(job.origin == Origin.TRICKLE for job in mine) < self._at_most:
                self._store.add([self._history.moving(self._clock.now())])
                self._store.prune(0, KEPT_TRICKLED)


def _packages(rng: random.Random, stem: str, token: str) -> list[Media]:
    """The outputs of one job: an HLS ladder in a bucket, or files there or with the provider."""
    images = [ImageSet("poster", number=rng.choice((1, 3, 5)), format="jpg", width=320)]
    hosted = False
    if rng.random() < 0.45:
        heights: tuple[int, ...] = rng.choice(((240, 360, 720), (360, 720), (360, 720, 1080)))
        specs = [(f"hls-{h}", "index.m3u8", OutputSpec("hls", "ts", height=h)) for h in heights]
        streams = [{"source": label, "path": f"{label}.m3u8"} for label, _, _ in specs]
        specs.append(("hls", "master.m3u8", OutputSpec("playlist", "ts", streams=streams)))
        specs[0][2].image_sets = images
    else:
        heights = rng.choice(((360, 720), (720,), (360, 720, 1080), (480,)))
        specs = [(f"mp4-{h}", f"{h}p.mp4", OutputSpec("file", "mp4", height=h)) for h in heights]
        specs[0][2].image_sets = images if rng.random() < 0.7 else []
        if rng.random() < 0.15:
            specs.append(("audio", "audio.m4a", OutputSpec("file", "m4a", video=False)))
        hosted = rng.random() < 0.3
    return [
        Media(
            label=label,
            url=None
            if hosted
            else f"http://delivery-studio.s3.amazonaws.com/{stem}/{label}/{name}",
            path=f"out/{token}/{index}-{label}/{name}",
            spec=spec,
        )
        for index, (label, name, spec) in enumerate(specs)
    ]


def _metadata(rng: random.Random, index: int) -> str | None:
    kind = rng.random()
    if kind < 0.4:
        return None
    if kind < 0.7:
        return f"asset-{index:06}"
    if kind < 0.95:
        return f'{{"asset": {index}, "desk": "{rng.choice(("news", "sport", "archive"))}"}}'
    return "Réf. n° 42 – à vérifier"


def _by_day(rng: random.Random, at: float, now: float) -> float:
    """Most work comes in by day: much of what falls into the night comes half a day later."""
    hour = at / 3600 % 24
    at_night = hour < 6 or hour > 20
    return at + 11 * 3600 if at_night and rng.random() < 0.6 and now - at > 86_400 else at


def _spread(count: int, number: int) -> list[int]:
    """Positions of the odd ones: spread over the newest part of the history, one each."""
    step = max(1, min(7, count // max(1, number)))
    return [count - 1 - step * index for index in range(number) if step * index < count]
