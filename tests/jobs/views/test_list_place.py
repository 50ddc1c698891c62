"""On a job's page: where the job is in the list that one comes from, and the jobs beside it."""

import re
from datetime import timedelta
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from jobs.models import Job, ProviderAccount, SavedView
from jobs.query import neighbours
from jobs.query.paging import bounded, windows
from organizations.models import Organization
from tests.jobs.factories import NOON, make_account, make_job
from tests.jobs.views.list_page import LIST
from tests.markup import without_isolation

FAILED = "status=failed&unresolved=true"


@pytest.fixture
def chain(account: ProviderAccount, foreign_job: Job) -> list[Job]:
    """Newest first: failed, succeeded, failed, failed at another account."""
    other = make_account(account.organization, provider="xvid", name="Second")
    made = [(account, "failed"), (account, "succeeded"), (account, "failed"), (other, "failed")]
    return [
        make_job(where, status=status, name=f"{word} reel", created_at=NOON - timedelta(hours=age))
        for age, ((where, status), word) in enumerate(
            zip(made, ("night", "day", "late", "dawn"), strict=True)
        )
    ]


def crumb(client: Client, job: Job, query: str) -> str:
    response = client.get(
        f"{LIST}{job.pk}/", headers={"Referer": f"http://testserver{LIST}{query}"}
    )
    html = response.content.decode().partition('class="crumb"')[2].partition("</nav>")[0]
    return without_isolation(html)


def link(html: str, mark: str) -> str:
    """Where the link with this attribute leads to."""
    found = [one for one in re.findall(r"<a [^>]*>", html) if mark in one]
    return unescape(found[0].partition('href="')[2].partition('"')[0]) if found else ""


def ends(html: str) -> list[int]:
    """The ids of the previous, the next and the next failed job; 0 for none."""
    marks = ('rel="prev"', 'rel="next"', "data-next-failed")
    found = [re.search(r"/jobs/(\d+)/", link(html, mark)) for mark in marks]
    return [int(one[1]) if one else 0 for one in found]


@pytest.mark.parametrize(
    ("query", "at", "words", "expected"),
    [
        ("", 1, "Jobs 2 of 4", (0, 2, 2)),
        ("?sort=created", 1, "Jobs 3 of 4", (2, 0, 0)),
        (f"?{FAILED}", 2, "Failed jobs 2 of 3", (0, 3, 3)),
        (f"?{FAILED}&account=Second", 3, "Failed jobs 1 of 1", (-1, -1, -1)),
        ("?q=reel", 3, "Jobs 4 of 4", (2, -1, -1)),
        # the job is in the list no more: its neighbours are known all the same
        (f"?{FAILED}", 1, "Failed jobs", (0, 2, 2)),
        # no index serves it
        ("?q=-night+-dawn", 1, "Jobs", (-1, 2, 2)),
        ("?q=status:", 1, "Jobs", (-1, -1, -1)),
        ("?account=Nobody", 1, "Jobs", (-1, -1, -1)),
    ],
)
def test_the_neighbours_are_those_of_the_list_one_comes_from(
    viewer: Client, chain: list[Job], query: str, at: int, words: str, expected: tuple[int, ...]
) -> None:
    html = crumb(viewer, chain[at], query)
    text = re.sub(r"<svg.*?</svg>|<span class=\"visually-hidden\".*?</span>", "", html, flags=re.S)
    read = " ".join(re.sub(r"<[^>]*>", " ", text.partition(">")[2]).split())
    assert read.removesuffix(" Next failure") == words
    assert ends(html) == [chain[one].pk if one >= 0 else 0 for one in expected]


def test_the_list_goes_along_and_after_an_action_too(viewer: Client, chain: list[Job]) -> None:
    query = f"?{FAILED}&q=reel&limit=10"
    following = link(crumb(viewer, chain[0], query), 'rel="next"')
    assert parse_qs(urlsplit(following).query) == {"list": [query[1:]]}
    page = viewer.get(following)
    assert page.context["place"].position == 2
    assert page.context["jobs_url"] == LIST + query
    # as after a redirect to the page that one was on
    back = viewer.get(
        urlsplit(following).path, headers={"Referer": f"http://testserver{following}"}
    )
    assert back.context["place"] == page.context["place"]
    odd = viewer.get(f"{LIST}{chain[0].pk}/", {"list": 'status="><script>'})
    assert "place" not in odd.context
    assert b"<script>&" not in odd.content


def test_a_view_is_named(viewer: Client, studio: Organization, chain: list[Job]) -> None:
    view = SavedView.objects.create(organization=studio, name="My reels", query="reel")
    assert ">My reels</a>" in crumb(viewer, chain[0], f"?view={view.pk}&q=reel")


def test_beyond_the_cap_no_position_is_counted(
    viewer: Client, chain: list[Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbours, "COUNT_CAP", 2)
    assert "2 of 4" in crumb(viewer, chain[1], "")
    assert " of 4" not in crumb(viewer, chain[2], "")


def test_a_list_without_an_index_is_searched_for_a_moment(
    viewer: Client, chain: list[Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    query = "?q=-day+-late"
    assert ends(crumb(viewer, chain[0], query)) == [0, chain[3].pk, chain[3].pk]
    monkeypatch.setattr(bounded, "ASIDE_S", 0)
    monkeypatch.setattr(windows, "FIRST_WINDOW", 1)
    assert ends(crumb(viewer, chain[0], query)) == [0, 0, 0]


def test_it_costs_one_query_where_the_counts_are_known(
    viewer: Client, chain: list[Job], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    crumb(viewer, chain[1], f"?{FAILED}")
    crumb(viewer, chain[0], f"?{FAILED}")
    with django_assert_num_queries(18):
        viewer.get(f"{LIST}{chain[0].pk}/")
    with django_assert_num_queries(19):
        crumb(viewer, chain[0], f"?{FAILED}")


@pytest.mark.parametrize("query", ["", f"?{FAILED}", "?q=reel"])
def test_the_place_in_the_list_outlives_what_one_does_with_the_job(
    operator: Client, chain: list[Job], query: str
) -> None:
    """The page before an action is the job's own, whose URL need not name the list."""
    job = chain[2]
    came = {"Referer": f"http://testserver{LIST}{query}"}
    first = operator.get(f"{LIST}{job.pk}/", headers=came).content.decode()
    # the poll brings the forms anew, and says itself which list it is
    polled = unescape(link_of(first, 'id="live"', "hx-get"))
    assert parse_qs(urlsplit(polled).query, keep_blank_values=True)["list"] == [query.lstrip("?")]
    again = operator.get(polled, headers={"HX-Request": "true"}).content.decode()
    for html in (first, again):
        form = html.partition('id="action-resubmit"')[2].partition("</form>")[0]
        fields = dict(re.findall(r'type="hidden"\s+name="(\w+)"\s+value="([^"]*)"', form))
        fields = {name: unescape(value) for name, value in fields.items()}
        assert fields["list"] == query.lstrip("?")
    own = {"Referer": f"http://testserver{LIST}{job.pk}/"}
    response = operator.post(f"{LIST}{job.pk}/assign/", {**fields, "assignee": ""}, headers=own)
    # as a browser follows it: the page before is still the one with the form
    after = operator.get(response["Location"], headers=own).content.decode()
    assert place_of(after) == place_of(first)
    assert place_of(after) != place_of(operator.get(f"{LIST}{job.pk}/").content.decode())
    # a refusal is shown at the same place
    refused = operator.post(f"{LIST}{job.pk}/cancel/", fields, headers=own)
    assert refused.status_code == 409
    assert place_of(refused.content.decode()) == place_of(first)


def test_a_list_that_is_none_is_not_kept(operator: Client, chain: list[Job]) -> None:
    fields = {"assignee": "", "list": '"><b>&\x00'}
    response = operator.post(f"{LIST}{chain[2].pk}/assign/", fields)
    assert response["Location"] == f"{LIST}{chain[2].pk}/"


def link_of(html: str, mark: str, attribute: str) -> str:
    return html.partition(mark)[2].partition(f'{attribute}="')[2].partition('"')[0]


def place_of(html: str) -> list[int]:
    part = html.partition('class="crumb"')[2].partition("</nav>")[0]
    return ends(part)
