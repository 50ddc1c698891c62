"""Reading the inputs of a batch as people give them: a URL on each line, or CSV with a header."""

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from jobs.batches.lines import MAX_INPUTS, MAX_NAME, Line
from jobs.display.csv_text import as_typed
from jobs.query.references import has_control_characters
from jobs.submission.limits import MAX_HEIGHT, MalformedJson, NotJson, check_json, read_json

# what separates columns, likeliest first: spreadsheets of some countries write semicolons
DELIMITERS = ",;\t"
COLUMNS = ("input", "name", "destination", "hls", "mp4", "test", "priority")
PREFIXES = ("metadata.", "extra.")
# what `write_rows` adds: the file with it can be corrected and sent again
ADDED = ("line", "problem")
MAX_CELL = 20_000
# of a column's name, in a sentence
MAX_SHOWN = 60
_TRUE = ("true", "yes", "1")
_FALSE = ("false", "no", "0")
_HEIGHT = re.compile(r"([0-9]{1,4})p?", re.IGNORECASE)


class InputsRefused(Exception):
    """The inputs cannot be read at all; the message is a sentence."""


class _Refused(Exception):
    """Why a line cannot be used."""


@dataclass(frozen=True, slots=True)
class InputRow:
    """A line as it was given, with its number in the text, and what it is read as.

    Without a `line`, `problem` says why.
    """

    number: int
    cells: Sequence[str] = field(repr=False)
    line: Line | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Inputs:
    """`columns` are those of the header, as written; empty for lines that are URLs."""

    columns: Sequence[str]
    rows: Sequence[InputRow]


def decode_file(content: bytes) -> str:
    """The text of an uploaded file. Raises InputsRefused."""
    is_utf_16 = content[:2] in (b"\xff\xfe", b"\xfe\xff")
    try:
        return content.decode("utf-16" if is_utf_16 else "utf-8-sig")
    except UnicodeDecodeError:
        raise InputsRefused("The file is not UTF-8 text. Save it as CSV with UTF-8.") from None


def read_inputs(text: str) -> Inputs:
    """Read what was pasted or uploaded; blank lines are left out. Raises InputsRefused."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise InputsRefused("Enter at least one input.")
    found = _find_header(text)
    if found is None:
        columns: list[str] = []
        rows = list(_read_urls(text))
    else:
        delimiter, columns = found
        _check_columns(columns)
        rows = list(_read_csv(text, delimiter, columns))
    if not rows:
        raise InputsRefused("There is no line below the header.")
    if len(rows) > MAX_INPUTS:
        raise InputsRefused(f"A batch has at most {MAX_INPUTS:,} inputs; these are {len(rows):,}.")
    return Inputs(columns, rows)


def write_rows(inputs: Inputs, problems: Sequence[tuple[InputRow, str]]) -> Iterator[list[str]]:
    """Rows of a CSV file with these lines as they were given, each with its number and problem."""
    columns = inputs.columns or ["input"]
    kept = [index for index, name in enumerate(columns) if name.lower() not in ADDED]
    yield [*ADDED, *(columns[index] for index in kept)]
    for row, problem in problems:
        is_whole = len(row.cells) == len(columns)
        cells = [row.cells[index] for index in kept] if is_whole else row.cells
        yield [str(row.number), problem, *cells]


def _find_header(text: str) -> tuple[str, list[str]] | None:
    """The delimiter and the columns; None where lines are URLs."""
    first = next(line for line in text.split("\n") if line.strip())
    for delimiter in DELIMITERS:
        try:
            cells = [cell.strip() for cell in next(csv.reader([first], delimiter=delimiter))]
        except csv.Error:
            continue  # longer than any header
        if "input" in map(str.lower, cells):
            return delimiter, cells
    if "://" not in first and any(one in first for one in DELIMITERS):
        raise InputsRefused("The first line has no column “input”, which holds the URLs.")
    return None


def _check_columns(columns: Sequence[str]) -> None:
    seen = set()
    for name in columns:
        if has_control_characters(name):
            raise InputsRefused("Remove the control characters from the first line.")
        shown = name if len(name) <= MAX_SHOWN else f"{name[:MAX_SHOWN]}…"
        known = name.lower() in (*COLUMNS, *ADDED) or any(
            name.lower().startswith(prefix) and len(name) > len(prefix) for prefix in PREFIXES
        )
        if not known:
            raise InputsRefused(
                f"There is no column “{shown}”. Use {', '.join(COLUMNS)}, metadata.NAME, "
                "extra.NAME."
            )
        if _key(name) in seen:
            raise InputsRefused(f"The column “{shown}” is there twice.")
        seen.add(_key(name))


def _key(name: str) -> str:
    """Names in metadata and extra are as they are written; all others in any case."""
    prefix, dot, rest = name.partition(".")
    return f"{prefix.lower()}{dot}{rest}"


def _read_urls(text: str) -> Iterator[InputRow]:
    for number, line in enumerate(text.split("\n"), 1):
        if url := line.strip():
            yield _read_row(number, [url], lambda cells: Line(_clean(cells[0])))


def _read_csv(text: str, delimiter: str, columns: Sequence[str]) -> Iterator[InputRow]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    lines = text.split("\n")
    is_header = True
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            original = "\n".join(lines[number - 1 : reader.line_num]).rstrip("\n")
            yield InputRow(number, [original], problem=_explain(error))
            continue
        if not any(cell.strip() for cell in cells):
            continue
        if is_header:
            is_header = False
            continue
        yield _read_row(number, cells, lambda cells: _read_cells(columns, cells))


def _explain(error: csv.Error) -> str:
    if "unexpected end" in str(error):
        return "A quotation mark is opened here and never closed."
    if "field limit" in str(error):
        return f"A value may have {MAX_CELL:,} characters."
    return "A quotation mark is in the middle of a value. Write it twice, and the value in quotes."


def _read_row(number: int, cells: list[str], read: Callable[[list[str]], Line]) -> InputRow:
    try:
        return InputRow(number, cells, read(cells))
    except (_Refused, ValueError) as error:
        return InputRow(number, cells, problem=str(error))


def _read_cells(columns: Sequence[str], cells: list[str]) -> Line:
    while len(cells) > len(columns) and not cells[-1].strip():
        cells = cells[:-1]
    if len(cells) != len(columns):
        raise _Refused(f"{len(cells)} columns instead of {len(columns)}.")
    given = {
        _key(column): text
        for column, cell in zip(columns, cells, strict=True)
        if (text := _clean(as_typed(cell))) and column.lower() not in ADDED
    }
    if not (url := given.pop("input", "")):
        raise _Refused("The input is empty.")
    name = given.pop("name", "")
    if len(name) > MAX_NAME:
        raise _Refused(f"The name may have {MAX_NAME} characters.")
    metadata: dict[str, Any] = {}
    overrides: dict[str, Any] = {}
    for column, text in given.items():
        prefix, _, rest = column.partition(".")
        if prefix == "metadata":
            metadata[rest] = text
        elif prefix == "extra":
            overrides.setdefault("extra", {})[rest] = _read_value(text)
        elif prefix in ("hls", "mp4"):
            heights = {"packaging": prefix, "heights": _read_heights(prefix, text)}
            overrides.setdefault("renditions", []).append(heights)
        else:
            overrides[column] = _READERS[column](text)
    return Line(url, name, check_json(metadata) if metadata else None, check_json(overrides))


def _clean(cell: str) -> str:
    text = cell.strip()
    if has_control_characters(text):
        raise _Refused("Remove the control characters.")
    if len(text) > MAX_CELL:
        raise _Refused(f"A value may have {MAX_CELL:,} characters.")
    return text


def _read_value(text: str) -> Any:
    """JSON where it is, such as `true` or `12`; else the text."""
    try:
        return read_json(text)
    except MalformedJson:
        return text
    except NotJson as error:
        if text.startswith(("{", "[")):
            raise _Refused(f"“{text[:40]}” cannot be used: {error}.") from error
        return text


def _read_heights(packaging: str, text: str) -> list[int]:
    heights = []
    for part in re.split(r"[\s,;]+", text):
        found = _HEIGHT.fullmatch(part)
        if found is None or not 1 <= int(found[1]) <= MAX_HEIGHT:
            raise _Refused(f"{packaging} holds heights, such as 360 720; not “{part[:40]}”.")
        heights.append(int(found[1]))
    return list(dict.fromkeys(heights))


def _read_bool(text: str) -> bool:
    if text.lower() not in (*_TRUE, *_FALSE):
        raise _Refused("test is true or false.")
    return text.lower() in _TRUE


def _read_priority(text: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,9}", text):
        raise _Refused("priority must be a whole number.")
    return int(text)


_READERS: dict[str, Callable[[str], Any]] = {
    "destination": str,
    "test": _read_bool,
    "priority": _read_priority,
}
