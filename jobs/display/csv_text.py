"""CSV that a spreadsheet shows as text, whatever somebody wrote into a name."""

import csv
import json
from collections.abc import Iterable, Iterator
from typing import Any

# A cell that begins so is carried out as a formula, in East Asian settings in full width too
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


class _Echo:
    def write(self, text: str) -> str:
        return text


def write_csv(rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """The lines, one by one. JSON objects and lists are written as JSON."""
    writer = csv.writer(_Echo())
    for row in rows:
        yield writer.writerow([_cell(value) for value in row])


def as_typed(cell: str) -> str:
    """What somebody typed into a cell that `write_csv` wrote."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell


def _cell(value: Any) -> str:
    if value is None or value == {}:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    # a surrogate is none of UTF-8
    text = text.encode(errors="replace").decode()
    return f"'{text}" if text.startswith(_FORMULA) else text
