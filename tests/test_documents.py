"""What the documents say is what the code has."""

import re
from pathlib import Path

import pytest

from dashboard.metrics import exposition
from providers.core import registry, tables
from tests.jobs.factories import NOON

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
# of Markdown and of HTML, without those that lead elsewhere or stay on the page
LINK = re.compile(r"""(?:\]\(|src="|srcset="|href=")(?!https?://|\#)([^)"#\s]+)""")
READS = re.compile(r"""\benv\.\w+\(\s*["']([A-Z_]+)["']""")
NAME = re.compile(r"`([A-Z][A-Z_]+)`")


def test_readme_has_the_matrix_of_all_providers() -> None:
    assert tables.capability_matrix(registry.all_providers()) in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files(document: Path) -> None:
    targets = [document.parent / link for link in LINK.findall(document.read_text())]

    assert [target for target in targets if not target.exists()] == []


def test_every_variable_is_described_and_every_described_one_is_read() -> None:
    sources = [ROOT / "dashboard" / "settings.py", ROOT / "gunicorn.conf.py"]
    read = {name for source in sources for name in READS.findall(source.read_text())}
    rows = [
        line.split("|")[1]
        for line in (ROOT / "docs" / "deploying.md").read_text().splitlines()
        if line.startswith("| `")
    ]
    described = {name for row in rows for name in NAME.findall(row)}

    assert len(read) > 20
    assert described == read


@pytest.mark.django_db
def test_every_metric_is_described_and_every_described_one_is_told() -> None:
    told = set(re.findall(r"^# TYPE (\w+)", exposition(NOON).decode(), re.MULTILINE))
    page = (ROOT / "docs" / "operating.md").read_text()

    assert set(re.findall(r"^\| `(reelboard_\w+)", page, re.MULTILINE)) == told
