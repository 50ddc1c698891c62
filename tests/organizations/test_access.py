from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import time_machine
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.models import Session
from django.forms import model_to_dict
from django.test import Client, RequestFactory
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from organizations.access import membership_of
from organizations.context import switcher
from organizations.models import Membership, Organization, Role, User
from organizations.permissions import RULES
from tests.factories import make_membership, make_organization, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.organizations.urls")]

SignIn = Callable[[User], Client]


def address(name: str) -> str:
    return reverse(name, args=["harbour-studio"])


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        (Role.VIEWER, {"read"}),
        (Role.OPERATOR, {"read", "operate"}),
        (Role.MANAGER, {"read", "operate", "manage"}),
        (Role.OWNER, {"read", "operate", "manage"}),
    ],
)
def test_a_role_may_do_what_it_may_and_is_refused_the_rest(
    studio: Organization,
    owner: User,
    viewer: User,
    signed_in: SignIn,
    role: Role,
    allowed: set[str],
) -> None:
    client = signed_in(make_membership(studio, role).user)

    answers = {
        name: client.get(address(name)).status_code for name in ("read", "operate", "manage")
    }

    assert answers == {
        name: 200 if name in allowed else 403 for name in ("read", "operate", "manage")
    }


@pytest.mark.parametrize("role", Role)
def test_pages_know_which_actions_to_show(
    studio: Organization, signed_in: SignIn, role: Role
) -> None:
    client = signed_in(make_membership(studio, role).user)

    assert client.get(address("read")).json() == {
        "organization": "Harbour Studio",
        "may": [permission for permission, rule in RULES.items() if role >= rule.role],
    }


def test_when_a_member_was_last_here_is_kept_to_ten_minutes(
    colleague: User, signed_in: SignIn
) -> None:
    client, membership = signed_in(colleague), Membership.objects.get(user=colleague)
    seen = []
    for minute in (0, 9, 10):
        with time_machine.travel(datetime(2026, 3, 2, 9, minute, tzinfo=UTC), tick=False):
            client.get(address("read"))
        membership.refresh_from_db()
        seen.append(membership.last_seen_at and membership.last_seen_at.minute)
    assert seen == [0, 0, 10]


@time_machine.travel("2026-03-02T09:15:00Z", tick=False)  # pages hold the second they are of
def test_a_stranger_cannot_distinguish_an_organization_from_none(
    owner: User, stranger: User, signed_in: SignIn
) -> None:
    client = signed_in(stranger)

    theirs = client.get(address("read"))
    none = client.get(reverse("read", args=["no-such-place"]))

    assert theirs.status_code == none.status_code == 404
    assert theirs.content == none.content


def test_a_former_member_is_a_stranger(owner: User, colleague: User, signed_in: SignIn) -> None:
    client = signed_in(colleague)
    assert client.get(address("read")).status_code == 200

    Membership.objects.filter(user=colleague).delete()

    assert client.get(address("read")).status_code == 404


def test_staff_who_are_no_members_are_strangers_too(owner: User, signed_in: SignIn) -> None:
    root = User.objects.create_superuser("root@harbour.example", "irrelevant")

    assert signed_in(root).get(address("read")).status_code == 404


def test_a_deactivated_member_is_signed_out(colleague: User, signed_in: SignIn) -> None:
    client = signed_in(colleague)
    colleague.is_active = False
    colleague.save(update_fields=["is_active"])

    assert client.get(address("read")).status_code == 302


def test_who_is_not_signed_in_goes_there_and_back(studio: Organization, client: Client) -> None:
    response = client.get(address("read") + "?status=failed")

    assert response.status_code == 302
    assert response["Location"] == "/accounts/login/?next=/o/harbour-studio/%3Fstatus%3Dfailed"


def test_a_post_by_nobody_does_not_come_back_as_a_get(studio: Organization, client: Client) -> None:
    assert client.post(address("operate"))["Location"] == "/accounts/login/?next=/"


def test_a_poll_after_sign_out_reloads_the_page_and_swaps_nothing(
    studio: Organization, client: Client
) -> None:
    response = client.get(address("read"), headers={"HX-Request": "true"})

    assert response.status_code == 401
    assert response["HX-Refresh"] == "true"
    assert response.content == b""


def test_authorizing_again_takes_one_query_and_leaves_the_session_alone(
    colleague: User, signed_in: SignIn, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = signed_in(colleague)
    client.get(address("read"))
    stored = Session.objects.get().session_data

    # the session, the user, the membership
    with django_assert_num_queries(3):
        client.get(address("read"))

    assert Session.objects.get().session_data == stored


def test_a_membership_comes_with_its_organization(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    people, organizations = [make_user(), make_user()], [make_organization() for _ in range(3)]
    rows = {
        (user, organization): make_membership(organization, role, user=user)
        for user, organization, role in (
            (people[0], organizations[0], Role.OWNER),
            (people[0], organizations[1], Role.VIEWER),
            (people[1], organizations[1], Role.MANAGER),
        )
    }
    Membership.objects.filter(user=people[1]).update(last_seen_at=datetime(2026, 3, 2, tzinfo=UTC))
    for user in people:
        for organization in organizations:
            expected = rows.get((user, organization))
            with django_assert_num_queries(1):
                found = membership_of(user, organization.slug)
                shown = found and (found.organization.path, str(found.organization))
            assert found == expected
            if found is None or expected is None:
                continue
            assert shown == (organization.path, organization.name)
            expected.refresh_from_db()
            for row, other in ((found, expected), (found.organization, organization)):
                assert model_to_dict(row) == model_to_dict(other)
            assert found.last_seen_at == expected.last_seen_at
            assert found.organization.created_at == organization.created_at


def test_home_is_the_organization_last_used_else_the_first_by_name(signed_in: SignIn) -> None:
    user = make_user()
    for slug, name in (("a-slug", "Zebra"), ("m-slug", "Middle"), ("z-slug", "Aardvark")):
        make_membership(make_organization(slug, name=name), user=user)
    client = signed_in(user)
    assert client.get("/").content == b"z-slug"

    client.get("/o/m-slug/")
    assert client.get("/").content == b"m-slug"

    Membership.objects.filter(organization__slug="m-slug").delete()
    assert client.get("/").content == b"z-slug"


def test_home_of_a_user_without_organization_is_none(
    studio: Organization, signed_in: SignIn
) -> None:
    assert signed_in(make_user()).get("/").content == b"none"


def test_the_switcher_lists_only_what_the_user_belongs_to(
    studio: Organization,
    colleague: User,
    stranger: User,
    rf: RequestFactory,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    make_membership(make_organization(name="Another One"), user=colleague)
    request = rf.get("/")
    request.user = colleague

    with django_assert_num_queries(0):
        context = switcher(request)
    with django_assert_num_queries(1):
        names = [organization.name for organization in context["organizations"]]

    assert names == ["Another One", "Harbour Studio"]


def test_the_switcher_of_nobody_is_empty(studio: Organization, rf: RequestFactory) -> None:
    request = rf.get("/")
    assert not list(switcher(request)["organizations"])

    request.user = AnonymousUser()
    assert not list(switcher(request)["organizations"])
