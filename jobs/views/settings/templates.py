"""Templates: seen by all members, saved and archived by those who submit jobs."""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from jobs.display.settings_diff import Change, changes
from jobs.display.settings_summary import summarize_request
from jobs.forms.job import submitting_accounts
from jobs.forms.job_copy import StoredValues, copy_job
from jobs.forms.templates.template import (
    TemplateForm,
    empty_values,
    stored_values,
    values_of_job,
)
from jobs.models import Job, ProviderAccount, RequestTemplate, TemplateVersion
from jobs.query.references import find_by_id
from jobs.submission.templates import service
from jobs.submission.templates.service import TemplateRefused
from jobs.views.settings.sections import render_settings
from organizations.access import Access, requires
from organizations.permissions import Permission

SECTION = "templates"
# How many are compared with the one before
VERSIONS_SHOWN = 50
ARCHIVED_SHOWN = 50


@dataclass(frozen=True, slots=True)
class TemplateRow:
    version: TemplateVersion
    summary: str
    default_at: list[ProviderAccount] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A version, and what it changed of the one before; None for the first."""

    version: TemplateVersion
    changes: list[Change] | None


@require_safe
@requires(Permission.READ)
def templates(request: HttpRequest, access: Access) -> HttpResponse:
    versions = TemplateVersion.objects.for_organization(access.organization).filter(is_newest=True)
    versions = versions.select_related("saved_by").order_by("template__name")
    active = versions.filter(template__archived_at=None)
    archived = versions.exclude(template__archived_at=None)[:ARCHIVED_SHOWN]
    accounts = ProviderAccount.objects.for_organization(access.organization)
    defaults = list(accounts.exclude(default_template=None).for_health().order_by("name"))
    context = {
        "rows": [
            TemplateRow(
                version,
                summarize_request(version.shown),
                [one for one in defaults if one.default_template_id == version.template_id],
            )
            for version in active
        ],
        "archived": archived,
    }
    return render_settings(request, access, SECTION, "jobs/settings/templates.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.TEMPLATES)
def template_new(request: HttpRequest, access: Access) -> HttpResponse:
    """An empty form; `?from=<job id>` fills it in with the settings of that job."""
    stored = _values_of_named_job(request, access)
    form = TemplateForm(request.POST or None, stored=stored)
    if request.method == "POST" and form.is_valid():
        try:
            version = service.create_template(
                access.organization, form.cleaned_data["name"], form.to_settings(), access.user
            )
        except TemplateRefused as error:
            form.refuse(error)
        else:
            return _saved(request, access, version)
    return _form_page(request, access, "template_new", form)


@require_safe
@requires(Permission.READ)
def template(request: HttpRequest, access: Access, template_pk: int) -> HttpResponse:
    """What a template is now, and what each of its versions changed."""
    found = _find(access, template_pk)
    versions = list(
        found.versions.select_related("saved_by")
        .defer("settings")
        .order_by("-number")[: VERSIONS_SHOWN + 1]
    )
    newest = versions[0]
    context = {
        "template": found,
        "newest": newest,
        "summary": summarize_request(newest.shown),
        "versions": _compare(versions)[:VERSIONS_SHOWN],
        "accounts": submitting_accounts(access.organization),
        "is_used": service.is_used(found),
    }
    return render_settings(request, access, SECTION, "jobs/settings/template.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.TEMPLATES)
def template_edit(request: HttpRequest, access: Access, template_pk: int) -> HttpResponse:
    """Save a new version; a field that still shows a redacted value keeps the stored one."""
    found = _find(access, template_pk)
    newest = found.versions.get(is_newest=True)
    initial = {"name": found.name, "based_on": newest.number}
    form = TemplateForm(request.POST or None, stored=stored_values(newest), initial=initial)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            version = service.change_template(
                found, data["name"], form.to_settings(), access.user, based_on=data["based_on"]
            )
        except TemplateRefused as error:
            form.refuse(error)
        else:
            return _saved(request, access, version)
    return _form_page(request, access, "template_edit", form, template=found)


@require_POST
@requires(Permission.TEMPLATES)
def template_default(request: HttpRequest, access: Access, template_pk: int) -> HttpResponse:
    """Have new jobs begin with the template at the ticked accounts, and no longer at the others."""
    found = _find(access, template_pk)
    ticked = request.POST.getlist("accounts")
    try:
        for account in submitting_accounts(access.organization):
            if str(account.pk) in ticked:
                service.set_default_template(account, found, access.user)
            elif account.default_template_id == found.pk:
                service.set_default_template(account, None, access.user)
    except TemplateRefused as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "Saved where new jobs begin with this template.")
    return _to_template(access, found)


@require_POST
@requires(Permission.TEMPLATES)
def template_archive(request: HttpRequest, access: Access, template_pk: int) -> HttpResponse:
    found = _find(access, template_pk)
    service.archive_template(found, access.user)
    messages.success(request, f"{found} is archived: no new job uses it.")
    return redirect("jobs:templates", access.organization.slug)


@require_POST
@requires(Permission.TEMPLATES)
def template_restore(request: HttpRequest, access: Access, template_pk: int) -> HttpResponse:
    found = _find(access, template_pk)
    try:
        service.restore_template(found, access.user)
    except TemplateRefused as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{found} can be used again.")
    return _to_template(access, found)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.TEMPLATES)
def template_delete(request: HttpRequest, access: Access, template_pk: int) -> HttpResponse:
    """Asks first."""
    found = _find(access, template_pk)
    if request.method == "POST":
        try:
            service.delete_template(found, access.user)
        except TemplateRefused as error:
            messages.error(request, str(error))
            return _to_template(access, found)
        messages.success(request, f"The template {found} is deleted.")
        return redirect("jobs:templates", access.organization.slug)
    context = {"template": found}
    return render_settings(request, access, SECTION, "jobs/settings/template_delete.html", context)


def _find(access: Access, pk: int) -> RequestTemplate:
    owned = RequestTemplate.objects.for_organization(access.organization)
    return get_object_or_404(owned.select_related("organization"), pk=pk)


def _values_of_named_job(request: HttpRequest, access: Access) -> StoredValues:
    given = request.GET.get("from")
    if not given:
        return empty_values()
    jobs = Job.objects.for_organization(access.organization).select_related("account")
    job = find_by_id(jobs, given)
    if job is None:
        raise Http404("No such job.")
    return values_of_job(copy_job(job))


def _compare(versions: list[TemplateVersion]) -> list[VersionRow]:
    """Each of `versions`, newest first, with what it changed."""
    rows = [
        VersionRow(later, changes(earlier.shown, later.shown))
        for later, earlier in pairwise(versions)
    ]
    return [*rows, VersionRow(versions[-1], None)]


def _saved(request: HttpRequest, access: Access, version: TemplateVersion) -> HttpResponse:
    messages.success(request, f"{version} is saved.")
    return _to_template(access, version.template)


def _to_template(access: Access, found: RequestTemplate) -> HttpResponse:
    return redirect("jobs:template", access.organization.slug, found.pk)


def _form_page(
    request: HttpRequest, access: Access, page: str, form: TemplateForm, **context: Any
) -> HttpResponse:
    status = 422 if form.errors else 200
    path = f"jobs/settings/{page}.html"
    return render_settings(request, access, SECTION, path, {"form": form, **context}, status=status)
