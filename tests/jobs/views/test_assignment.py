"""Whom a failure is assigned to: on its page, in its row, and in everybody's own list."""

import re
from collections.abc import Callable

import pytest
from django.test import Client
from django.utils.html import escape

from jobs.models import Job, ProviderAccount, SavedView
from jobs.query.view_counts import count_views
from organizations.models import Membership, Organization, Role, User
from tests.factories import make_membership, make_organization, make_user
from tests.jobs.factories import make_job
from tests.jobs.views.list_page import LIST

MINE = f"{LIST}?status=failed&unresolved=true&assigned=me"


@pytest.fixture
def ann(studio: Organization) -> Membership:
    user = make_user("ann@studio.example", name="Ann Ashe")
    return make_membership(studio, Role.OPERATOR, user=user)


@pytest.fixture
def failed(account: ProviderAccount) -> Job:
    return make_job(account, status="failed", name="lost-reel.mov")


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def rows(client: Client, url: str) -> list[int]:
    text = client.get(url).content.decode()
    return [int(pk) for pk in re.findall(r'<tr id="job-(\d+)"', text)]


def facts(client: Client, job: Job) -> str:
    text = client.get(f"{LIST}{job.pk}/").content.decode()
    return text.partition('id="job-facts"')[2].partition("</section>")[0]


def test_one_click_makes_a_failure_mine_and_puts_it_into_my_list(
    viewer: Client, failed: Job, ann: Membership
) -> None:
    mine = client_of(ann.user)
    assert "Assign to me" in facts(mine, failed)
    assert "Assign to me" not in facts(viewer, failed)
    assert "Nobody" in facts(viewer, failed)
    response = mine.post(f"{LIST}{failed.pk}/assign/", {"assignee": ann.pk}, follow=True)
    assert "Assigned to you." in response.content.decode()
    assert "Assign to me" not in facts(mine, failed)
    assert "Ann Ashe" in facts(viewer, failed)
    text = mine.get(LIST).content.decode()
    assert escape(MINE) in text
    assert 'title="Assigned to Ann Ashe"' in text
    assert escape(MINE) not in viewer.get(LIST).content.decode()
    assert rows(mine, MINE) == [failed.pk]
    assert rows(viewer, f"{LIST}?q=assigned:ann@studio.example") == [failed.pk]
    assert rows(viewer, f"{LIST}?q=assigned:me") == []


def test_the_count_beside_my_failures_is_that_of_the_list(
    account: ProviderAccount, failed: Job, ann: Membership
) -> None:
    fixed = make_job(account, status="failed", resolved_by=make_job(account), assignee=ann)
    Job.objects.filter(pk=failed.pk).update(assignee=ann)
    client = client_of(ann.user)
    text = client.get(f"{LIST}{failed.pk}/").content.decode()
    side = text.partition('id="mine-title"')[2].partition("</nav>")[0]
    assert re.findall(r'href="([^"]*)".*?class="count">(\d+)<', side, re.S) == [(escape(MINE), "1")]
    assert rows(client, MINE) == [failed.pk]
    assert set(rows(client, f"{LIST}?q=assigned:me")) == {failed.pk, fixed.pk}


def test_only_failures_go_and_only_to_members(
    studio: Organization, account: ProviderAccount, failed: Job, ann: Membership
) -> None:
    fine, client = make_job(account), client_of(ann.user)
    assert "Assigned to" not in facts(client, fine)
    response = client.post(f"{LIST}{fine.pk}/assign/", {"assignee": ann.pk}, follow=True)
    assert "Only a failed job can be assigned." in response.content.decode()
    away = make_membership(studio, user=make_user("gone@studio.example"))
    User.objects.filter(pk=away.user_id).update(is_active=False)
    stranger = make_membership(make_organization("elsewhere"), user=make_user("zed@away.example"))
    form = client.get(f"{LIST}{failed.pk}/assign/").content.decode()
    assert "Ann Ashe (ann@studio.example)" in form
    assert "gone@studio.example" not in form
    assert "zed@away.example" not in form
    for member in (stranger, away):
        response = client.post(f"{LIST}{failed.pk}/assign/", {"assignee": member.pk})
        assert response.status_code == 422
        assert "Choose a member." in response.content.decode()
    assert not Job.objects.exclude(assignee=None).exists()


@pytest.mark.parametrize("query", ["assigned=me", "q=assigned:me", "q=-(assigned:me OR is:gone)"])
def test_two_people_never_share_what_me_means(
    studio: Organization, account: ProviderAccount, ann: Membership, query: str
) -> None:
    """Polls of all pages share the counts of tabs."""
    ben = make_membership(studio)
    for member in (ann, ben, ben):
        make_job(account, status="failed", assignee=member)
    clients = [client_of(member.user) for member in (ann, ben)]
    # no index serves a negation, so that it has no counts
    expected = [[], []] if "-" in query else [["1"], ["2"]]
    for path in (f"{LIST}?{query}", f"{LIST}live/?{query}&since=r&revision=old"):
        pages = [client.get(f"{path}&status=failed").content.decode() for client in clients]
        count = r'id="tab-failed".*?<span class="count bad">(\d+)'
        assert [re.findall(count, text, re.S) for text in pages] == expected


def test_a_view_of_ones_own_counts_what_is_mine_and_a_shared_one_nothing(
    studio: Organization, account: ProviderAccount, ann: Membership
) -> None:
    make_job(account, status="failed", assignee=ann)
    mine = SavedView.objects.create(
        organization=studio, owner=ann.user, name="Mine", query="assigned:me"
    )
    shared = SavedView.objects.create(organization=studio, name="Mine", query="assigned:me")
    count_views(studio.pk)
    mine.refresh_from_db()
    shared.refresh_from_db()
    assert (mine.count, shared.count) == (1, None)


def test_completion_offers_me_and_the_members(
    studio: Organization, ann: Membership, sign_in: Callable[[Role | None], Client]
) -> None:
    make_membership(make_organization("elsewhere"), user=make_user("anna@away.example"))
    client = sign_in(Role.VIEWER)

    def offered(text: str) -> str:
        found = client.get(f"{LIST}query/", {"q": text, "at": str(len(text))})
        return found.content.decode().partition("Values")[2]

    assert "You" in offered("assigned:")
    assert "ann@studio.example" in offered("assigned:ash")
    assert "anna@away.example" not in offered("assigned:an")
