"""What a job asks for: formats and resolutions, in the one spelling that we compare.

Presets belong to a job and get fresh ids with each, so ours is made from what they say.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from providers.core.types import RemotePreset
from providers.parsing.payloads import Body
from providers.parsing.values import read_text

# Its lists leave 480 out, its own samples use it.
RESOLUTIONS = {240: "240", 360: "360", 480: "480", 720: "720", 1080: "1080", 2160: "4k"}

_HEIGHTS = {label: height for height, label in RESOLUTIONS.items()}
_NUMBER = re.compile(r"(\d{1,5})p?", re.ASCII)


@dataclass(frozen=True, slots=True)
class JobPreset:
    """One preset of a job. `id` is the provider's, of this job alone."""

    id: str
    format: str
    resolutions: tuple[str, ...]

    @property
    def as_remote(self) -> RemotePreset:
        """The same for presets that ask for the same: `hls:240,360,480`."""
        labels = ", ".join(map(read_label, self.resolutions))
        return RemotePreset(
            remote_id=f"{self.format}:{','.join(self.resolutions)}",
            name=f"{self.format.upper()} {labels}".strip(),
            kind=self.format,
            settings={"format": self.format, "resolutions": list(self.resolutions)},
        )


def read_presets(body: Body) -> Iterator[JobPreset]:
    """Yield the presets of a job, or of the body of its creation."""
    for preset in body.items("presets"):
        texts = map(read_text, preset.values("resolutions"))
        resolutions = {_normalize_resolution(text) for text in texts if text}
        if form := preset.text("format"):
            ordered = tuple(sorted(resolutions, key=_rank))
            yield JobPreset(preset.id("id") or f"preset-{preset.index}", form.lower(), ordered)


def read_label(resolution: str) -> str:
    """Name a resolution the way a file's label does: `360p`, and 4k is `2160p`."""
    height = _HEIGHTS.get(resolution, resolution)
    return f"{height}p" if str(height).isdecimal() else resolution


def _normalize_resolution(text: str) -> str:
    """Spell a resolution as in RESOLUTIONS: `360p` is 360, `4K` and 2160 are 4k."""
    number = _NUMBER.fullmatch(text.lower())
    return RESOLUTIONS.get(int(number[1]), number[1]) if number else text.lower()


def _rank(resolution: str) -> tuple[int, str]:
    """Lowest first, those without a number last."""
    height = _HEIGHTS.get(resolution, resolution)
    return (int(height) if str(height).isdecimal() else 1_000_000), resolution
