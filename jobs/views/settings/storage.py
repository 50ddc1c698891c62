"""Stored sources and destinations: seen by all members, changed by those who manage accounts."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_safe

from jobs.forms.storage import StorageForm
from jobs.models import StoredLocation
from jobs.storage.service import delete_location
from jobs.views.settings.sections import render_settings
from organizations.access import Access, requires
from organizations.permissions import Permission

SECTION = "destinations"


@require_safe
@requires(Permission.READ)
def destinations(request: HttpRequest, access: Access) -> HttpResponse:
    found = StoredLocation.objects.for_organization(access.organization).defer("credentials")
    context = {"locations": found}
    return render_settings(request, access, SECTION, "jobs/settings/destinations.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.STORAGE)
def destination_new(request: HttpRequest, access: Access) -> HttpResponse:
    location = StoredLocation(organization=access.organization)
    return _edit(request, access, location, "destination_new")


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.STORAGE)
def destination_edit(request: HttpRequest, access: Access, location_pk: int) -> HttpResponse:
    """Credentials that are left empty stay as they are stored."""
    return _edit(request, access, _find(access, location_pk), "destination_edit")


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.STORAGE)
def destination_delete(request: HttpRequest, access: Access, location_pk: int) -> HttpResponse:
    """Asks first."""
    location = _find(access, location_pk)
    if request.method == "POST":
        delete_location(location, access.user)
        messages.success(request, f"{location} is deleted.")
        return redirect("jobs:destinations", access.organization.slug)
    path = "jobs/settings/destination_delete.html"
    return render_settings(request, access, SECTION, path, {"location": location})


def _find(access: Access, pk: int) -> StoredLocation:
    owned = StoredLocation.objects.for_organization(access.organization)
    return get_object_or_404(owned.select_related("organization"), pk=pk)


def _edit(
    request: HttpRequest, access: Access, location: StoredLocation, page: str
) -> HttpResponse:
    name = location.name
    form = StorageForm(request.POST or None, instance=location)
    if request.method == "POST" and form.is_valid() and (saved := form.keep(access.user)):
        messages.success(request, f"{saved.location} is saved.")
        if saved.warning:
            messages.warning(request, saved.warning)
        return redirect("jobs:destinations", access.organization.slug)
    context = {"form": form, "location": location, "stored_name": name}
    path, status = f"jobs/settings/{page}.html", 422 if form.errors else 200
    return render_settings(request, access, SECTION, path, context, status=status)
