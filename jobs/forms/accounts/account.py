"""The form for one provider account, on its page and in the admin."""

from typing import Any, ClassVar

from django import forms

from jobs.accounts.service import CheckResult, check_account, stored_names, write_account
from jobs.accounts.validation import COMMON_OPTIONS, AccountInput, InvalidAccount
from jobs.accounts.webhook_urls import (
    OFF,
    ON,
    SEND_OPTION,
    is_sent_by_default,
    sends_webhook_url,
)
from jobs.models import ProviderAccount
from organizations.models import User
from organizations.sign_in.form_fields import StyledField
from providers.core.contract import Provider
from providers.core.types import Capability, Field

# label and help text of COMMON_OPTIONS
SCHEDULE_TEXTS = {
    "interval_s": ("Interval", "Seconds between syncs while jobs are running."),
    "idle_interval_s": ("Idle interval", "Seconds between syncs while no job is running."),
    "requests_per_minute": (
        "Requests per minute",
        "For each kind of request; replaces the provider's own limits.",
    ),
    "concurrency": ("Concurrency", "Jobs read in parallel."),
    "stuck_after_min": (
        "Stuck after",
        "Minutes after which a job is called stuck while too few jobs are comparable; "
        "1440 by default, 0 for never.",
    ),
    "max_unfinished_jobs": (
        "Unfinished jobs",
        "At most this many jobs of ours at the provider at a time. The others wait here and are "
        "sent by priority. Empty for no limit.",
    ),
}


class AccountForm(forms.ModelForm[ProviderAccount]):
    """An account's settings, with the fields that its provider declares: see `for_provider`.

    Credentials are write-only: never shown, and kept when left empty. A valid form has asked the
    provider about them.
    """

    adapter_class: ClassVar[type[Provider]]
    checked: CheckResult

    class Meta:
        model = ProviderAccount
        fields = ["name", "base_url", "enabled"]
        labels = {"base_url": "Base URL"}
        help_texts = {
            "name": "Display name.",
            "base_url": "The URL of the provider's API, with its version.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        base_url = self.fields["base_url"]
        base_url.required = False
        base_url.widget.attrs["placeholder"] = self.adapter_class.default_base_url
        if not self.is_new and "name" in self.fields:
            # the name is what the account is found by
            self.fields["name"].disabled = True

    @classmethod
    def for_provider(
        cls, adapter_class: type[Provider], account: ProviderAccount | None = None
    ) -> type["AccountForm"]:
        """The class of the form for a new account of this provider, or for this one."""
        stored = stored_names(account) if account else frozenset()
        options = account.options if account else {}
        fields: dict[str, forms.Field] = {
            field.name: _credential_field(adapter_class, field, is_stored=field.name in stored)
            for field in adapter_class.credential_fields
        }
        for field in adapter_class.option_fields:
            fields[field.name] = _option_field(field.label, field.help, required=field.required)
        for name in COMMON_OPTIONS:
            fields[name] = _option_field(*SCHEDULE_TEXTS[name], required=False)
        for name, value in options.items():
            if name in fields:
                fields[name].initial = value
        if adapter_class.supports(Capability.JOB_WEBHOOK):
            fields[SEND_OPTION] = _send_field(account)
        return type(cls.__name__, (cls,), {**fields, "adapter_class": adapter_class})

    @property
    def is_new(self) -> bool:
        return self.instance.pk is None

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not self.errors:
            try:
                self.checked = check_account(self.values)
            except InvalidAccount as error:
                self._add_errors(error)
        return cleaned

    @property
    def values(self) -> AccountInput:
        declared = self.adapter_class
        options = self._pick([*(field.name for field in declared.option_fields), *COMMON_OPTIONS])
        if SEND_OPTION in self.changed_data:  # else it stays as it is, or follows the default
            options[SEND_OPTION] = ON if self.cleaned_data[SEND_OPTION] else OFF
        return AccountInput(
            self.instance.organization,
            provider=self.instance.provider,
            name=self.cleaned_data.get("name") or self.instance.name,
            base_url=self.cleaned_data["base_url"],
            credentials=self._pick(field.name for field in declared.credential_fields),
            options=options,
            enabled=self.cleaned_data.get("enabled"),
            is_new=self.is_new,
        )

    def write(self, user: User) -> ProviderAccount | None:
        """Save a valid form; None, with the reason in the form, where that fails by now."""
        try:
            return write_account(self.values, self.checked, user=user)
        except InvalidAccount as error:
            self._add_errors(error)
            return None

    def _pick(self, names: Any) -> dict[str, str]:
        return {name: self.cleaned_data[name] for name in names}

    def _add_errors(self, error: InvalidAccount) -> None:
        for name, sentence in error.errors.items():
            self.add_error(name if name in self.fields else None, sentence)


class AccountPageForm(AccountForm):
    """On its page, which has a button of its own to pause and resume."""

    bound_field_class = StyledField

    class Meta(AccountForm.Meta):
        fields = ["name", "base_url"]

    @property
    def main_fields(self) -> list[forms.BoundField]:
        apart = {*COMMON_OPTIONS, SEND_OPTION}
        return [field for field in self if field.name not in apart]

    @property
    def send_field(self) -> forms.BoundField | None:
        return self[SEND_OPTION] if SEND_OPTION in self.fields else None

    @property
    def schedule_fields(self) -> list[forms.BoundField]:
        return [field for field in self if field.name in COMMON_OPTIONS]


def _credential_field(
    adapter_class: type[Provider], field: Field, *, is_stored: bool
) -> forms.CharField:
    hint = "A value is stored. Leave this empty to keep it." if is_stored else ""
    shown = {"placeholder": "•" * 12} if is_stored else {}
    widget = forms.PasswordInput(attrs={"autocomplete": "new-password", **shown})
    return forms.CharField(
        label=field.label,
        help_text=f"{field.help} {hint}".strip(),
        required=field.required and not is_stored,
        error_messages={"required": f"{adapter_class.label} needs {field.label}."},
        max_length=2000,
        widget=widget if field.secret else forms.TextInput(attrs={"autocomplete": "off"}),
    )


def _send_field(account: ProviderAccount | None) -> forms.BooleanField:
    is_sent = sends_webhook_url(account) if account else is_sent_by_default("")
    return forms.BooleanField(
        label="Send our webhook URL with each job",
        help_text="The provider then reports changes at once. It must be able to reach this board.",
        required=False,
        initial=is_sent,
    )


def _option_field(label: str, help_text: str, *, required: bool) -> forms.CharField:
    return forms.CharField(label=label, help_text=help_text, required=required, max_length=500)
