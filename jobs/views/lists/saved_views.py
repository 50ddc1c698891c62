"""Lists of jobs that people keep under a name: for themselves, or shared by the organization."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from jobs.forms.saved_view import SavedViewForm
from jobs.models import SavedView
from jobs.views.shared.layout import render_page
from jobs.views.shared.view_links import default_id, may_change, view_links, view_url
from organizations.access import Access, requires
from organizations.permissions import Permission

SECTION = "views"


@require_safe
@requires(Permission.READ)
def views(request: HttpRequest, access: Access) -> HttpResponse:
    context = {"rows": view_links(access)}
    return render_page(request, access, "jobs/saved_views/views.html", context, section=SECTION)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.READ)
def view_new(request: HttpRequest, access: Access) -> HttpResponse:
    """The list that the query string describes, as a view."""
    given = {name: request.GET.get(name, "") for name in ("q", "sort", "columns")}
    form = SavedViewForm(access, request.POST or None, initial=given)
    return _save_or_show(request, access, form, "jobs/saved_views/view_new.html")


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.READ)
def view_edit(request: HttpRequest, access: Access, view_pk: int) -> HttpResponse:
    view = _find(access, view_pk)
    initial = {
        "name": view.name,
        "q": view.query,
        "sort": view.sort,
        "is_shared": view.is_shared,
        "columns": ",".join(view.columns),
        "is_default": default_id(access) == view.pk,
    }
    form = SavedViewForm(access, request.POST or None, initial=initial, view=view)
    return _save_or_show(request, access, form, "jobs/saved_views/view_edit.html")


@require_POST
@requires(Permission.READ)
def view_save(request: HttpRequest, access: Access, view_pk: int) -> HttpResponse:
    """Keep the list as it is shown under the name that the view has."""
    view = _find(access, view_pk)
    shown = {name: request.POST.get(name, "") for name in ("q", "sort", "columns")}
    kept = {"name": view.name, "is_shared": view.is_shared}
    kept["is_default"] = default_id(access) == view.pk
    form = SavedViewForm(access, {**shown, **kept}, view=view)
    return _save_or_show(request, access, form, "jobs/saved_views/view_edit.html")


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.READ)
def view_delete(request: HttpRequest, access: Access, view_pk: int) -> HttpResponse:
    """Asks first."""
    view = _find(access, view_pk)
    if request.method == "POST":
        view.delete()
        messages.success(request, f"The view {view.name} is deleted.")
        return redirect("jobs:views", access.organization.slug)
    context = {"view": view}
    return render_page(
        request, access, "jobs/saved_views/view_delete.html", context, section=SECTION
    )


def _find(access: Access, pk: int) -> SavedView:
    """The view, for somebody who may change it."""
    view = SavedView.objects.visible_to(access.organization, access.user).filter(pk=pk).first()
    if view is None:
        raise Http404("No such view.")
    if not may_change(access, view):
        raise PermissionDenied("Changing a view that is shared requires the Operator role.")
    return view


def _save_or_show(
    request: HttpRequest, access: Access, form: SavedViewForm, template: str
) -> HttpResponse:
    """Save what was posted and show its list; else the form, with what is wrong with it."""
    view = form.save() if request.method == "POST" and form.is_valid() else None
    if view is not None:
        messages.success(request, f"The view {view.name} is saved.")
        return redirect(view_url(view, access.organization.slug))
    context = {"form": form, "view": form.view}
    status = 422 if form.errors else 200
    return render_page(request, access, template, context, section=SECTION, status=status)
