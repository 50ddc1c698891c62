"""The settings of an organization: its name, its time zone, and what new jobs begin with."""

from typing import Any

from django import forms
from django.db import transaction

from jobs.forms.job import submitting_accounts
from jobs.models import ProviderAccount
from organizations.audit.changes import changes
from organizations.models import AuditEntry, Organization, User
from organizations.people.members import lock_people
from organizations.profile.time_zones import zone_choices
from organizations.sign_in.form_fields import StyledField


class OrganizationForm(forms.ModelForm[Organization]):
    bound_field_class = StyledField

    time_zone = forms.ChoiceField(
        help_text="For dates outside of pages. Pages use each person's own time zone."
    )
    default_account = forms.ModelChoiceField(
        ProviderAccount.objects.none(),
        label="Account for new jobs",
        required=False,
        empty_label="The last one that the person used",
    )

    class Meta:
        model = Organization
        fields = ["name", "time_zone"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["time_zone"].choices = zone_choices(self.instance.time_zone)  # type: ignore[attr-defined]
        account = self.fields["default_account"]
        ids = [one.pk for one in submitting_accounts(self.instance)]
        account.queryset = ProviderAccount.objects.filter(pk__in=ids)  # type: ignore[attr-defined]
        account.initial = default_account(self.instance)

    @transaction.atomic
    def write(self, user: User) -> None:
        """Save a valid form, with what changed in the audit log."""
        organization = self.instance
        lock_people(organization)
        before = _values(Organization.objects.get(pk=organization.pk))
        organization.save(update_fields=["name", "time_zone"])
        accounts = ProviderAccount.objects.for_organization(organization)
        accounts.filter(is_default=True).update(is_default=False)
        if chosen := self.cleaned_data["default_account"]:
            accounts.filter(pk=chosen.pk).update(is_default=True)
        sides = changes(before, _values(organization))
        if sides["before"]:
            AuditEntry.record(
                organization,
                "organization.changed",
                organization,
                actor=user,
                before=sides["before"],
                after=sides["after"],
            )


def default_account(organization: Organization) -> ProviderAccount | None:
    """The account that new jobs begin with, where one was chosen for all members."""
    return ProviderAccount.objects.for_organization(organization).filter(is_default=True).first()


def _values(organization: Organization) -> dict[str, str]:
    account = default_account(organization)
    return {
        "name": organization.name,
        "time_zone": organization.time_zone,
        "default_account": account.name if account else "",
    }
