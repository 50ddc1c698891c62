"""The smallest site that is guarded by `requires`, so that it is tested apart from our pages."""

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path

from organizations.access import Access, default_organization, require_user, requires
from organizations.permissions import Permission


def home(request: HttpRequest) -> HttpResponse:
    require_user(request)
    organization = default_organization(request)
    return HttpResponse(organization.slug if organization else "none")


@requires(Permission.READ)
def read(request: HttpRequest, access: Access) -> HttpResponse:
    allowed = [permission for permission, is_allowed in access.may.items() if is_allowed]
    return JsonResponse({"organization": access.organization.name, "may": allowed})


@requires(Permission.ACT)
def operate(request: HttpRequest, access: Access) -> HttpResponse:
    return HttpResponse("done")


@requires(Permission.ACCOUNTS)
def manage(request: HttpRequest, access: Access) -> HttpResponse:
    return HttpResponse("done")


def refuse(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Our error pages link to pages that are not there in this site."""
    status = 404 if isinstance(exception, Http404) else 403
    return HttpResponse(status=status)


handler403 = handler404 = refuse

urlpatterns = [
    path("accounts/", include("organizations.sign_in.urls")),
    path("", home, name="home"),
    path("o/<slug:org>/", read, name="read"),
    path("o/<slug:org>/operate", operate, name="operate"),
    path("o/<slug:org>/manage", manage, name="manage"),
]
