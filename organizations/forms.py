"""Forms of django-allauth that do something else here."""

from typing import Any

from allauth.account import forms
from django.http import HttpRequest

from organizations.passwords import request_password_mail


class ResetPasswordForm(forms.ResetPasswordForm):
    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        """Leave the mail to a worker: sending it here would take longer for known addresses."""
        request_password_mail(user.pk for user in self.users)
        return str(self.cleaned_data["email"])
