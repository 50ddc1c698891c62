"""The pages about providers say what the code does."""

import re
from importlib import import_module
from pathlib import Path

import pytest

from providers.core import registry, tables
from providers.core.adapter import Adapter
from providers.core.contract import Provider
from providers.core.registry import UnknownProvider
from providers.core.types import Capability
from tests.providers.cases.shape import Cases

DOCS = Path(__file__).parents[2] / "docs"


def read_page(provider: type[Provider]) -> str:
    return (DOCS / "providers" / f"{provider.slug}.md").read_text()


def test_the_page_holds_the_tables_of_the_code(cases: Cases) -> None:
    page = read_page(cases.provider)
    for table in (
        tables.capability_matrix([cases.provider]),
        tables.status_table(cases.provider),
        tables.error_table(cases.provider),
    ):
        assert table in tables.describe(cases.provider)
        if table.count("\n") > 2:  # a provider without codes has no table of them
            assert table in page, f"expected in docs/providers/{cases.provider.slug}.md:\n{table}"


def test_the_page_names_credentials_and_the_base_url(cases: Cases) -> None:
    page = read_page(cases.provider)
    for field in (*cases.provider.credential_fields, *cases.provider.option_fields):
        assert f"`{field.name}`" in page
    assert f"`{cases.provider.default_base_url}`" in page


def test_the_matrix_has_a_row_a_capability_and_a_column_a_provider() -> None:
    head, _, *rows = tables.capability_matrix(registry.all_providers()).splitlines()
    assert [cell.strip() for cell in head.strip("|").split("|")][1:] == [
        label for _, label in registry.choices()
    ]
    assert len(rows) == len(Capability)
    assert any("| yes |" in row for row in rows)
    assert any("| - |" in row for row in rows)


def test_every_slug_leads_to_its_adapter() -> None:
    for slug, label in registry.choices():
        assert registry.get(slug).slug == slug
        assert registry.get(slug).label == label


def test_the_guide_names_what_is_there_and_every_declaration() -> None:
    guide = (DOCS / "adding-a-provider.md").read_text()
    table = guide.partition("### What you declare")[2].partition("### What you write")[0]
    named = set(re.findall(r"[a-z_]+", " ".join(re.findall(r"`([a-z_]+)`", table))))
    declared = {name for one in (Provider, Adapter) for name in one.__annotations__}
    assert declared <= named
    for module, name in re.findall(r"`(providers(?:\.\w+)+)\.(\w+)`", guide):
        assert hasattr(import_module(module), name), f"{module}.{name}"
    for path in re.findall(r"`((?:providers|tests|scripts|sandbox)/[\w/]+\.py)`", guide):
        assert (DOCS.parent / path).exists(), path


@pytest.mark.parametrize("slug", ["", "nobody", "Zencoder"])
def test_an_unknown_slug_is_reported_with_the_known_ones(slug: str) -> None:
    with pytest.raises(UnknownProvider, match="zencoder"):
        registry.get(slug)
