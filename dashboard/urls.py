"""Where each part of the site begins."""

from django.contrib import admin
from django.urls import include, path

from dashboard import health
from jobs.api.router import api

urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", health.metrics),
    path("accounts/", include("organizations.urls")),
    path("admin/", admin.site.urls),
    path("api/v1/", api.urls),
    path("", include("jobs.urls")),
]
