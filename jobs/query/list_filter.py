"""What every list is filtered by, and the links that change it."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Self
from urllib.parse import urlencode

from jobs.query.parameters import DEFAULT_LIMIT, Parameters, Params
from jobs.query.visibility import Visibility


@dataclass(frozen=True)
class ListFilter(ABC):
    """What a list shows, from where. A subclass names its parameters and reads them.

    `given` holds the parameters as they came, so that a link says `2d` where the reader did;
    `errors` a sentence for each field that could not be read; `unknown` the names of those that
    the list does not have.
    """

    # the parameters that narrow the list, those among them that may be given several times, and
    # the others
    CONDITIONS: ClassVar[tuple[str, ...]] = ()
    REPEATED: ClassVar[tuple[str, ...]] = ()
    OTHERS: ClassVar[tuple[str, ...]] = ("sort", "limit", "cursor")

    given: tuple[tuple[str, str], ...] = ()
    errors: Mapping[str, str] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    organization_id: int | None = None
    # who asks, where the list is another one for each person
    member_id: int | None = None
    limit: int = DEFAULT_LIMIT
    cursor: str = ""

    @classmethod
    @abstractmethod
    def parse(cls, params: Params, visible: Visibility) -> Self:
        """Read the query string; what it names is found among what is `visible` alone."""

    @classmethod
    def read(cls, params: Params, visible: Visibility, now: datetime | None = None) -> Parameters:
        names = (*cls.CONDITIONS, *cls.OTHERS)
        return Parameters(params, visible, names, cls.REPEATED, now)

    @property
    def is_empty(self) -> bool:
        """Whether nothing narrows the list."""
        return not any(name in self.CONDITIONS for name, _ in self.given)

    @property
    def scope(self) -> str:
        """What the cursors of the list belong to, beside its order: the list and its filters.

        A relative time is the same filter on each page, though it moves.
        """
        return self.scope_without()

    def scope_without(self, *names: str) -> str:
        """The scope of the list without the filters `names`."""
        conditions = set(self.CONDITIONS) - set(names)
        filters = sorted(pair for pair in self.given if pair[0] in conditions)
        owner = [self.organization_id, *([self.member_id] if self.member_id else [])]
        return json.dumps([type(self).__name__, *owner, filters])

    @property
    def is_unreadable(self) -> bool:
        """Whether a condition could not be read.

        Such a list is empty: a mistyped condition must not select more than was meant.
        """
        return any(name in self.errors for name in self.CONDITIONS)

    def params(self) -> list[tuple[str, str]]:
        """The parameters as given, for hidden fields and links."""
        return list(self.given)

    def query(self, **changes: str | Iterable[str] | None) -> str:
        """The query string with `changes` made: a value, several, or None to take one away.

        The cursor goes unless it is among the changes: it belongs to the list as it was.
        """
        changes = {"cursor": None, **changes}
        params = [(name, value) for name, value in self.given if name not in changes]
        for name, value in changes.items():
            values = [value] if isinstance(value, str) else value or []
            params += [(name, item) for item in values]
        return urlencode(params)
