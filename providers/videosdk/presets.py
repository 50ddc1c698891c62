"""What a job asks for: formats and resolutions, in the one spelling that we compare.

Presets belong to a job and get fresh ids with each, so ours is made from what they say.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from providers.core.types import RemotePreset
from providers.parsing.values import read_dict, read_id, read_list, read_text

# Its lists leave 480 out, its own samples use it.
RESOLUTIONS: Mapping[int, str] = {
    240: "240",
    360: "360",
    480: "480",
    720: "720",
    1080: "1080",
    2160: "4k",
}
HLS = "hls"
WORD_LENGTH = 40

_HEIGHTS = {word: height for height, word in RESOLUTIONS.items()}
_NUMBER = re.compile(r"(\d{1,5})p?", re.ASCII)


@dataclass(frozen=True, slots=True)
class AskedPreset:
    """One preset of a job. `job_preset_id` is the provider's, of this job alone."""

    job_preset_id: str
    format: str
    resolutions: tuple[str, ...]

    @property
    def stable_id(self) -> str:
        """The same for presets that ask for the same: `hls:240,360,480`."""
        return f"{self.format}:{','.join(self.resolutions)}"

    @property
    def as_remote(self) -> RemotePreset:
        words = ", ".join(read_label(word) for word in self.resolutions)
        return RemotePreset(
            remote_id=self.stable_id,
            name=f"{self.format.upper()} {words}".strip(),
            kind=self.format,
            settings={"format": self.format, "resolutions": list(self.resolutions)},
        )


def read_presets(body: Mapping[str, Any]) -> Iterator[AskedPreset]:
    """Yield the presets of a job, or of the body of its creation. What is none is left out."""
    for index, item in enumerate(read_list(body.get("presets"))):
        part = read_dict(item)
        form = (read_text(part.get("format"), WORD_LENGTH) or "").lower()
        words = {
            fold_resolution(word)
            for told in read_list(part.get("resolutions"))
            if (word := read_text(told, WORD_LENGTH))
        }
        if form:
            job_preset_id = read_id(part.get("id")) or f"preset-{index}"
            yield AskedPreset(job_preset_id, form, tuple(sorted(words, key=_rank)))


def fold_resolution(word: str) -> str:
    """Spell a resolution as in RESOLUTIONS: `360p` is 360, `4K` and 2160 are 4k."""
    word = word.strip().lower()
    number = _NUMBER.fullmatch(word)
    return RESOLUTIONS.get(int(number[1]), number[1]) if number else word


def read_label(resolution: str) -> str:
    """Name a resolution the way a file's label does: `360p`, and 4k is `2160p`."""
    height = _HEIGHTS.get(resolution)
    if height is None and not resolution.isdecimal():
        return resolution
    return f"{height or resolution}p"


def _rank(word: str) -> tuple[int, str]:
    """Lowest first, words that are no number last."""
    height = _HEIGHTS.get(word)
    if height is None and word.isdecimal():
        height = int(word)
    return (1_000_000 if height is None else height), word
