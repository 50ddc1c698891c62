"""The organization's own settings: seen by all members, changed by owners."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from jobs.forms.organization import OrganizationForm
from jobs.views.settings.sections import render_settings
from organizations.access import Access, requires
from organizations.models import Organization
from organizations.permissions import Permission


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.READ, to_change=Permission.SETTINGS)
def general(request: HttpRequest, access: Access) -> HttpResponse:
    # an object of its own: the layout around a refused form keeps the stored name
    organization = Organization.objects.get(pk=access.organization.pk)
    form = OrganizationForm(
        request.POST if request.method == "POST" else None, instance=organization
    )
    if form.is_valid():
        form.write(access.user)
        messages.success(request, "The settings are saved.")
        return redirect("jobs:settings", organization.slug)
    template, status = "jobs/settings/settings.html", 422 if form.is_bound else 200
    return render_settings(request, access, "settings", template, {"form": form}, status=status)
