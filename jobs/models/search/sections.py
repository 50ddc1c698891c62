"""The sections of a search text, by which a key such as `label:` looks at its own part alone.

A section is its mark, and each entry between two ends of lines, so that a pattern that begins or
ends with one is found where an entry begins or ends. An empty section is its mark alone.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

END = "\n"

# What a text ends with where not all of the outputs, or not all of the images, were put into it
CUT_MEDIA = "\x0f\x0f\x0f"
CUT_IMAGES = "\x10\x10\x10"


class Section(StrEnum):
    """By their marks, in order: control characters, which normalized text has none of.

    REST is what no key asks for; what is before NAME belongs to none as well.
    """

    NAME = "\x03"
    CODE = "\x04"
    FILE = "\x05"
    METADATA = "\x06"
    LABEL = "\x07"
    OUTPUT = "\x08"
    REST = "\x0e"

    @property
    def following(self) -> "Section":
        """The section where this one ends; REST has none."""
        sections = list(Section)
        return sections[sections.index(self) + 1]


@dataclass(frozen=True, slots=True)
class Term:
    """Normalized text that a search text contains, anywhere or in one of its sections.

    It may begin or end with END.
    """

    text: str
    section: Section | None = None


def join_sections(
    start: str, entries: Mapping[Section | None, Collection[str]], cut: str = ""
) -> str:
    """The text of a row: `start`, the entries of no section, all sections, and what was cut."""
    parts = [f"{start}{END}", *(f"{entry}{END}" for entry in entries.get(None, ()))]
    for section in Section:
        own = entries.get(section, ())
        parts += [section, END if own else "", *(f"{entry}{END}" for entry in own)]
    # two characters more, so that the last ones begin a trigram like all others
    return "".join((*parts, cut, END, END))
