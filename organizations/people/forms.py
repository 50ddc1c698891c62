"""What people fill in to invite, to accept, and to make or join an organization."""

from typing import Any

from django import forms
from django.contrib.auth.forms import SetPasswordMixin

from organizations.fields import normalize_email
from organizations.models import Organization, Role, User
from organizations.models.audit import MAX_REASON
from organizations.sign_in.form_fields import StyledField


def _role_field(initial: Role) -> forms.TypedChoiceField:
    return forms.TypedChoiceField(
        choices=Role.choices, coerce=lambda value: Role(int(value)), initial=initial
    )


class InviteForm(forms.Form):
    bound_field_class = StyledField

    email = forms.EmailField(
        label="E-mail address",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "placeholder": "name@example.com"}),
    )
    role = _role_field(Role.OPERATOR)

    def clean_email(self) -> str:
        return normalize_email(self.cleaned_data["email"])


class RoleForm(forms.Form):
    bound_field_class = StyledField

    role = _role_field(Role.VIEWER)


class RemovalForm(forms.Form):
    bound_field_class = StyledField

    reason = forms.CharField(
        required=False, max_length=MAX_REASON, help_text="Optional. It is kept in the audit log."
    )


class NewUserForm(SetPasswordMixin, forms.Form):
    """Name and password of a person who accepts an invitation of `email`."""

    bound_field_class = StyledField

    name = forms.CharField(max_length=150, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    password1, password2 = SetPasswordMixin.create_password_fields()

    def __init__(self, email: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email

    def clean(self) -> dict[str, Any]:
        self.validate_passwords()
        user = User(email=self.email, name=self.cleaned_data.get("name", ""))
        self.validate_password_for_user(user)
        return super().clean() or {}


class NewOrganizationForm(forms.ModelForm[Organization]):
    bound_field_class = StyledField
    prefix = "new"

    class Meta:
        model = Organization
        fields = ["name", "slug"]
        labels = {"slug": "Name in URLs"}
        help_texts = {"slug": "Lower-case letters, digits and hyphens. It cannot be changed later."}


class JoinForm(forms.Form):
    """Any organization, for a superuser."""

    bound_field_class = StyledField
    prefix = "join"

    organization = forms.ModelChoiceField(Organization.objects.none())
    role = _role_field(Role.VIEWER)

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = Organization.objects.exclude(memberships__user=user)
        self.fields["organization"].queryset = others  # type: ignore[attr-defined]
