"""The admin shows what is mirrored, edits none of it, shows no secret and counts no table."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import models
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from jobs.models import (
    AutomaticRetry,
    Batch,
    BatchInput,
    BulkAction,
    BulkTarget,
    DefaultView,
    EndNotice,
    ExportSlot,
    IdempotencyKey,
    Job,
    JobAction,
    JobBody,
    JobErrorGroup,
    JobEvent,
    JobPoll,
    JobSearch,
    JobSecret,
    Mention,
    MovedEnd,
    Note,
    Output,
    Preset,
    ProviderAccount,
    ProviderHost,
    RateBudget,
    RequestTemplate,
    RetryRule,
    RowFailure,
    SavedView,
    StoredLocation,
    Submission,
    TemplateVersion,
    UsualTimes,
    ViewCounting,
    WebhookDelivery,
)
from organizations.pagination import COUNT_CAP
from tests.factories import make_user
from tests.jobs.factories import (
    NOON,
    make_body,
    make_event,
    make_job,
    make_note,
    make_output,
    make_preset,
)

pytestmark = pytest.mark.django_db

MIRRORED: list[type[Model]] = [
    AutomaticRetry, IdempotencyKey, Job, JobAction, JobBody, JobEvent, JobPoll, Note, Output,
    Preset, RequestTemplate, RetryRule, StoredLocation, Submission, TemplateVersion,
    WebhookDelivery,
]  # fmt: skip
each_mirrored = pytest.mark.parametrize("model", MIRRORED, ids=lambda model: model.__name__)


def fill(account: ProviderAccount, number: int = 1) -> None:
    """A row of every model, with something secret wherever there is room for it."""
    for index in range(number):
        job = make_job(account, status="running", metadata={"order": 7}, request={"input": "s3"})
        make_output(job, preset=make_preset(account), secret_url="https://cdn/x?Signature=canary")
        make_note(job, make_user(), "See <b>tape 7</b>")
        make_event(job, actor=make_user(), message="Cancel requested")
        make_body(job, {"job": {"title": "<script>alert(1)</script>", "state": "processing"}})
        JobSecret.objects.create(job=job, input_url="https://cdn/in?Signature=canary")
        JobAction.objects.create(job=job, kind="cancel", next_at=NOON, actor=make_user())
        IdempotencyKey.objects.create(
            organization=job.organization, owner="user:1", key=f"order-{job.pk}", job=job
        )
        Submission.objects.create(
            job=job,
            account=job.account,
            organization=job.organization,
            key=f"key-{job.pk}",
            fingerprint="f" * 64,
            request={"input": "https://cdn/in?Signature=canary"},
            next_at=NOON,
        )
        StoredLocation.objects.create(
            organization=job.organization,
            name=f"ingest-{job.pk}",
            credentials={"key_id": "canary", "secret": "canary"},
        )
        template = RequestTemplate.objects.create(
            organization=job.organization, name=f"episode {job.pk}"
        )
        TemplateVersion.objects.create(
            template=template,
            settings={"destination": "s3://canary@site/"},
            shown={"destination": "s3://REDACTED@site/"},
            saved_by=make_user(),
        )
        rule = RetryRule.objects.create(
            organization=job.organization, name=f"rule {job.pk}", error_class="input.timeout"
        )
        AutomaticRetry.objects.create(
            rule=rule,
            rule_name=rule.name,
            max_retries=3,
            number=1,
            job=job,
            account=account,
            next_at=NOON,
        )
        WebhookDelivery.objects.create(
            account=account,
            received_at=NOON + timedelta(seconds=index),
            next_at=NOON,
            body='{"job": 1}',
            verdict="accepted",
            remote_id=job.remote_id or "",
        )


def page_of(model: type[Model], pk: Any = None) -> str:
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    return reverse(f"{name}_change", args=[pk]) if pk else reverse(f"{name}_changelist")


def text_of(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize("model", [*MIRRORED, ProviderAccount], ids=lambda model: model.__name__)
def test_pages_show_no_secret(
    admin_client: Client, account: ProviderAccount, model: type[Model]
) -> None:
    fill(account)
    for path in (page_of(model), page_of(model, model._default_manager.get().pk)):
        text = text_of(admin_client, path)
        assert "canary" not in text
        assert "gAAAA" not in text  # how an encrypted value begins


@pytest.mark.parametrize("model", [*MIRRORED, ProviderAccount], ids=lambda model: model.__name__)
def test_pages_open_when_the_key_of_the_secrets_is_lost(
    admin_client: Client, account: ProviderAccount, settings: Any, model: type[Model]
) -> None:
    fill(account)
    settings.CREDENTIALS_KEYS = ["another-key-that-opens-none-of-what-is-stored"]
    text_of(admin_client, page_of(model))
    text_of(admin_client, page_of(model, model._default_manager.get().pk))


@each_mirrored
def test_nothing_mirrored_is_added_changed_or_deleted(
    admin_client: Client, account: ProviderAccount, model: type[Model]
) -> None:
    fill(account)
    row = model._default_manager.get()
    before = model._default_manager.values().get()
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    assert admin_client.get(reverse(f"{name}_add")).status_code == 403
    assert admin_client.post(page_of(model, row.pk), {"status": "failed"}).status_code == 403
    deletion = reverse(f"{name}_delete", args=[row.pk])
    assert admin_client.post(deletion, {"post": "yes"}).status_code == 403
    action = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
    admin_client.post(page_of(model), action)
    after = model._default_manager.values().get()
    assert {k: v for k, v in after.items() if v != before[k]} == {}


@each_mirrored
def test_a_list_costs_the_same_however_long_it_is(
    admin_client: Client,
    account: ProviderAccount,
    django_assert_max_num_queries: Any,
    model: type[Model],
) -> None:
    admin_client.get(reverse("admin:index"))  # the first request of a session stores it
    costs = []
    for number in (1, 6):
        fill(account, number)
        with django_assert_max_num_queries(20) as queries:
            text_of(admin_client, page_of(model))
        costs.append(len(queries))
    assert costs[0] == costs[1]


@each_mirrored
def test_no_list_counts_further_than_the_cap(
    admin_client: Client,
    account: ProviderAccount,
    django_assert_max_num_queries: Any,
    model: type[Model],
) -> None:
    fill(account)
    for query in ("", "?q=episode", "?_facets=True"):
        with django_assert_max_num_queries(20) as queries:
            text_of(admin_client, page_of(model) + query)
        counts = [
            found["sql"] for found in queries.captured_queries if "COUNT(" in found["sql"].upper()
        ]
        assert counts
        assert all(f"LIMIT {COUNT_CAP}" in sql for sql in counts)


def test_every_model_is_there_but_those_that_hold_secrets_or_counters() -> None:
    ours = {model for model in admin.site._registry if model._meta.app_label == "jobs"}
    assert ours == {*MIRRORED, ProviderAccount}
    of_lists = {DefaultView, EndNotice, ExportSlot, JobSearch, SavedView, UsualTimes, ViewCounting}
    of_bulk = {Batch, BatchInput, BulkAction, BulkTarget}
    others = {JobErrorGroup, JobSecret, MovedEnd, ProviderHost, RateBudget, RowFailure}
    missing = of_lists | of_bulk | others | {Mention}
    assert set(apps.get_app_config("jobs").get_models()) == ours | missing


def test_lists_leave_json_and_bodies_in_the_database(
    admin_client: Client, account: ProviderAccount, django_assert_max_num_queries: Any
) -> None:
    fill(account)
    for model in MIRRORED:
        with django_assert_max_num_queries(20) as queries:
            text_of(admin_client, page_of(model))
        table = model._meta.db_table
        heavy = [
            field.column
            for field in model._meta.fields
            if isinstance(field, models.JSONField | models.BinaryField)
        ]
        for found in queries.captured_queries:
            for column in heavy:
                assert f'"{table}"."{column}"' not in found["sql"]


@pytest.mark.parametrize(
    ("model", "query"),
    [
        (Job, "q=episode"),
        (Job, "q={remote_id}"),
        (Job, "status__exact=running&account__provider__exact=zencoder"),
        (JobBody, "q={remote_id}"),
        (Output, "q={remote_id}"),
        (JobEvent, "q={remote_id}"),
        (WebhookDelivery, "q={remote_id}"),
        (Submission, "q={remote_id}"),
    ],
)
def test_search_and_filters_find_rows(
    admin_client: Client, account: ProviderAccount, model: type[Model], query: str
) -> None:
    fill(account, 2)
    job = Job.objects.earliest("pk")
    found = text_of(admin_client, f"{page_of(model)}?{query.format(remote_id=job.remote_id)}")
    assert ("2 " if "{" not in query else "1 ") in found.partition('<p class="paginator">')[2][:200]


def test_a_body_is_shown_as_json_and_not_as_markup(
    admin_client: Client, account: ProviderAccount
) -> None:
    fill(account)
    for model in (Job, JobBody):
        text = text_of(admin_client, page_of(model, Job.objects.get().pk))
        assert "&quot;state&quot;: &quot;processing&quot;" in text
        assert "<script>alert(1)" not in text


def test_a_damaged_body_is_reported_with_a_clear_message(
    admin_client: Client, account: ProviderAccount
) -> None:
    fill(account)
    JobBody.objects.update(compressed=b"no zlib stream")
    for model in (Job, JobBody):
        assert "Not readable" in text_of(admin_client, page_of(model, Job.objects.get().pk))


@pytest.mark.parametrize("page", ["change", "history"])
@pytest.mark.parametrize("model", [Job, Output, Preset])
def test_headings_isolate_the_names_that_providers_give(
    admin_client: Client, account: ProviderAccount, model: type[Model], page: str
) -> None:
    fill(account)
    name = "\u0634\u0627\u0637\u0626.mov"
    text_field = {Job: "name", Output: "label", Preset: "name"}[model]
    row = model._default_manager.earliest("pk")
    model._default_manager.filter(pk=row.pk).update(**{text_field: name})
    path = reverse(f"admin:{model._meta.label_lower.replace('.', '_')}_{page}", args=[row.pk])
    html = admin_client.get(path).content.decode()
    headings = re.findall(r"<h[12]>.*?</h[12]>|<div class=\"breadcrumbs\">.*?</div>", html, re.S)
    assert any(name in heading for heading in headings)
    for heading in headings:
        assert name not in re.sub(r"<bdi>[^<]*</bdi>", "", heading)


def test_members_who_are_not_staff_do_not_get_in(account: ProviderAccount) -> None:
    client = Client()
    client.force_login(make_user())
    assert client.get(page_of(Job)).status_code in (302, 403)
