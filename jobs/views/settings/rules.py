"""Retry rules: seen by all members, saved and switched by managers."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db import IntegrityError
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from jobs.forms.retry_rules.rule import TAKEN, RetryRuleForm
from jobs.models import AutomaticRetry, Job, ProviderAccount, RetryRule, RetryState
from jobs.retry_rules import service
from jobs.retry_rules.dry_run import DryRun, dry_run
from jobs.retry_rules.spent import find_spent
from jobs.views.settings.sections import render_settings
from organizations.access import Access, requires
from organizations.permissions import Permission

SECTION = "rules"
RETRIES_SHOWN = 50
JOBS_SHOWN = 50


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A rule, how many failures it has retried, and where its daily number is reached."""

    rule: RetryRule
    retried: int
    spent_at: list[ProviderAccount]


@dataclass(frozen=True, slots=True)
class Tried:
    """What a dry run found, with the first of its jobs."""

    result: DryRun
    jobs: list[Job]

    @property
    def further(self) -> int:
        return self.result.count - len(self.jobs)


@require_safe
@requires(Permission.READ)
def rules(request: HttpRequest, access: Access) -> HttpResponse:
    found = list(RetryRule.objects.for_organization(access.organization))
    made = AutomaticRetry.objects.requested().filter(rule__in=found)
    counts = dict(made.values_list("rule").annotate(Count("pk")).order_by())
    spent = find_spent(access.organization)
    rows = [RuleRow(one, counts.get(one.pk, 0), spent.of_rule(one)) for one in found]
    context = {"rows": rows}
    return render_settings(request, access, SECTION, "jobs/settings/rules.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.RETRY_RULES)
def rule_new(request: HttpRequest, access: Access) -> HttpResponse:
    """Saves, switched off; with `try` it is a dry run, and nothing is saved.

    `?error=` and `?group=` fill in which errors it is for.
    """
    initial = {name: request.GET[name] for name in ("error", "group") if name in request.GET}
    if "group" in initial:
        initial["error"] = "group"
    form = RetryRuleForm(
        request.POST or None,
        instance=RetryRule(organization=access.organization),
        initial=initial,
    )
    return _edit(request, access, form, "rule_new")


@require_safe
@requires(Permission.READ)
def rule(request: HttpRequest, access: Access, rule_pk: int) -> HttpResponse:
    """What a rule says and has done; with `?dry_run`, what it would have done."""
    found = _find(access, rule_pk)
    retries = found.retries.select_related("job", "new_job", "account", "actor", "token").defer(
        "account__credentials", "account__hook_secret", "account__options"
    )
    states = found.retries.aggregate(
        made=Count("pk", filter=Q(state=RetryState.REQUESTED)),
        succeeded=Count("pk", filter=Q(new_job__status="succeeded")),
        waiting=Count("pk", filter=Q(state=RetryState.WAITING)),
    )
    context = {
        "rule": found,
        "counts": states,
        "retries": retries.order_by("-pk")[:RETRIES_SHOWN],
        "spent_at": find_spent(access.organization).of_rule(found),
        "tried": _try(found) if "dry_run" in request.GET else None,
    }
    return render_settings(request, access, SECTION, "jobs/settings/rule.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.RETRY_RULES)
def rule_edit(request: HttpRequest, access: Access, rule_pk: int) -> HttpResponse:
    """As `rule_new`."""
    found = _find(access, rule_pk)
    form = RetryRuleForm(request.POST or None, instance=found)
    return _edit(request, access, form, "rule_edit", rule=_find(access, rule_pk))


@require_POST
@requires(Permission.RETRY_RULES)
def rule_switch(request: HttpRequest, access: Access, rule_pk: int) -> HttpResponse:
    found = _find(access, rule_pk)
    if request.POST.get("on") == "1":
        service.switch_on(found, access.user)
        messages.success(request, f"{found} is on: it retries what fails from now on.")
    else:
        service.switch_off(found, access.user)
        messages.success(request, f"{found} is off: it retries nothing more.")
    return redirect("jobs:rule", access.organization.slug, found.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.RETRY_RULES)
def rule_delete(request: HttpRequest, access: Access, rule_pk: int) -> HttpResponse:
    """Asks first."""
    found = _find(access, rule_pk)
    if request.method == "POST":
        service.delete_rule(found, access.user)
        messages.success(request, f"The rule {found} is deleted.")
        return redirect("jobs:rules", access.organization.slug)
    context = {"rule": found}
    return render_settings(request, access, SECTION, "jobs/settings/rule_delete.html", context)


def _find(access: Access, pk: int) -> RetryRule:
    return get_object_or_404(RetryRule.objects.for_organization(access.organization), pk=pk)


def _edit(
    request: HttpRequest, access: Access, form: RetryRuleForm, page: str, **context: Any
) -> HttpResponse:
    tried = None
    if request.method == "POST" and form.is_valid():
        if "try" in request.POST:
            tried = _try(form.instance)
        elif _save(form, access):
            messages.success(request, f"{form.instance} is saved.")
            return redirect("jobs:rule", access.organization.slug, form.instance.pk)
    status = 422 if form.errors else 200
    context |= {"form": form, "tried": tried}
    path = f"jobs/settings/{page}.html"
    return render_settings(request, access, SECTION, path, context, status=status)


def _save(form: RetryRuleForm, access: Access) -> bool:
    save = service.change_rule if form.instance.pk else service.create_rule
    try:
        save(form.instance, access.user)
    except IntegrityError:
        # somebody else was faster
        form.add_error("name", TAKEN)
        return False
    return True


def _try(rule: RetryRule) -> Tried:
    result = dry_run(rule, timezone.now())
    shown = list(result.jobs[:JOBS_SHOWN])
    rows = Job.objects.for_list().in_bulk(shown)
    return Tried(result, [rows[pk] for pk in shown if pk in rows])
