"""Lists that people keep: their own and shared ones, the default, and counts."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from jobs.forms.saved_view import SavedViewForm
from jobs.models import Job, ProviderAccount, SavedView, ViewCounting
from jobs.query.view_counts import count_views, request_counts
from organizations.access import Access
from organizations.models import Organization, Role, User
from tests.factories import make_organization
from tests.jobs.factories import make_account, make_job
from tests.jobs.views.list_page import LIST
from tests.markup import without_isolation

VIEWS = "/o/harbour-studio/views/"
FAILED = {"name": "Failed", "q": "status:failed", "sort": "-finished"}
SignIn = Callable[[Role | None], Client]


def save(client: Client, **fields: str) -> SavedView:
    response = client.post(f"{VIEWS}new/", {**FAILED, **fields})
    assert response.status_code == 302, response.content.decode()
    return SavedView.objects.latest("pk")


def sidebar(html: str) -> list[str]:
    """What is below the running bulk actions, which have a part of their own."""
    rest = html.partition('id="side-bulk"')[2].partition("</nav>")[2]
    views = rest.partition(" side-views")[2].partition("</nav>")[0]
    return re.findall(r'<span class="side-name">(.*?)</span>', without_isolation(views))


def test_a_view_keeps_query_and_order_under_its_name(
    viewer: Client, account: ProviderAccount
) -> None:
    make_job(account, name="fine.mov", status="succeeded")
    make_job(account, name="broken.mov", status="failed")
    response = viewer.post(f"{VIEWS}new/", FAILED)
    html = viewer.get(response.url).content.decode()  # type: ignore[attr-defined]
    assert "broken.mov" in html
    assert "fine.mov" not in html
    assert "Unsaved changes" not in html
    assert sidebar(html) == ["Failed"]

    changed = viewer.get(f"{response.url}&provider=zencoder").content.decode()  # type: ignore[attr-defined]
    assert "Unsaved changes" in changed


def test_what_is_shown_can_be_saved_under_the_same_name(
    viewer: Client, account: ProviderAccount
) -> None:
    view = save(viewer, is_default="on")
    viewer.post(f"{VIEWS}{view.pk}/save/", {"q": "status:queued", "sort": ""})
    view.refresh_from_db()
    assert (view.name, view.query, view.sort) == ("Failed", "status:queued", "")
    assert viewer.get("/").url.endswith(f"view={view.pk}&q=status%3Aqueued")  # type: ignore[attr-defined]


def test_own_views_are_nobody_elses_and_shared_ones_everybodys(sign_in: SignIn) -> None:
    viewer, operator = sign_in(Role.VIEWER), sign_in(Role.OPERATOR)
    own = save(viewer, name="Mine", is_shared="on")  # a viewer has no such field
    shared = save(operator, name="Ours", is_shared="on")
    assert (own.is_shared, shared.is_shared) == (False, True)
    assert sidebar(viewer.get(LIST).content.decode()) == ["Ours", "Mine"]
    assert sidebar(operator.get(LIST).content.decode()) == ["Ours"]
    for path in ("", "save/", "delete/"):
        assert operator.post(f"{VIEWS}{own.pk}/{path}", FAILED).status_code == 404
        assert viewer.post(f"{VIEWS}{shared.pk}/{path}", FAILED).status_code == 403
    assert SavedView.objects.count() == 2


def test_a_link_to_a_view_that_is_not_visible_shows_its_jobs(
    sign_in: SignIn, account: ProviderAccount
) -> None:
    make_job(account, name="fine.mov", status="succeeded")
    viewer = sign_in(Role.VIEWER)
    link = viewer.post(f"{VIEWS}new/", FAILED).url  # type: ignore[attr-defined]
    html = sign_in(Role.OPERATOR).get(link).content.decode()
    assert "fine.mov" not in html
    assert "Unsaved changes" not in html
    assert "no such filter" not in html


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"q": "status:faild"}, "faild"),
        ({"q": "status:("}, ""),
        ({"name": ""}, "This field is required"),
        ({"sort": "size"}, "Sort by"),
    ],
)
def test_a_view_that_nobody_could_open_is_refused(
    viewer: Client, account: ProviderAccount, fields: dict[str, str], message: str
) -> None:
    response = viewer.post(f"{VIEWS}new/", {**FAILED, **fields})
    assert response.status_code == 422
    assert message in response.content.decode()
    assert not SavedView.objects.exists()


def test_a_name_is_used_once(viewer: Client, account: ProviderAccount) -> None:
    view = save(viewer)
    response = viewer.post(f"{VIEWS}new/", FAILED)
    assert "There is a view with this name already." in response.content.decode()
    assert viewer.post(f"{VIEWS}{view.pk}/", FAILED).status_code == 302


def test_a_name_that_is_taken_while_it_is_saved_is_an_error_of_the_form(
    viewer: Client, studio: Organization, account: ProviderAccount
) -> None:
    user = User.objects.get(pk=viewer.session["_auth_user_id"])
    form = SavedViewForm(Access(user, studio, Role.VIEWER), FAILED)
    assert form.is_valid()
    save(viewer)  # by the same person, in another tab
    assert form.save() is None
    assert form.errors["name"] == ["There is a view with this name already."]


def test_a_deleted_view_is_nobodys_default(viewer: Client, account: ProviderAccount) -> None:
    view = save(viewer, is_default="on")
    viewer.post(f"{VIEWS}{view.pk}/delete/")
    assert viewer.get("/")["Location"] == "/o/harbour-studio/"


def test_counts_are_asked_for_once_a_minute_and_have_a_cap(
    viewer: Client, studio: Organization, account: ProviderAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        make_job(account, status="failed")
    make_job(make_account(make_organization("elsewhere")), status="failed")
    view, slow = save(viewer), save(viewer, name="Slow", q="name:a* OR code:b")
    request_counts(studio)
    due_at = ViewCounting.objects.get().due_at
    assert due_at > timezone.now() + timedelta(seconds=50)
    request_counts(studio)
    assert ViewCounting.objects.get().due_at == due_at
    count_views(studio.pk)
    view.refresh_from_db()
    slow.refresh_from_db()
    assert (view.count, slow.count) == (3, None)
    html = viewer.get(LIST).content.decode()
    assert re.search(r'class="count">3<', html.split("side-views")[-1])
    assert Job.objects.count() == 4
