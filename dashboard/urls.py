"""Where each part of the site begins; what watches it is answered by dashboard.health."""

from django.contrib import admin
from django.urls import include, path

from insights.api import notes, stats
from jobs.api.http.json_api import unknown_path
from jobs.api.router import api

handler400 = "jobs.views.problems.not_readable"
handler403 = "jobs.views.problems.not_allowed"
# of the app above the one that the API begins in
# the router of insights.api.errors, with what notes adds to it
api.add_router("/errors", notes.router)
api.add_router("/stats", stats.router)

handler404 = "jobs.views.problems.not_found"

urlpatterns = [
    path("accounts/", include("organizations.sign_in.urls")),
    path("admin/", admin.site.urls),
    path("api/v1/", api.urls),
    path("api/", unknown_path),
    path("api/<path:rest>", unknown_path),
    path("", include("organizations.urls")),
    path("", include("jobs.urls")),
    path("", include("insights.urls")),
]
