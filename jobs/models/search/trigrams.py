"""Three characters in a row, as numbers: what the index on PostgreSQL finds text by.

Made here and not by an extension of the database, which would look at letters and digits alone,
find none in scripts that the database's locale does not know, and none for words of two characters.
"""

from collections.abc import Iterable
from dataclasses import dataclass

# A number is made of a pair of characters and the character after it. The latter has so few
# values that a pair alone is searched for by all of its numbers.
THIRDS = 128
_PAIRS = 2**25
_OFFSET = 2**31
# More say little about a long text, and each costs the index a list to be read.
MAX_SOUGHT = 16

# What marks the organization of a text. No term contains it.
MARK = "\x02"


def mark_organization(organization_id: int) -> str:
    """A trigram that all texts of an organization begin with, and few others.

    So a term that is common with others is found, or missed, without their texts.
    """
    # two planes of characters that normalized text has none of
    return f"{MARK}{chr(0xF0000 + organization_id % 0x1FFFE)}{MARK}"


def trigrams_of(text: str) -> set[int]:
    """Of all of `text`; and of each single character that says anything."""
    codes = list(map(ord, text))
    found = {
        # as in _number, whose calls would double what it takes
        (first * 8191 + second) % _PAIRS * THIRDS + third % THIRDS - _OFFSET
        for first, second, third in zip(codes, codes[1:], codes[2:], strict=False)
    }
    return found | {_single(char) for char in set(text) if not is_too_common(char)}


@dataclass(frozen=True, slots=True)
class Sought:
    """What the text of a job contains that contains a term: all of these, and one of those."""

    all: frozenset[int] = frozenset()
    any: frozenset[int] = frozenset()


def trigrams_for(term: str) -> Sought:
    """What to search the index for; nothing where `is_too_common`."""
    if len(term) > 2:
        return Sought(all=frozenset(_number(*map(ord, three)) for three in pick_trigrams(term)))
    if len(term) == 2:
        pair = _number(ord(term[0]), ord(term[1]), 0)
        return Sought(any=frozenset(range(pair, pair + THIRDS)))
    return Sought() if is_too_common(term) else Sought(all=frozenset({_single(term)}))


def pick_trigrams(term: str) -> list[str]:
    """At most MAX_SOUGHT of those in `term`, evenly spread."""
    count = len(term) - 2
    places: Iterable[int] = range(count)
    if count > MAX_SOUGHT:
        places = (index * (count - 1) // (MAX_SOUGHT - 1) for index in range(MAX_SOUGHT))
    return list(dict.fromkeys(term[at : at + 3] for at in places))


def is_too_common(term: str) -> bool:
    """Whether it is what nearly every text has: nothing, a letter or digit of ASCII, an END."""
    return not term or (len(term) == 1 and (term < " " or (term.isascii() and term.isalnum())))


def _number(first: int, second: int, third: int) -> int:
    return (first * 8191 + second) % _PAIRS * THIRDS + third % THIRDS - _OFFSET


def _single(char: str) -> int:
    return _number(ord(char), 0, 0)
