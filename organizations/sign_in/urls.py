"""The pages of django-allauth that this site offers, below `/accounts/`."""

from allauth.account import urls as account_urls
from allauth.mfa import urls as mfa_urls
from allauth.socialaccount.views import login_cancelled
from django.urls import include, path

from organizations.sign_in import views
from organizations.sign_in.second_factor import record_changes

# Whoever makes a user vouches for the address, and history calls people by it: nobody changes
# their own to one that was never proven to be theirs.
CLOSED = {"account_email"}

second_factor_patterns = [
    path("webauthn/add/", views.add_passkey, name="mfa_add_webauthn"),
    *mfa_urls.urlpatterns,
]
urlpatterns = [
    *(pattern for pattern in account_urls.urlpatterns if pattern.name not in CLOSED),
    path("2fa/authenticate/", views.authenticate, name="mfa_authenticate"),
    path("2fa/", include([*record_changes(second_factor_patterns)])),
    path("sso/", views.single_sign_on, name="single_sign_on"),
    path("sso/callback/", views.single_sign_on_callback, name="single_sign_on_callback"),
    path("sso/cancelled/", login_cancelled, name="socialaccount_login_cancelled"),
]
