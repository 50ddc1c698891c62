"""Pages of django-allauth that do something more here."""

from typing import Any

from allauth.mfa.base import views
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.internal.flows.trust import trust_browser
from django.http import HttpResponse


class AuthenticateView(views.AuthenticateView):
    """The second factor at sign-in, with a checkbox in place of the page to trust a browser."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"email": self.stage.login.user.email}

    def form_valid(self, form: AuthenticateForm) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)
        if form.cleaned_data.get("trust"):
            trust_browser(self.request, self.stage.login.user, response)
        return response


authenticate = AuthenticateView.as_view()
