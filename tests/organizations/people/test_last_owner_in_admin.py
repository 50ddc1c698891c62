"""Whatever is done in the Django admin, an organization keeps an owner who can sign in."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from organizations.models import AuditEntry, Membership, Organization, Role, User
from tests.factories import make_membership, make_organization
from tests.threads import together

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]

NO_ROWS = {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}
Post = tuple[str, dict[str, Any]]


def page(model: str, name: str, *args: int) -> str:
    return reverse(f"admin:organizations_{model}_{name}", args=args)


def deactivate(one: Membership) -> Post:
    return page("user", "change", one.user_id), {"email": one.user.email, **NO_ROWS}


def delete_user(one: Membership) -> Post:
    return page("user", "delete", one.user_id), {"post": "yes"}


def delete_selected_users(one: Membership) -> Post:
    chosen = list(User.objects.filter(is_superuser=False).values_list("pk", flat=True))
    return page("user", "changelist"), {
        "action": "delete_selected", "_selected_action": chosen, "post": "yes",
    }  # fmt: skip


def delete_membership(one: Membership) -> Post:
    return page("membership", "delete", one.pk), {"post": "yes"}


def delete_selected_memberships(one: Membership) -> Post:
    chosen = list(Membership.objects.values_list("pk", flat=True))
    return page("membership", "changelist"), {
        "action": "delete_selected", "_selected_action": chosen, "post": "yes",
    }  # fmt: skip


def change_membership(one: Membership, **changes: Any) -> Post:
    values = {"user": one.user_id, "organization": one.organization_id, "role": one.role}
    return page("membership", "change", one.pk), {**values, **changes}


def demote(one: Membership) -> Post:
    return change_membership(one, role=Role.MANAGER.value)


def move(one: Membership) -> Post:
    return change_membership(one, organization=make_organization().pk)


def make_gone_user() -> User:
    return User.objects.get_or_create(email="gone@harbour.example", is_active=False)[0]


def give_to_a_deactivated_user(one: Membership) -> Post:
    return change_membership(one, user=make_gone_user().pk)


def demote_everybody(one: Membership) -> Post:
    rows = list(one.organization.memberships.order_by("pk"))
    values = {"name": "Renamed", "slug": one.organization.slug, "time_zone": "UTC"}
    values |= {f"memberships-{kind}_FORMS": str(len(rows)) for kind in ("TOTAL", "INITIAL")}
    for number, row in enumerate(rows):
        fields = {"id": row.pk, "organization": row.organization_id, "user": row.user_id}
        fields["role"] = Role.VIEWER.value
        values |= {f"memberships-{number}-{name}": str(pk) for name, pk in fields.items()}
    return page("organization", "change", one.organization_id), values


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_superuser("root@board.example", "irrelevant")


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize(
    "way",
    [
        *(deactivate, delete_user, delete_selected_users, delete_membership, demote, move),
        *(delete_selected_memberships, give_to_a_deactivated_user, demote_everybody),
    ],
)
def test_the_last_owner_stays(
    root: User, studio: Organization, viewer: User, way: Callable[[Membership], Post]
) -> None:
    owner = make_membership(studio, Role.OWNER)
    path, values = way(owner)
    admin = client_of(root)

    answer = admin.post(path, values, follow=True)

    (message,) = answer.context["messages"]
    assert "needs at least one owner" in str(message)
    found = Membership.objects.get(pk=owner.pk)
    assert (found.role, found.user, found.organization) == (Role.OWNER, owner.user, studio)
    assert found.user.is_active
    assert User.objects.filter(pk=viewer.pk).exists()
    assert Organization.objects.get(pk=studio.pk).name == studio.name
    assert not AuditEntry.objects.exists()

    make_membership(studio, Role.OWNER, user=root)
    if way not in (delete_selected_memberships, demote_everybody):  # the new one as well
        admin.post(*way(owner))
        left = Membership.objects.filter(pk=owner.pk, role=Role.OWNER, user__is_active=True)
        assert not left.filter(organization=studio).exists()
        assert AuditEntry.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("way", [deactivate, delete_user, delete_membership, demote])
def test_of_owners_who_go_at_once_one_stays(root: User, way: Callable[[Membership], Post]) -> None:
    studio = make_organization("studio")
    owners = [make_membership(studio, Role.OWNER) for _ in range(4)]
    posts = [(client_of(root), *way(one)) for one in owners]

    together(*[lambda post=post: post[0].post(*post[1:]) for post in posts])

    left = studio.memberships.filter(role=Role.OWNER, user__is_active=True)
    assert left.count() == 1
