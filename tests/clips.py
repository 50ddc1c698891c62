"""A source file for the sandbox, shorter than the ones that it makes for itself."""

import subprocess
from pathlib import Path

from sandbox.encoding.ffmpeg import executable


def make_clip(path: Path, seconds: int) -> None:
    path.parent.mkdir(parents=True)
    picture, tone = f"testsrc2=size=640x360:rate=30:duration={seconds}", f"sine=duration={seconds}"
    command = [executable(), "-v", "error", "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", tone]
    subprocess.run([*command, "-preset", "ultrafast", "-pix_fmt", "yuv420p", path], check=True)
