"""Who may come in. Every view of an organization declares with `requires` what it takes."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, cast

from allauth.core.exceptions import ImmediateHttpResponse
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django.utils import timezone

from organizations.models import Membership, Organization, Role, User
from organizations.models.rows import columns_of, read_rows
from organizations.permissions import RULES, Permission, role_allows

LAST_USED = "organization"
SAFE_METHODS = ("GET", "HEAD")
SEEN_STEP = timedelta(minutes=10)

_ORGANIZATION = ("id", "name", "slug", "time_zone")
_MEMBERSHIP = f"""
    SELECT {columns_of(Membership, "member")}, org.name AS organization_name,
        org.slug AS organization_slug, org.time_zone AS organization_time_zone
    FROM organizations_membership member
    JOIN organizations_organization org ON org.id = member.organization_id
    WHERE org.slug = %s AND member.user_id = %s
"""  # noqa: S608 (its own columns)

P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Access:
    """A signed-in member in one organization; what templates ask before they show an action."""

    user: User
    organization: Organization
    role: Role
    member_id: int | None = None

    def allows(self, permission: Permission) -> bool:
        return role_allows(self.role, permission)

    @property
    def may(self) -> dict[str, bool]:
        """By the permission's name, for templates: `access.may.submit`."""
        return {permission.value: self.allows(permission) for permission in Permission}


class View(Protocol[P]):
    """A view of an organization's URL, and what it asks for."""

    permission: Permission
    permission_to_change: Permission

    def __call__(
        self, request: Any, org: str, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponseBase: ...


def requires(
    permission: Permission, *, to_change: Permission | None = None
) -> Callable[[Callable[Concatenate[Any, Access, P], HttpResponseBase]], View[P]]:
    """Let only members in whose role allows it, and give the view their access in place of `org`.

    `to_change` is asked of a POST instead, where a page is shown to more than may change it. See
    `authorize` for what the others get.
    """

    def decorate(view: Callable[Concatenate[Any, Access, P], HttpResponseBase]) -> View[P]:
        @wraps(view)
        def guarded(
            request: HttpRequest, org: str, *args: P.args, **kwargs: P.kwargs
        ) -> HttpResponseBase:
            needed = permission if request.method in SAFE_METHODS else to_change or permission
            return view(request, authorize(request, org, needed), *args, **kwargs)

        checked = cast("View[P]", guarded)
        checked.permission, checked.permission_to_change = permission, to_change or permission
        return checked

    return decorate


def authorize(request: HttpRequest, slug: str, permission: Permission) -> Access:
    """The member's access to the organization `slug`, in one query beside the user's own.

    Not signed in: ends the request with the way to sign in (see `require_user`).
    Unknown organization, or not a member: Http404, the same for both, so that nobody learns
    which organizations exist. A role that does not allow it: PermissionDenied.

    Staff and superusers get no further than their memberships: the Django admin is their way
    in, and it keeps its own log.
    """
    user = require_user(request)
    membership = membership_of(user, slug)
    if membership is None:
        raise Http404("No such organization.")
    role = Role(membership.role)
    if not role_allows(role, permission):
        needed = RULES[permission].role
        raise PermissionDenied(f"Requires the {needed.label} role; your role is {role.label}.")
    # only on a change: an unconditional write would save the session on every poll
    if request.session.get(LAST_USED) != slug:
        request.session[LAST_USED] = slug
    _note_seen(membership)
    return Access(user, membership.organization, role, membership.pk)


def membership_of(user: User, slug: str) -> Membership | None:
    """The user's membership in the organization `slug`, which is loaded with it; one query."""
    for found in read_rows(Membership, _MEMBERSHIP, [slug, user.pk]):
        values = [getattr(found, f"organization_{name}") for name in _ORGANIZATION]
        found.organization = Organization.from_db(found._state.db, _ORGANIZATION, values)
        return found
    return None


def _note_seen(membership: Membership) -> None:
    """Keep when a member was last here, to SEEN_STEP: exactly would cost a write per request."""
    now = timezone.now()
    if membership.last_seen_at is None or now - membership.last_seen_at >= SEEN_STEP:
        Membership.objects.filter(pk=membership.pk).update(last_seen_at=now)


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
    next_url = request.get_full_path() if request.method in SAFE_METHODS else "/"
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
