"""A provider is spoken of where it belongs, and nowhere else."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from providers.core import registry
from providers.core.contract import Provider

ROOT = Path(__file__).parents[1]
# Tests and docs name providers; the others are not ours, or made.
LEFT_OUT = {"tests", "docs", "var", "node_modules"}
# With more, a reader no longer finds things from the tree alone: make a package.
MAX_MODULES = 13
MADE_BY_OTHERS = ROOT / "static" / "vendor"
# Where all providers are listed, and the demo that shows one account of each.
LISTS = {ROOT / "providers" / "core" / "registry.py", ROOT / "sandbox" / "application.py"}
DEMO = {*(ROOT / "scripts" / "demo").glob("*.py"), ROOT / "scripts" / "screenshots.py"}


def sources() -> Iterator[Path]:
    """Every file of the product that is text: code, templates, styles, scripts, configuration."""
    for top in sorted(ROOT.iterdir()):
        if top.name in LEFT_OUT or top.name.startswith(".") or top.suffix == ".md":
            continue
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.is_file() and "__pycache__" not in path.parts:
                yield path


def own_parts(provider: type[Provider]) -> tuple[Path, ...]:
    """Its module, or its folder, among the adapters and in the sandbox."""
    places = (ROOT / "providers" / provider.slug, ROOT / "sandbox" / provider.slug)
    return tuple(path for place in places for path in (place, place.with_suffix(".py")))


def lines_about(provider: type[Provider], path: Path) -> list[str]:
    names = {provider.slug, provider.label, provider.__name__, provider.label.split()[0]}
    about = re.compile("|".join(map(re.escape, sorted(names - {"Video"}))), re.IGNORECASE)
    try:
        text = path.read_text()
    except UnicodeDecodeError:
        return []
    return [line.strip() for line in text.splitlines() if about.search(line)]


@pytest.mark.parametrize("slug", [slug for slug, _ in registry.choices()])
def test_a_provider_is_named_in_its_own_parts_alone(slug: str) -> None:
    provider = registry.get(slug)
    found = {
        str(path.relative_to(ROOT)): lines
        for path in sources()
        if path not in LISTS | DEMO
        and not path.is_relative_to(MADE_BY_OTHERS)
        and not any(path.is_relative_to(own) for own in own_parts(provider))
        if (lines := lines_about(provider, path))
    }
    assert found == {}


@pytest.mark.parametrize("slug", [slug for slug, _ in registry.choices()])
def test_the_registry_has_an_import_and_a_line_of_it(slug: str) -> None:
    provider = registry.get(slug)
    lines = lines_about(provider, ROOT / "providers" / "core" / "registry.py")
    assert sorted(lines) == sorted(
        [f"from {provider.__module__} import {provider.__name__}", f"{provider.__name__},"]
    )


def test_no_folder_of_the_product_has_more_modules_than_a_reader_takes_in() -> None:
    counts = Counter(
        str(path.parent.relative_to(ROOT))
        for path in sources()
        if path.suffix == ".py" and path.name != "__init__.py"
    )
    assert {folder: count for folder, count in counts.items() if count > MAX_MODULES} == {}


def test_the_search_covers_code_templates_and_styles() -> None:
    seen = {str(path.relative_to(ROOT)) for path in sources()}
    assert {
        *(
            "jobs/sync/runner.py",
            "templates/layout/base.html",
            "static/css/board.css",
            "dashboard/settings.py",
        ),
        *("Procfile", "compose.yaml", "providers/core/registry.py", "benchmarks/pages.py"),
    } <= seen
