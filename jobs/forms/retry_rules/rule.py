"""The form of a retry rule: which failures, how often, when, and how many a day."""

from typing import Any

from django import forms

from jobs.models import JobErrorGroup, ProviderAccount, RetryRule
from jobs.models.retry_rules.rule import MAX_DAILY, MAX_DELAY_MINUTES, MAX_RETRIES
from jobs.query.jobs import ERROR_NAMES
from jobs.query.references import find_by_id
from organizations.sign_in.form_fields import StyledField
from providers.core.errors import CLASSES

TAKEN = "There is a rule with this name already."
GROUP = "group"
NOT_TRANSIENT = (
    "None of these errors goes away by itself, so the rule would retry nothing. Choose other "
    "errors, or retry them in any case."
)


class RetryRuleForm(forms.ModelForm[RetryRule]):
    """Settings of a rule of its organization; `instance` has one."""

    bound_field_class = StyledField

    # a class, a family, or the group whose id is in `group`
    error = forms.ChoiceField(label="Errors")
    group = forms.CharField(
        label="Error group",
        max_length=20,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        help_text="Its number, as in the address of its page. Only if a group is chosen above.",
    )

    class Meta:
        model = RetryRule
        fields = (
            *("name", "account", "only_transient"),
            *("max_retries", "delay_minutes", "daily_limit"),
        )
        labels = {
            "only_transient": "Only errors that may go away by themselves",
            "max_retries": "Retries of a job, at most",
            "delay_minutes": "Minutes before the first retry",
            "daily_limit": "Retries a day at each account, at most",
        }
        help_texts = {
            "only_transient": "Timeouts and outages, for example. Without this, failures are "
            "retried that will most likely fail again.",
            "max_retries": f"1 to {MAX_RETRIES}. Retries that people made count as well.",
            "delay_minutes": f"1 to {MAX_DELAY_MINUTES:,}. Each further retry waits twice as long, "
            "a day at the most.",
            "daily_limit": f"1 to {MAX_DAILY:,}. Further failures of the day are left to people.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        rule: RetryRule = kwargs["instance"]
        named = GROUP if rule.error_group_id else rule.error_class
        initial = {"error": named, "group": rule.error_group_id}
        kwargs["initial"] = initial | kwargs.get("initial", {})
        super().__init__(*args, **kwargs)
        self.organization = rule.organization
        accounts = ProviderAccount.objects.for_organization(rule.organization).order_by("name")
        account: Any = self.fields["account"]
        account.queryset = accounts.defer("credentials", "hook_secret", "options")
        account.empty_label = "All accounts, later ones too"
        error: Any = self.fields["error"]
        error.choices = _error_choices()
        self.order_fields(["name", "account", "error", "group"])

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        others = RetryRule.objects.filter(organization=self.organization)
        if others.filter(name=cleaned.get("name")).exclude(pk=self.instance.pk).exists():
            self.add_error("name", TAKEN)
        self._read_errors(cleaned)
        return cleaned

    def _read_errors(self, cleaned: dict[str, Any]) -> None:
        if "error" not in cleaned or "group" not in cleaned:
            return
        rule = self.instance
        rule.error_group, rule.error_class = None, ""
        if cleaned["error"] != GROUP:
            rule.error_class = cleaned["error"]
            if cleaned["group"]:
                self.add_error("group", "Clear it, or choose the group above.")
        else:
            groups = JobErrorGroup.objects.for_organization(self.organization)
            found = find_by_id(groups.roots(), cleaned["group"])
            if found is None:
                self.add_error("group", "No error group has this number.")
                return
            rule.error_group = found
            if cleaned.get("only_transient") and not found.known.is_transient:
                self.add_error("only_transient", NOT_TRANSIENT)
            return
        rule.only_transient = bool(cleaned.get("only_transient"))
        if not rule.error_classes:
            self.add_error("only_transient", NOT_TRANSIENT)


def _error_choices() -> list[tuple[str, str]]:
    families = [(name, f"All of {name}") for name in ERROR_NAMES if name not in CLASSES]
    classes = [(name, f"{known.title} ({name})") for name, known in CLASSES.items()]
    return [*classes, *families, (GROUP, "One error group")]
