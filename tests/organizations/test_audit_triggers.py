"""The database keeps the audit log as it was written."""

from collections.abc import Callable

import pytest
from django.core import checks
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client

from organizations.audit.deletion import allow_deletion
from organizations.audit.triggers import MISSING, TABLE, are_missing
from organizations.models import AuditEntry, Organization
from tests.factories import make_organization

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def entry() -> AuditEntry:
    return AuditEntry.record(make_organization(), "account.added", "main")


def change_in_sql(entry: AuditEntry) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"update {TABLE} set target = 'other' where id = %s", [entry.pk])


def delete_in_sql(entry: AuditEntry) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"delete from {TABLE} where id = %s", [entry.pk])


@pytest.mark.parametrize(
    "attempt",
    [
        lambda entry: AuditEntry.objects.update(target="other"),
        lambda entry: AuditEntry.objects.all().delete(),
        lambda entry: entry.delete(),
        lambda entry: Organization.objects.all().delete(),
        change_in_sql,
        delete_in_sql,
    ],
)
def test_an_entry_is_neither_changed_nor_deleted(
    entry: AuditEntry, attempt: Callable[[AuditEntry], object]
) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        attempt(entry)
    assert AuditEntry.objects.get().target == "main"


def test_only_deletions_pass_where_they_are_allowed_and_not_after(entry: AuditEntry) -> None:
    other = AuditEntry.record(entry.organization, "account.added", "second")
    with allow_deletion("audit.pruned", "Retention", organization=entry.organization) as details:
        delete_in_sql(entry)
        details["deleted"] = 1
        with pytest.raises(IntegrityError), transaction.atomic():
            change_in_sql(other)
    with pytest.raises(IntegrityError), transaction.atomic():
        delete_in_sql(other)
    left = AuditEntry.objects.order_by("pk")
    assert [(one.action, one.details) for one in left] == [
        ("account.added", {}),
        ("audit.pruned", {"deleted": 1}),
    ]


def test_a_deletion_that_fails_leaves_nothing_allowed(entry: AuditEntry) -> None:
    with (
        pytest.raises(ValueError, match="retention"),
        allow_deletion("audit.pruned", "Retention"),
    ):
        raise ValueError("retention failed")
    with pytest.raises(IntegrityError), transaction.atomic():
        delete_in_sql(entry)


def test_missing_triggers_are_reported_and_put_back_by_migrate(client: Client) -> None:
    drop = "drop trigger audit_rows on " + TABLE
    with connection.cursor() as cursor:
        cursor.execute(drop if connection.vendor == "postgresql" else "drop trigger audit_delete")
    answer = client.get("/readyz")
    assert (answer.status_code, answer.content.decode()) == (503, f"{MISSING}\n")
    assert [issue.id for issue in checks.run_checks(tags=["database"], databases=["default"])] == [
        "reelboard.E002"
    ]
    call_command("migrate", verbosity=0)
    assert not are_missing()
