"""The query box: what it offers, what it says of a query, and the list with a wrong one."""

import re

import pytest
import time_machine
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from jobs.models import Job, ProviderAccount
from jobs.query.language.keys import KEYS
from organizations.models import Organization, User
from providers.core.status import JobStatus
from tests.jobs.factories import NOON, make_batch, make_job
from tests.markup import without_isolation

LIST = "/o/harbour-studio/jobs/"
HELP = f"{LIST}query/"


def options(html: str) -> list[str]:
    return re.findall(r'data-insertion="(.*?)"', html)


def ask(client: Client, text: str, **more: str) -> str:
    return without_isolation(client.get(HELP, {"q": text, **more}).content.decode())


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("er", ["error:", "error_group:", "has:error "]),
        ("stat", ["status:"]),
        ("fai", ["status:failed "]),
        ("lecture -is:g", ["gone "]),
        ("status:fai", ["failed "]),
        ("status:failed,qu", ["queued "]),
        ("(status:ru", ["running "]),
        ("account:", ["&quot;Zencoder main&quot; "]),
        ('account:"zen', ["&quot;Zencoder main&quot; "]),
        ("provider:", ["zencoder "]),
        ("error:input.n", ["input.not_found ", "input.no_media "]),
        ("created:to", ["today "]),
        ("", [f"{key}:" for key in KEYS]),
        ("lecture ", []),
        ("lecture", []),
        ("nokey:x", []),
        ('"fai', ["status:failed "]),
    ],
)
def test_offers_what_may_follow(
    viewer: Client, account: ProviderAccount, text: str, offered: list[str]
) -> None:
    assert options(ask(viewer, text)) == offered


def test_offers_what_may_stand_at_the_cursor(viewer: Client, account: ProviderAccount) -> None:
    html = ask(viewer, "status:fai lecture", at="10")
    assert options(html) == ["failed "]
    assert 'data-start="7"' in html
    assert 'data-end="10"' in html


def test_a_value_has_the_number_of_its_jobs(viewer: Client, account: ProviderAccount) -> None:
    for status in ("failed", "failed", "queued"):
        make_job(account, status=status)
    html = ask(viewer, "status:")
    counts = re.findall(r'data-insertion="(\w+) ".*?class="count">(\d+)<', html, re.DOTALL)
    assert dict(counts) | {"failed": "2", "queued": "1", "running": "0"} == dict(counts)


def test_offers_the_newest_batches_with_these_letters(
    viewer: Client,
    account: ProviderAccount,
    foreign_job: Job,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for day, name in enumerate(["spring b", "autumn", "spring a", "Off-Spring"], 1):
        make_batch(account, name=name, created_at=NOON.replace(day=day))
    make_batch(foreign_job.account, name="spring theirs")
    springs = ["Off-Spring ", "&quot;spring a&quot; ", "&quot;spring b&quot; "]
    assert options(ask(viewer, "batch:")) == [*springs[:2], "autumn ", springs[2]]
    # session, user, membership; and the batches, with the counts of the statuses
    with django_assert_max_num_queries(6):
        assert options(ask(viewer, "status:failed batch:spring")) == springs


def test_reads_the_query_back_with_its_times(viewer: Client, account: ProviderAccount) -> None:
    with time_machine.travel(NOON, tick=False):
        html = ask(viewer, 'status:failed created:>2d -(is:gone OR ran:>20m) "er"')
    assert (
        "Reads as <strong>failed · created after 12 Mar 2026, 12:00 · not (gone or ran more "
        "than 20m) · text “er”</strong>" in html
    )
    assert "Reads as" not in ask(viewer, "two words")


def test_marks_what_is_wrong_and_suggests_what_was_meant(
    viewer: Client, account: ProviderAccount
) -> None:
    html = ask(viewer, " status:failed provder:zencoder created:>2d", list="yes")
    assert "<code>status:failed <mark>provder</mark>:zencoder created:&gt;2d</code>" in html
    assert "There is no key “provder”." in html
    assert "The list still shows the last valid search." in html
    assert options(html) == ["provider"]
    assert 'data-start="15"' in html
    assert "Keys" not in html


def test_what_is_being_typed_is_not_wrong_yet(viewer: Client, account: ProviderAccount) -> None:
    for text in ("status:", "status:fail", "a account:Zen", "(a", '"a b', "a OR", "-(a NOT"):
        assert "<mark>" not in ask(viewer, text)
    for text in ("status: a", "status:done", "status:fail ", "OR a", "name:", "a)"):
        assert "<mark>" in ask(viewer, text)


def test_help_knows_no_other_organization(viewer: Client, foreign_job: Job) -> None:
    name = foreign_job.account.name
    assert options(ask(viewer, "account:")) == []
    assert "No account has" in ask(viewer, f'account:"{name}" ')
    assert not options(ask(viewer, "preset:"))


@pytest.mark.parametrize("query", ["q=a+provder:x", "status=failed&q=status:done"])
def test_a_wrong_query_is_marked_under_the_box_and_keeps_what_was_typed(
    viewer: Client, job: Job, query: str
) -> None:
    response = viewer.get(f"{LIST}?{query}")
    html = response.content.decode()
    assert response.context["page"].rows == []
    assert "This search cannot be read" in html
    assert re.search(r'id="query-help"[^>]*>\s*<p class="query-text"><code>.*<mark>', html)
    assert "last valid search" not in html
    assert re.search(r'<input id="search"[^>]*value="[^"]*(provder:x|status:done)"', html)


def test_the_list_keeps_the_last_valid_search(viewer: Client, job: Job) -> None:
    make_job(job.account, name="other.mov")
    before = f"http://testserver{LIST}?q=dawn"
    response = viewer.get(f"{LIST}?q=dawn+provder:x", headers={"Referer": before})
    assert [row.pk for row in response.context["page"].rows] == [job.pk]
    assert "The list still shows the last valid search." in response.content.decode()
    wrong = viewer.get(f"{LIST}?q=x:y", headers={"Referer": f"{before}+a:b"})
    assert wrong.context["page"].rows == []
    kept = viewer.get(f"{LIST}?q=x:y", headers={"Referer": before, "HX-Request": "true"})
    assert (kept.status_code, kept.content) == (204, b"")


def test_the_box_shows_all_conditions_and_the_form_has_them(viewer: Client, job: Job) -> None:
    html = viewer.get(f"{LIST}?status=failed&created_after=2d&q=dawn+OR+dusk").content.decode()
    value = re.search(r'<input id="search".*?value="(.*?)"', html, re.DOTALL)
    assert value
    assert value[1] == "status:failed created:&gt;2d (dawn OR dusk)"


def test_the_syntax_page_has_every_key_with_a_link_that_works(
    viewer: Client, studio: Organization
) -> None:
    html = viewer.get(f"{HELP}syntax/").content.decode()
    for name in KEYS:
        assert f"<code>{name}:</code>" in html
    for link in re.findall(r'href="(/o/harbour-studio/jobs/\?q=[^"]*)"', html):
        assert viewer.get(link).status_code == 200


def test_help_costs_few_queries(
    viewer: Client, account: ProviderAccount, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    ask(viewer, "")
    # session, user, membership; a count for each status
    with django_assert_num_queries(3 + len(JobStatus)):
        ask(viewer, "status:")
    # the accounts, once as a parameter and once for all others that name them
    with django_assert_num_queries(3 + 2):
        ask(viewer, 'account:"Zencoder main" -provider:zencoder -account:zen* lecture')


def test_a_day_of_the_reader_is_a_day_in_the_box_and_the_menu_and_a_time_in_links(
    viewer: Client, account: ProviderAccount
) -> None:
    User.objects.update(time_zone="Europe/Berlin")
    make_job(account, created_at=NOON.replace(day=13, hour=23))
    make_job(account, created_at=NOON.replace(day=13, hour=22))
    response = viewer.get(f"{LIST}?created_after=2026-03-14")
    assert len(response.context["page"].rows) == 1
    assert response.context["search"].text == "created:>=2026-03-14"
    assert "created_after=2026-03-14T00%3A00%2B01%3A00" in response.context["first_url"]
    assert "Since 2026-03-14<" in response.content.decode()
