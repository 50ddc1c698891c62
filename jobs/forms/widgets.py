"""Fields of forms that draw themselves in a way of their own."""

from dataclasses import dataclass

from django import forms

from jobs.models import ProviderAccount
from organizations.sign_in.form_fields import StyledField


class AccountChoice(forms.ModelChoiceField[ProviderAccount]):
    """Accounts by name, each with its provider unless the name says it."""

    def label_from_instance(self, account: ProviderAccount) -> str:
        label = account.provider_label
        return account.name if label in account.name else f"{account.name} ({label})"


@dataclass(frozen=True, slots=True)
class FieldNote:
    """What a form says beside a field before it is sent."""

    message: str
    blocking: bool


class NotedField(StyledField):
    """A field with what the provider says about the value in it: `notes` of its form."""

    @property
    def notes(self) -> list[FieldNote]:
        notes: dict[str, list[FieldNote]] = getattr(self.form, "notes", {})
        return notes.get(self.name, [])
