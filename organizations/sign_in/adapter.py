"""How django-allauth signs people in here. Plain settings are in the settings."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.models import EmailConfirmationHMAC
from allauth.core.internal.ratelimit import get_ip
from django.conf import settings
from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.utils.http import url_has_allowed_host_and_scheme

from organizations.models import User
from organizations.models.rows import columns_of, read_rows
from organizations.sign_in.verification import request_verification_mail

TRUST_STAGE = "allauth.mfa.stages.TrustStage"
_USER = f"SELECT {columns_of(User, 'u')} FROM {User._meta.db_table} u WHERE u.id = %s"  # noqa: S608


class SignInBackend(AuthenticationBackend):
    """Reads the user of each request with a statement that is written once."""

    def get_user(self, user_id: int) -> User | None:
        for user in read_rows(User, _USER, [user_id]):
            return user if self.user_can_authenticate(user) else None
        return None


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never: users are made with `create_organization --owner` or in the Django admin."""
        return False

    def is_safe_url(self, url: str | None) -> bool:
        """Whether `next` may lead there: to a path of ours, and to no other name of this host."""
        return url_has_allowed_host_and_scheme(url, allowed_hosts=None)

    def get_login_stages(self) -> list[str]:
        """All but the page that asks whether to trust the browser: the code's page asks that."""
        return [stage for stage in super().get_login_stages() if stage != TRUST_STAGE]

    def send_confirmation_mail(
        self, request: HttpRequest, emailconfirmation: EmailConfirmationHMAC, signup: bool
    ) -> None:
        request_verification_mail(emailconfirmation.email_address)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return resolve_url(settings.LOGIN_REDIRECT_URL)

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Count wrong passwords by address and client together.

        By the address alone, anybody could keep its owner out. The limit by client alone is in
        ACCOUNT_RATE_LIMITS.
        """
        return f"{get_ip(request)} {credentials.get('email', '').lower()}"
