"""Who may see and do what. Every view of an organization starts with `authorize`."""

from dataclasses import dataclass

from allauth.core.exceptions import ImmediateHttpResponse
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import resolve_url

from organizations.models import Membership, Organization, Role, User

LAST_USED = "organization"


@dataclass(frozen=True, slots=True)
class Access:
    """A signed-in member in one organization; what templates ask before they show an action."""

    user: User
    organization: Organization
    role: Role

    @property
    def can_operate(self) -> bool:
        return self.role >= Role.OPERATOR

    @property
    def can_manage(self) -> bool:
        return self.role >= Role.MANAGER

    @property
    def is_owner(self) -> bool:
        return self.role >= Role.OWNER


def authorize(request: HttpRequest, slug: str, at_least: Role = Role.VIEWER) -> Access:
    """The member's access to the organization `slug`, in one query beside the user's own.

    Not signed in: ends the request with the way to sign in (see `require_user`).
    Unknown organization, or not a member: Http404, the same for both, so that nobody learns
    which organizations exist. A lower role than `at_least`: PermissionDenied.

    Staff and superusers get no further than their memberships: the Django admin is their way
    in, and it keeps its own log.
    """
    user = require_user(request)
    membership = (
        Membership.objects.select_related("organization")
        .filter(user=user, organization__slug=slug)
        .first()
    )
    if membership is None:
        raise Http404("No such organization.")
    role = Role(membership.role)
    if role < at_least:
        raise PermissionDenied(f"Requires the {at_least.label} role; your role is {role.label}.")
    # only on a change: an unconditional write would save the session on every poll
    if request.session.get(LAST_USED) != slug:
        request.session[LAST_USED] = slug
    return Access(user, membership.organization, role)


def require_user(request: HttpRequest) -> User:
    """The signed-in user.

    Else the request ends, through allauth's middleware: a page goes to sign-in and comes back;
    an htmx request gets 401 with HX-Refresh, so that the sign-in page never lands in a fragment.
    """
    if isinstance(request.user, User):
        return request.user
    if request.headers.get("HX-Request") == "true":
        raise ImmediateHttpResponse(HttpResponse(status=401, headers={"HX-Refresh": "true"}))
    # what was posted is lost, and its URL may answer no GET
    next_url = request.get_full_path() if request.method in ("GET", "HEAD") else "/"
    raise ImmediateHttpResponse(redirect_to_login(next_url, resolve_url(settings.LOGIN_URL)))


def organizations_of(user: User) -> QuerySet[Organization]:
    """The organizations that `user` is a member of, by name."""
    return Organization.objects.filter(memberships__user=user)


def default_organization(request: HttpRequest) -> Organization | None:
    """Where `/` leads a signed-in user: the one last used in this session, else the first by name.

    None for a user who belongs to no organization (any more).
    """
    organizations = organizations_of(require_user(request))
    last_used = organizations.filter(slug=request.session.get(LAST_USED, "")).first()
    return last_used or organizations.first()
