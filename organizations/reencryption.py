"""Encrypting what is stored with the newest of CREDENTIALS_KEYS, so that older keys can go.

An app registers its columns with `register`. Values are replaced one by one, only while they are as
they were read, so workers may run meanwhile.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.conf import settings
from django.db.models import ExpressionWrapper, F, Field, Model

from organizations.encryption import Undecryptable, encrypt_anew, needs_old_key

BATCH = 200
# A value that changes each time it is about to be replaced is being written with the newest key.
TRIES = 3
# How many values of each column, the oldest, a check looks at: it has to be quick.
SAMPLE = 100


def _is_the_token(value: str) -> Iterable[str]:
    return [value]


def _replace_the_token(value: str, replace: Callable[[str], str]) -> str:
    return replace(value)


@dataclass(frozen=True, slots=True)
class EncryptedColumn:
    """A column that holds tokens of `organizations.encryption`.

    `raw` reads and compares the column as the database has it. `find_tokens` returns the tokens in
    such a value, `replace_tokens` the value with each of them replaced; by default the value is one
    token. `wrap` makes of it what the model's own field takes.
    """

    model: type[Model]
    name: str
    raw: Field[Any, Any]
    find_tokens: Callable[[Any], Iterable[str]] = _is_the_token
    replace_tokens: Callable[[Any, Callable[[str], str]], Any] = _replace_the_token
    wrap: Callable[[Any], Any] = lambda value: value

    def __str__(self) -> str:
        return f"{self.model.__name__}.{self.name}"

    def needs_old_key(self, value: Any) -> bool:
        return any(map(needs_old_key, self.find_tokens(value)))

    def values(self) -> Iterator[tuple[int, Any]]:
        """The id and the stored value of each row that has one, oldest first, read in batches."""
        after = 0
        while True:
            rows = self._rows().filter(pk__gt=after, stored__isnull=False).order_by("pk")
            batch = list(rows.values_list("pk", "stored")[:BATCH])
            yield from batch
            if len(batch) < BATCH:
                return
            after = batch[-1][0]

    def rewrite(self, pk: int, value: Any) -> bool:
        """Replace the tokens of a value. Raises Undecryptable; False where it is not needed now."""
        for _ in range(TRIES):
            if value is None or not self.needs_old_key(value):
                return False
            changed = {self.name: self.wrap(self.replace_tokens(value, encrypt_anew))}
            if self._rows().filter(pk=pk, stored=value).update(**changed):
                return True
            value = self._rows().filter(pk=pk).values_list("stored", flat=True).first()
        return False

    def _rows(self) -> Any:
        stored = ExpressionWrapper(F(self.name), output_field=self.raw)
        return self.model._default_manager.alias(stored=stored).annotate(stored=stored)


_FINDERS: list[Callable[[], Iterable[EncryptedColumn]]] = []


def register(finder: Callable[[], Iterable[EncryptedColumn]]) -> None:
    """Have the columns that `finder` returns encrypted anew as well. For `AppConfig.ready`."""
    if finder not in _FINDERS:
        _FINDERS.append(finder)


def columns() -> list[EncryptedColumn]:
    return [column for finder in _FINDERS for column in finder()]


def rewrite_all() -> int:
    """Encrypt with the newest key what is not; returns how many values.

    What no key opens stays.
    """
    rewritten = 0
    for column in columns():
        for pk, value in column.values():
            try:
                rewritten += column.rewrite(pk, value)
            except Undecryptable:
                continue
    return rewritten


def count_remaining() -> dict[str, int]:
    """How many stored values need an older key, or one that is lost, by column; without zeros."""
    counts = {
        str(column): sum(column.needs_old_key(value) for _, value in column.values())
        for column in columns()
    }
    return {name: count for name, count in counts.items() if count}


def find_remaining() -> str:
    """A column in which a value needs an older key, among the oldest of each; empty for none.

    Quick, for checks: nothing is read while there is one key only.
    """
    if len(settings.CREDENTIALS_KEYS) < 2:
        return ""
    for column in columns():
        sample = islice(column.values(), SAMPLE)
        if any(column.needs_old_key(value) for _, value in sample):
            return str(column)
    return ""
