"""Histograms of durations, small enough to keep by the thousand and quick to add up.

A bin is 8 % wider than the one below, so that any percentile that is read from them is within 4 %
of the real one. All bins are in one number, each in 32 bits of it, which makes the sum of two
histograms the sum of two numbers.
"""

import math
import struct
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

RATIO = 1.08
# beyond 700 years, so that whatever a provider reports has a bin
LAST_BIN = 400
_BITS = 32


def bin_of(milliseconds: float) -> int:
    """0 is for less than a millisecond; `Bin` is the same in SQL."""
    if milliseconds < 1:
        return 0
    return min(1 + int(math.log(milliseconds) / math.log(RATIO)), LAST_BIN)


def middle_of(number: int) -> float:
    """The duration that a bin stands for, in milliseconds."""
    return RATIO ** (number - 0.5) if number else 0.0


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many durations are in each bin."""

    lanes: int = 0

    @classmethod
    def of(cls, counts: Iterable[tuple[int, int]]) -> "Histogram":
        """From pairs of a bin and a number; a bin may come several times."""
        lanes = 0
        for number, count in counts:
            lanes += count << (_BITS * number)
        return cls(lanes)

    @classmethod
    def unpack(cls, packed: bytes | memoryview) -> "Histogram":
        return cls(read_lanes(packed))

    def pack(self) -> bytes:
        """The number of the first bin that is used, and all from there to the last one."""
        if not self.lanes:
            return b""
        first = _first_of(self.lanes)
        rest = self.lanes >> (_BITS * first)
        return struct.pack("<H", first) + rest.to_bytes((rest.bit_length() + 7) // 8, "little")

    def __add__(self, other: "Histogram") -> "Histogram":
        return Histogram(self.lanes + other.lanes)

    @property
    def count(self) -> int:
        reached = _reach(self.lanes)[1]
        return reached[-1] if reached else 0

    def percentile(self, part: float) -> int | None:
        """In milliseconds, the duration at `part` (0 to 1) of all in their order: 0.5 the median.

        Between two of them by how near each is, as usual. None where there is none.
        """
        first, reached = _reach(self.lanes)
        if not reached:
            return None
        place = part * (reached[-1] - 1)
        below = int(place)
        lower, upper = (
            middle_of(first + bisect_right(reached, rank)) for rank in (below, math.ceil(place))
        )
        return round(lower + (upper - lower) * (place - below))


def _first_of(lanes: int) -> int:
    """The first bin that is used."""
    return max((lanes & -lanes).bit_length() - 1, 0) // _BITS


# several percentiles are read of each histogram
@lru_cache(maxsize=4096)
def _reach(lanes: int) -> tuple[int, tuple[int, ...]]:
    """The first bin that is used, and how many are up to each from there to the last one."""
    first = _first_of(lanes)
    rest = lanes >> (_BITS * first)
    size = (rest.bit_length() + _BITS - 1) // _BITS
    counts = struct.unpack(f"<{size}I", rest.to_bytes(size * 4, "little"))
    return first, tuple(accumulate(counts))


def read_lanes(packed: bytes | memoryview) -> int:
    """What `Histogram.pack` wrote, as the number that its bins are in."""
    if not packed:
        return 0
    packed = bytes(packed)
    first = packed[0] | packed[1] << 8
    return int.from_bytes(packed[2:], "little") << (_BITS * first)
