"""Reading the query string of a list: the same words, limits and sentences for all of them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import ClassVar, TypeVar
from urllib.parse import urlencode

from django.db.models import Model, Q, QuerySet
from django.http import QueryDict
from django.utils import timezone

from jobs.models import Preset, ProviderAccount
from jobs.query.keyset import Ordering
from organizations.models import Organization
from providers.core import registry

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
# Longer than any column that it is compared with
MAX_TEXT = 500
MAX_VALUES = 50
MAX_ID = 2**63 - 1

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_RELATIVE = re.compile(r"(\d{1,6})([smhdw])", re.ASCII)
# the "+" of an offset that nobody escaped arrives as a blank
_LOST_PLUS = re.compile(r"(T[0-9:.]+) (\d\d:?\d\d)$", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")

Params = QueryDict | Mapping[str, list[str]]
Row = TypeVar("Row", bound=Model)
Word = TypeVar("Word", bound=StrEnum)


@dataclass(frozen=True)
class ListFilter:
    """What a list shows, from where. A subclass names its `CONDITIONS` and reads them.

    `given` holds the parameters as they came, so that a link says `2d` where the reader did;
    `errors` a sentence for each field that could not be read.
    """

    # the parameters that narrow the list; order and place don't
    CONDITIONS: ClassVar[tuple[str, ...]] = ()

    given: tuple[tuple[str, str], ...] = ()
    errors: Mapping[str, str] = field(default_factory=dict)
    limit: int = DEFAULT_LIMIT
    cursor: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether nothing narrows the list."""
        return not any(name in self.CONDITIONS for name, _ in self.given)

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


class Parameters:
    """The parameters `names` of a list of `organization`, each read by the method for its kind.

    What cannot be read leaves a sentence in `errors` under its name. Those in `repeated` may be
    given several times. Unknown names are ignored.
    """

    def __init__(
        self,
        params: Params,
        organization: Organization,
        names: Iterable[str],
        repeated: Iterable[str],
    ) -> None:
        self.organization = organization
        self.errors: dict[str, str] = {}
        self.values: dict[str, list[str]] = {}
        repeated = frozenset(repeated)
        for name in names:
            given = params.getlist(name) if isinstance(params, QueryDict) else params.get(name, [])
            texts = list(dict.fromkeys(text.strip() for text in given))
            texts = [text for text in texts if text][: None if name in repeated else 1]
            self._check(name, texts)
            self.values[name] = texts

    def _check(self, name: str, texts: list[str]) -> None:
        if len(texts) > MAX_VALUES:
            self.errors[name] = f"Give at most {MAX_VALUES} values."
        if any(len(text) > MAX_TEXT for text in texts):
            self.errors[name] = f"Give at most {MAX_TEXT} characters."
        if any(map(has_control_characters, texts)):
            self.errors[name] = "Leave out control characters."

    @property
    def given(self) -> tuple[tuple[str, str], ...]:
        return tuple((name, text) for name, texts in self.values.items() for text in texts)

    def several(self, name: str) -> tuple[str, ...]:
        return () if name in self.errors else tuple(self.values[name])

    def one(self, name: str) -> str:
        return next(iter(self.several(name)), "")

    def words(self, name: str, kind: type[Word]) -> frozenset[Word]:
        """Words of a closed list."""
        try:
            return frozenset(kind(text) for text in self.several(name))
        except ValueError:
            article = "An" if name[0] in "aeiou" else "A"
            self.errors[name] = f"{article} {name} is one of {', '.join(kind)}."
            return frozenset()

    def flag(self, name: str) -> bool | None:
        text = self.one(name)
        if text not in ("", "true", "false"):
            self.errors[name] = "Give true or false."
        return {"true": True, "false": False}.get(text)

    def time(self, name: str) -> datetime | None:
        text = self.one(name)
        try:
            return read_time(text, timezone.now()) if text else None
        except ValueError as error:
            self.errors[name] = str(error)
            return None

    def number(self, name: str, smallest: int, largest: int) -> int | None:
        text = self.one(name)
        if not text:
            return None
        if re.fullmatch(r"[0-9]{1,9}", text) and smallest <= int(text) <= largest:
            return int(text)
        self.errors[name] = f"Give a whole number from {smallest} to {largest}."
        return None

    def limit(self) -> int:
        return self.number("limit", 1, MAX_LIMIT) or DEFAULT_LIMIT

    def ordering(self, names: Iterable[str]) -> Ordering | None:
        text = self.one("sort")
        try:
            return Ordering.parse(text, names) if text else None
        except ValueError as error:
            self.errors["sort"] = str(error)
            return None

    def account_ids(self) -> frozenset[int] | None:
        """What `provider` and `account` together come to; None: every account.

        One query when one of them is given, else none.
        """
        providers, references = self.several("provider"), self.several("account")
        if not providers and not references:
            return None
        if not references:
            owned = ProviderAccount.objects.for_organization(self.organization)
            found = dict(owned.filter(provider__in=providers).values_list("pk", "provider"))
        else:
            accounts = find_accounts(self.organization, references)
            for text in references:
                if text not in accounts:
                    self.errors["account"] = f"No account has the id or the name {text}."
            found = {account.pk: account.provider for account in accounts.values()}
        # an account may be of a provider that was removed since
        known = {*dict(registry.choices()), *found.values()}
        if unknown := [slug for slug in providers if slug not in known]:
            self.errors["provider"] = f"No provider is called {unknown[0]}."
        return frozenset(pk for pk, slug in found.items() if not providers or slug in providers)

    def presets(self) -> tuple[Preset, ...]:
        """The presets that `preset` names by id, without their settings. One query if any."""
        texts = self.several("preset")
        if not texts:
            return ()
        ids = {text: read_id(text) for text in texts}
        rows = (
            Preset.objects.for_organization(self.organization)
            .filter(pk__in=[pk for pk in ids.values() if pk is not None])
            .only("pk", "name", "remote_id")
        )
        known = {row.pk: row for row in rows}
        for text, pk in ids.items():
            if pk not in known:
                self.errors["preset"] = f"No preset has the id {text}."
        return tuple(known.values())


def find_accounts(
    organization: Organization, references: Iterable[str]
) -> dict[str, ProviderAccount]:
    """The account of `organization` that each reference names, by its id or its exact name.

    A reference that names none is left out. An id goes before a name made of digits. The
    secrets of the accounts are not loaded.
    """
    # a database may refuse to look for what no name can be
    references = {text for text in references if not has_control_characters(text)}
    ids = [pk for text in references if (pk := read_id(text)) is not None]
    accounts = (
        ProviderAccount.objects.for_organization(organization)
        .defer("credentials", "hook_secret")
        .filter(Q(pk__in=ids) | Q(name__in=references))
    )
    by_name = {account.name: account for account in accounts}
    known = by_name | {str(account.pk): account for account in accounts}
    return {text: known[text] for text in references if text in known}


def read_id(text: str) -> int | None:
    """Read one of our ids; None for what cannot be one, however long."""
    is_number = text.isascii() and text.isdigit() and len(text) <= len(str(MAX_ID))
    return int(text) if is_number and int(text) <= MAX_ID else None


def find_by_id(rows: QuerySet[Row], text: str) -> Row | None:
    """The row of `rows` with this id, as it stands in an address."""
    pk = read_id(text)
    return None if pk is None else rows.filter(pk=pk).first()


def read_time(text: str, now: datetime) -> datetime:
    """Read ISO 8601 (UTC where it names no offset) or `2d`: that long before `now`.

    Raises ValueError.
    """
    try:
        if found := _RELATIVE.fullmatch(text):
            return now - timedelta(**{_UNITS[found[2]]: int(found[1])})
        moment = datetime.fromisoformat(_LOST_PLUS.sub(r"\1+\2", text))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(
            "Give a time such as 2026-05-04T12:00:00Z, or an age such as 2d."
        ) from None


def has_control_characters(text: str) -> bool:
    """Whether `text` holds what no name has and a database may refuse, such as NUL."""
    return _CONTROL.search(text) is not None
