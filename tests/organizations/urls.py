"""The smallest site that is guarded by `authorize`, so that it is tested apart from our pages."""

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path

from organizations.access import authorize, default_organization, require_user
from organizations.models import Role


def home(request: HttpRequest) -> HttpResponse:
    require_user(request)
    organization = default_organization(request)
    return HttpResponse(organization.slug if organization else "none")


def read(request: HttpRequest, slug: str) -> HttpResponse:
    access = authorize(request, slug)
    return JsonResponse(
        {
            "organization": access.organization.name,
            "can_operate": access.can_operate,
            "can_manage": access.can_manage,
            "is_owner": access.is_owner,
        }
    )


def operate(request: HttpRequest, slug: str) -> HttpResponse:
    authorize(request, slug, at_least=Role.OPERATOR)
    return HttpResponse("done")


def manage(request: HttpRequest, slug: str) -> HttpResponse:
    authorize(request, slug, at_least=Role.MANAGER)
    return HttpResponse("done")


def refuse(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Our error pages link to pages that are not there in this site."""
    status = 404 if isinstance(exception, Http404) else 403
    return HttpResponse(status=status)


handler403 = handler404 = refuse

urlpatterns = [
    path("accounts/", include("organizations.urls")),
    path("", home, name="home"),
    path("o/<slug:slug>/", read, name="read"),
    path("o/<slug:slug>/operate", operate, name="operate"),
    path("o/<slug:slug>/manage", manage, name="manage"),
]
