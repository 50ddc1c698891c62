"""Names cut in their middle: nothing is lost, and no character is taken apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.display.names import split_name


@pytest.mark.parametrize(
    ("name", "tail"),
    [
        ("lecture-12.mov", ""),
        ("HF_S02E07_The-Lighthouse_ProRes422HQ_v07_FINAL.mov", "Q_v07_FINAL.mov"),
        ("東京湾_ドキュメンタリー完パケ.mp4", "完パケ.mp4"),
        ("مقابلة-الوزير-النسخة-النهائية-1080p.mp4", ""),
        # the accent stays with its letter, the family is one character
        ("a long name with an e\u0301lision of 1234", "e\u0301lision of 1234"),
    ],
)
def test_the_end_of_a_long_name_stays(name: str, tail: str) -> None:
    head, kept = split_name(name)
    assert head + kept == name
    assert kept[-len(tail) :] == tail if tail else kept == ""


@given(st.text(max_size=60))
def test_both_parts_are_the_name(name: str) -> None:
    assert "".join(split_name(name)) == name


def test_a_very_long_name_is_bounded() -> None:
    assert len("".join(split_name("x" * 10_000))) == 501
