"""The part of the form for a batch that lists a bucket into its inputs."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict

from jobs.batches.from_bucket import (
    MAX_PATTERN,
    MAX_PREFIX,
    Found,
    ListingRefused,
    find_inputs,
    write_lines,
)
from jobs.models import StoredLocation
from jobs.query.references import has_control_characters
from organizations.models import Organization
from organizations.sign_in.form_fields import StyledField


def _check_text(text: str) -> None:
    if has_control_characters(text):
        raise ValidationError("Remove the control characters.")


def _text(label: str, max_length: int, placeholder: str) -> forms.CharField:
    attrs = {"autocomplete": "off", "spellcheck": "false", "placeholder": placeholder}
    return forms.CharField(
        label=label,
        required=False,
        max_length=max_length,
        validators=[_check_text],
        widget=forms.TextInput(attrs=attrs),
    )


class BucketForm(forms.Form):
    """`found` is what `list_into` has found; None before."""

    bound_field_class = StyledField
    source = forms.ChoiceField(label="Stored source", required=False)
    begins = _text("Begins with", MAX_PREFIX, "2026/reels/")
    pattern = _text("File name", MAX_PATTERN, "*.mp4")
    found: Found | None = None

    def __init__(
        self,
        organization: Organization,
        data: QueryDict | None = None,
        initial: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data, initial=initial, prefix="bucket")
        self._organization = organization
        field = self.fields["source"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - tells mypy
        sources = StoredLocation.objects.for_organization(organization).listable()
        field.choices = [(name, name) for name in sources.values_list("name", flat=True)]

    @classmethod
    def of(cls, organization: Organization, given: QueryDict) -> "BucketForm":
        """Bound only where the bucket is to be listed; else it keeps what was typed."""
        if "list" in given:
            return cls(organization, given)
        typed = {name: given.get(f"bucket-{name}", "") for name in cls.base_fields}
        return cls(organization, initial=typed)

    @property
    def has_sources(self) -> bool:
        field = self.fields["source"]
        return isinstance(field, forms.ChoiceField) and bool(field.choices)

    def list_into(self, data: QueryDict) -> bool:
        """Put the objects in the place of the inputs; where that fails, say why and change none."""
        if not self.is_valid():
            return False
        given = self.cleaned_data
        try:
            self.found = find_inputs(
                self._organization, given["source"], given["begins"], given["pattern"]
            )
        except ListingRefused as error:
            self.add_error("begins" if error.field == "prefix" else "source", str(error))
            return False
        if self.found.inputs:
            data["inputs"] = write_lines(self.found.inputs)
        return True
