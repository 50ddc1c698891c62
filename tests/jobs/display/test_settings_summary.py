"""The settings of a preset on one line, whatever they are."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.display.settings_summary import summarize


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({}, ""),
        ({"height": 720, "codec": "h264"}, "height 720, codec h264"),
        ({"passes": 2, "codec": {"id": "c0ffee"}, "max_height": 360}, "max height 360, passes 2"),
        ({"extension": "mp4", "container": "mp4"}, "container mp4"),
        ({"caps": {"fps": 60}, "description": "For the web"}, "For the web, fps 60"),
        ({"format": "hls", "resolutions": ["240", "360"]}, "format hls, resolutions 240/360"),
        ({"video": {"bit_rate": 800}, "audio": None, "drm": False}, "bit rate 800"),
        (
            {"two_pass": True, "tracks": [{"lang": "de"}, {"lang": "en"}]},
            "two pass, lang de, lang en",
        ),
        ({str(n): n for n in range(1, 9)}, "1 1, 2 2, 3 3, 4 4, …"),
        ({"script": "x" * 500}, f"script {'x' * 53}"),
    ],
)
def test_settings_on_a_line(settings: Any, line: str) -> None:
    assert summarize(settings) == line


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON)
def test_any_settings_make_one_short_line(settings: Any) -> None:
    assert len(summarize(settings)) <= 5 * 62
