"""What the documents say is what the code has."""

import importlib
import re
from pathlib import Path

import pytest

from dashboard.metrics import exposition
from jobs.bulk.left_out import SENTENCES
from jobs.query.language.keys import KEYS
from providers.core import registry, tables
from providers.core.errors import CLASSES
from tests.jobs.factories import NOON

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
# of Markdown and of HTML, without those that lead elsewhere or stay on the page
LINK = re.compile(r"""(?:\]\(|src="|srcset="|href=")(?!https?://|\#)([^)"#\s]+)""")
READS = re.compile(r"""\benv\.\w+\(\s*["']([A-Z_]+)["']""")
NAME = re.compile(r"`([A-Z][A-Z_]+)`")


def test_readme_has_the_matrix_of_all_providers_and_of_what_some_provider_has() -> None:
    providers = list(registry.all_providers())
    matrix = tables.capability_matrix(providers, tables.offered_capabilities(providers))

    assert matrix in (ROOT / "README.md").read_text()
    assert not [line for line in matrix.splitlines()[2:] if "yes" not in line]


def test_every_key_of_the_query_language_is_described_with_its_example() -> None:
    table = (ROOT / "docs" / "searching.md").read_text().split("## Keys")[1].split("## ")[0]
    described = re.findall(r"^\| `(\w+)` \|.*\| `(.+)` \|$", table, re.MULTILINE)
    known = [(name, key.example) for name, key in KEYS.items()]

    assert [(name, example.replace("zencoder", "NAME")) for name, example in described] == known


def test_every_reason_to_leave_a_job_out_of_a_bulk_action_is_described() -> None:
    table = (ROOT / "docs" / "bulk-actions.md").read_text().split("| left out |")[1].split("## ")[0]
    described = re.findall(r"^\| (\w[^|]*) \|", table, re.MULTILINE)

    assert set(described) == set(SENTENCES.values())


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
def test_every_metric_is_described_and_every_described_one_is_reported() -> None:
    reported = set(re.findall(r"^# TYPE (\w+)", exposition(NOON).decode(), re.MULTILINE))
    page = (ROOT / "docs" / "operating.md").read_text()

    assert set(re.findall(r"^\| `(reelboard_\w+)", page, re.MULTILINE)) == reported


def test_the_tree_in_the_architecture_is_that_of_the_folders() -> None:
    section = (ROOT / "ARCHITECTURE.md").read_text().split("## The tree\n")[1]
    block = section.removeprefix("\n").split("\n\n")[0]
    shown, top = [], ""
    for indent, name in re.findall(r"^ {4}(  )?([\w<>]+)/", block, re.MULTILINE):
        top = top if indent else name
        shown.append(f"{top}/{name}" if indent else name)

    slugs = {slug for slug, _ in registry.choices()}
    parents = ("dashboard", "insights", "jobs", "providers")
    inner = {f"{top}/{name}" for top in parents for name in folders(ROOT / top)}
    inner = {"providers/<slug>" if name.split("/")[1] in slugs else name for name in inner}
    assert sorted(shown) == sorted(folders(ROOT) | inner)


def folders(folder: Path) -> set[str]:
    """Those that hold files of the project."""
    made = {"__pycache__", "var", "data", "node_modules", "test-results"}
    return {
        path.name
        for path in folder.iterdir()
        if path.is_dir() and path.name not in made and not path.name.startswith(".")
        if any(file.is_file() and "__pycache__" not in file.parts for file in path.rglob("*"))
    }


def test_readme_counts_the_classes_of_errors() -> None:
    assert f"mapped to {len(CLASSES)} classes" in (ROOT / "README.md").read_text()


def test_the_architecture_names_what_there_is() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    paths = re.findall(r"`([a-z_]+(?:/[a-z_]+)+(?:\.py)?)`", text)
    dotted = re.findall(r"`((?:jobs|providers|dashboard|organizations)(?:\.\w+)+)`", text)

    assert len(paths) > 8
    assert [path for path in paths if not (ROOT / path).exists()] == []
    for name in dotted:
        module, _, attribute = name.rpartition(".")
        assert hasattr(importlib.import_module(module), attribute), name
