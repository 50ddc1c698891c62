"""Pages of the Django admin on which an organization could lose its last owner."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from organizations.admin_query import SafeQueryAdmin
from organizations.people.members import LastOwner, keep_owners


class OwnersKeptAdmin(SafeQueryAdmin):
    """What would take an organization's last owner, on a form or in the list, changes nothing."""

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return _keeping_owners(request, partial(super().changeform_view, request, *args, **kwargs))

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return _keeping_owners(request, partial(super().delete_view, request, *args, **kwargs))

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return _keeping_owners(request, partial(super().changelist_view, request, *args, **kwargs))


def _keeping_owners(request: HttpRequest, view: Callable[[], HttpResponse]) -> HttpResponse:
    if request.method != "POST":
        return view()
    try:
        with keep_owners():
            return view()
    except LastOwner as error:
        list(messages.get_messages(request))  # forget those that say it was done
        messages.error(request, str(error))
        return redirect(request.get_full_path())
