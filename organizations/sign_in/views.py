"""Pages of django-allauth that do something more here."""

from typing import Any

from allauth.account.utils import get_next_redirect_url
from allauth.decorators import rate_limit
from allauth.mfa.base import views
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.internal.flows.trust import trust_browser
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from allauth.mfa.webauthn.internal.auth import begin_registration
from allauth.mfa.webauthn.views import AddWebAuthnView
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.helpers import render_authentication_error
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from requests import RequestException

from organizations.sign_in.single_sign_on import OAuth2Adapter


class AuthenticateView(views.AuthenticateView):
    """The second factor at sign-in, with a checkbox in place of the page to trust a browser."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = self.stage.login.user
        return super().get_context_data(**kwargs) | {
            "email": user.email,
            "has_app": is_mfa_enabled(user, [Authenticator.Type.TOTP]),
            "has_passkey": is_mfa_enabled(user, [Authenticator.Type.WEBAUTHN]),
        }

    def form_valid(self, form: AuthenticateForm) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)
        if form.cleaned_data.get("trust"):
            trust_browser(self.request, self.stage.login.user, response)
        return response


authenticate = AuthenticateView.as_view()


class AddPasskeyView(AddWebAuthnView):
    """Makes passkeys that sign in without a password: the device asks who is using it."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        options = begin_registration(self.request.user, passwordless=True)
        return context | {"js_data": {"creation_options": options}}


add_passkey = AddPasskeyView.as_view()


@rate_limit(action="login")
def single_sign_on(request: HttpRequest) -> HttpResponse:
    """Leave for the issuer, by a page that leads there.

    Browsers hold redirects of a form against the `form-action` of our policy, and an issuer may
    send people on to hosts that nobody knows beforehand.
    """
    _require_issuer()
    if request.method != "POST":
        return redirect(settings.LOGIN_URL)
    provider = get_adapter(request).get_provider(request, settings.OIDC_ISSUER)
    try:
        response: HttpResponse = provider.redirect(
            request, AuthProcess.LOGIN, next_url=get_next_redirect_url(request)
        )
    except (OAuth2Error, RequestException) as error:
        response = render_authentication_error(request, provider, exception=error)
    if response.status_code == 302:
        return render(request, "socialaccount/leave.html", {"url": response["Location"]})
    return response


def single_sign_on_callback(request: HttpRequest) -> HttpResponse:
    _require_issuer()
    adapter = OAuth2Adapter(request, settings.OIDC_ISSUER)
    response: HttpResponse = OAuth2CallbackView.adapter_view(adapter)(request)
    return response


def _require_issuer() -> None:
    if not settings.OIDC_ISSUER:
        raise Http404("Single sign-on is not set up.")
