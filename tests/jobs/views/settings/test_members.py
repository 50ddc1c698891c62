"""The page of members: what it shows to whom, and what an owner does there."""

from urllib.parse import urlsplit

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from organizations.models import Invitation, Membership, Organization, Role
from tests.factories import make_invitation, make_membership, make_user

MEMBERS = "/o/harbour-studio/settings/members/"

pytestmark = pytest.mark.django_db


def test_a_viewer_sees_the_members_and_can_only_leave(viewer: Client, studio: Organization) -> None:
    make_membership(studio, Role.MANAGER, user=make_user("mika@harbour.example", name="Mika"))
    make_invitation(studio, "ann@guest.example")
    page = viewer.get(MEMBERS).content.decode()
    assert "Mika" in page
    assert "Manager" in page
    assert "/settings/members/leave/" in page
    for hidden in ("ann@guest.example", "<select", "Remove…", "Invite"):
        assert hidden not in page

    assert viewer.post(f"{MEMBERS}leave/")["Location"] == "/"
    assert viewer.get(MEMBERS).status_code == 404


def test_only_owners_change_anything_about_people(manager: Client, studio: Organization) -> None:
    """Whatever a view declares: test_who_may goes by that."""
    member, invitation = make_membership(studio), make_invitation(studio)
    before = list(Membership.objects.values()), list(Invitation.objects.values())
    paths = [
        *(MEMBERS, f"{MEMBERS}{member.pk}/role/", f"{MEMBERS}{member.pk}/remove/"),
        *(f"/o/harbour-studio/settings/invitations/{invitation.pk}/{what}/"
          for what in ("send", "withdraw")),
    ]  # fmt: skip
    form = {"email": "mine@guest.example", "role": Role.OWNER}
    assert [manager.post(path, form).status_code for path in paths] == [403] * 5
    assert (list(Membership.objects.values()), list(Invitation.objects.values())) == before


def test_the_only_owner_is_told_why_leaving_is_refused(owner: Client, studio: Organization) -> None:
    answer = owner.post(f"{MEMBERS}leave/")
    assert answer.status_code == 422
    assert "needs at least one owner" in answer.content.decode()
    membership = Membership.objects.get()
    owner.post(f"{MEMBERS}{membership.pk}/role/", {"role": Role.VIEWER})
    assert "needs at least one owner" in owner.get(MEMBERS).content.decode()
    assert Membership.objects.get().role == Role.OWNER


def test_an_owner_changes_a_role_and_removes_a_member(owner: Client, studio: Organization) -> None:
    mika = make_membership(studio, Role.VIEWER)
    owner.post(f"{MEMBERS}{mika.pk}/role/", {"role": Role.OPERATOR})
    mika.refresh_from_db()
    assert mika.role == Role.OPERATOR
    for odd in ("", "99", "owner"):
        owner.post(f"{MEMBERS}{mika.pk}/role/", {"role": odd})
        assert "Choose one of the roles" in owner.get(MEMBERS).content.decode()

    assert owner.get(f"{MEMBERS}{mika.pk}/remove/").status_code == 200
    assert Membership.objects.filter(pk=mika.pk).exists()
    assert owner.post(f"{MEMBERS}{mika.pk}/remove/")["Location"] == MEMBERS
    assert not Membership.objects.filter(pk=mika.pk).exists()


def test_the_link_is_on_the_page_where_no_mail_is_set_up(
    owner: Client, studio: Organization, settings: Settings
) -> None:
    owner.post(MEMBERS, {"email": "Ann@Guest.example", "role": Role.OPERATOR})
    invitation = Invitation.objects.get()
    assert invitation.email == "ann@guest.example"
    assert invitation.link not in owner.get(MEMBERS).content.decode()

    settings.MAIL_IS_SET_UP = False
    assert invitation.link in owner.get(MEMBERS).content.decode()
    assert Client().get(urlsplit(invitation.link).path).status_code == 200

    owner.post(f"/o/harbour-studio/settings/invitations/{invitation.pk}/withdraw/")
    assert "ann@guest.example" not in owner.get(MEMBERS).context["invitations"]
    assert Client().get(urlsplit(invitation.link).path).status_code == 410


def test_who_is_a_member_is_not_invited(owner: Client, studio: Organization) -> None:
    make_membership(studio, user=make_user("ann@harbour.example"))
    for email, error in (("ANN@harbour.example", "is a member already"), ("ann", "valid email")):
        answer = owner.post(MEMBERS, {"email": email, "role": Role.VIEWER})
        assert answer.status_code == 422
        assert error in answer.content.decode()
    assert not Invitation.objects.exists()


def test_the_number_of_members_costs_no_queries(
    owner: Client, studio: Organization, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    owner.get(MEMBERS)
    with django_assert_num_queries(13) as few:
        owner.get(MEMBERS)
    for _ in range(5):
        make_membership(studio)
        make_invitation(studio)
    with django_assert_num_queries(len(few)):
        owner.get(MEMBERS)
