"""The presets: those of the system, which everybody may read, and two of each account's own."""

from dataclasses import dataclass
from typing import Any

from sandbox.jobs.model import OutputSpec

CREATED_AT_MS = 1_700_000_000_417
H264, VP8, AAC, VORBIS = (f"6500f1e7a0b1c2d3e4f5010{n}" for n in range(4))


@dataclass(frozen=True, slots=True)
class Preset:
    id: str
    name: str
    container: str
    height: int | None  # None: sound alone
    type: str = "system"

    @property
    def extension(self) -> str:
        return "m4a" if self.height is None else self.container

    def spec(self) -> OutputSpec:
        """The picture keeps its shape inside this height, and is not made larger."""
        return OutputSpec("file", self.extension, height=self.height, video=self.height is not None)

    def describe(self, user: dict[str, str]) -> dict[str, Any]:
        is_webm = self.container == "webm"
        vcodec = {
            "codec": {"id": VP8 if is_webm else H264},
            "profile": "Main",
            "passes": 1,
            "caps": {"max_height": self.height, "max_framerate": 60, "max_key_distance": 5},
        }
        acodec = {
            "codec": {"id": VORBIS if is_webm else AAC},
            "profile": "LC",
            "passes": 1,
            "caps": {"max_channels": 2, "max_samplingrate": 48_000, "max_bitrate": 160},
        }
        return {
            "name": self.name,
            "description": f"{self.container.upper()} of the sandbox, {self.height or 'sound'}",
            "type": self.type,
            "target_format": {
                "extension": self.extension,
                "container": self.container,
                "vcodec": vcodec if self.height else None,
                "acodec": acodec,
            },
            "settings": {"subtitle_policy": "ignore"},
            "user": user if self.type == "custom" else None,
            "version": 1,
            "created_at": CREATED_AT_MS,
            "updated_at": CREATED_AT_MS - 640,
        }


SYSTEM = (
    *(
        Preset(f"6500f1e7a0b1c2d3e4f50{height:03x}", f"MP4-H264-AAC-{height}p", "mp4", height)
        for height in (240, 360, 480, 720, 1080)
    ),
    Preset("6500f1e7a0b1c2d3e4f50fa1", "WEBM-VP8-VORBIS-480p", "webm", 480),
    Preset("6500f1e7a0b1c2d3e4f50fa2", "M4A-AAC", "mp4", None),
)
CUSTOM = {
    account: (
        Preset(f"6500f1e7a0b1c2d3e4f5{n}c01", "House web 360p", "mp4", 360, "custom"),
        Preset(f"6500f1e7a0b1c2d3e4f5{n}c02", "House archive 720p", "mp4", 720, "custom"),
    )
    for n, account in enumerate(("first", "second"), start=1)
}


def presets_of(account: str | None) -> tuple[Preset, ...]:
    """Without an account, only those of the system."""
    return SYSTEM + CUSTOM.get(account or "", ())


def find_preset(preset_id: str, account: str | None) -> Preset | None:
    return next((each for each in presets_of(account) if each.id == preset_id), None)
