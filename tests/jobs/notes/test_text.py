"""What the text of a note may hold, and what is a link or a mention in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.notes.text import MAX_TEXT, clean_text, find_emails, split_text
from providers.parsing.text import make_visible

ANN = {"ann@studio.example": "Ann Ashe"}


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("see https://t.example/OPS-1.", ["https://t.example/OPS-1"]),
        ("(HTTP://t.example/a_(b)), then", ["HTTP://t.example/a_(b)"]),
        ("https://t.example/?a=1&b=<2>", ["https://t.example/?a=1&b="]),
        ("javascript:alert(1) ftp://t.example/ //t.example data:text/html,x", []),
        ("https:// https://[ https://t.example\\@evil.example/", []),
        ('https://t.example/"onmouseover="x', ["https://t.example/"]),
    ],
)
def test_only_web_links_are_links(text: str, links: list[str]) -> None:
    assert [part.url for part in split_text(text, ANN) if part.url] == links


@pytest.mark.parametrize(
    ("text", "mentions"),
    [
        ("@ann@studio.example, please", ["@ann@studio.example"]),
        ("(@ANN@Studio.example.)", ["@ANN@Studio.example"]),
        ("write to ann@studio.example", []),
        ("@zed@away.example and @ann", []),
        ("x@ann@studio.example", []),
        ("https://t.example/@ann@studio.example", []),
    ],
)
def test_only_members_are_mentions(text: str, mentions: list[str]) -> None:
    found = [part for part in split_text(text, ANN) if part.member]
    assert [part.text for part in found] == mentions
    assert {part.member for part in found} <= {"Ann Ashe"}


def test_addresses_are_found_in_any_case_and_once() -> None:
    text = "@ann@studio.example @Ann@Studio.example\n@zed@away.example, ann@else.example"
    assert find_emails(text) == {"ann@studio.example", "zed@away.example"}


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=200))
def test_the_parts_are_the_text(text: str) -> None:
    text += " https://t.example/x). @ann@studio.example"
    parts = list(split_text(text, ANN))
    assert "".join(part.text for part in parts) == make_visible(text)
    assert parts[-1].member == "Ann Ashe"


def test_what_is_stored_keeps_its_lines_and_nothing_else_unseen() -> None:
    assert clean_text(" a\r\nb\tc\r \n") == "a\nb\tc"
    assert clean_text("x" * MAX_TEXT) == "x" * MAX_TEXT
    for text in ("", " \n", "x" * (MAX_TEXT + 1), "a\x00b", "a\x1bb", "\u200b\ufeff"):
        with pytest.raises(ValueError, match=r"\.$"):
            clean_text(text)
