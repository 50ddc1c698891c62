"""The forms of django-allauth, drawn as our own are. One of them does something else here."""

from typing import Any

from allauth.account import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from organizations.sign_in.form_fields import StyledField
from organizations.sign_in.passwords import request_password_mail


class LoginForm(forms.LoginForm):
    bound_field_class = StyledField


class ReauthenticateForm(forms.ReauthenticateForm):
    bound_field_class = StyledField


class ChangePasswordForm(forms.ChangePasswordForm):
    bound_field_class = StyledField


class SetPasswordForm(forms.SetPasswordForm):
    bound_field_class = StyledField


class ResetPasswordKeyForm(forms.ResetPasswordKeyForm):
    bound_field_class = StyledField


class ResetPasswordForm(forms.ResetPasswordForm):
    bound_field_class = StyledField

    @property
    def can_send(self) -> bool:
        """Whether there is a mail server; without one the page shows no form."""
        return bool(settings.MAIL_IS_SET_UP)

    def clean(self) -> dict[str, Any]:
        if not self.can_send:
            raise ValidationError("No link was sent: this board has no mail server.")
        return dict(super().clean() or {})

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        """Leave the mail to a worker: sending it here would take longer for known addresses."""
        request_password_mail(user.pk for user in self.users)
        return str(self.cleaned_data["email"])
