"""The table of the fault runs: what counts as bad, and that the document describes every row."""

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.faults.registry import SCENARIOS, choose
from tests.faults.table import HEADER, Comparison, Row, compare, format_row

DOCUMENT = (Path(__file__).parents[2] / "docs" / "faults.md").read_text()
NAMES = [name for scenario in SCENARIOS for name in scenario.rows]


def test_what_is_missing_is_lost_and_what_is_there_too_often_is_doubled() -> None:
    found = Counter({"a.mov": 1, "b.mov": 3, "nobody.mov": 1})

    assert compare(["a.mov", "b.mov", "c.mov"], found) == Comparison(lost=1, doubled=3)


@pytest.mark.parametrize("bad", [{"lost": 1}, {"doubled": 1}, {"wrong": 1}, {"recovery_s": None}])
def test_a_row_is_good_without_any_loss_and_once_all_is_right(bad: dict[str, int | None]) -> None:
    good = {"lost": 0, "doubled": 0, "wrong": 0, "recovery_s": 12.0}

    assert Row("broker", **good).is_good  # type: ignore[arg-type]
    assert not Row("broker", **good | bad).is_good  # type: ignore[arg-type]


def test_a_row_has_the_columns_of_the_header() -> None:
    line = format_row(Row("broker", 1, 2, 3, 84.6, "36 submissions"))

    assert line.count("|") == HEADER.splitlines()[0].count("|")
    assert [cell.strip() for cell in line.split("|")[1:-1]] == [
        *("broker", "1", "2", "3", "85", "36 submissions")
    ]


def test_rows_are_chosen_by_name_or_pattern() -> None:
    assert [names for _, names in choose(["kills-*"])] == [
        [f"kills-{slug}" for slug in ("zencoder", "videosdk", "tpstreams", "xvid")]
    ]
    assert [names for _, names in choose(["broker", "bulk-retry"])] == [["broker"], ["bulk-retry"]]
    assert sum(len(names) for _, names in choose([])) == len(NAMES)
    with pytest.raises(ValueError, match="no row kill"):
        choose(["broker", "kill"])


def test_every_row_is_described_and_every_described_one_is_there() -> None:
    section = DOCUMENT.split("## Scenarios")[1].split("## ")[0]
    described = [
        name
        for cell in re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
        for name in re.findall(r"`([\w-]+)`", cell)
    ]

    assert sorted(described) == sorted(NAMES)
