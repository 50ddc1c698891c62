"""`manage.py sync` against each provider as it documents itself: every field that we hold."""

import json
from collections.abc import Iterator
from importlib import import_module
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import models

from jobs.models import Job, Output, Preset, ProviderAccount
from organizations.models import Organization
from providers.core import registry
from providers.http.tokens import TOKENS
from tests.acceptance.documented.server import Documented, Running, serve
from tests.factories import make_organization
from tests.secret_outputs import stored_rows

pytestmark = [pytest.mark.django_db, pytest.mark.database]

# What we make of the answers, or keep about our own doings; all other columns mirror the provider.
OUR_JOB_COLUMNS = {
    *("stuck_status", "stuck_kind", "stuck_at", "stuck_limit_ms", "stuck_count", "is_stuck"),
    *("id", "organization", "account", "remote_id", "attempt", "is_newest", "batch", "request"),
    "template_version",
    "is_named",
    *(
        "submitted_by",
        "submitted_token",
        "assignee",
        "retry_of",
        "first_seen_at",
        "changed_at",
        "sort_at",
        "sort_started_at",
    ),
    *(
        "resolved_by",
        "error_group",
        "is_unresolved",
        "first_seen_revision",
        "status_revision",
        "is_active",
    ),
    *("gone_at", "observed_at", "version", "digests", "is_partial", "is_suspect"),
    *("suspect_reason", "has_listed_outputs", "is_clip"),
    *("observed_finished_at", "ended_at", "ended_at_source"),
    # asked for apart, and only while a job fetches its input
    "input_fetched_percent",
}
OUR_OUTPUT_COLUMNS = {"id", "job", "organization", "account", "sort_at", "remote_id", "slot"}
NOTHING: tuple[Any, ...] = (None, "", [], False)


@pytest.fixture(params=[slug for slug, _ in registry.choices()])
def documented(request: pytest.FixtureRequest) -> Documented:
    module = import_module(f"tests.acceptance.documented.{request.param}")
    found: Documented = module.DOCUMENTED
    return found


@pytest.fixture
def provider(documented: Documented) -> Iterator[Running]:
    TOKENS.clear()  # the next server may have the port of the last one
    with serve(documented) as running:
        yield running


@pytest.fixture
def organization() -> Organization:
    return make_organization("studio")


def add_account(documented: Documented, provider: Running, **changed: str) -> ProviderAccount:
    credentials = {**documented.credentials, **changed}
    options = {"requests_per_minute": "100000", **documented.options}
    reported = StringIO()
    call_command(
        "add_account",
        *("--organization", "studio", "--provider", documented.slug, "--name", "Main"),
        *("--base-url", provider.base_url, "--json"),
        *(f"--credential={name}={value}" for name, value in credentials.items()),
        *(f"--option={name}={value}" for name, value in options.items()),
        stdout=reported,
    )
    return ProviderAccount.objects.get(pk=int(json.loads(reported.getvalue())["id"]))


def sync(*arguments: str) -> dict[str, Any]:
    reported = StringIO()
    call_command("sync", "--json", *arguments, stdout=reported)
    (report,) = json.loads(reported.getvalue())["accounts"]
    found: dict[str, Any] = report
    return found


def columns(model: type[models.Model], ours: set[str]) -> set[str]:
    return {column.name for column in model._meta.concrete_fields} - ours


def reported(row: models.Model, names: Any) -> dict[str, Any]:
    """The named columns; a preset by its remote id."""
    values = {name: getattr(row, name) for name in names}
    return {
        name: value.remote_id if isinstance(value, Preset) else value
        for name, value in values.items()
    }


def stored() -> str:
    return "\n".join(row for _, row in stored_rows())


def test_every_field_is_mirrored(
    documented: Documented, provider: Running, organization: Organization
) -> None:
    account = add_account(documented, provider)
    report = sync()
    assert (report["ok"], report["error"]) == (True, None)
    assert report["created"] == documented.total
    assert provider.pages_of(documented.list_path) >= 2
    provider.is_later = True
    assert sync()["created"] == documented.later

    jobs = {str(row.remote_id): row for row in Job.objects.filter(account=account)}
    assert len(jobs) == documented.total + documented.later
    for remote_id, expected in documented.jobs.items():
        assert reported(jobs[remote_id], expected) == expected, remote_id
    outputs = {
        (str(row.job.remote_id), row.remote_id): row
        for row in Output.objects.select_related("job", "preset")
    }
    for place, expected in documented.outputs.items():
        assert reported(outputs[place], expected) == expected, place
    presets = {row.remote_id: row for row in Preset.objects.filter(account=account)}
    assert set(presets) == set(documented.presets)
    for remote_id, expected in documented.presets.items():
        assert reported(presets[remote_id], expected) == expected, remote_id


def test_the_tables_leave_out_no_column(documented: Documented) -> None:
    for model, ours, rows, not_reported in (
        (Job, OUR_JOB_COLUMNS, documented.jobs, documented.not_reported),
        (Output, OUR_OUTPUT_COLUMNS, documented.outputs, documented.outputs_not_reported),
    ):
        checked = {name for row in rows.values() for name, value in row.items() if value} - ours
        assert columns(model, ours) == checked | set(not_reported), model
        assert not checked & set(not_reported), model


def test_what_is_said_not_to_be_reported_is_not_made_up(
    documented: Documented, provider: Running, organization: Organization
) -> None:
    add_account(documented, provider)
    sync()
    for model, names in (
        (Job, set(documented.not_reported)),
        (Output, set(documented.outputs_not_reported) - {"progress"}),
    ):
        found = {
            name: value
            for row in model.objects.all()
            for name, value in reported(row, names).items()
            if value not in NOTHING
        }
        assert found == {}, model


def test_a_second_pass_over_the_same_answers_changes_nothing(
    documented: Documented, provider: Running, organization: Organization
) -> None:
    def mirrored() -> list[object]:
        jobs = Job.objects.order_by("pk").values()
        # a payload that was compared in full is recognized from then on
        return [
            *({**job, "digests": None} for job in jobs),
            *Output.objects.order_by("pk").values(),
        ]

    add_account(documented, provider)
    sync()
    before = mirrored()
    report = sync("--full")
    assert (report["created"], report["changed"], report["gone"]) == (0, 0, 0)
    assert mirrored() == before


def test_no_secret_of_the_bodies_is_stored_in_the_clear(
    documented: Documented, provider: Running, organization: Organization
) -> None:
    add_account(documented, provider)
    sync()
    rows = stored()
    assert "REDACTED" in rows
    assert documented.secret not in rows


def test_a_wrong_credential_stops_the_account_without_being_repeated(
    documented: Documented, provider: Running, organization: Organization
) -> None:
    wrong = dict.fromkeys(documented.credentials, f"{documented.secret}-that-is-wrong-altogether")
    account = add_account(documented, provider, **wrong)
    reported = StringIO()
    with pytest.raises(CommandError) as caught:
        call_command("sync", "--json", stdout=reported)
    account.refresh_from_db()
    assert account.refused_at
    assert account.last_error_class == "auth.refused"
    assert documented.secret not in reported.getvalue() + str(caught.value) + stored()
