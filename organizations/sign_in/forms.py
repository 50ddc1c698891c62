"""The forms of django-allauth, drawn as our own are. One of them does something else here."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from allauth.account import forms
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import forms as mfa_forms
from allauth.mfa.models import Authenticator
from allauth.mfa.totp import forms as totp_forms
from allauth.mfa.webauthn import forms as webauthn_forms
from django import forms as django_forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from organizations.sign_in.form_fields import StyledField
from organizations.sign_in.passwords import request_password_mail
from organizations.sign_in.second_factor import claim_time_step
from organizations.sign_in.verification import mark_verified

# Raised by the libraries that read what a passkey answers
MALFORMED = (AttributeError, IndexError, KeyError, TypeError, ValueError, struct.error)


class LoginForm(forms.LoginForm):
    bound_field_class = StyledField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = "E-mail address"
        # its link is beside the label
        self.fields["password"].help_text = ""
        for name in ("login", "password"):
            # labels say it
            self.fields[name].widget.attrs.pop("placeholder", None)

    def clean(self) -> dict[str, Any]:
        """What does not match is said at the password, whichever of the two was wrong."""
        try:
            return dict(super().clean() or {})
        except ValidationError as error:
            if error.code != "email_password_mismatch":
                raise
            self.add_error("password", "The address or the password is wrong.")
            return self.cleaned_data


class ReauthenticateForm(forms.ReauthenticateForm):
    bound_field_class = StyledField


class ChangePasswordForm(forms.ChangePasswordForm):
    bound_field_class = StyledField


class SetPasswordForm(forms.SetPasswordForm):
    bound_field_class = StyledField


class ResetPasswordKeyForm(forms.ResetPasswordKeyForm):
    bound_field_class = StyledField

    def save(self) -> None:
        super().save()
        # the link was mailed there, or handed over by whoever made the user
        mark_verified(self.user)


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


def code_field() -> django_forms.CharField:
    """Of a code from an app or of a recovery code: both are digits."""
    attributes = {"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True}
    return django_forms.CharField(
        label="Code", max_length=40, widget=django_forms.TextInput(attrs=attributes)
    )


class CodeForm(mfa_forms.BaseAuthenticateForm):
    bound_field_class = StyledField

    code = code_field()

    def clean_code(self) -> str:
        code = str(super().clean_code())
        is_totp = self.authenticator.type == Authenticator.Type.TOTP
        if is_totp and not claim_time_step(self.authenticator):
            raise get_adapter().validation_error("incorrect_code")
        return code


class AuthenticateForm(CodeForm, mfa_forms.AuthenticateForm):
    trust = django_forms.BooleanField(
        label=f"Trust this browser for {settings.MFA_TRUST_COOKIE_AGE.days} days", required=False
    )


class ReauthenticateCodeForm(CodeForm, mfa_forms.ReauthenticateForm):
    pass


class ActivateTOTPForm(totp_forms.ActivateTOTPForm):
    bound_field_class = StyledField

    code = code_field()


@contextmanager
def refuse_malformed() -> Iterator[None]:
    """What a browser would never send is as wrong as an incorrect code."""
    try:
        yield
    except MALFORMED as error:
        raise get_adapter().validation_error("incorrect_code") from error


class AddPasskeyForm(webauthn_forms.AddWebAuthnForm):
    bound_field_class = StyledField

    name = django_forms.CharField(label="Name", max_length=100, required=False)
    passwordless = None  # all of them are

    def clean(self) -> dict[str, Any]:
        with refuse_malformed():
            return dict(super().clean())


class RenamePasskeyForm(webauthn_forms.EditWebAuthnForm):
    bound_field_class = StyledField

    name = django_forms.CharField(label="Name", max_length=100)


class PasskeyForm(webauthn_forms.AuthenticateWebAuthnForm):
    """Of a passkey as a second factor; the next two alone, and to confirm a change."""

    def clean_credential(self) -> Authenticator:
        with refuse_malformed():
            return super().clean_credential()


class SignInPasskeyForm(PasskeyForm, webauthn_forms.LoginWebAuthnForm):
    pass


class ReauthenticatePasskeyForm(PasskeyForm, webauthn_forms.ReauthenticateWebAuthnForm):
    pass
