"""What is changed in the Django admin is in the audit log: before and after, without secrets."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin as django_admin
from django.test import Client, RequestFactory
from django.urls import reverse

from organizations.audit.admin import AuditedAdmin
from organizations.models import ApiToken, AuditEntry, Membership, Organization, Role, User
from organizations.models.token import ApiTokenQuerySet
from providers.http.redaction import REDACTED
from tests.factories import PASSWORD, make_membership, make_organization, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]

FORMSET = {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}


@pytest.fixture
def root() -> User:
    return User.objects.create_superuser("root@harbour.example", "irrelevant")


@pytest.fixture
def admin(signed_in: Callable[[User], Client], root: User) -> Client:
    return signed_in(root)


def save(admin: Client, model: str, pk: int | None, values: dict[str, Any]) -> None:
    page = "change" if pk else "add"
    path = reverse(f"admin:organizations_{model}_{page}", args=[pk] if pk else [])
    assert admin.post(path, values).status_code == 302


def entries() -> list[tuple[Any, ...]]:
    rows = AuditEntry.objects.order_by("pk")
    assert all(row.details["in"] == "Django admin" for row in rows)
    return [(row.organization_id, row.action, row.before, row.after) for row in rows]


def test_every_admin_that_changes_something_is_audited(root: User) -> None:
    request = RequestFactory().get("/admin/")
    request.user = root
    plain = [
        model.__name__
        for model, page in django_admin.site._registry.items()
        if not isinstance(page, AuditedAdmin)
        and (page.has_add_permission(request) or page.has_change_permission(request))
    ]
    assert plain == []


def test_a_user_is_changed_in_the_log_of_each_of_their_organizations(
    admin: Client, studio: Organization
) -> None:
    ann = make_membership(studio, Role.VIEWER, user=make_user("ann@harbour.example")).user
    second = make_membership(make_organization(), Role.VIEWER, user=ann).organization
    make_organization("decoy")
    memberships = list(Membership.objects.filter(user=ann))
    values = {"email": ann.email, "name": "Ann", "memberships-TOTAL_FORMS": "2"}
    values |= {"memberships-INITIAL_FORMS": "2"}
    for number, row in enumerate(memberships):
        prefix = f"memberships-{number}-"
        fields = {"id": row.pk, "user": ann.pk, "organization": row.organization_id, "role": 1}
        values |= {f"{prefix}{name}": str(value) for name, value in fields.items()}
    values["memberships-0-role"] = str(Role.OPERATOR.value)
    values["memberships-1-DELETE"] = "on"
    first_role = str(Role.VIEWER.label)
    values["memberships-1-role"] = str(Role.VIEWER.value)
    save(admin, "user", ann.pk, values)

    found = {(pk, action): (before, after) for pk, action, before, after in entries()}
    changed = found[memberships[0].organization_id, "member.changed"]
    assert changed == ({"role": first_role}, {"role": Role.OPERATOR.label})
    removed, _ = found[memberships[1].organization_id, "member.deleted"]
    assert removed["role"] == first_role
    # cleared: the form sent no tick for it
    sides = ({"name": None, "is_active": True}, {"name": "Ann", "is_active": False})
    assert found[studio.pk, "user.changed"] == sides
    assert {pk for pk, _ in found} <= {studio.pk, second.pk}


def test_a_user_without_organization_is_about_the_board_and_has_no_hash_in_it(
    admin: Client, root: User
) -> None:
    form = {"email": "ann@harbour.example", "name": "Ann", "usable_password": "true"}
    form |= {"password1": PASSWORD, "password2": PASSWORD, **FORMSET}
    save(admin, "user", None, form)
    ((organization, action, before, after),) = entries()
    assert (organization, action, before) == (None, "user.added", {})
    assert (after["email"], after["password"]) == ("ann@harbour.example", REDACTED)
    assert AuditEntry.objects.get().actor_id == root.pk


def test_a_password_that_is_set_is_named(admin: Client, colleague: User) -> None:
    path = reverse("admin:auth_user_password_change", args=[colleague.pk])
    form = {"usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
    assert admin.post(path, form).status_code == 302
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.details["fields"]) == ("user.changed", ["password"])


def test_what_is_saved_unchanged_leaves_no_entry(admin: Client, studio: Organization) -> None:
    page = admin.get(reverse("admin:organizations_organization_change", args=[studio.pk]))
    values = {**page.context["adminform"].form.initial, **FORMSET}
    save(admin, "organization", studio.pk, values)
    assert entries() == []
    save(admin, "organization", studio.pk, {**values, "name": "Quay"})
    assert entries() == [
        (studio.pk, "organization.changed", {"name": studio.name}, {"name": "Quay"})
    ]


def test_what_is_deleted_leaves_what_it_was(admin: Client, studio: Organization) -> None:
    token, _ = ApiToken.issue(studio, "CI")
    other, _ = ApiToken.issue(studio, "nightly")
    path = reverse("admin:organizations_apitoken_delete", args=[token.pk])
    assert admin.post(path, {"post": "yes"}).status_code == 302
    chosen = {"action": "delete_selected", "_selected_action": [str(other.pk)], "post": "yes"}
    admin.post(reverse("admin:organizations_apitoken_changelist"), chosen)
    assert not ApiToken.objects.exists()
    first, second = AuditEntry.objects.order_by("pk")
    assert (first.action, first.target_id, first.before["name"]) == (
        *("token.deleted", token.pk),
        "CI",
    )
    assert second.before["name"] == "nightly"
    assert token.digest not in str(first.before)


def test_what_cannot_be_deleted_leaves_no_entry(
    admin: Client, studio: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, _ = ApiToken.issue(studio, "CI")

    def fail(*_: object) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(ApiTokenQuerySet, "delete", fail)
    admin.raise_request_exception = False
    chosen = {"action": "delete_selected", "_selected_action": [str(token.pk)], "post": "yes"}
    assert admin.post(reverse("admin:organizations_apitoken_changelist"), chosen).status_code == 500
    assert entries() == []
