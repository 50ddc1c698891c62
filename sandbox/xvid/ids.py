"""Ids of 24 hexadecimal digits, as Xvid has them, over the numbers of the core."""

import re
from dataclasses import dataclass
from enum import IntEnum

_ID = re.compile(r"[0-9a-f]{8}([0-9a-f])([0-9a-f]{2})([0-9a-f]{13})")


class Kind(IntEnum):
    """What an id names. Archives and images have the number of the output they belong to."""

    JOB = 1
    INPUT = 2
    OUTPUT = 3
    ARCHIVE = 4
    IMAGE = 5


@dataclass(frozen=True, slots=True)
class Name:
    kind: Kind
    number: int
    index: int = 0  # which of the output's images


def write_id(name: Name, created_at: float) -> str:
    """The time comes first, as in the ids of MongoDB."""
    return f"{int(created_at):08x}{name.kind:x}{name.index:02x}{name.number:013x}"


def read_id(text: str) -> Name | None:
    match = _ID.fullmatch(text)
    if match is None or int(match[1], 16) not in set(Kind):
        return None
    return Name(Kind(int(match[1], 16)), int(match[3], 16), int(match[2], 16))
