"""Confirming a bulk action: what is entered beside the jobs."""

import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict

from jobs.forms.job import submitting_accounts
from jobs.forms.job_values import preset_choices
from jobs.models import Batch, BulkKind, ProviderAccount
from jobs.models.batch.batch import MAX_NAME
from organizations.models import Organization
from organizations.models.audit import MAX_REASON
from organizations.sign_in.form_fields import StyledField

MAX_LIMIT = 1_000_000
SUGGESTED_BATCHES = 50


class BulkForm(forms.Form):
    bound_field_class = StyledField

    # what is chosen beside the jobs, by the names of fields
    CHOSEN: tuple[str, ...] = ()

    reason = forms.CharField(
        label="Reason, for the audit log",
        max_length=MAX_REASON,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    limit = forms.IntegerField(
        label="At most",
        min_value=1,
        max_value=MAX_LIMIT,
        required=False,
        help_text="How many jobs, the first of the list. Empty for all of them.",
    )
    typed = forms.CharField(
        label="Confirmation",
        max_length=20,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, organization: Organization, data: QueryDict | None = None) -> None:
        super().__init__(data)
        self.organization = organization

    @property
    def is_shown(self) -> bool:
        """Whether the page that was sent showed what is confirmed."""
        return True

    def chosen(self) -> dict[str, Any]:
        """What was chosen, by field, of a valid form."""
        given = {name: self.cleaned_data.get(name) for name in self.CHOSEN}
        return {name: value for name, value in given.items() if value}

    def check_typed(self, expected: str) -> None:
        """Refuse a form for many jobs without the number that its page showed."""
        typed = re.sub(r"[\s,.'’]", "", self.cleaned_data["typed"]).lower()
        if typed != expected:
            self.add_error("typed", "Type exactly what is asked for above.")

    def add_errors(self, errors: Mapping[str, str]) -> str:
        """Show each at its field; what is about no field is returned."""
        for name, message in errors.items():
            if name in self.fields:
                self.add_error(name, message)
        return " ".join(message for name, message in errors.items() if name not in self.fields)


class BatchForm(BulkForm):
    CHOSEN = ("batch", "new_batch")

    batch = forms.CharField(
        label="Batch",
        max_length=MAX_NAME,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "list": "batches"}),
        help_text="Its name or number.",
    )
    new_batch = forms.CharField(
        label="Or the name of a new batch",
        max_length=MAX_NAME,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def suggest(self) -> list[str]:
        """The names of the newest batches."""
        batches = Batch.objects.for_organization(self.organization)
        return list(batches.values_list("name", flat=True)[:SUGGESTED_BATCHES])


class ElsewhereForm(BulkForm):
    """The account is chosen before anything is confirmed: the page shows what changes there.

    `targets` are those that can be chosen, by id as text. `target` is the chosen one; None where
    none of them is.
    """

    CHOSEN = ("account", "presets")

    account = forms.ChoiceField(
        label="To",
        error_messages={
            "required": "Choose an account.",
            "invalid_choice": "Choose one of these accounts.",
        },
    )
    presets = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": "This account has no preset %(value)s."},
        help_text="One output per preset.",
    )

    def __init__(self, organization: Organization, data: QueryDict | None = None) -> None:
        given = data and data.copy()
        if given and given.get("account") != given.get("shown_account"):
            # those of the account that was shown before
            given.setlist("presets", [])
        super().__init__(organization, given)
        accounts = [one for one in submitting_accounts(organization) if one.enabled]
        self.targets = {str(one.pk): one for one in accounts}
        self.target: ProviderAccount | None = None
        field = self.fields["account"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - tells mypy
        field.choices = [
            (pk, f"{one.name} ({one.provider_label})") for pk, one in self.targets.items()
        ]
        chosen = self.targets.get(given.get("account", "")) if given else None
        if chosen is not None:
            self.choose(chosen)

    def choose(self, account: ProviderAccount) -> None:
        """The account that the page is about."""
        self.target = account
        self.initial["account"] = account.pk
        presets = self.fields["presets"]
        if account.adapter_class.preset_field is None:
            del self.fields["presets"]
        elif isinstance(presets, forms.MultipleChoiceField):
            presets.choices = preset_choices(account)

    @property
    def chosen_presets(self) -> list[str]:
        if not self.is_bound:
            return []
        self.is_valid()
        return self.cleaned_data.get("presets", [])

    @property
    def is_shown(self) -> bool:
        """Whether the page that was sent showed what changes with what is chosen now."""
        now, before = (self._given(names) for names in (self.CHOSEN, SHOWN_FIELDS))
        return now == before

    def _given(self, names: tuple[str, ...]) -> list[list[str]]:
        data = self.data
        return [data.getlist(name) for name in names] if isinstance(data, QueryDict) else []


# hidden ones: what the page showed
SHOWN_FIELDS = ("shown_account", "shown_presets")

FORMS: Mapping[BulkKind, type[BulkForm]] = {
    BulkKind.ADD_TO_BATCH: BatchForm,
    BulkKind.RESUBMIT_ELSEWHERE: ElsewhereForm,
}


def build_form(
    kind: BulkKind, organization: Organization, data: QueryDict | None = None
) -> BulkForm:
    return FORMS.get(kind, BulkForm)(organization, data)
