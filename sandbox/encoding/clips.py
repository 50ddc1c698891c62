"""Test clips that the sandbox makes for itself when they are first asked for."""

import logging
import random
import threading
from collections.abc import Callable
from pathlib import Path

from sandbox.encoding.ffmpeg import FFmpegFailed, Runner, Stopped

logger = logging.getLogger("sandbox.encoding.clips")

MISSING = "missing.mp4"
DENIED = "forbidden.mp4"
UNANSWERED = "unanswered.mp4"

DESCRIPTIONS = {
    "good.mp4": "20 s of moving picture with a tone, 640x360",
    "portrait.mp4": "8 s, upright, 360x640",
    "no-audio.mp4": "8 s without sound",
    "audio-only.m4a": "8 s of a tone, no picture",
    "corrupt.mp4": "a true header, then noise",
    "truncated.mp4": "the first half of a good file",
    "notes.txt": "a text file",
    "page.html": "a web page",
    MISSING: "answers 404",
    DENIED: "answers 403",
    UNANSWERED: "does not answer in time",
}


class Clips:
    """Makes each clip once, on first use; others wait for it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._runner = Runner()
        self._lock = threading.Lock()
        self._makers: dict[str, Callable[[Path], None]] = {
            "good.mp4": lambda path: self._film(path, "640x360", 20),
            "portrait.mp4": lambda path: self._film(path, "360x640", 8),
            "no-audio.mp4": lambda path: self._film(path, "640x360", 8, sound=False),
            "audio-only.m4a": self._tone,
            "corrupt.mp4": self._corrupt,
            "truncated.mp4": self._truncated,
            "notes.txt": lambda path: _write(path, b"Shot list: harbour, ferry, rain.\n" * 40),
            "page.html": lambda path: _write(path, b"<!doctype html><title>Moved</title>Gone.\n"),
            "sample.jpg": self._frame,
            "sample.png": self._frame,
            "sample.webp": self._frame,
        }

    def ensure(self, name: str) -> None:
        """Make the clip of this name unless it is there (or is none of ours)."""
        maker = self._makers.get(name)
        path = self._folder / name
        if maker is None or path.exists():
            return
        with self._lock:
            self._make(name, maker)

    def substitute(self, suffix: str) -> Path | None:
        """A real file in place of one that a clock-moved job only claims to have made."""
        if suffix not in (".mp4", ".jpg", ".png", ".webp"):
            return None
        name = "good.mp4" if suffix == ".mp4" else f"sample{suffix}"
        self.ensure(name)
        return self._folder / name

    def stop(self) -> None:
        self._runner.kill()

    def _make(self, name: str, maker: Callable[[Path], None]) -> Path:
        path = self._folder / name
        if path.exists():
            return path
        # Written aside and renamed: a kill in the middle must not leave half a clip.
        unfinished = path.with_name(f".new-{name}")
        try:
            maker(unfinished)
            unfinished.rename(path)
        except (FFmpegFailed, Stopped) as error:
            logger.warning("the clip %s could not be made: %s", name, error)
        return path

    def _film(self, path: Path, size: str, seconds: int, sound: bool = True) -> None:
        tone = ["-f", "lavfi", "-i", f"sine=frequency=440:sample_rate=48000:duration={seconds}"]
        self._runner.run(
            ["-f", "lavfi", "-i", f"testsrc2=size={size}:rate=30:duration={seconds}"]
            + (tone if sound else [])
            + ["-threads", "1", "-c:v", "libx264", "-preset", "ultrafast", "-b:v", "900k"]
            + ["-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "96k", str(path)]
        )

    def _tone(self, path: Path) -> None:
        self._runner.run(
            ["-f", "lavfi", "-i", "sine=frequency=330:sample_rate=44100:duration=8"]
            + ["-c:a", "aac", "-b:a", "96k", str(path)]
        )

    def _frame(self, path: Path) -> None:
        good = self._make("good.mp4", self._makers["good.mp4"])
        self._runner.run(
            ["-ss", "7", "-i", str(good), "-frames:v", "1", "-vf", "scale=320:-2"]
            + ["-update", "1", str(path)]
        )

    def _corrupt(self, path: Path) -> None:
        header = b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41" + b"\0\0\0\x08free"
        _write(path, header + random.Random(7).randbytes(200_000))  # noqa: S311 (must be the same each time)

    def _truncated(self, path: Path) -> None:
        good = self._make("good.mp4", self._makers["good.mp4"]).read_bytes()
        _write(path, good[: len(good) // 2])


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)
