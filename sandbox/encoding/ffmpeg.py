"""Running FFmpeg, which the imageio-ffmpeg wheel brings."""

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

LAUNCHER = str(Path(__file__).with_name("launcher.py"))
RUN_LIMIT_S = 600


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


def md5_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _collect(process: subprocess.Popen[str], said: list[str]) -> None:
    for line in process.stderr or ():
        if len(said) < 2000:
            said.append(line)


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
