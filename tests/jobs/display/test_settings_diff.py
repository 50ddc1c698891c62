"""What differs between the settings of a job and of the one that it retries."""

from typing import Any

import pytest

from jobs.display.settings_diff import Change, changes

SENT = {
    "input": "s3://rushes/a.mov",
    "renditions": [{"packaging": "hls", "heights": [240, 480]}, {"packaging": "mp4"}],
    "test": False,
    "priority": None,
}


@pytest.mark.parametrize(
    ("after", "reported"),
    [
        (SENT, []),
        (SENT | {"input": "s3://b.mov"}, [Change("input", "s3://rushes/a.mov", "s3://b.mov")]),
        (SENT | {"test": True, "extra": {}}, [Change("test", "false", "true")]),
        (SENT | {"priority": 3}, [Change("priority", "", "3")]),
        (
            SENT | {"renditions": [{"packaging": "hls", "heights": [240]}]},
            [
                Change("renditions 1 heights", "240, 480", "240"),
                Change("renditions 2 packaging", "mp4", ""),
            ],
        ),
    ],
)
def test_only_what_differs_is_reported(after: dict[str, Any], reported: list[Change]) -> None:
    assert changes(SENT, after) == reported
