"""Choosing the member who looks after something."""

from typing import Any

from django import forms

from organizations.models import Membership, Organization
from organizations.sign_in.form_fields import StyledField


class MemberChoice(forms.ModelChoiceField[Membership]):
    def label_from_instance(self, member: Membership) -> str:
        user = member.user
        return f"{user.name} ({user.email})" if user.name else user.email


class AssignForm(forms.Form):
    bound_field_class = StyledField

    assignee = MemberChoice(
        label="Assigned to",
        queryset=Membership.objects.none(),
        required=False,
        empty_label="Nobody",
        error_messages={"invalid_choice": "Choose a member."},
    )

    def __init__(self, organization: Organization, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["assignee"].queryset = list_members(organization)  # type: ignore[attr-defined]


def list_members(organization: Organization) -> Any:
    """Those who can sign in, by name."""
    members = Membership.objects.filter(organization=organization, user__is_active=True)
    return members.select_related("user").order_by("user__name", "user__email")
