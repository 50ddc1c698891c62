"""What a provider refuses or approximates has a sentence for people."""

import re
from pathlib import Path

import pytest

from providers.core.issues import SENTENCES, RequestIssue

ROOT = Path(__file__).parents[2]
USED = re.compile(
    r"(?:refuse|note|RequestIssue)\(\s*(?:f?\"[^\"]+\"|name|(?:error\.)?field), \"(\w+)\""
)


def test_each_code_has_a_sentence_and_each_sentence_a_use() -> None:
    sources = [*(ROOT / "providers").rglob("*.py"), *(ROOT / "jobs").rglob("*.py")]
    used = {code for path in sources for code in USED.findall(path.read_text())}
    assert used == set(SENTENCES)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((720,), "720"),
        ((240, 360), "240 and 360"),
        ([240, 360, 480], "240, 360 and 480"),
    ],
)
def test_lists_are_spelled_out(values: object, expected: str) -> None:
    issue = RequestIssue("thumbnails", "thumbnails_height", {"provider": "Reel", "heights": values})
    assert issue.message == f"Reel only creates thumbnails with heights of {expected}."
