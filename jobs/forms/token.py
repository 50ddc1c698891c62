"""What a manager fills in for a new API token."""

from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone

from jobs.models import ProviderAccount
from organizations.models import ApiToken, Organization, Scope, User
from organizations.sign_in.form_fields import StyledField
from organizations.tokens import issue_token

ALL, SOME = "all", "some"
LIVES = ((7, "In 7 days"), (30, "In 30 days"), (90, "In 90 days"), (365, "In a year"))
NEVER = ""


class TokenForm(forms.Form):
    bound_field_class = StyledField

    name = forms.CharField(
        max_length=100,
        help_text="What it is for. Jobs that it submits and the audit log show it as token:NAME.",
        widget=forms.TextInput(attrs={"placeholder": "ingest-nightly", "autocomplete": "off"}),
    )
    scope = forms.ChoiceField(choices=Scope.choices, initial=Scope.READ)
    reach = forms.ChoiceField(
        label="Accounts",
        choices=[(ALL, "All accounts, later ones too"), (SOME, "Only those chosen here")],
        initial=ALL,
    )
    accounts = forms.ModelMultipleChoiceField(
        ProviderAccount.objects.none(),
        label="Only these accounts",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    expires = forms.TypedChoiceField(
        choices=[*LIVES, (NEVER, "Never")], coerce=int, empty_value=None, required=False, initial=90
    )

    def __init__(self, organization: Organization, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.organization = organization
        accounts = ProviderAccount.objects.for_organization(organization)
        self.fields["accounts"].queryset = accounts.defer(  # type: ignore[attr-defined]
            "credentials", "hook_secret"
        ).order_by("name")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if "accounts" in cleaned and "reach" in cleaned:
            if cleaned["reach"] == SOME and not cleaned["accounts"]:
                self.add_error("accounts", "Choose at least one account.")
            if cleaned["reach"] == ALL and cleaned["accounts"]:
                self.add_error("reach", "You chose accounts below: clear them, or use only those.")
        return cleaned

    def issue(self, actor: User) -> tuple[ApiToken, str]:
        """The new token and its clear text."""
        values, ids = self.cleaned_data, None
        if values["reach"] == SOME:
            ids = [account.pk for account in values["accounts"]]
        days = values["expires"]
        return issue_token(
            self.organization,
            values["name"],
            Scope(values["scope"]),
            actor=actor,
            account_ids=ids,
            expires_at=timezone.now() + timedelta(days=days) if days else None,
        )
