"""The pages of retry rules, and what pages of jobs and accounts say of them."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from jobs.models import AutomaticRetry, Job, ProviderAccount, RetryRule, RetryState
from organizations.models import AuditEntry, Organization
from tests.factories import make_organization
from tests.jobs.factories import make_account, make_job, make_rule

pytestmark = pytest.mark.django_db

FORM = {
    "name": "Busy inputs",
    "account": "",
    "error": "input.*",
    "group": "",
    "only_transient": "on",
    "max_retries": "3",
    "delay_minutes": "5",
    "daily_limit": "50",
}


def url(name: str, organization: Organization, *args: Any) -> str:
    return reverse(f"jobs:{name}", args=[organization.slug, *args])


def failed(account: ProviderAccount, **fields: Any) -> Job:
    now = timezone.now()
    times = {"created_at": now - timedelta(minutes=9), "finished_at": now}
    defaults = {"status": "failed", "error_class": "input.timeout", "observed_finished_at": now}
    return make_job(account, **(defaults | times | fields))


def text_of(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def wait(job: Job, rule: RetryRule, **fields: Any) -> AutomaticRetry:
    defaults: dict[str, Any] = {"next_at": timezone.now() + timedelta(minutes=4), "number": 2}
    return AutomaticRetry.objects.create(
        rule=rule,
        rule_name=rule.name,
        max_retries=3,
        job=job,
        account=job.account,
        **(defaults | fields),
    )


def test_a_manager_tries_saves_switches_and_deletes_a_rule(
    manager: Client, studio: Organization, account: ProviderAccount
) -> None:
    job = failed(account)
    failed(make_account(make_organization()))
    new = url("rule_new", studio)
    tried = manager.post(new, FORM | {"try": "1"})
    assert tried.status_code == 200
    assert tried.context["tried"].jobs == [job]
    assert not RetryRule.objects.exists()
    assert manager.post(new, FORM).status_code == 302
    rule = RetryRule.objects.get()
    assert (rule.error_class, rule.is_on, rule.organization) == ("input.*", False, studio)
    page = url("rule", studio, rule.pk)
    assert "would have retried" in text_of(manager, f"{page}?dry_run=1")
    manager.post(url("rule_switch", studio, rule.pk), {"on": "1"})
    on = RetryRule.objects.get()
    assert on.is_on
    assert on.next_at is not None
    edit = url("rule_edit", studio, rule.pk)
    manager.post(edit, FORM | {"daily_limit": "7"})
    changed = RetryRule.objects.get()
    assert changed.daily_limit == 7
    assert changed.starts_at is not None
    assert on.starts_at is not None
    assert changed.starts_at > on.starts_at
    manager.post(url("rule_switch", studio, rule.pk), {"on": "0"})
    assert not RetryRule.objects.get().is_on
    assert manager.post(url("rule_delete", studio, rule.pk)).status_code == 302
    assert not RetryRule.objects.exists()
    actions = AuditEntry.objects.for_organization(studio).values_list("action", flat=True)
    assert sorted(actions) == [
        "retry_rule.changed",
        "retry_rule.created",
        "retry_rule.deleted",
        "retry_rule.switched_off",
        "retry_rule.switched_on",
    ]


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("error", "input.corrupt", "None of these errors goes away by itself"),
        ("max_retries", "6", "less than or equal to 5"),
        ("daily_limit", "0", "greater than or equal to 1"),
        ("group", "4", "Clear it, or choose the group above."),
        ("name", "Taken", "There is a rule with this name already."),
        ("account", "foreign", "Select a valid choice."),
        ("error", "group", "No error group has this number."),
    ],
)
def test_what_a_rule_cannot_say_is_refused_beside_its_field(
    manager: Client, studio: Organization, field: str, value: str, message: str
) -> None:
    make_rule(studio, "Taken")
    foreign = make_job(make_account(make_organization()), status="failed")
    given = {"foreign": str(foreign.account_id)}.get(value, value)
    values = FORM | {field: given}
    if value == "group":
        values["group"] = str(foreign.error_group_id)
    response = manager.post(url("rule_new", studio), values)
    assert response.status_code == 422
    assert message in response.content.decode()
    assert RetryRule.objects.count() == 1


def test_a_rule_for_one_group(
    manager: Client, studio: Organization, account: ProviderAccount
) -> None:
    group = failed(account).error_group
    assert group is not None
    new = f"{url('rule_new', studio)}?group={group.pk}"
    page = reverse("insights:error", args=[studio.slug, group.pk])
    assert f'href="{new}"' in text_of(manager, page)
    form = manager.get(new).context["form"]
    assert (form.initial["error"], form.initial["group"]) == ("group", str(group.pk))
    manager.post(new, FORM | {"error": "group", "group": str(group.pk)})
    rule = RetryRule.objects.get()
    assert (rule.error_group, rule.error_class) == (group, "")
    assert text_of(manager, url("rules", studio))


def test_a_job_says_that_it_will_be_retried_and_a_person_cancels_that(
    operator: Client, viewer: Client, studio: Organization, account: ProviderAccount
) -> None:
    job = failed(account)
    retry = wait(job, make_rule(studio, "Busy inputs"))
    page = url("detail", studio, job.pk)
    sentence = "Will be retried automatically in 4 min (2 of 3)"
    assert sentence in text_of(operator, page)
    assert "Do not retry" in text_of(operator, page)
    assert sentence in text_of(viewer, page)
    assert "Do not retry" not in text_of(viewer, page)
    cancel = url("cancel_retry", studio, job.pk)
    assert viewer.post(cancel).status_code == 403
    assert operator.post(cancel).status_code == 302
    retry.refresh_from_db()
    assert retry.state == RetryState.CANCELLED
    text = text_of(operator, page)
    assert sentence not in text
    assert "Retry rule “Busy inputs”: 2 of 3 cancelled" in text


def test_an_attempt_says_which_rule_made_it(
    viewer: Client, studio: Organization, account: ProviderAccount
) -> None:
    job = failed(account)
    now = timezone.now()
    attempt = make_job(account, status="running", retry_of=job)
    wait(
        job,
        make_rule(studio, "Busy inputs"),
        state="requested",
        requested_at=now,
        day=now.date(),
        root_id=job.pk,
        new_job=attempt,
    )
    assert "Retry rule “Busy inputs”: 2 of 3" in text_of(viewer, url("detail", studio, attempt.pk))


def test_a_spent_daily_number_is_said_on_the_pages_of_the_rule_and_the_account(
    manager: Client, studio: Organization, account: ProviderAccount
) -> None:
    now = timezone.now()
    rule = make_rule(studio, "Busy inputs", starts_at=now, daily_limit=7)
    pages = [url("rule", studio, rule.pk), url("account_edit", studio, account.pk)]
    for page in pages:
        assert "7 retries of today" not in text_of(manager, page)
    today = timezone.localdate(now, rule.zone)
    wait(failed(account), rule, state="over_limit", day=today)
    for page in pages:
        assert "7 retries of today" in text_of(manager, page)
    other = make_account(studio, name="other")
    assert "7 retries of today" not in text_of(manager, url("account_edit", studio, other.pk))


def test_the_list_costs_the_same_however_many_rules(
    viewer: Client, studio: Organization, django_assert_max_num_queries: Any
) -> None:
    page = url("rules", studio)
    costs = []
    for number in (1, 5):
        for _ in range(number):
            make_rule(studio, starts_at=timezone.now())
        text_of(viewer, page)
        with django_assert_max_num_queries(30) as queries:
            text_of(viewer, page)
        costs.append(len(queries))
    assert costs[0] == costs[1]
