"""What a person fills in about an error group."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from jobs.forms.assignment import AssignForm
from jobs.models import JobErrorGroup
from organizations.models.audit import MAX_REASON
from organizations.sign_in.form_fields import StyledField

SPANS = {"1d": timedelta(days=1), "7d": timedelta(days=7), "30d": timedelta(days=30)}
# Numbers that a person means; the columns hold more.
MAX_FAILURES = 1_000_000


class GroupForm(forms.Form):
    """A page of its own: its heading, its button and, where that is not plain, what it does."""

    bound_field_class = StyledField
    title = ""
    verb = "Save"
    effect = ""


class MuteForm(GroupForm):
    title = "Mute this error"
    verb = "Mute"
    effect = "Nobody is bothered with a muted error; its jobs are still counted."

    ends = forms.ChoiceField(
        label="Mute",
        choices=[
            ("1d", "for a day"),
            ("7d", "for 7 days"),
            ("30d", "for 30 days"),
            ("date", "until a day"),
            ("count", "until so many more jobs have failed"),
            ("rate", "until so many jobs fail within an hour"),
            ("never", "until somebody opens it again"),
        ],
        initial="7d",
    )
    until = forms.DateField(
        label="Day", required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    number = forms.IntegerField(
        label="Failures", required=False, min_value=1, max_value=MAX_FAILURES
    )
    reason = forms.CharField(
        max_length=MAX_REASON,
        help_text="Shown with the group, and kept in the audit log.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        ends = cleaned.get("ends")
        if ends == "date" and "until" not in self.errors:
            day = cleaned.get("until")
            if day is None or day <= timezone.localdate():
                self.add_error("until", "Enter a day that is to come.")
        if ends in ("count", "rate") and "number" not in self.errors and not cleaned.get("number"):
            self.add_error("number", "Enter a number.")
        return cleaned

    @property
    def limits(self) -> dict[str, Any]:
        """When the mute ends, as `actions.mute` takes it."""
        ends, number = self.cleaned_data["ends"], self.cleaned_data["number"]
        if ends in SPANS:
            return {"until": timezone.now() + SPANS[ends]}
        if ends == "date":
            day = self.cleaned_data["until"]
            zone = timezone.get_current_timezone()
            return {"until": datetime(day.year, day.month, day.day, tzinfo=zone)}
        return {"count": {"count": number}, "rate": {"rate_per_hour": number}}.get(ends, {})


class TicketForm(GroupForm):
    title = "Ticket"

    ticket_url = forms.URLField(
        label="Ticket",
        max_length=500,
        required=False,
        assume_scheme="https",
        help_text="A link that begins with https:// or http://",
    )

    def clean_ticket_url(self) -> str:
        url: str = self.cleaned_data["ticket_url"]
        if url and not url.lower().startswith(("http://", "https://")):
            raise forms.ValidationError("Enter a link that begins with https:// or http://")
        return url


class AssignGroupForm(AssignForm, GroupForm):
    title = "Assign this error"
    effect = "Whoever it is assigned to finds it under “Assigned to me”."


class GroupChoice(forms.ModelChoiceField[JobErrorGroup]):
    def label_from_instance(self, group: JobErrorGroup) -> str:
        return f"{group} (#{group.pk})"[:200]


class MergeForm(GroupForm):
    title = "Merge with another error"
    verb = "Merge"
    effect = (
        "The jobs of this error are shown with the other one from now on, new ones too. It can be "
        "split off again."
    )

    into = GroupChoice(label="Merge into", queryset=JobErrorGroup.objects.none())

    def __init__(self, others: list[JobErrorGroup], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["into"]
        ids = [group.pk for group in others]
        field.queryset = JobErrorGroup.objects.filter(pk__in=ids)  # type: ignore[attr-defined]
