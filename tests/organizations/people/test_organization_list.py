"""Nobody meets a dead end: a page leads on, with or without an organization."""

from collections.abc import Callable

import pytest
from django.test import Client

from organizations.models import AuditEntry, Membership, Organization, Role, User
from tests.factories import make_membership, make_user

pytestmark = pytest.mark.django_db
SignIn = Callable[[User], Client]


@pytest.fixture
def root() -> User:
    return User.objects.create_superuser("root@harbour.example", "irrelevant")


def test_a_superuser_without_organization_creates_one(root: User, signed_in: SignIn) -> None:
    client = signed_in(root)
    page = client.get("/", follow=True)
    assert page.redirect_chain[-1] == ("/organizations/", 302)
    assert "/admin/" in page.content.decode()

    form = {"new-name": "Quay Films", "new-slug": "quay"}
    assert client.post("/organizations/new/", form)["Location"] == "/o/quay/"
    membership = Membership.objects.get()
    assert (membership.user, membership.role) == (root, Role.OWNER)
    assert client.get("/o/quay/jobs/").status_code == 200
    actions = AuditEntry.objects.order_by("pk").values_list("action", "actor_id")
    assert list(actions) == [("organization.created", root.pk), ("member.joined", root.pk)]

    again = client.post("/organizations/new/", form)
    assert again.status_code == 422
    assert "already exists" in again.content.decode()


def test_a_superuser_joins_one_and_it_is_in_its_audit_log(
    root: User, studio: Organization, signed_in: SignIn
) -> None:
    form = {"join-organization": studio.pk, "join-role": Role.MANAGER}
    client = signed_in(root)
    assert client.post("/organizations/join/", form)["Location"] == "/o/harbour-studio/"
    assert Membership.objects.get().role == Role.MANAGER
    entry = AuditEntry.objects.for_organization(studio).get()
    assert (entry.action, entry.actor_id, entry.details) == (
        "member.joined", root.pk, {"how": "superuser"},
    )  # fmt: skip
    # a second time changes nothing
    assert client.post("/organizations/join/", form | {"join-role": 40}).status_code == 422
    assert Membership.objects.get().role == Role.MANAGER


def test_others_are_told_how_to_be_invited_and_can_create_nothing(
    studio: Organization, signed_in: SignIn
) -> None:
    ann = make_user("ann@harbour.example", is_staff=True)
    client = signed_in(ann)
    page = client.get("/", follow=True).content.decode()
    assert "invite ann@harbour.example" in page
    assert "organizations/new" not in page
    form = {"new-name": "Quay", "new-slug": "quay"}
    assert client.post("/organizations/new/", form).status_code == 403
    form = {"join-organization": str(studio.pk), "join-role": "40"}
    assert client.post("/organizations/join/", form).status_code == 403
    assert not Membership.objects.exists()
    assert Organization.objects.count() == 1


def test_each_organization_of_a_person_is_listed_with_the_role(
    owner: User, stranger: User, signed_in: SignIn
) -> None:
    elsewhere = Organization.objects.get(slug="elsewhere")
    make_membership(elsewhere, Role.VIEWER, user=owner)
    page = signed_in(owner).get("/organizations/").content.decode()
    assert page.index("Elsewhere") < page.index("Viewer") < page.index("Harbour Studio")
    assert "/o/elsewhere/" in page


def test_who_is_signed_out_goes_to_sign_in(client: Client) -> None:
    for path in ("/organizations/", "/organizations/new/", "/organizations/join/"):
        send = client.get if path == "/organizations/" else client.post
        assert send(path)["Location"].startswith("/accounts/login/")
