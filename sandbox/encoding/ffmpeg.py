"""Running FFmpeg (the imageio-ffmpeg wheel brings it, without ffprobe) and reading its output."""

import hashlib
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from sandbox.jobs.model import MediaInfo

LAUNCHER = str(Path(__file__).with_name("launcher.py"))
RUN_LIMIT_S = 600
STILL_FORMATS = ("image2", "_pipe", "gif")
# FFmpeg's demuxer names, as the providers call the containers.
FORMATS = {
    "mov": "mpeg4",
    "matroska": "webm",
    "mpegts": "mpeg-ts",
    "hls": "mpeg-ts",
    "ogg": "ogg",
    "mp3": "mpeg audio",
    "aac": "aac",
    "wav": "wav",
    "flv": "flash video",
    "avi": "avi",
    "asf": "windows media",
}

DURATION = re.compile(r"Duration: (\d+):(\d+):(\d+(?:\.\d+)?).*?(?:bitrate: (\d+) kb/s)?$", re.M)
DEMUXER = re.compile(r"^Input #0, (\S+?),? from ", re.M)
VIDEO = re.compile(r"^\s*Stream #0:\d+.*?: Video: (\w+)(.*)$", re.M)
AUDIO = re.compile(r"^\s*Stream #0:\d+.*?: Audio: (\w+)(.*)$", re.M)
CHANNELS = {"mono": 1, "stereo": 2, "5.1": 6, "7.1": 8}


class FFmpegFailed(Exception):
    """FFmpeg could not do it; the text is the last thing it said."""


class Stopped(Exception):
    """The job was cancelled, or the sandbox stops."""


@cache
def executable() -> str:
    """Raises FFmpegFailed where requirements-demo.txt is not installed."""
    try:
        import imageio_ffmpeg
    except ImportError as error:
        raise FFmpegFailed("FFmpeg is not installed") from error
    return str(imageio_ffmpeg.get_ffmpeg_exe())


class Runner:
    """Runs one FFmpeg at a time for its owner; `kill` from any thread ends it at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._killed = False

    def kill(self) -> None:
        with self._lock:
            self._killed = True
            if self._process:
                self._process.kill()

    def revive(self) -> None:
        """After a kill, allow runs again."""
        with self._lock:
            self._killed = False

    def run(
        self,
        arguments: Sequence[str],
        on_time: Callable[[float], None] = lambda seconds: None,
        folder: Path | None = None,
    ) -> str:
        """Returns what FFmpeg said; `on_time` hears how many seconds are written so far.

        It runs in `folder`, for names that are relative to that.

        Raises FFmpegFailed when it ends with an error (its `progress=end` line says nothing:
        it comes on a failure too), Stopped when killed.
        """
        process = self._start(
            ["-hide_banner", "-nostdin", "-y", "-nostats", "-progress", "pipe:1"]
            + ["-stats_period", "0.2", *arguments],
            folder,
        )
        said: list[str] = []
        listener = threading.Thread(target=_collect, args=(process, said), daemon=True)
        watchdog = threading.Timer(RUN_LIMIT_S, process.kill)
        watchdog.daemon = True
        listener.start()
        watchdog.start()
        try:
            for line in process.stdout or ():
                name, _, value = line.strip().partition("=")
                if name == "out_time_us" and value.lstrip("-").isdigit():
                    on_time(max(0, int(value)) / 1_000_000)
            code = process.wait()
        finally:
            watchdog.cancel()
            process.kill()
            process.wait()
            listener.join()
            for pipe in (process.stdout, process.stderr):
                if pipe:
                    pipe.close()
            with self._lock:
                killed, self._process = self._killed, None
        if killed:
            raise Stopped
        text = "".join(said)
        if code != 0:
            raise FFmpegFailed(_last_message(text))
        return text

    def _start(self, arguments: Sequence[str], folder: Path | None) -> subprocess.Popen[str]:
        with self._lock:
            if self._killed:
                raise Stopped
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", LAUNCHER, str(os.getpid())]
                + [executable(), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                cwd=folder,
            )
            return self._process


def inspect(path: Path, runner: Runner) -> MediaInfo | None:
    """Facts of a media file; None when FFmpeg finds no sound and no moving picture in it.

    Raises FFmpegFailed when it can't be opened at all.
    """
    text = runner.run(
        ["-protocol_whitelist", "file", "-i", path.name, "-t", "0", "-f", "null", "-"],
        folder=path.parent,
    )
    info = parse_report(text)
    demuxer = _first(DEMUXER, text)
    if demuxer.endswith(STILL_FORMATS) or not (info.video_codec or info.audio_codec):
        return None
    info.size_bytes = path.stat().st_size
    if path.suffix == ".m3u8":
        info.size_bytes += sum(part.stat().st_size for part in path.parent.glob("*.ts"))
    elif path.suffix in (".mp4", ".m4v", ".mov"):
        info.rfc6381_video = _avc_codec(path)
    info.rfc6381_audio = "mp4a.40.2" if info.audio_codec == "aac" else None
    _fill_bitrates(info)
    return info


def parse_report(text: str) -> MediaInfo:
    """What FFmpeg prints about its first input."""
    report = text.split("Output #0")[0].split("Stream mapping:")[0]
    info = MediaInfo()
    demuxer = _first(DEMUXER, report)
    info.format = next((FORMATS[each] for each in demuxer.split(",") if each in FORMATS), None)
    if match := DURATION.search(report):
        hours, minutes, seconds = int(match[1]), int(match[2]), float(match[3])
        info.duration_ms = round((hours * 3600 + minutes * 60 + seconds) * 1000)
        info.total_bitrate_kbps = int(match[4]) if match[4] else None
    if match := VIDEO.search(report):
        info.video_codec, rest = match[1], match[2]
        if size := re.search(r", (\d{2,5})x(\d{2,5})", rest):
            info.width, info.height = int(size[1]), int(size[2])
        if rate := re.search(r", ([\d.]+) fps", rest):
            info.frame_rate = float(rate[1])
        if bitrate := re.search(r", (\d+) kb/s", rest):
            info.video_bitrate_kbps = int(bitrate[1])
    if match := AUDIO.search(report):
        info.audio_codec, rest = match[1], match[2]
        if rate := re.search(r", (\d+) Hz, ([\w.]+)", rest):
            info.audio_sample_rate = int(rate[1])
            info.channels = CHANNELS.get(rate[2].split("(")[0])
        if bitrate := re.search(r", (\d+) kb/s", rest):
            info.audio_bitrate_kbps = int(bitrate[1])
    return info


def md5_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _fill_bitrates(info: MediaInfo) -> None:
    """MPEG-TS and WebM streams have none: compute them from the size."""
    if info.duration_ms and info.size_bytes:
        info.total_bitrate_kbps = round(info.size_bytes * 8 / info.duration_ms)
    if info.video_codec and info.video_bitrate_kbps is None and info.total_bitrate_kbps:
        info.video_bitrate_kbps = max(0, info.total_bitrate_kbps - (info.audio_bitrate_kbps or 0))


def _avc_codec(path: Path) -> str | None:
    """The RFC 6381 name, from the configuration box that each H.264 MP4 has near its start."""
    with path.open("rb") as file:
        head = file.read(1_000_000)
    at = head.find(b"avcC")
    return f"avc1.{head[at + 5 : at + 8].hex()}" if at >= 0 else None


def _collect(process: subprocess.Popen[str], said: list[str]) -> None:
    for line in process.stderr or ():
        if len(said) < 2000:
            said.append(line)


def _first(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return match[1] if match else ""


def _last_message(text: str) -> str:
    lines = [line for line in text.splitlines() if line and "Conversion failed" not in line]
    message = re.sub(r"^\[[^\]]*\]\s*", "", lines[-1]) if lines else "FFmpeg said nothing"
    return message[:300]


def wait_politely(seconds: float, stopping: Callable[[], bool]) -> None:
    """Pause, but raise Stopped as soon as `stopping` says so."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if stopping():
            raise Stopped
        time.sleep(0.05)
