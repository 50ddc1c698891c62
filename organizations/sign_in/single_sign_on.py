"""Single sign-on with the issuer of OIDC_ISSUER (OpenID Connect), through django-allauth.

Who they are is what the issuer calls them (`sub`), and by their address only once it has
verified that. Nobody becomes a user, or a member, without an invitation.
"""

import time
from io import BytesIO
from typing import Any

import requests
import structlog
from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp, SocialLogin, SocialToken
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.http import HttpRequest
from django.shortcuts import render
from django.urls import reverse
from urllib3.exceptions import HTTPError

from organizations.fields import normalize_email
from organizations.models import User
from organizations.people.invitations import accept_all, is_invited
from organizations.sign_in.history import record
from organizations.sign_in.verification import end_unproven_access, mark_verified
from providers.core.errors import BadAnswer, ProviderError
from providers.http.bodies import SizeLimit, read_body
from providers.parsing.text import is_storable, make_one_line

log = structlog.get_logger(__name__)

# What comes of an answer of another shape than the standard's
MISSHAPEN = (AttributeError, KeyError, TypeError, ValueError)
MAX_UID = 191
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "userinfo_endpoint")
# Of one answer; a thread of the site waits for it
TIMEOUT_S, DEADLINE_S, MAX_BYTES = 5, 10, 1_000_000


class IssuerSession(requests.Session):
    """Bounds what an issuer answers in size and time. Redirects are answers like others, and no
    use: the standard has none.
    """

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        ends_at = time.monotonic() + DEADLINE_S
        bounds = {"timeout": TIMEOUT_S, "stream": True, "allow_redirects": False}
        response = super().send(request, **{**kwargs, **bounds})
        try:
            body = read_body(response, ends_at, SizeLimit(BadAnswer, "answer is", MAX_BYTES))
        except (ProviderError, HTTPError) as error:
            raise OAuth2Error("The issuer's answer cannot be read.") from error
        finally:
            response.close()
        response.raw, response.encoding = BytesIO(body.encode()), "utf-8"
        return response


class OAuth2Adapter(OpenIDConnectOAuth2Adapter):
    @property
    def openid_config(self) -> dict[str, Any]:
        """Raises OAuth2Error or RequestException."""
        try:
            config: dict[str, Any] = super().openid_config
            scheme = settings.OIDC_ISSUER.partition(":")[0]
            if not all(config[name].startswith(f"{scheme}:") for name in ENDPOINTS):
                raise ValueError("an endpoint without the protection that the issuer has")
        except MISSHAPEN as error:
            raise OAuth2Error("The issuer's configuration cannot be used.") from error
        return config

    def get_access_token_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        try:
            data: dict[str, Any] = super().get_access_token_data(*args, **kwargs)
            data["access_token"], data["id_token"]
            data.pop("expires_in", None)  # it is not kept so long
        except MISSHAPEN as error:
            raise OAuth2Error("The issuer's token cannot be read.") from error
        return data

    def complete_login(
        self, request: HttpRequest, app: SocialApp, token: SocialToken, **kwargs: Any
    ) -> SocialLogin:
        try:
            return super().complete_login(request, app, token, **kwargs)
        except MISSHAPEN as error:
            raise OAuth2Error("The issuer's claims cannot be read.") from error

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        """Under BASE_URL, as it is registered with the issuer, whatever host was asked."""
        return str(settings.BASE_URL) + reverse("single_sign_on_callback")


class Provider(OpenIDConnectProvider):
    """`data` has the claims of the issuer's two answers: `id_token` and `userinfo`."""

    oauth2_adapter_class = OAuth2Adapter

    def extract_uid(self, data: dict[str, Any]) -> str:
        subject = data["id_token"]["sub"]
        if data["userinfo"]["sub"] != subject:
            raise ValueError("the answers are about different people")
        if not (isinstance(subject, str) and is_storable(subject) and len(subject) <= MAX_UID):
            raise ValueError("no name that can be stored")
        return subject

    def extract_email_addresses(self, data: dict[str, Any]) -> list[EmailAddress]:
        """The address that the issuer has verified, or else one that it names."""
        named = [data[part] for part in ("userinfo", "id_token") if data[part].get("email")]
        verified = [claims for claims in named if is_true(claims.get("email_verified"))]
        return [
            EmailAddress(email=str(claims["email"]), verified=bool(verified), primary=True)
            for claims in (verified or named)[:1]
            if is_storable(str(claims["email"]))
        ]

    def extract_common_fields(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"name": data["userinfo"].get("name") or data["id_token"].get("name")}

    def extract_extra_data(self, data: dict[str, Any]) -> dict[str, Any]:
        return {}  # nothing of it is needed later


def is_true(claim: object) -> bool:
    """Some issuers send the text "true"; "false" is a text, too."""
    return claim is True or claim == "true"


class SocialAccountAdapter(DefaultSocialAccountAdapter):
    def get_requests_session(self) -> IssuerSession:
        return IssuerSession()

    def get_provider(
        self, request: HttpRequest, provider: str, client_id: str | None = None
    ) -> Provider:
        """Named after the issuer: another issuer's people are others, whatever it calls them."""
        app = SocialApp(
            provider=OpenIDConnectProvider.id,
            provider_id=settings.OIDC_ISSUER,
            name="single sign-on",
            client_id=settings.OIDC_CLIENT_ID,
            secret=settings.OIDC_CLIENT_SECRET,
            settings={"server_url": settings.OIDC_ISSUER, "oauth_pkce_enabled": True},
        )
        return Provider(request, app=app)

    def populate_user(
        self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]
    ) -> User:
        user: User = sociallogin.user
        user.name = make_one_line(str(data.get("name") or ""))[:150]
        return user

    @transaction.atomic
    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Find the user or make an invited one; end the request for all others."""
        if sociallogin.state.get("process") != AuthProcess.LOGIN:
            raise refusal(request, sociallogin)
        email = verified_email(sociallogin)
        ended: list[str] | None = None
        if not sociallogin.is_existing:
            user = find_user(email, sociallogin.user.name)
            if user is None:
                raise refusal(request, sociallogin)
            sociallogin.lookup()  # again: by now nobody else links this user
            if not sociallogin.is_existing:
                ended = end_unproven_access(user)
                sociallogin.connect(request, user)
        user = sociallogin.user
        if email == user.email and user.is_active:
            mark_verified(user)
            accept_all(user)
        if ended is not None:
            _report_linked(request, user, ended)

    def on_authentication_error(
        self, request: HttpRequest, provider: Provider, **kwargs: Any
    ) -> None:
        cause = type(kwargs.get("exception")).__name__
        log.warning("single sign-on failed", code=kwargs.get("error"), cause=cause)


def _report_linked(request: HttpRequest, user: User, ended: list[str]) -> None:
    details = {"ended": ended} if ended else {}
    record("single_sign_on.linked", user, actor=user, **details)
    if ended:
        messages.warning(
            request,
            "You are the first who has shown that this address is theirs. What had opened this "
            f"user before no longer does: {', '.join(ended)}.",
        )


def verified_email(sociallogin: SocialLogin) -> str:
    """Empty where the issuer has not verified one."""
    return next(
        (normalize_email(one.email) for one in sociallogin.email_addresses if one.verified), ""
    )


def find_user(email: str, name: str) -> User | None:
    """The user with this verified address, locked; one is made for an invited address."""
    if not email:
        return None
    if is_invited(email):
        User.objects.get_or_create(
            email=email, defaults={"name": name, "password": make_password(None)}
        )
    return User.objects.select_for_update(no_key=True).filter(email=email).first()


def refusal(request: HttpRequest, sociallogin: SocialLogin) -> ImmediateHttpResponse:
    email = next((one.email for one in sociallogin.email_addresses), "")
    is_verified = bool(verified_email(sociallogin))
    log.info("single sign-on refused", is_verified=is_verified)
    context = {"email": email, "is_verified": is_verified}
    page = render(request, "socialaccount/refused.html", context, status=403)
    return ImmediateHttpResponse(page)
