"""Payloads are read by path and type, whatever is in them."""

import logging
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.http.redaction import MAX_NODES, REDACTED
from providers.parsing.payloads import Body, OddValues, cut_references
from providers.parsing.values import MAX_ITEMS

SECRET = "canary-key"
PAYLOAD = {
    "id": 7,
    "state": "done",
    "size": "1024",
    "none": 0,
    "share": "41.5%",
    "is_test": "true",
    "made_at": "2026-03-02T09:15:00Z",
    "made_at_ms": 1772442900000,
    "length": 95.5,
    "note": f"with {SECRET}",
    "file": {"url": f"https://h/a%20b.mov?token={SECRET}", "tracks": [{"width": 640}, None]},
}
MARCH = datetime(2026, 3, 2, 9, 15, tzinfo=UTC)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from("abc"), inner),
    max_leaves=20,
)


def open_body(payload: Any) -> Body:
    return Body.open(payload, (SECRET,), OddValues("reel"))


def test_each_type_is_read_at_its_path() -> None:
    body = open_body(PAYLOAD)
    assert (body.id("id"), body.text("state"), body.count("size")) == ("7", "done", 1024)
    assert (body.count("none"), body.positive("none")) == (0, None)
    assert (body.percentage("share"), body.flag("is_test")) == (41.5, True)
    assert body.time("made_at") == body.epoch_ms("made_at_ms") == MARCH
    assert body.duration_ms("length", unit="s") == 95_500
    assert body.count("file.tracks") is None
    assert body.first("file.tracks").count("width") == 640
    assert body.odd.shapes == {("file.tracks", "list")}


def test_the_first_readable_of_several_paths_counts() -> None:
    body = open_body({"a": None, "b": [], "c": "soon", "d": 5, "e": 6})
    assert body.count("a", "b", "c", "d", "e") == 5
    assert body.odd.shapes == {("c", "str")}


def test_only_urls_are_read_from_the_original() -> None:
    body = open_body(PAYLOAD)
    url = body.url("file.url")
    assert url.redacted == f"https://h/a%20b.mov?token={REDACTED}"
    assert url.original == PAYLOAD["file"]["url"]  # type: ignore[index]
    assert url.web_original == url.original
    assert body.text("note") == f"with {REDACTED}"
    assert open_body({"id": f"job-{SECRET}"}).id("id") == f"job-{REDACTED}"


def test_an_original_that_no_browser_opens_is_distinguished() -> None:
    url = open_body({"url": f"s3://bucket/{SECRET}/a.mov"}).url("url")
    assert (url.original is None, url.web_original) == (False, None)
    assert open_body({"url": "https://h/a.mov"}).url("url").original is None


def test_ids_are_read_in_a_body_that_is_too_large_to_be_redacted() -> None:
    body = open_body({"junk": [[] for _ in range(MAX_NODES)], "id": "late"})
    assert body.get("id") != "late"
    assert body.id("id") == "late"


def test_objects_of_a_list_keep_their_places() -> None:
    items = open_body({"files": [{"id": 1}, None, "x", {"id": 2}]}).items("files")
    assert [(item.index, item.id("id")) for item in items] == [(0, "1"), (3, "2")]
    assert len(open_body({"files": [{}] * (MAX_ITEMS + 5)}).items("files")) == MAX_ITEMS


def test_an_odd_value_is_logged_once_with_its_path_and_never_with_its_value(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    odd = OddValues("reel")
    for _ in range(3):
        body = Body.open({"files": [{"size": [SECRET]}, {"size": [SECRET]}]}, (), odd)
        assert [file.count("size") for file in body.items("files")] == [None, None]
    (record,) = caplog.records
    assert record.getMessage() == "reel: files[].size is list, not a count"


@pytest.mark.parametrize("value", [None, "", [], {}])
def test_what_is_missing_or_empty_is_not_odd(value: Any) -> None:
    body = open_body({"a": value})
    assert body.text("a", "b") is body.count("a") is body.time("a") is body.id("a") is None
    assert (body.items("a"), body.values("a"), bool(body.object("a"))) == ([], [], False)
    assert body.odd.shapes == set()


@given(payload=ANYTHING)
def test_nothing_raises(payload: Any) -> None:
    body = open_body(payload)
    for part in (body, body.object("a"), body.first("b"), *body.items("c")):
        for path in ("a", "a.b", "a.b.c"):
            part.id(path), part.text(path), part.count(path), part.number(path), part.flag(path)
            part.time(path), part.epoch_ms(path), part.duration_ms(path), part.percentage(path)
            part.url(path), part.values(path)


def test_references_are_cut_to_their_ids_at_any_depth() -> None:
    user = {"id": "u", "href": "/u", "email": "canary@example.com"}
    cut = {"id": "u", "href": "/u"}
    payload = {"user": [user, 7], "files": [{"user": user, "size": 1}]}
    assert cut_references(payload, {"user"}) == {
        "user": [cut, 7],
        "files": [{"user": cut, "size": 1}],
    }
