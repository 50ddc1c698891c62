"""Fields of forms that draw themselves in a way of their own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from django import forms
from django.forms.boundfield import BoundWidget

from jobs.accounts.freshness import Freshness, HealthStatus, freshness
from jobs.models import ProviderAccount
from organizations.sign_in.form_fields import StyledField


class AccountChoice(forms.ModelChoiceField[ProviderAccount]):
    """Accounts by name, each with its provider unless the name says it."""

    def label_from_instance(self, account: ProviderAccount) -> str:
        label = account.provider_label
        return account.name if label in account.name else f"{account.name} ({label})"


@dataclass(frozen=True, slots=True)
class AccountTile:
    """A radio button of the accounts: `title` and below it what is wrong, else `note`."""

    radio: BoundWidget
    state: Freshness
    title: str
    note: str

    @property
    def is_wrong(self) -> bool:
        return self.state.status not in (HealthStatus.OK, HealthStatus.IMPORTING)

    @classmethod
    def of(cls, radio: BoundWidget, account: ProviderAccount, now: datetime) -> Self:
        state, label = freshness(account, now), account.provider_label
        if label in account.name:
            return cls(radio, state, account.name, state.remark.capitalize() or state.label)
        return cls(radio, state, label, state.remark.capitalize() or account.name)


def read_tiles(
    field: forms.BoundField, accounts: Sequence[ProviderAccount], now: datetime
) -> Iterator[AccountTile]:
    """The radio buttons of `field`, each with its account."""
    by_id = {str(account.pk): account for account in accounts}
    for radio in field.subwidgets:
        yield AccountTile.of(radio, by_id[str(radio.data["value"])], now)


@dataclass(frozen=True, slots=True)
class HeightRow:
    """A packaging's row in the table of renditions: a box under each height, None without one."""

    field: forms.BoundField
    boxes: list[BoundWidget | None]

    @property
    def has_playlist(self) -> bool:
        return self.field.name == "hls"


def read_height_rows(fields: Sequence[forms.BoundField]) -> tuple[list[str], list[HeightRow]]:
    """The headings `240p`, and a row for each of `fields`."""
    found: list[dict[int, Any]] = [
        {int(str(box.data["value"])): box for box in field.subwidgets} for field in fields
    ]
    heights = sorted(set().union(*found))
    rows = [
        HeightRow(field, [boxes.get(height) for height in heights])
        for field, boxes in zip(fields, found, strict=True)
    ]
    return [f"{height}p" for height in heights], rows


@dataclass(frozen=True, slots=True)
class FieldNote:
    """What a form says beside a field before it is sent."""

    message: str
    blocking: bool


@dataclass(frozen=True, slots=True)
class Deviation:
    """What a form says of a field that is not sent as it was entered."""

    label: str
    message: str
    is_left_out: bool


class NotedField(StyledField):
    """A field with what the provider says about the value in it: `notes` of its form."""

    @property
    def notes(self) -> list[FieldNote]:
        notes: dict[str, list[FieldNote]] = getattr(self.form, "notes", {})
        return notes.get(self.name, [])
