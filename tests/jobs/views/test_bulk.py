"""Acting on many jobs from the pages: what is confirmed is what is done."""

import html
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from jobs.bulk import counting
from jobs.bulk.worker import run_bulk
from jobs.models import BulkAction, Job, JobAction, ProviderAccount
from jobs.query.paging import windows
from jobs.views.bulk import start
from tests.jobs.factories import NOON, make_account, make_bulk, make_job

pytestmark = pytest.mark.django_db

BULK = "/o/harbour-studio/bulk/"
NEW = f"{BULK}new/"


def text_of(response: Any) -> str:
    """What is read on the page, with single blanks."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", response.content.decode())).split())


def fields_of(page: str) -> dict[str, Any]:
    """What the form of the confirmation sends."""
    form = page[page.index("bulk-form") :]
    found: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        values = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        if values.get("name") != "csrfmiddlewaretoken":
            found.setdefault(values["name"], []).append(values.get("value", ""))
    return {name: values if name == "id" else values[0] for name, values in found.items()}


def confirm(client: Client, query: str, **changes: Any) -> Any:
    page = client.get(f"{NEW}?{query}").content.decode()
    return client.post(NEW, fields_of(page) | changes)


def test_the_confirmation_says_what_will_be_done(
    operator: Client, account: ProviderAccount
) -> None:
    other = make_account(account.organization, name="archive")
    for one in (account, account, other):
        make_job(one, status="failed")
    make_job(account, status="running")
    text = text_of(operator.get(f"{NEW}?action=resubmit&status=failed&status=running"))
    assert "Retry 3 of 4 jobs?" in text
    assert "Zencoder Zencoder main 2 54 about 1 min" in text
    assert "Zencoder archive 1 54 about 1 min Together 3 about 1 min" in text
    assert "Left out: 1 1 Not ended yet" in text
    assert "status:failed,running" in text
    assert not BulkAction.objects.exists()


def test_the_confirmation_says_how_long_the_slowest_account_takes(
    operator: Client, account: ProviderAccount
) -> None:
    slow = make_account(account.organization, name="archive", options={"requests_per_minute": "1"})
    unlimited = make_account(account.organization, name="free", provider="xvid")
    for one, count in ((account, 1), (slow, 61), (unlimited, 1)):
        for _ in range(count):
            make_job(one, status="queued")
    text = text_of(operator.get(f"{NEW}?action=cancel&status=queued"))
    assert "Zencoder archive 61 1 about 1 h 1 min" in text
    assert "free 1 no limit –" in text
    assert "Together 63 about 1 h 1 min" in text
    assert "may still be charged" in text


def test_what_was_confirmed_is_started_once(operator: Client, account: ProviderAccount) -> None:
    job = make_job(account, status="failed")
    page = operator.get(f"{NEW}?action=resubmit&status=failed").content.decode()
    # arrives while the page is open
    make_job(account, status="failed")
    sent = fields_of(page) | {"reason": "Bucket policy restored"}
    urls = {operator.post(NEW, sent).headers["Location"] for _ in range(2)}
    bulk = BulkAction.objects.get()
    assert urls == {f"{BULK}{bulk.pk}/"}
    assert (bulk.reason, bulk.actor is not None) == ("Bucket policy restored", True)
    run_bulk(bulk.pk)
    assert list(bulk.targets.values_list("job", flat=True)) == [job.pk]


def test_chosen_jobs_alone_are_acted_on(operator: Client, account: ProviderAccount) -> None:
    jobs = [make_job(account, status="queued") for _ in range(3)]
    assert confirm(operator, f"action=cancel&id={jobs[0].pk}&id={jobs[2].pk}").status_code == 302
    assert BulkAction.objects.get().job_ids == [jobs[0].pk, jobs[2].pk]


def test_a_foreign_job_is_refused_like_an_unknown_one(
    operator: Client, account: ProviderAccount, foreign_job: Job
) -> None:
    for pk in (foreign_job.pk, 99_999_999):
        response = operator.get(f"{NEW}?action=cancel&id={pk}")
        assert response.status_code == 422
        assert f"No job has one of these ids: {pk}." in text_of(response)
    sent = {"action": "cancel", "id": [str(foreign_job.pk)], "key": "k"}
    assert operator.post(NEW, sent).status_code == 422
    assert not BulkAction.objects.exists()


def test_nothing_can_be_started_where_nothing_matches(
    operator: Client, account: ProviderAccount
) -> None:
    make_job(account)
    for query, title in (
        ("status=failed", "No job matches"),
        ("q=created:>", "No job can be acted on"),
    ):
        page = operator.get(f"{NEW}?action=cancel&{query}").content.decode()
        assert title in page
        assert 'type="submit"' not in page[page.index("bulk-form") :]
    done = operator.get(f"{NEW}?action=cancel&status=succeeded").content.decode()
    assert "None of 1 job can be cancelled" in done
    sent = {"action": "cancel", "q": "status:failed", "key": "k"}
    assert "No job matches." in text_of(operator.post(NEW, sent))
    assert not BulkAction.objects.exists()


def test_many_jobs_are_started_with_their_number_typed(
    operator: Client, account: ProviderAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start, "TYPED_ABOVE", 2)
    for _ in range(3):
        make_job(account, status="failed")
    query = "action=resubmit&status=failed"
    for typed in ("", "2", "three"):
        response = confirm(operator, query, typed=typed)
        assert response.status_code == 422
        assert "Type 3 to confirm" in text_of(response)
    assert not BulkAction.objects.exists()
    assert confirm(operator, query, typed="3").status_code == 302


def test_the_number_to_type_is_the_one_that_was_shown(
    operator: Client, account: ProviderAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start, "TYPED_ABOVE", 2)
    jobs = [make_job(account, status=status) for status in ("queued", "running") for _ in range(3)]
    page = operator.get(f"{NEW}?action=cancel&status=queued").content.decode()
    sent = fields_of(page) | {"typed": "3"}
    Job.objects.update(status="queued")
    followed = operator.post(NEW, sent, follow=True)
    assert "More jobs may match by now. At most 3 are acted on" in text_of(followed)
    assert BulkAction.objects.get().limit == 3
    Job.objects.exclude(pk=jobs[0].pk).update(status="running")
    assert operator.post(NEW, sent | {"reason": "again"}).status_code == 302
    assert BulkAction.objects.latest("pk").limit is None


def test_a_number_that_is_not_known_is_confirmed_in_a_word(
    operator: Client, account: ProviderAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "COUNT_CAP", 2)
    for _ in range(3):
        make_job(account, status="failed")
    query = "action=resubmit&status=failed"
    for typed in ("", "2"):
        refused = confirm(operator, query, typed=typed)
        assert refused.status_code == 422
        assert "Type all to confirm" in text_of(refused)
    assert confirm(operator, query, typed=" All").status_code == 302
    assert confirm(operator, query, limit="2").status_code == 302
    assert list(BulkAction.objects.order_by("pk").values_list("limit", flat=True)) == [None, 2]


def test_an_action_starts_where_its_first_jobs_are_all_left_out(
    operator: Client, account: ProviderAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = make_job(account, status="queued")
    for _ in range(3):
        make_job(account, status="failed")
    monkeypatch.setattr(counting, "COUNT_CAP", 2)
    query = "action=cancel&status=failed&status=queued"
    text = text_of(operator.get(f"{NEW}?{query}"))
    assert "None of the first 2 jobs can be cancelled The search stopped" in text
    assert "Cancel what is further down" in text
    assert confirm(operator, query, typed="all").status_code == 302
    bulk = BulkAction.objects.get()
    run_bulk(bulk.pk)
    assert list(bulk.targets.values_list("job", flat=True)) == [wanted.pk]


def test_more_jobs_than_are_counted_are_said_to_be_more(
    operator: Client, account: ProviderAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "COUNT_CAP", 2)
    for _ in range(3):
        make_job(account, status="failed")
    text = text_of(operator.get(f"{NEW}?action=resubmit&status=failed"))
    assert "Retry 2 or more of 2+ jobs?" in text


def test_a_search_that_found_none_in_time_does_not_say_that_none_matches(
    operator: Client, account: ProviderAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(windows, "FIRST_WINDOW", 1)
    monkeypatch.setattr(windows, "SEARCH_S", 0)
    for _ in range(2):
        make_job(account, status="failed")
    text = text_of(operator.get(f"{NEW}?action=resubmit&q=ran:>40m"))
    assert "No job found in time" in text
    assert "The search stopped before the end of the list" in text
    assert "No job matches" not in text


def test_the_jobs_are_counted_once_and_no_more_of_them_than_are_shown(
    operator: Client, account: ProviderAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "COUNT_CAP", 2)
    for _ in range(4):
        make_job(account, status="failed")
    page = operator.get(f"{NEW}?action=resubmit&status=failed").content.decode()
    with CaptureQueriesContext(connection) as queries:
        assert operator.post(NEW, fields_of(page) | {"typed": "all"}).status_code == 302
    statements = [query["sql"] for query in queries]
    counting_them = [sql for sql in statements if '"refusal"' in sql]
    assert len(counting_them) == 1
    assert counting_them[0].endswith("LIMIT 3")
    # of each row what is counted, and no other column
    assert '"jobs_job"."name"' not in counting_them[0]
    assert not any("COUNT(" in sql and '"jobs_job"' in sql for sql in statements)


@pytest.mark.parametrize(
    "changes",
    [
        {"limit": "0"},
        {"limit": "x"},
        {"reason": "r" * 501},
        {"key": ""},
        {"q": "created:>"},
        {"q": "a\x00"},
    ],
)
def test_a_form_that_cannot_be_used_starts_nothing(
    operator: Client, account: ProviderAccount, changes: dict[str, str]
) -> None:
    make_job(account, status="failed")
    assert confirm(operator, "action=resubmit&status=failed", **changes).status_code == 422
    assert not BulkAction.objects.exists()


@pytest.mark.parametrize("at", ["", "x", "2026-99-99T00:00", "2300-01-01T00:00:00Z", "2020-01-01"])
def test_a_time_that_no_page_had_is_now(
    operator: Client, account: ProviderAccount, at: str
) -> None:
    make_job(account, status="failed")
    before = timezone.now()
    assert confirm(operator, "action=resubmit&status=failed", at=at).status_code == 302
    assert BulkAction.objects.get().created_at >= before


def test_the_page_shows_what_became_of_each_job(
    viewer: Client, account: ProviderAccount, django_assert_max_num_queries: Any
) -> None:
    job = make_job(account, status="failed", name="harbour.mov")
    retry = make_job(account, status="running")
    bulk = make_bulk(job, state="done", next_at=None, refused=1, reason="Bucket policy restored")
    bulk.targets.update(
        outcome="refused", reason="The month is used up", new_job=retry, settled_at=NOON
    )
    response = viewer.get(f"{BULK}{bulk.pk}/")
    text = text_of(response)
    for part in (
        "Retry of 1 job",
        "Bucket policy restored",
        "Refused harbour.mov",
        f"#{retry.pk}",
        "The month is used up",
        "1 refused",
        "1 Already ended",
    ):
        assert part in text
    page = response.content.decode()
    assert f"?q=bulk%3A{bulk.pk}" in page
    assert 'id="live"' not in page
    assert "harbour.mov" not in text_of(viewer.get(f"{BULK}{bulk.pk}/?outcome=done"))
    listed = text_of(viewer.get(f"/o/harbour-studio/jobs/?q=bulk:{bulk.pk}"))
    assert "harbour.mov" in listed
    assert text_of(viewer.get(BULK)).count("Retry of 1 job") == 1


def test_problems_come_first_and_each_outcome_leads_to_its_jobs(
    viewer: Client, account: ProviderAccount
) -> None:
    outcomes = ["done", "refused", "done", "pending", "failed"]
    jobs = [make_job(account, status="failed", name=f"{name}.mov") for name in "abcde"]
    bulk = make_bulk(jobs[0], accounts={str(account.pk): 5}, done=2, refused=1, failed=1)
    for job in jobs[1:]:
        bulk.targets.create(job=job, account=account)
    for job, outcome in zip(jobs, outcomes, strict=True):
        bulk.targets.filter(job=job).update(outcome=outcome)
    url, seen = f"{BULK}{bulk.pk}/?limit=2", []
    while url:
        page = viewer.get(url).content.decode()
        seen += re.findall(r">([a-e])\.mov<", page)
        older = re.search(r'rel="next" href="([^"]*)"', page)
        url = html.unescape(older[1]) if older else ""
    assert "".join(seen) == "beacd"
    refused = viewer.get(f"{BULK}{bulk.pk}/?outcome=refused").content.decode()
    assert f"?q=bulk%3A{bulk.pk}%2Frefused" in refused
    listed = viewer.get(f"/o/harbour-studio/jobs/?q=bulk:{bulk.pk}/refused").content.decode()
    assert re.findall(r">([a-e])\.mov<", listed) == ["b"]


def test_a_reason_leads_to_the_jobs_that_are_left_out_for_it(
    operator: Client, account: ProviderAccount
) -> None:
    make_job(account, status="failed", name="lighthouse.mov")
    make_job(account, status="running", name="harbour.mov")
    page = operator.get(f"{NEW}?action=resubmit&q=-status:succeeded").content.decode()
    link = re.search(r'<a href="([^"]*)">Not ended yet</a>', page)
    assert link
    listed = text_of(operator.get(html.unescape(link[1])))
    assert "harbour.mov" in listed
    assert "lighthouse.mov" not in listed


def test_a_page_of_results_takes_as_many_queries_as_one_result(
    viewer: Client, account: ProviderAccount, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    bulk = make_bulk(make_job(account, status="failed"))
    viewer.get(f"{BULK}{bulk.pk}/")
    for _ in range(2):
        with django_assert_num_queries(5):  # session, user, membership; the action, its results
            viewer.get(f"{BULK}{bulk.pk}/", headers={"HX-Request": "true"})
        for _ in range(5):
            job = make_job(account, status="failed")
            bulk.targets.create(job=job, account=account, new_job=make_job(account))


def test_the_last_poll_of_its_page_ends_it_in_the_sidebar_as_well(
    viewer: Client, account: ProviderAccount
) -> None:
    bulk = make_bulk(make_job(account, status="failed"))
    url = f"{BULK}{bulk.pk}/"
    assert 'data-count="1"' in viewer.get(url).content.decode()
    ask = {"headers": {"HX-Request": "true"}}
    assert "side-bulk" not in viewer.get(url, **ask).content.decode()  # type: ignore[arg-type]
    BulkAction.objects.update(state="done", next_at=None)
    page = viewer.get(url, **ask).content.decode()  # type: ignore[arg-type]
    assert 'data-count="0"' in page


def test_an_operator_stops_it_and_has_the_rest_run(
    operator: Client, viewer: Client, account: ProviderAccount
) -> None:
    bulk = make_bulk(make_job(account, status="failed"), account_ids=None)
    url = f"{BULK}{bulk.pk}/"
    assert "Stop" in text_of(operator.get(url))
    assert "Stop" not in text_of(viewer.get(url))
    operator.post(f"{url}stop/")
    run_bulk(bulk.pk)
    assert not JobAction.objects.exists()
    assert "Run the rest" in text_of(operator.get(url))
    operator.post(f"{url}resume/")
    run_bulk(bulk.pk)
    assert JobAction.objects.count() == 1
    BulkAction.objects.update(state="done")
    assert "It has already ended." in text_of(operator.post(f"{url}stop/", follow=True))


def test_the_list_and_errors_lead_to_the_confirmation(
    operator: Client, viewer: Client, account: ProviderAccount
) -> None:
    group = make_job(account, status="failed").error_group
    assert group is not None
    link = "bulk/new/?action=resubmit&amp;status=failed"
    listed = operator.get("/o/harbour-studio/jobs/?status=failed&sort=-created").content.decode()
    assert f"{link}&amp;sort=-created" in listed
    for url in ("/o/harbour-studio/errors/", f"/o/harbour-studio/errors/{group.pk}/"):
        page = operator.get(url).content.decode()
        assert f"{link}&amp;unresolved=true&amp;error_group={group.pk}" in page
        assert "bulk/new" not in viewer.get(url).content.decode()
    retry = f"{NEW}?action=resubmit&status=failed&unresolved=true&error_group={group.pk}"
    assert "Retry 1 of 1 job?" in text_of(operator.get(retry))


def test_what_is_selected_in_the_list_is_confirmed(
    operator: Client, viewer: Client, account: ProviderAccount
) -> None:
    first, second = (make_job(account, status="failed") for _ in range(2))
    make_job(account, status="queued")
    listed = operator.get("/o/harbour-studio/jobs/?status=failed").content.decode()
    assert listed.count('class="form-check-input pick row-top"') == 2
    assert 'id="selection"' in listed
    assert "pick" not in viewer.get("/o/harbour-studio/jobs/").content.decode()
    more = f"action=resubmit&page={first.pk},{second.pk},&list=status%3Dfailed"
    for scope, count in (("selected", 1), ("page", 2), ("all", 2)):
        text = text_of(operator.get(f"{NEW}?{more}&scope={scope}&id={first.pk}"))
        assert f"Retry {count} of {count} job" in text, scope


@pytest.mark.parametrize(
    "query", ["scope=selected", "scope=page", "scope=page&page=x", "scope=all&list=q%3Dcreated:>"]
)
def test_a_scope_without_jobs_is_not_all_jobs(
    operator: Client, account: ProviderAccount, query: str
) -> None:
    make_job(account, status="failed")
    page = operator.get(f"{NEW}?action=resubmit&{query}").content.decode()
    assert 'type="submit"' not in page[page.index("bulk-form") :]
