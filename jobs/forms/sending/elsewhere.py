"""Choosing the account that a job is retried at."""

from collections.abc import Sequence
from typing import Any

from django import forms

from jobs.forms.job_values import preset_choices
from jobs.models import Job, ProviderAccount
from jobs.models.work import MAX_PRIORITY
from jobs.submission.idempotency import KEY_PATTERN, KEY_RULE
from organizations.models.audit import MAX_REASON
from organizations.sign_in.form_fields import StyledField


class TargetForm(forms.Form):
    """Where the job goes. A link may leave out the account: the first one is meant then."""

    bound_field_class = StyledField

    account = forms.ChoiceField(
        label="To", error_messages={"invalid_choice": "Choose one of these accounts."}
    )
    presets = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": "This account has no preset %(value)s."},
        help_text="One output per preset.",
    )

    destination = forms.CharField(
        required=False,
        max_length=4000,
        help_text="In place of the job's own: a folder that the provider can write to, or "
        "NAME/path of a stored destination. Empty for the same.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, targets: Sequence[ProviderAccount], data: Any) -> None:
        by_id = {str(account.pk): account for account in targets}
        asked = data.get("account") or next(iter(by_id))
        super().__init__(data if data.get("account") else {"account": asked})
        field, presets = self.fields["account"], self.fields["presets"]
        field.choices = [  # type: ignore[attr-defined]
            (pk, f"{account.name} ({account.provider_label})") for pk, account in by_id.items()
        ]
        self.target = by_id.get(asked)
        there = self.target.adapter_class if self.target else None
        if self.target is None or there is None or there.preset_field is None:
            del self.fields["presets"]
        else:
            presets.choices = preset_choices(self.target)  # type: ignore[attr-defined]
        if there is None or there.request_help.get("destination", "") is None:
            del self.fields["destination"]


class ElsewhereForm(forms.Form):
    """What is sent with it."""

    bound_field_class = StyledField

    reason = forms.CharField(
        label="Reason, for the audit log", required=False, max_length=MAX_REASON
    )
    priority = forms.IntegerField(required=False, min_value=-MAX_PRIORITY, max_value=MAX_PRIORITY)
    # made with the form, so that sending it twice makes one job
    key = forms.RegexField(
        KEY_PATTERN, max_length=64, widget=forms.HiddenInput, error_messages={"invalid": KEY_RULE}
    )

    @classmethod
    def for_job(cls, job: Job, key: str) -> "ElsewhereForm":
        return cls(initial={"priority": job.priority or 0, "key": key})
