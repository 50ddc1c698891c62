"""What a run came to: a row for each scenario, and the table that they are printed as."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Row:
    """`lost`: what was asked for and never happened; `doubled`: what happened once more than that.

    `wrong`: rows here that are not what the provider has, or that a person has to look after.
    `recovery_s` is from the last fault until all was right; None where it never was.
    """

    name: str
    lost: int
    doubled: int
    wrong: int
    recovery_s: float | None
    notes: str = ""

    @property
    def is_good(self) -> bool:
        return self.recovery_s is not None and not (self.lost or self.doubled or self.wrong)

    def with_note(self, note: str) -> "Row":
        return replace(self, notes=f"{self.notes}; {note}" if self.notes else note)


@dataclass(frozen=True, slots=True)
class Comparison:
    lost: int
    doubled: int


def compare(expected: Iterable[str], found: Counter[str]) -> Comparison:
    """Count what was expected once each and is not there, and what is there too often.

    What nobody expected counts as doubled.
    """
    wanted = Counter(expected)
    return Comparison((wanted - found).total(), (found - wanted).total())


NAME_WIDTH = 22
HEADER = f"""\
| {"scenario":{NAME_WIDTH}} | lost | doubled | wrong at the end | seconds to recover | seen |
|{"-" * (NAME_WIDTH + 2)}|-----:|--------:|-----------------:|-------------------:|------|"""


def format_row(row: Row) -> str:
    """A line of the table below HEADER: Markdown, as docs/faults.md has it."""
    recovery = "never" if row.recovery_s is None else f"{row.recovery_s:.0f}"
    return (
        f"| {row.name:{NAME_WIDTH}} | {row.lost:4} | {row.doubled:7} | {row.wrong:16} |"
        f" {recovery:>18} | {row.notes} |"
    )
