"""Lists of jobs: shape, paging, filters, and what they cost."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from jobs.models import ProviderAccount
from jobs.query.accounts import AccountFilter
from jobs.query.files import FileFilter
from jobs.query.jobs import JobFilter
from jobs.query.list_filter import ListFilter
from jobs.query.presets import PresetFilter
from organizations.models import Organization
from tests.factories import make_organization, make_user
from tests.jobs.api.conftest import SHARED, ApiClient
from tests.jobs.factories import NOON, make_account, make_job, make_output, make_preset

pytestmark = pytest.mark.django_db


def test_listed_jobs_differ_in_their_outputs_and_input_alone(
    reader: ApiClient, account: ProviderAccount
) -> None:
    job = make_job(
        account,
        outputs_total=3,
        outputs_succeeded=2,
        outputs_failed=1,
        metadata={"order": 7},
    )
    make_job(account, retry_of=job)
    listed = reader.get("/jobs").body["results"][1]
    detail = reader.get(f"/jobs/{job.pk}").body
    assert listed.keys() == SHARED
    assert listed["outputs"] == {"total": 3, "succeeded": 2, "failed": 1}
    assert listed["input"].items() <= detail["input"].items()
    assert {name: detail[name] for name in SHARED - {"outputs", "input"}} == {
        name: value for name, value in listed.items() if name not in ("outputs", "input")
    }


def test_pages_follow_each_other_to_the_end(reader: ApiClient, account: ProviderAccount) -> None:
    jobs = [make_job(account, created_at=NOON + timedelta(seconds=n // 2)) for n in range(7)]
    seen: list[str] = []
    path = "/jobs?limit=3"
    while path:
        body = reader.get(path).body
        seen += [job["id"] for job in body["results"]]
        path = body["next"] and f"/jobs?limit=3&cursor={body['next']}"
    assert seen == [str(job.pk) for job in reversed(jobs)]


def test_a_cursor_is_good_for_its_own_list_alone(
    operator: ApiClient, stranger: ApiClient, account: ProviderAccount
) -> None:
    for _ in range(3):
        job = make_job(account)
        make_output(job)
        make_preset(account)
    query = "limit=1&account=main&created_after=9999d&status=succeeded&status=queued"
    cursor = operator.get(f"/jobs?{query}").body["next"]
    same = "cursor={}&status=queued&status=succeeded&created_after=9999d&account=main&limit=2"
    assert len(operator.get(f"/jobs?{same.format(cursor)}").body["results"]) == 2
    for client, path in (
        (operator, f"/jobs?{query}&sort=created"),
        (operator, f"/jobs?{query.replace('9999d', '9998d')}"),
        (operator, f"/jobs?{query}&q=mov"),
        (operator, "/jobs?limit=1"),
        (operator, "/files?limit=1"),
        (operator, "/presets?limit=1"),
        (stranger, "/jobs?status=succeeded&status=queued&created_after=9999d"),
    ):
        fields = client.get(f"{path}&cursor={cursor}").fields
        assert "start from the first page" in fields["cursor"], path
    # where all filters are equal, the organization differs all the same
    plain = operator.get("/jobs?limit=1").body["next"]
    assert "another list" in stranger.get(f"/jobs?limit=1&cursor={plain}").fields["cursor"]
    for path in ("/files", "/presets"):
        own = operator.get(f"{path}?limit=1").body["next"]
        assert operator.get(f"{path}?limit=1&cursor={own}").status == 200
        for other in (f"{path}?limit=1&q=x&cursor={own}", f"{path}?limit=1&cursor={own[:-2]}"):
            assert "cursor" in operator.get(other).fields


def test_filters_of_the_list_apply(reader: ApiClient, account: ProviderAccount) -> None:
    failed = make_job(account, status="failed")
    queued = make_job(account, status="queued")
    make_job(account)

    def found(query: str) -> set[str]:
        return {job["id"] for job in reader.get(f"/jobs?{query}").body["results"]}

    assert found("status=failed&status=queued") == {str(failed.pk), str(queued.pk)}
    assert found("account=main&error=input.*") == {str(failed.pk)}
    assert found(f"q={queued.remote_id}") == {str(queued.pk)}
    assert found('q=account:"main"+-status:succeeded+(error:input.*+OR+waited:>1m)') == {
        str(failed.pk),
        str(queued.pk),
    }
    assert found("q=status:failed,queued&status=queued") == {str(queued.pk)}


def test_a_query_has_pages_and_days_of_the_organization(
    reader: ApiClient, account: ProviderAccount, organization: Organization
) -> None:
    organization.time_zone = "Asia/Tokyo"
    organization.save()
    # midnight in Tokyo
    morning = [make_job(account, created_at=NOON.replace(hour=15 + n)) for n in range(2)]
    make_job(account, created_at=NOON.replace(hour=14))
    found = reader.get("/jobs?q=created:2026-03-15+OR+created:<1d&limit=2").body
    assert [job["id"] for job in found["results"]] == [str(job.pk) for job in reversed(morning)]
    day = "/jobs?q=created:2026-03-15&limit=1"
    first = reader.get(day).body
    assert [job["id"] for job in first["results"]] == [str(morning[1].pk)]
    second = reader.get(f"{day}&cursor={first['next']}").body
    assert [job["id"] for job in second["results"]] == [str(morning[0].pk)]
    assert second["next"] is None


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("status=done", ["status"]),
        ("limit=201", ["limit"]),
        ("sort=name", ["sort"]),
        ("cursor=nonsense", ["cursor"]),
        ("created_after=soon", ["created_after"]),
        ("account=nobody", ["account"]),
        ("q=%00", ["q"]),
        ("q=status:done", ["q"]),
        ("q=-status:done&status=failed", ["q"]),
        ("gone=maybe", ["gone"]),
        ("partial=1", ["partial"]),
        ("stuck=1", ["stuck"]),
        ("submitted_by=nobody@north.example", ["submitted_by"]),
        # what no list has yet is a mistyped name like any other
        ("size=1&error_group=4&colour=red", ["size", "error_group", "colour"]),
        # an empty value and a second one would be overlooked
        ("limit=&q=%20&status=failed&status=", ["limit", "q", "status"]),
        ("limit=5&limit=5&sort=created&sort=-created", ["limit", "sort"]),
        ("colour=red&limit=0&q=a&q=b", ["colour", "limit", "q"]),
    ],
)
def test_a_query_that_would_not_be_used_as_sent_is_refused_by_field(
    reader: ApiClient, account: ProviderAccount, query: str, fields: list[str]
) -> None:
    assert sorted(reader.get(f"/jobs?{query}").fields) == sorted(fields)


@pytest.mark.parametrize("path", ["/jobs?limit=200", "/jobs?status=failed&account=main"])
def test_a_list_costs_the_same_however_long_it_is(
    reader: ApiClient,
    account: ProviderAccount,
    organization: Organization,
    django_assert_num_queries: Any,
    path: str,
) -> None:
    reader.get("/jobs")  # notes that the token was used, which it does now and then
    # the token, the jobs, their retries; whether they have requests, and retries that have not
    # ended; and the accounts, where one is named
    queries = 6 if "account" in path else 5
    for size in (1, 12):
        for number in range(size):
            job = make_job(
                make_account(organization) if number % 2 else account,
                status="failed",
                submitted_by=make_user(),
            )
            make_job(account, status="failed", retry_of=job)
            make_output(job)
        with django_assert_num_queries(queries):
            assert len(reader.get(path).body["results"]) > size


def test_lists_read_no_json_but_the_metadata_and_no_secret(
    reader: ApiClient, account: ProviderAccount, django_assert_num_queries: Any
) -> None:
    make_job(account)
    reader.get("/jobs")
    with django_assert_num_queries(5) as queries:
        reader.get("/jobs")
    statement = next(
        query["sql"] for query in queries.captured_queries if "metadata" in query["sql"]
    )
    for column in ("request", "errors", "credentials", "hook_secret", "options", "compressed"):
        assert f'"{column}"' not in statement


@pytest.mark.parametrize("path", ["/accounts", "/files", "/presets"])
def test_no_list_overlooks_a_parameter(reader: ApiClient, path: str) -> None:
    fields = reader.get(f"{path}?stuck=true&provider=").fields
    assert fields.keys() == {"stuck", "provider"}


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/jobs", JobFilter),
        ("/files", FileFilter),
        ("/presets", PresetFilter),
        ("/accounts", AccountFilter),
    ],
)
def test_the_documented_parameters_are_those_that_are_read(
    client: Client, path: str, kind: type[ListFilter]
) -> None:
    document = client.get("/api/v1/openapi.json").json()
    parameters = document["paths"][f"/api/v1{path}"]["get"]["parameters"]
    names = {one["name"]: one["schema"].get("type") == "array" for one in parameters}
    assert names.keys() == {*kind.CONDITIONS, *kind.OTHERS}
    assert {name for name, is_repeated in names.items() if is_repeated} == set(kind.REPEATED)


def test_gone_and_resolved_jobs_are_told_by_their_own_fields(
    reader: ApiClient, account: ProviderAccount
) -> None:
    gone = make_job(account, status="running", gone_at=NOON)
    fixed = make_job(account, status="failed", resolved_by=make_job(account))
    failed = make_job(account, status="failed")

    def found(query: str) -> dict[str, tuple[str, bool]]:
        results = reader.get(f"/jobs?{query}").body["results"]
        return {job["id"]: (job["status"], job["unresolved"]) for job in results}

    assert found("status=running") == {}
    assert found("gone=true") == {str(gone.pk): ("running", False)}
    assert found("unresolved=true") == {str(failed.pk): ("failed", True)}
    assert found("status=failed") == {
        str(fixed.pk): ("failed", False),
        str(failed.pk): ("failed", True),
    }
    assert reader.get(f"/jobs/{failed.pk}").body["unresolved"] is True


def test_jobs_of_another_organization_are_not_listed(
    reader: ApiClient, account: ProviderAccount
) -> None:
    mine = make_job(account, remote_id="77")
    make_job(make_account(make_organization(), name="main"), remote_id="77")
    for query in ("", "?q=77", "?account=main", "?provider=zencoder"):
        assert [job["id"] for job in reader.get(f"/jobs{query}").body["results"]] == [str(mine.pk)]


@pytest.mark.parametrize("name", ["created", "started", "finished", "changed"])
def test_the_first_and_the_last_time_there_is_are_times(
    reader: ApiClient, account: ProviderAccount, name: str
) -> None:
    job = make_job(account)
    query = f"{name}_after=0001-01-01t00:00:00z&{name}_before=9999-12-31T23:59:59.999999Z"
    answer = reader.get(f"/jobs?{query}")
    assert (answer.status, [row["id"] for row in answer.body["results"]]) == (200, [str(job.pk)])


def test_a_parameter_has_at_most_fifty_values_also_where_they_are_the_same(
    reader: ApiClient,
) -> None:
    assert reader.get("/jobs?" + "&".join(["status=failed"] * 50)).status == 200
    too_many = reader.get("/jobs?" + "&".join(["status=failed"] * 51))
    assert too_many.fields == {"status": "Use at most 50 values."}
