"""Reading the query string of a list: the same names, limits and messages for all of them."""

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import reduce
from operator import or_
from typing import TypeVar

from django.db.models import Q
from django.http import QueryDict
from django.utils import timezone

from jobs.models import Preset
from jobs.query.language.times import AGE, UNITS, restore_plus
from jobs.query.paging.orderings import Ordering
from jobs.query.references import (
    explain_assignee,
    find_accounts,
    find_assignees,
    find_batches,
    find_error_groups,
    find_submitters,
    has_control_characters,
    read_id,
)
from jobs.query.visibility import Visibility
from providers.core import registry

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
# Longer than any column that it is compared with
MAX_TEXT = 500
# Holds the name of a preset, of any script
MAX_CURSOR = 2_000
MAX_VALUES = 50

Params = QueryDict | Mapping[str, list[str]]
Choice = TypeVar("Choice", bound=StrEnum)


class Parameters:
    """The parameters `names` of a list of what is `visible`, each read by the method for its kind.

    What cannot be read leaves a sentence in `errors` under its name. Those in `repeated` may be
    given several times. An empty value counts as none, and of several values where one is meant
    the first counts; `find_careless` names both. `unknown` are the other names that were sent.
    """

    def __init__(
        self,
        params: Params,
        visible: Visibility,
        names: Iterable[str],
        repeated: Iterable[str],
        now: datetime | None = None,
    ) -> None:
        self.visible = visible
        # what ages count back from
        self.now = now or timezone.now()
        self.errors: dict[str, str] = {}
        self.values: dict[str, list[str]] = {}
        names, repeated = tuple(names), frozenset(repeated)
        self.unknown = tuple(name for name in params if name not in names)
        for name in names:
            given = params.getlist(name) if isinstance(params, QueryDict) else params.get(name, [])
            texts = list(dict.fromkeys(text.strip() for text in given))
            texts = [text for text in texts if text][: None if name in repeated else 1]
            self._check(name, texts, len(given))
            self.values[name] = texts

    def _check(self, name: str, texts: list[str], count: int) -> None:
        if count > MAX_VALUES:
            self.errors[name] = f"Use at most {MAX_VALUES} values."
        longest = MAX_CURSOR if name == "cursor" else MAX_TEXT
        if any(len(text) > longest for text in texts):
            self.errors[name] = f"Use at most {longest} characters."
        if any(map(has_control_characters, texts)):
            self.errors[name] = "Remove the control characters."

    @property
    def given(self) -> tuple[tuple[str, str], ...]:
        return tuple((name, text) for name, texts in self.values.items() for text in texts)

    def several(self, name: str) -> tuple[str, ...]:
        return () if name in self.errors else tuple(self.values.get(name, ()))

    def one(self, name: str) -> str:
        return next(iter(self.several(name)), "")

    def choices(self, name: str, kind: type[Choice]) -> frozenset[Choice]:
        """Values of a closed list."""
        try:
            return frozenset(kind(text) for text in self.several(name))
        except ValueError:
            article = "An" if name[0] in "aeiou" else "A"
            self.errors[name] = f"{article} {name} is one of {', '.join(kind)}."
            return frozenset()

    def flag(self, name: str) -> bool | None:
        text = self.one(name)
        if text not in ("", "true", "false"):
            self.errors[name] = "Use true or false."
        return {"true": True, "false": False}.get(text)

    def time(self, name: str) -> datetime | None:
        text = self.one(name)
        try:
            return read_time(text, self.now) if text else None
        except ValueError as error:
            self.errors[name] = str(error)
            return None

    def number(self, name: str, smallest: int, largest: int) -> int | None:
        text = self.one(name)
        if not text:
            return None
        if re.fullmatch(r"[0-9]{1,9}", text) and smallest <= int(text) <= largest:
            return int(text)
        self.errors[name] = f"Enter a whole number from {smallest} to {largest}."
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
            owned = self.visible.accounts()
            found = dict(owned.filter(provider__in=providers).values_list("pk", "provider"))
        else:
            accounts = find_accounts(self.visible.accounts(), references)
            for text in references:
                if text not in accounts:
                    self.errors["account"] = f"No account has the id or the name {text}."
            found = {account.pk: account.provider for account in accounts.values()}
        # an account may be of a provider that was removed since
        known = {*dict(registry.choices()), *found.values()}
        if unknown := [slug for slug in providers if slug not in known]:
            self.errors["provider"] = f"There is no provider {unknown[0]}."
        return frozenset(pk for pk, slug in found.items() if not providers or slug in providers)

    def batches(self) -> tuple[int, ...]:
        """The batches that `batch` names, by id. One query if it names any."""
        texts = self.several("batch")
        known = find_batches(self.visible, texts) if texts else {}
        for text in texts:
            if text not in known:
                self.errors["batch"] = f"No batch has the id or the name {text}."
        return tuple(sorted(known.values()))

    def submitters(self) -> Q | None:
        """The jobs that one of `submitted_by` submitted; None where it is not given.

        One query when e-mail addresses are given, one when tokens are, else none.
        """
        texts = self.several("submitted_by")
        known = find_submitters(self.visible.organization, texts)
        for text in texts:
            if text not in known:
                self.errors["submitted_by"] = (
                    f"No member has the e-mail address, and no token the name, {text}. "
                    "Enter an e-mail address or token:NAME."
                )
        return reduce(or_, known.values()) if known else None

    def assignees(self) -> tuple[int, ...]:
        """The members that `assigned` names, by id. One query if it names any but `me`."""
        texts = self.several("assigned")
        known = find_assignees(self.visible, texts)
        for text in texts:
            if text not in known:
                self.errors["assigned"] = explain_assignee(text)
        return tuple(sorted({pk for ids in known.values() for pk in ids}))

    def error_groups(self) -> tuple[int, ...]:
        """The ids of the groups that `error_group` names, with what is merged into them.

        One query if any.
        """
        texts = self.several("error_group")
        known = find_error_groups(self.visible.organization, texts)
        for text in texts:
            if text not in known:
                self.errors["error_group"] = f"No error group has the id {text}."
        return tuple(sorted({pk for group in known.values() for pk in group}))

    def jobs(self) -> tuple[int, ...]:
        """The ids of the jobs that `job` names. One query if any."""
        ids = {text: read_id(text) for text in self.several("job")}
        if not ids:
            return ()
        rows = self.visible.jobs()
        known = frozenset(
            rows.filter(pk__in=[pk for pk in ids.values() if pk]).values_list("pk", flat=True)
        )
        for text, pk in ids.items():
            if pk not in known:
                self.errors["job"] = f"No job has the id {text}."
        return tuple(sorted(known))

    def presets(self) -> tuple[Preset, ...]:
        """The presets that `preset` names by id, without their settings. One query if any."""
        texts = self.several("preset")
        if not texts:
            return ()
        ids = {text: read_id(text) for text in texts}
        rows = (
            self.visible.presets()
            .filter(pk__in=[pk for pk in ids.values() if pk is not None])
            .only("pk", "name", "remote_id")
        )
        known = {row.pk: row for row in rows}
        for text, pk in ids.items():
            if pk not in known:
                self.errors["preset"] = f"No preset has the id {text}."
        return tuple(known.values())


def find_careless(
    params: QueryDict, names: Collection[str], repeated: Collection[str]
) -> dict[str, str]:
    """What a script should not send, by name: it may select more than was meant."""
    wrong = {}
    for name, texts in params.lists():
        if name not in names:
            wrong[name] = "There is no such parameter."
        elif not all(text.strip() for text in texts):
            wrong[name] = "Enter a value, or leave the parameter out."
        elif len(texts) > 1 and name not in repeated:
            wrong[name] = "Give this parameter once."
    return wrong


def read_time(text: str, now: datetime) -> datetime:
    """Read ISO 8601 (UTC where it names no offset) or `2d`: that long before `now`.

    Raises ValueError.
    """
    try:
        if found := AGE.fullmatch(text):
            return now - timedelta(**{UNITS[found[2]]: int(found[1])})
        # RFC 3339 allows its letters in lower case
        moment = datetime.fromisoformat(restore_plus(text.upper()))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(
            "Enter a time such as 2026-05-04T12:00:00Z, or an age such as 2d."
        ) from None
