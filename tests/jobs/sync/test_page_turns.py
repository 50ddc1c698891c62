"""Jobs that are deleted while their list is paged hide no others."""

import json
import random
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
import responses

from jobs.models import Job, ProviderAccount
from jobs.sync.report import Report
from jobs.sync.runner import sync_account
from organizations.models import Organization
from providers.core import registry
from tests.jobs.factories import make_account
from tests.jobs.fake_zencoder import PAGE_SIZE, Answer, FakeZencoder

pytestmark = [pytest.mark.django_db, pytest.mark.any_database, pytest.mark.integration]

Delete = Callable[[dict[int, dict[str, Any]]], None]


def newest(jobs: dict[int, dict[str, Any]]) -> None:
    del jobs[max(jobs)]


def several(jobs: dict[int, dict[str, Any]]) -> None:
    for number in sorted(jobs, reverse=True)[3 : PAGE_SIZE - 1]:
        del jobs[number]


def more_than_a_page(jobs: dict[int, dict[str, Any]]) -> None:
    for number in sorted(jobs, reverse=True)[: PAGE_SIZE + 2]:
        del jobs[number]


def delete_after_each_page(
    zencoder: FakeZencoder, delete: Delete, *, times: int = 10**6, after: int = 0
) -> None:
    """Have `delete` change the jobs between one request for the list and the next."""
    asked = 0

    def act(request: requests.PreparedRequest) -> Answer | None:
        nonlocal asked
        asked += 1
        if after + 1 < asked <= after + 1 + times and zencoder.jobs:
            delete(zencoder.jobs)
        return None

    zencoder.faults["list"] = act


def fill(zencoder: FakeZencoder, count: int) -> None:
    for number in range(1, count + 1):
        zencoder.add(number)


def run(account: ProviderAccount, *, foreground: bool = True, full: bool = False) -> Report:
    report = sync_account(account.pk, foreground=foreground, full=full)
    assert report is not None
    assert report.ok, report.error
    account.refresh_from_db()
    return report


def missing(zencoder: FakeZencoder) -> set[str]:
    """Jobs that are there and that nobody has seen."""
    known = set(Job.objects.values_list("remote_id", flat=True))
    return {str(number) for number in zencoder.jobs} - known


@pytest.fixture
def new_account(account: ProviderAccount) -> ProviderAccount:
    account.imported_at = account.last_pass_at = account.last_success_at = None
    account.save()
    return account


@pytest.mark.parametrize("delete", [newest, several, more_than_a_page])
@pytest.mark.parametrize("is_import", [True, False])
def test_no_job_is_missed_while_others_are_deleted(
    account: ProviderAccount, zencoder: FakeZencoder, delete: Delete, *, is_import: bool
) -> None:
    if is_import:
        account.imported_at = account.last_pass_at = None
        account.save()
    fill(zencoder, 6 * PAGE_SIZE)
    delete_after_each_page(zencoder, delete, times=3)
    run(account)
    assert missing(zencoder) == set()


def test_nor_by_one_that_is_deleted_once_more_than_a_page_at_a_time(
    new_account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    fill(zencoder, 7 * PAGE_SIZE)
    # after the third page: what slips is on the second and the third
    delete_after_each_page(zencoder, more_than_a_page, times=1, after=4)
    run(new_account)
    assert missing(zencoder) == set()


@pytest.mark.parametrize("seed", range(4))
def test_whichever_are_deleted(
    new_account: ProviderAccount, zencoder: FakeZencoder, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret

    def delete(jobs: dict[int, dict[str, Any]]) -> None:
        for number in chance.sample(sorted(jobs), min(len(jobs), chance.choice((0, 1, 1, 9)))):
            del jobs[number]

    fill(zencoder, 8 * PAGE_SIZE - 4)
    delete_after_each_page(zencoder, delete)
    run(new_account)
    assert missing(zencoder) == set()


@pytest.mark.parametrize("seed", range(4))
def test_nor_while_others_are_deleted_and_made(
    new_account: ProviderAccount, zencoder: FakeZencoder, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret

    def change(jobs: dict[int, dict[str, Any]]) -> None:
        newest = max(jobs)
        for number in chance.sample(sorted(jobs), min(len(jobs), chance.choice((0, 1, 2, 5)))):
            del jobs[number]
        for number in range(chance.choice((0, 0, 1, 3))):
            zencoder.add(newest + 1 + number)

    fill(zencoder, 5 * PAGE_SIZE - 4)
    before = set(zencoder.jobs)
    delete_after_each_page(zencoder, change)
    run(new_account)
    assert missing(zencoder).isdisjoint(map(str, before))
    zencoder.faults.clear()
    run(new_account)
    assert missing(zencoder) == set()


@pytest.mark.parametrize("after", [13, 14, 17, 20])
def test_what_a_single_deletion_hides_deep_in_a_long_list_is_found(
    new_account: ProviderAccount, zencoder: FakeZencoder, after: int
) -> None:
    fill(zencoder, 12 * PAGE_SIZE)
    delete_after_each_page(zencoder, newest, times=1, after=after)
    run(new_account)
    assert missing(zencoder) == set()


def test_a_second_crawl_of_a_long_list_is_no_circle(
    new_account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    changes = 0

    def change(jobs: dict[int, dict[str, Any]]) -> None:
        nonlocal changes
        changes += 1
        if changes % 2:
            several(jobs)
        else:
            zencoder.add(max(jobs) + 1)

    fill(zencoder, 20 * PAGE_SIZE)
    delete_after_each_page(zencoder, change, times=4, after=6)
    assert run(new_account).requests > 4 * 15
    assert missing(zencoder) == set()


def test_an_import_that_resumes_reads_the_page_before(
    new_account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    fill(zencoder, 6 * PAGE_SIZE)
    new_account.options = {"requests_per_minute": "5"}
    new_account.save()
    run(new_account, foreground=False)
    assert new_account.is_importing
    several(zencoder.jobs)  # while the limit is waited for
    new_account.options = {"requests_per_minute": "100000"}
    new_account.save()
    run(new_account)
    assert missing(zencoder) == set()


def test_an_import_gets_on_with_one_request_at_a_time(
    new_account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    fill(zencoder, 3 * PAGE_SIZE)

    def answer_one(request: requests.PreparedRequest) -> Answer | None:
        if zencoder.asked["list"] % 2:
            return None
        headers = {"Content-Type": "text/plain", "Retry-After": "1"}
        return 403, headers, "403 Forbidden (Rate Limit Exceeded)"

    zencoder.faults["list"] = answer_one
    for _ in range(4):
        ProviderAccount.objects.update(next_sync_at=new_account.next_sync_at)
        sync_account(new_account.pk, foreground=False)
    assert missing(zencoder) == set()


# The paging of each provider, of lists of 20 to 100 jobs a page. `number` counts from the oldest.

TPSTREAMS = "https://app.tpstreams.com/api/v1/6dkmpn/transcoding_jobs/"


def zencoder_page(numbers: list[int], query: dict[str, str]) -> Any:
    start = (int(query["page"]) - 1) * 50
    return [{"job": {"id": number, "state": "finished"}} for number in numbers[start : start + 50]]


def videosdk_page(numbers: list[int], query: dict[str, str]) -> Any:
    page, size = int(query["page"]), int(query["perPage"])
    jobs = [
        {
            "id": f"{number:024x}",
            "status": "completed",
            "createdAt": f"2026-03-14T08:{number // 60:02}:{number % 60:02}.000Z",
        }
        for number in numbers[(page - 1) * size : page * size]
    ]
    info = {"currentPage": page, "perPage": size, "lastPage": -(-len(numbers) // size)}
    return {"pageInfo": info, "data": jobs}


def tpstreams_page(numbers: list[int], query: dict[str, str]) -> Any:
    page = int(query.get("page", 1))
    results = [
        {"id": f"tp{number}", "status": "Completed", "resolutions": ["240p"]}
        for number in numbers[(page - 1) * 50 : page * 50]
    ]
    following = f"{TPSTREAMS}?page={page + 1}" if page * 50 < len(numbers) else None
    return {"results": results, "next": following, "previous": None}


def counted_page(numbers: list[int], query: dict[str, str]) -> Any:
    return {**tpstreams_page(numbers, query), "count": len(numbers)}


def xvid_page(numbers: list[int], query: dict[str, str]) -> Any:
    start, limit = int(query["start"]), int(query["limit"])
    jobs = [
        {"id": f"{number:024x}", "status": "SUCCESS", "outputs": []}
        for number in numbers[start : start + limit]
    ]
    return {"jobs": jobs, "total": len(numbers), "start": start, "limit": limit}


@pytest.mark.parametrize(
    ("provider", "url", "list_page", "named", "calm_requests"),
    [
        ("zencoder", "https://app.zencoder.com/api/v2/jobs", zencoder_page, "{}", 9),
        ("videosdk", "https://api.videosdk.live/v1/encoder/jobs/", videosdk_page, "{:024x}", 23),
        ("tpstreams", TPSTREAMS, tpstreams_page, "tp{}", 9),
        ("tpstreams", TPSTREAMS, counted_page, "tp{}", 5),
        ("xvid", "https://api.xvid.com/v1/jobs/", xvid_page, "{:024x}", 3),
    ],
)
def test_the_list_of_each_provider_may_shrink(
    organization: Organization,
    provider: str,
    url: str,
    list_page: Callable[[list[int], dict[str, str]], Any],
    named: str,
    calm_requests: int,
) -> None:
    numbers = list(range(230, 0, -1))
    asked = 0
    deletes = False

    def answer(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        nonlocal asked
        asked += 1
        if deletes and 1 < asked < 8:
            del numbers[2:14]
        query = dict(parse_qsl(urlsplit(str(request.url)).query))
        return 200, {"Content-Type": "application/json"}, json.dumps(list_page(numbers, query))

    def make(name: str) -> ProviderAccount:
        return make_account(
            organization,
            name=name,
            provider=provider,
            base_url=registry.get(provider).default_base_url,
            credentials={"api_key": "k", "token": "t", "client_id": "i", "client_secret": "s"},
            options={"organization_id": "6dkmpn", "requests_per_minute": "100000"},
            imported_at=None,
            last_pass_at=None,
        )

    with responses.RequestsMock(assert_all_requests_are_fired=False) as wire:
        wire.add_callback("GET", url, callback=answer)
        token = {"access_token": "a", "expires_in": 7200}
        wire.add("POST", "https://api.xvid.com/v1/oauth2/token/", json=token)
        wire.add("GET", "https://api.xvid.com/v1/presets/", json={"presets": []})
        run(make("calm"))
        assert asked == calm_requests
        asked, deletes = 0, True
        shrinking = make("shrinking")
        sync_account(shrinking.pk)
    known = set(shrinking.jobs.values_list("remote_id", flat=True))
    assert {named.format(number) for number in numbers} <= known
