"""Lists of the admin whose query string anybody may have typed."""

from typing import Any

from django.contrib.admin.views.main import ERROR_FLAG
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from organizations.audit.admin import AuditedAdmin


class SafeQueryAdmin(AuditedAdmin):
    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        # PostgreSQL refuses NUL in any value; Django checks the search alone
        if any("\x00" in value for values in request.GET.lists() for value in values[1]):
            return redirect(f"{request.path}?{ERROR_FLAG}=1")
        return super().changelist_view(request, extra_context)
