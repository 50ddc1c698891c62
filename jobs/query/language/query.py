"""The query of a list, read together with the parameters beside it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from typing import Self

from django.db.models import Q
from django.http import QueryDict
from django.utils import timezone

from jobs.query.language.compile import compile_query, follows_status, has_text, is_indexed
from jobs.query.language.context import Context
from jobs.query.language.grammar import parse
from jobs.query.language.keys import KEYS
from jobs.query.language.parameters import as_terms, fix_params, split
from jobs.query.language.tree import Filter, Node, Or, QueryError, leaves, terms_of
from jobs.query.language.write import fix_dates, write
from jobs.query.references import ME
from jobs.query.visibility import Visibility
from organizations.profile.time_zones import zone_named


@dataclass(frozen=True, slots=True)
class Query:
    """`text` as it was typed. `params` are those of the list with what the text says of them;
    `sources` the filters that said so; `rest` what the text says beside them. With an `error`
    the query selects nothing.
    """

    context: Context
    text: str = ""
    params: Mapping[str, list[str]] = field(default_factory=dict)
    sources: Mapping[str, Filter] = field(default_factory=dict)
    tree: Node | None = None
    rest: Node | None = None
    error: QueryError | None = None

    @classmethod
    def read(
        cls,
        params: QueryDict | Mapping[str, list[str]],
        names: Collection[str],
        visible: Visibility,
        zone: tzinfo | None = None,
        now: datetime | None = None,
    ) -> Self:
        """Read `q` of `params`, of which `names` narrow the list. Asks the database nothing.

        Days are those of the `zone` of a reader; without one, days in `q` are the organization's,
        and days in other parameters, as always, UTC's. Ages count back from `now`.
        """
        given = dict(params.lists()) if isinstance(params, QueryDict) else dict(params)
        text = next((text.strip() for text in given.pop("q", []) if text.strip()), "")
        context = Context(
            visible, zone or zone_named(visible.organization.time_zone), now or timezone.now()
        )
        if zone is not None:
            given = fix_params(given, zone, context.now)
        try:
            tree = parse(text)
            taken = {name for name in names if any(text.strip() for text in given.get(name, []))}
            found = split(tree, taken, context)
            rest = fix_dates(found.rest, context.zone, context.now)
        except QueryError as error:
            return cls(context, text, given, error=error)
        params = {**given, **found.params}
        return cls(context, text, params, found.sources, tree, rest)

    def resolve(self, errors: dict[str, str], *, asks_gone: bool) -> tuple[Self, Q]:
        """The query and what it asks for beside `params`, once these were read with `errors`.

        An error of what the text says goes to `q`, with its place.
        """
        error, condition = self.error, Q()
        for name in self.sources.keys() & errors.keys():
            error = self._explain(self.sources[name], errors.pop(name))
        if error is None:
            try:
                condition = compile_query(self.rest, replace(self.context, asks_gone=asks_gone))
            except QueryError as found:
                error = found
        if error is not None:
            errors["q"] = str(error)
        return replace(self, error=error), condition

    def _explain(self, source: Filter, message: str) -> QueryError:
        """Why this filter could not be read as a parameter, in the words of the language."""
        try:
            KEYS[source.key].condition(source, self.context)
        except QueryError as error:
            return error
        return QueryError(message, source.start, source.end)

    @property
    def rest_text(self) -> str:
        """What `params` do not say, as `q`."""
        return self.text if self.error else write(self.rest)

    def write_with(self, given: Collection[tuple[str, str]]) -> str:
        """The whole list as one query: the text as typed, behind the other parameters `given`."""
        others = [pair for pair in given if pair[0] not in self.sources and pair[0] != "q"]
        terms = [write(term) for term in as_terms(others, self.context)]
        text = f"({self.text})" if terms and isinstance(self.tree, Or) else self.text
        return " ".join(filter(None, [*terms, text]))

    @property
    def is_indexed(self) -> bool:
        """Whether indexes find what `rest` asks for, unless it is text that many jobs have."""
        return is_indexed(self.rest)

    @property
    def has_text(self) -> bool:
        """Whether `rest` looks for text."""
        return has_text(self.rest)

    @property
    def follows_status(self) -> bool:
        """Whether jobs come to fit `rest` as their status changes."""
        return follows_status(self.rest)

    @property
    def is_personal(self) -> bool:
        """Whether `rest` asks for something of the person who asks."""
        filters = (leaf for leaf in leaves(self.rest) if isinstance(leaf, Filter))
        return any(
            leaf.key == "assigned" and any(value.text.lower() == ME for value in leaf.values)
            for leaf in filters
        )

    @property
    def time_keys(self) -> frozenset[str]:
        """The keys that the rest narrows by time, each on its own."""
        filters = (term for term in terms_of(self.rest) if isinstance(term, Filter))
        return frozenset(term.key for term in filters if KEYS[term.key].is_range)
