"""The form above a list: a text, some selects, and what it must not drop when it is sent."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from jobs.models import Preset, ProviderAccount
from jobs.query.list_filter import ListFilter

Choices = list[tuple[str, str]]

SPANS = (
    ("1h", "Last hour"),
    ("1d", "Last 24 hours"),
    ("7d", "Last 7 days"),
    ("30d", "Last 30 days"),
)


@dataclass(frozen=True, slots=True)
class Select:
    """A filter with a list to choose from; the first choice is none."""

    name: str
    label: str
    choices: Choices
    chosen: str


@dataclass(frozen=True, slots=True)
class Chip:
    """A condition that the form has no field for, and the list without it."""

    label: str
    url: str


def filter_form(
    filters: ListFilter,
    path: str,
    offered: Mapping[str, tuple[str, str, Choices]],
    accounts: Iterable[ProviderAccount],
    *,
    placeholder: str,
    presets: Iterable[Preset] = (),
    chosen: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Any]:
    """What `jobs/shared/_filters.html` needs for the list at `path`.

    `offered` are selects by parameter: label, the text for no choice (none where one is always
    made), and the choices. `chosen` goes before what the URL says.
    """
    chosen = {**dict(filters.params()), **chosen}
    by_name = {one.name: str(one.pk) for one in accounts}
    # an account may be given by its name, too
    chosen["account"] = by_name.get(chosen.get("account", ""), chosen.get("account", ""))
    without_preset = f"{path}?{filters.query(preset=None)}"
    return {
        "list_url": path,
        "placeholder": placeholder,
        "selects": [
            Select(
                name,
                label,
                [("", nothing), *choices] if nothing else choices,
                chosen.get(name, ""),
            )
            for name, (label, nothing, choices) in offered.items()
        ],
        "text": chosen.get("q", ""),
        "kept": [pair for pair in filters.params() if pair[0] not in (*offered, "q", "cursor")],
        "chips": [Chip(f"Preset {preset}", without_preset) for preset in presets],
    }


def account_selects(
    accounts: Iterable[ProviderAccount],
) -> dict[str, tuple[str, str, Choices]]:
    """The selects of provider and account; one provider alone is no choice."""
    accounts = list(accounts)
    providers = sorted({(one.provider, one.provider_label) for one in accounts})
    places: dict[str, tuple[str, str, Choices]] = {
        "provider": ("Provider", "Any", providers),
        "account": ("Account", "Any", [(str(one.pk), one.name) for one in accounts]),
    }
    if len(providers) < 2:
        del places["provider"]
    return places


def spans(chosen: str) -> Choices:
    """Spans of time to choose from, with the one that the URL has."""
    given = [(chosen, f"Since {chosen}")] if chosen and chosen not in dict(SPANS) else []
    return [*SPANS, *given]
