"""Confirming a bulk action: what is entered beside the jobs."""

import re
from collections.abc import Mapping

from django import forms

from jobs.models import Batch, BulkKind
from jobs.models.batch.batch import MAX_NAME
from organizations.models import Organization
from organizations.models.audit import MAX_REASON
from organizations.sign_in.form_fields import StyledField

MAX_LIMIT = 1_000_000
SUGGESTED_BATCHES = 50


class BulkForm(forms.Form):
    bound_field_class = StyledField

    # what is chosen beside the jobs: names of fields, for `read_options`
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

    def chosen(self) -> dict[str, str]:
        """As `read_options` takes it, of a valid form."""
        return {name: self.cleaned_data[name] for name in self.CHOSEN}

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

    def suggest(self, organization: Organization) -> list[str]:
        """The names of the newest batches."""
        batches = Batch.objects.filter(organization=organization).order_by("-created_at", "-pk")
        return list(batches.values_list("name", flat=True)[:SUGGESTED_BATCHES])


FORMS: Mapping[BulkKind, type[BulkForm]] = {BulkKind.ADD_TO_BATCH: BatchForm}


def form_of(kind: BulkKind) -> type[BulkForm]:
    return FORMS.get(kind, BulkForm)
