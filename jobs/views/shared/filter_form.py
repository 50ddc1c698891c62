"""The bar of filters above a list: menus of links, and what the search box must not drop."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from django.utils import timezone

from jobs.models import Preset, ProviderAccount
from jobs.query.language.times import write_time
from jobs.query.list_filter import ListFilter
from jobs.views.shared.layout import SearchBox

Choices = list[tuple[str, str]]

SPANS = (
    ("1h", "Last hour"),
    ("1d", "Last 24 hours"),
    ("7d", "Last 7 days"),
    ("30d", "Last 30 days"),
)
# What a list is sorted and paged by is no filter.
NO_FILTERS = ("q", "sort", "limit", "cursor", "view", "columns", "status", "unresolved")


@dataclass(frozen=True, slots=True)
class Choice:
    label: str
    url: str
    is_current: bool
    code: str = ""


@dataclass(frozen=True, slots=True)
class FilterMenu:
    """A filter with what it can be set to; `value` says what it is set to, empty where it is not.

    `off_url` is the list without it, empty where one is always set.
    """

    name: str
    label: str
    choices: list[Choice]
    value: str = ""
    off_url: str = ""
    # for a time, the parameters of its two sides with what they are
    sides: tuple[tuple[str, str, str], ...] = ()
    kept: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Chip:
    """A condition that has no menu, and the list without it."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Links:
    """The links of a list at `path` that change one filter each."""

    filters: ListFilter
    path: str

    def without(self, *names: str) -> str:
        return f"{self.path}?{self.filters.query(**dict.fromkeys(names))}"

    def having(self, name: str, value: str) -> str:
        return f"{self.path}?{self.filters.query(**{name: value})}"

    def menu(
        self,
        name: str,
        label: str,
        nothing: str,
        choices: Choices,
        chosen: str,
        codes: Mapping[str, str] = MappingProxyType({}),
    ) -> FilterMenu:
        known = dict(choices)
        return FilterMenu(
            name,
            label,
            [
                Choice(text, self.having(name, value), value == chosen, codes.get(value, ""))
                for value, text in choices
            ],
            known.get(chosen, chosen),
            self.without(name) if nothing else "",
        )

    def with_sides(self, menu: FilterMenu, given: Mapping[str, str]) -> FilterMenu:
        """A menu of spans, and a form for a span of one's own."""
        after, before = menu.name, menu.name.replace("_after", "_before")
        ends = [menu.value, f"before {show_time(given[before])}" if before in given else ""]
        return replace(
            menu,
            value=" ".join(filter(None, ends)),
            off_url=self.without(after, before) if menu.off_url else "",
            sides=(
                (after, "From", show_time(given.get(after, ""))),
                (before, "Before", show_time(given.get(before, ""))),
            ),
            kept=tuple(
                pair for pair in self.filters.params() if pair[0] not in (after, before, "cursor")
            ),
        )


def filter_form(
    filters: ListFilter,
    path: str,
    offered: Mapping[str, tuple[str, str, Choices]],
    accounts: Iterable[ProviderAccount],
    *,
    placeholder: str,
    presets: Iterable[Preset] = (),
    chosen: Mapping[str, str] = MappingProxyType({}),
    more: Iterable[str] = (),
    codes: Mapping[str, str] = MappingProxyType({}),
    action: str = "",
) -> dict[str, Any]:
    """What the search box and `jobs/shared/_filters.html` need for the list at `path`.

    `offered` are menus by parameter: label, the text for no choice (none where one is always
    made), and the choices, which `codes` gives small print. Those of `more` share a menu until
    they are set. `chosen` goes before what the URL says. `action` is where the search box leads
    once it is sent, if not to the list.
    """
    given = dict(filters.params())
    values = {**given, **chosen}
    by_name = {one.name: str(one.pk) for one in accounts}
    # an account may be given by its name, too
    values["account"] = by_name.get(values.get("account", ""), values.get("account", ""))
    links = Links(filters, path)
    menus = []
    for name, (label, nothing, choices) in offered.items():
        menu = links.menu(name, label, nothing, choices, values.get(name, ""), codes)
        is_span = name.endswith("_after") and nothing
        menus.append(links.with_sides(menu, given) if is_span else menu)
    kept = [pair for pair in filters.params() if pair[0] not in ("q", "cursor")]
    return {
        "list_url": path,
        "search": SearchBox(
            action or path, placeholder, given.get("q", ""), kept, path, is_query=bool(action)
        ),
        "menus": [menu for menu in menus if menu.value or menu.name not in more],
        "more": [menu for menu in menus if not menu.value and menu.name in more],
        "chips": _chips(links, menus, presets),
    }


def _chips(links: Links, menus: list[FilterMenu], presets: Iterable[Preset]) -> list[Chip]:
    """A chip for each condition that no menu shows."""
    shown = {"preset", *NO_FILTERS, *(menu.name for menu in menus)}
    shown |= {name for menu in menus for name, _, _ in menu.sides}
    others = {name: value for name, value in links.filters.params() if name not in shown}
    chips = [Chip(f"Preset {preset}", links.without("preset")) for preset in presets]
    return chips + [
        Chip(f"{name.replace('_', ' ').capitalize()}: {show_time(value)}", links.without(name))
        for name, value in others.items()
    ]


def account_menus(
    accounts: Iterable[ProviderAccount],
) -> dict[str, tuple[str, str, Choices]]:
    """The menus of provider and account; one provider alone is no choice."""
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
    since = f"Since {show_time(chosen)}"
    return [*SPANS, *([(chosen, since)] if chosen and chosen not in dict(SPANS) else [])]


def show_time(text: str) -> str:
    """A time with an offset, as links have it, in the person's zone; a day where one begins."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    if at.tzinfo is None:
        return text
    zone = timezone.get_current_timezone()
    return write_time(at, zone, as_day=True).replace("T", " ")[: len("2026-11-18 08:30")]
