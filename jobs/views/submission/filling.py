"""What the form for a new job is filled in with: a job, a template, what was typed."""

from collections.abc import Mapping
from typing import Any

from django.http import Http404

from jobs.forms.job import JobForm
from jobs.forms.job_copy import JobCopy
from jobs.forms.job_values import typed_values
from jobs.forms.templates.choice import GROUPS, TemplateChoice, find_differences
from jobs.models import ProviderAccount, TemplateVersion
from jobs.query.references import find_by_id, read_id
from jobs.views.shared.layout import HtmxRequest
from organizations.access import Access


def first_template(
    request: HtmxRequest, access: Access, account: ProviderAccount | None, copied: JobCopy | None
) -> TemplateChoice | None:
    """What a new form begins with: the template that the URL names, else the account's default.

    A copy of a job has the template of that job. Raises Http404 where the URL names none.
    """
    if account is None:
        return None
    versions = TemplateVersion.objects.selectable(access.organization)
    if given := request.GET.get("template"):
        version = versions.filter(template=read_id(given)).first()
        if version is None:
            raise Http404("No such template.")
    elif copied:
        version = copied.job.template_version
        if version and version.template.is_archived:
            version = None
    else:
        return _default_choice(access, account)
    return TemplateChoice.at(version, account) if version else None


def sent_template(
    request: HtmxRequest, access: Access, account: ProviderAccount | None
) -> TemplateChoice | None:
    """The template that a sent form has chosen."""
    usable = TemplateVersion.objects.for_organization(access.organization)
    usable = usable.filter(template__archived_at=None)
    version = find_by_id(usable, request.POST.get("template", ""))
    return TemplateChoice.at(version, account) if version and account else None


def fill_again(
    request: HtmxRequest, access: Access, copied: JobCopy | None
) -> tuple[dict[str, Any], TemplateChoice | None]:
    """The values of a form that is shown again, with its template.

    A template that was just chosen fills in all that it says. With another account, the fields
    that are still as they were filled in get what is filled in there.
    """
    typed = typed_values(request.POST)
    typed["input"] = typed.get("sample") or typed.get("input", "")
    before, after = _account(access, typed, "fields_of"), _account(access, typed, "account")
    if after is None:
        return typed, None
    template = sent_template(request, access, after)
    if request.POST.get("choose") == "template":
        return typed | (dict(template.values) if template else {}), template
    if before is None or before == after:
        return typed, template
    was, sent = template, _sent_values(request, access, before)
    filled = _values(access, before, was and TemplateChoice.at(was.version, before))
    kept = {name for name in sent if find_differences({name: sent[name]}, filled)}
    if not (copied or kept) and (was and was.version) == _default(access, before):
        template = _default_choice(access, after)
    if was or template:
        values = _values(access, after, template)
        typed |= {name: value for name, value in values.items() if name not in kept}
    return typed, template


def _values(
    access: Access, account: ProviderAccount, template: TemplateChoice | None
) -> Mapping[str, Any]:
    """What a form at `account` begins with, by the names of its fields."""
    if template:
        return template.values
    form = JobForm(access.organization, initial={"account": account.pk})
    return {name: form[name].value() for name in GROUPS.keys() & form.fields.keys()}


def _sent_values(request: HtmxRequest, access: Access, account: ProviderAccount) -> dict[str, Any]:
    """What was sent in the fields that a form at `account` has."""
    data = request.POST.copy()
    data["account"] = str(account.pk)
    form = JobForm(access.organization, data)
    return {name: form[name].value() for name in GROUPS.keys() & form.fields.keys()}


def _account(access: Access, typed: dict[str, Any], name: str) -> ProviderAccount | None:
    accounts = ProviderAccount.objects.for_organization(access.organization)
    return find_by_id(accounts.defer("credentials", "hook_secret"), str(typed.get(name, "")))


def _default_choice(access: Access, account: ProviderAccount) -> TemplateChoice | None:
    version = _default(access, account)
    return TemplateChoice.at(version, account) if version else None


def _default(access: Access, account: ProviderAccount) -> TemplateVersion | None:
    if account.default_template_id is None:
        return None
    versions = TemplateVersion.objects.selectable(access.organization)
    return versions.filter(template=account.default_template_id).first()
