"""Any value in, the requested type or None out."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.http.answers import read_json, read_messages, read_wait
from providers.http.redaction import CUT, MAX_DEPTH
from providers.parsing import times, values

READERS: list[Callable[[Any], Any]] = [
    times.read_time,
    times.read_epoch_s,
    times.read_epoch_ms,
    values.read_int,
    values.read_count,
    values.read_float,
    values.read_bool,
    values.read_text,
    values.read_id,
    values.read_progress,
    times.read_duration_ms,
    values.read_dict,
    values.read_list,
    read_messages,
]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
AWARE = st.integers(40_000_000, 7_000_000_000).map(
    lambda seconds: datetime.fromtimestamp(seconds + 0.25, timezone(timedelta(hours=-7)))
)
MARCH = datetime(2026, 3, 2, 9, 15, tzinfo=UTC)


@given(value=ANYTHING)
def test_no_value_makes_a_reader_raise(value: Any) -> None:
    for reader in READERS:
        found = reader(value)
        if isinstance(found, datetime):
            assert found.utcoffset() == timedelta(0), reader
        elif isinstance(found, int | float):
            assert abs(found) < 2**63, reader


@given(AWARE)
def test_a_time_written_in_any_usual_way_is_the_same_moment(moment: datetime) -> None:
    for text in (
        moment.isoformat(),
        moment.isoformat(" "),
        moment.strftime("%Y-%m-%d %H:%M:%S.%f %z"),
        moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S,%f UTC"),
    ):
        assert times.read_time(text) == moment, text


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-03-02T09:15:00Z", MARCH),
        ("2026-03-02T10:15:00+01:00", MARCH),
        ("2026-03-02 04:15:00 -0500", MARCH),
        ("2026-03-02T09:15Z", MARCH),
        ("2026-03-02T09:15:00.123456789Z", MARCH.replace(microsecond=123456)),
        (" 2026-03-02T09:15:00Z\n", MARCH),
        ("2026-03-02T09:15:00", None),  # which zone?
        ("0001-01-01T00:00:00Z", None),
        ("9999-12-31T23:59:59-23:00", None),
        ("2026-02-30T00:00:00Z", None),
        ("2026-03-02T25:00:00Z", None),
        ("٢٠٢٦-03-02T09:15:00Z", None),
        (1772442900, None),
        ("", None),
    ],
)
def test_times(value: Any, expected: datetime | None) -> None:
    assert times.read_time(value) == expected


def test_a_time_without_a_zone_is_read_in_the_one_that_is_named() -> None:
    zone = timezone(timedelta(hours=1))
    assert times.read_time("2026-03-02T10:15:00", zone) == MARCH
    assert times.read_time("2026-03-02T09:15:00Z", zone) == MARCH


def test_epochs_are_read_in_the_unit_that_is_named_and_no_other() -> None:
    assert times.read_epoch_s("1772442900") == MARCH
    assert times.read_epoch_ms(1772442900000) == MARCH
    assert times.read_epoch_s(1772442900000) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (32.3, 32.3), ("32.34567", 32.34567), ("42%", 42), (" 42 % ", 42), (-1, 0), (1000, 100),
        (0, 0), (None, None), ("", None), ("nan", None), (float("inf"), None), (True, None),
        ("1_0", None), ({}, None), (10**400, None),
    ],
)  # fmt: skip
def test_progress(value: Any, expected: float | None) -> None:
    assert values.read_progress(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (12, 12), ("12", 12), ("12.0", 12), (12.6, 13), (2**63 - 1, 2**63 - 1), (2**63, None),
        ("9" * 63, None), (float("nan"), None), (True, None), ("0x10", None), ("٣", None),
        ("-4", -4), (9.3e18, None),
    ],
)  # fmt: skip
def test_whole_numbers(value: Any, expected: int | None) -> None:
    assert values.read_int(value) == expected


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (1500, "ms", 1500), ("1.5", "s", 1500), ("01:02:03.5", "ms", 3_723_500),
        ("02:03", "ms", 123_000), ("100:00:00", "ms", 360_000_000), ("90s", "ms", 90_000),
        ("1 h 2 min 3 s", "ms", 3_723_000), ("1500 ms", "s", 1500), ("PT1H2M3.5S", "s", 3_723_500),
        ("P1DT1S", "s", 86_401_000), ("P", "s", None), ("PT", "s", None), (-1, "s", None),
        ("soon", "s", None), ("1 parsec", "s", None), (True, "s", None), ("1e400", "s", None),
        (2**63, "s", None), ("", "s", None),
    ],
)  # fmt: skip
def test_durations(value: Any, unit: str, expected: int | None) -> None:
    assert times.read_duration_ms(value, unit=unit) == expected


@given(st.integers(0, 10**8))
def test_a_duration_on_a_clock_is_the_same_as_in_seconds(seconds: int) -> None:
    clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    assert times.read_duration_ms(clock) == seconds * 1000


def test_text_is_bounded_stripped_and_can_be_stored() -> None:
    assert values.read_text("  a\x00b\ud800  ") == r"a\u0000b\ud800"
    assert values.read_text("x" * 10_000, 5) == "xxxxx"
    assert values.read_text(" \n ") is None
    assert values.read_text(2**63 - 1) == "9223372036854775807"
    assert values.read_id(734500123457) == "734500123457"
    assert values.read_id(1.5) is None
    assert values.read_id(True) is None


def test_json_becomes_values_that_can_be_stored_and_traversed() -> None:
    assert read_json('{"a": NaN, "b": [1e999, -Infinity, 1.5]}') == {
        "a": None,
        "b": [None, None, 1.5],
    }
    assert read_json(r'{"a\u0000": "\ud800b"}') == {r"a\u0000": r"\ud800b"}
    assert read_json('{"a": 1, "a": 2}') == {"a": 2}
    for text in ("[" * 100_000, "9" * 5000, "", "{", "<html>"):
        with pytest.raises(ValueError, match="."):
            read_json(text)


def test_json_is_cut_where_it_is_nested_too_deeply() -> None:
    value = read_json('{"a": 1, "b": ' + "[" * 300 + "]" * 300 + "}")
    assert value["a"] == 1
    for _ in range(MAX_DEPTH):
        value = value["b"] if isinstance(value, dict) else value[0]
    assert value == [CUT]


@given(ANYTHING)
def test_a_json_text_of_any_shape_is_read_or_refused(value: Any) -> None:
    text = json.dumps(value, default=repr)
    json.dumps(read_json(text), allow_nan=False)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("17", 17), ("0.5", 0.5), ("-3", 0), ("999999", 3600), ("inf", 3600), ("nan", None),
        ("Mon, 02 Mar 2026 09:15:30 GMT", 30), ("Mon, 02 Mar 2026 09:00:00 GMT", 0),
        ("Mon, 02 Mar 2026 09:15:30 -0000", 30), ("soon", None), ("", None), (None, None),
    ],
)  # fmt: skip
def test_the_wait_that_an_answer_asks_for(value: str | None, expected: float | None) -> None:
    assert read_wait(value, now=MARCH) == expected


@pytest.mark.parametrize(
    ("body", "messages", "fields"),
    [
        ({"errors": ["a", "b"]}, ["a", "b"], {}),
        ({"errors": "a"}, ["a"], {}),
        ({"errors": {"url": ["bad"]}}, ["url: bad"], {"url": ["bad"]}),
        ({"error": {"error_code": "0x1", "error_message": "a"}}, ["a"], {}),
        ({"detail": "a"}, ["a"], {}),
        ({"input_url": ["bad", "worse"]}, ["input_url: bad", "input_url: worse"],
         {"input_url": ["bad", "worse"]}),
        ({"errors": [None, 3, {"message": "a"}]}, ["a"], {}),
        ("text", [], {}),
        (None, [], {}),
    ],
)  # fmt: skip
def test_messages_of_error_bodies(body: Any, messages: list[str], fields: dict[str, Any]) -> None:
    assert read_messages(body) == (messages, fields)
