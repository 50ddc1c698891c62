"""The form for a new batch: the fields for a job without its input, and many inputs."""

from typing import Any

from django import forms

from jobs.forms.job import JobForm
from jobs.models import ProviderAccount, TemplateVersion
from jobs.models.batch.batch import MAX_NAME
from jobs.query.references import has_control_characters
from jobs.submission.templates.settings import request_from
from organizations.models import Organization
from providers.core.types import JobRequest

# What is about the batch, whatever says how its jobs are encoded
OWN_FIELDS = frozenset(
    {"name", "account", "template", "inputs", "file", "allow_duplicate", "idempotency_key"}
)
NO_TEMPLATE = "Settings below"


class BatchForm(JobForm):
    """Where a template is chosen, that says how the jobs are encoded, and there are no settings."""

    name = forms.CharField(
        max_length=MAX_NAME,
        error_messages={"required": "Enter a name."},
        help_text="Finds its jobs later, as batch:name. No other batch may have it.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    template = forms.ChoiceField(required=False)
    inputs = forms.CharField(
        label="Inputs",
        required=False,
        # without stripping, lines keep their numbers
        strip=False,
        widget=forms.Textarea(
            attrs={"rows": 10, "spellcheck": "false", "class": "code", "wrap": "off"}
        ),
    )
    file = forms.FileField(
        label="CSV file",
        required=False,
        help_text="Its lines replace those above when the inputs are checked.",
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,text/csv,text/plain"}),
    )

    def __init__(self, organization: Organization, *args: Any, **kwargs: Any) -> None:
        super().__init__(organization, *args, **kwargs)
        self.fields["allow_duplicate"].label = "Submit duplicates too"
        dropped = {"input", "retry_of", "copied_from"}
        if self.version:
            dropped = set(self.fields) - OWN_FIELDS
        for name in dropped:
            self.fields.pop(name, None)

    def _offer_templates(self, organization: Organization) -> None:
        """All of them: one is used as it is, and fills in no fields."""
        versions = {
            str(version.template_id): version
            for version in TemplateVersion.objects.selectable(organization)
        }
        field = self.fields["template"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - tells mypy
        field.choices = [("", NO_TEMPLATE), *((pk, str(one)) for pk, one in versions.items())]
        chosen = (self.data if self.is_bound else self.initial).get("template")
        self.version = versions.get(str(chosen or ""))

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if has_control_characters(name):
            raise forms.ValidationError("Remove the control characters.")
        return name

    def to_shared_request(self) -> JobRequest:
        """What all jobs share, still without an input.

        Raises SubmissionRefused where the template cannot be used.
        """
        account = self.cleaned_data["account"]
        assert isinstance(account, ProviderAccount)  # noqa: S101 - tells mypy
        if self.version:
            return request_from(self.version, account, {"input": ""})
        self.cleaned_data["input"] = ""
        return self.to_request()
