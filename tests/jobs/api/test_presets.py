"""Presets: their shape and use, paging and filters, and that nobody sees another's."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from jobs.models import ProviderAccount
from organizations.models import Organization
from tests.jobs.api.conftest import ApiClient
from tests.jobs.factories import NOON, make_account, make_job, make_output, make_preset

pytestmark = pytest.mark.django_db


def test_a_preset_and_its_use(reader: ApiClient, account: ProviderAccount) -> None:
    preset = make_preset(account, remote_id="hls:240", name="HLS 240p", kind="hls")
    recent = timezone.now() - timedelta(days=2)
    for status in ("succeeded", "succeeded", "failed", "cancelled", "queued"):
        make_output(make_job(account, status=status, created_at=recent), preset=preset)
    make_output(make_job(account, created_at=NOON - timedelta(days=900)), preset=preset)
    assert reader.get("/presets").body == {
        "results": [
            {
                "id": str(preset.pk),
                "account": {"id": str(account.pk), "name": "main", "provider": "zencoder"},
                "remote_id": "hls:240",
                "name": "HLS 240p",
                "kind": "hls",
                "settings": {"height": 720},
                "jobs": 5,
                "succeeded": 2,
                "failed": 1,
                "cancelled": 1,
                "success_rate": 0.5,
                "last_used_at": f"{recent:%Y-%m-%dT%H:%M:%S}.{recent.microsecond // 1000:03d}Z",
            }
        ],
        "next": None,
    }
    counted = reader.get(f"/jobs?preset={preset.pk}&created_after=30d").body["results"]
    assert len(counted) == 5


def test_an_unused_preset_claims_nothing(reader: ApiClient, account: ProviderAccount) -> None:
    make_preset(account, name="", remote_id="66b1", kind="")
    (preset,) = reader.get("/presets").body["results"]
    assert (preset["name"], preset["kind"], preset["jobs"]) == ("66b1", None, 0)
    assert preset["success_rate"] is None
    assert preset["last_used_at"] is None


def test_names_of_any_length_and_script_can_be_paged(
    reader: ApiClient, account: ProviderAccount
) -> None:
    for letter in "一丁":
        make_preset(account, name=letter * 255)
    first = reader.get("/presets?limit=1").body
    second = reader.get(f"/presets?limit=1&cursor={first['next']}").body
    assert [first["results"][0]["name"][0], second["results"][0]["name"][0]] == ["一", "丁"]


def test_created_after_says_from_when_on_jobs_are_counted(
    reader: ApiClient, account: ProviderAccount
) -> None:
    preset = make_preset(account)
    for days in (1, 40):
        job = make_job(account, created_at=timezone.now() - timedelta(days=days))
        make_output(job, preset=preset)

    def jobs(query: str) -> int:
        return int(reader.get(f"/presets?{query}").body["results"][0]["jobs"])

    assert (jobs(""), jobs("created_after=60d"), jobs("created_after=2h")) == (1, 2, 0)
    assert jobs("created_after=90d") == 2
    fields = reader.get("/presets?created_after=91d").fields
    assert fields == {"created_after": "Usage is counted over at most 90 days."}


def test_pages_follow_each_other_by_name(reader: ApiClient, account: ProviderAccount) -> None:
    made = [make_preset(account, name=f"p{number // 2}") for number in range(7)]
    seen: list[str] = []
    path = "/presets?limit=3"
    while path:
        body = reader.get(path).body
        seen += [preset["id"] for preset in body["results"]]
        path = body["next"] and f"/presets?limit=3&cursor={body['next']}"
    assert seen == [str(preset.pk) for preset in made]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("cursor=nonsense", "cursor"),
        ("created_after=soon", "created_after"),
        ("account=nobody", "account"),
        ("provider=betamax", "provider"),
        ("preset=x", "preset"),
        ("q=%00", "q"),
    ],
)
def test_a_query_that_cannot_be_read_is_told_by_field(
    reader: ApiClient, account: ProviderAccount, query: str, field: str
) -> None:
    assert list(reader.get(f"/presets?{query}").fields) == [field]


def test_filters_apply(
    reader: ApiClient, account: ProviderAccount, organization: Organization
) -> None:
    web = make_preset(account, name="Web 720", kind="video")
    other = make_preset(make_account(organization, name="b", provider="xvid"), kind="image")

    def found(query: str) -> list[str]:
        return [preset["id"] for preset in reader.get(f"/presets?{query}").body["results"]]

    assert found("account=main") == found("q=web") == found(f"preset={web.pk}") == [str(web.pk)]
    assert found("provider=xvid") == found("q=image") == [str(other.pk)]


def test_presets_of_another_organization_are_not_listed(
    reader: ApiClient, stranger: ApiClient, account: ProviderAccount
) -> None:
    preset = make_preset(account, name="Web", remote_id="p1")
    for query in ("", "?q=web", "?q=p1", "?provider=zencoder"):
        assert len(reader.get(f"/presets{query}").body["results"]) == 1
        assert stranger.get(f"/presets{query}").body["results"] == []
    assert list(stranger.get(f"/presets?preset={preset.pk}").fields) == ["preset"]
    assert list(stranger.get(f"/jobs?preset={preset.pk}").fields) == ["preset"]
    assert ApiClient().get("/presets").status == 401


@pytest.mark.parametrize("number", [1, 12])
def test_a_list_costs_the_same_however_long_it_is(
    reader: ApiClient, organization: Organization, django_assert_num_queries: Any, number: int
) -> None:
    reader.get("/presets")  # notes that the token was used, which it does now and then
    for _ in range(number):
        account = make_account(organization)
        make_output(make_job(account), preset=make_preset(account))
    with django_assert_num_queries(3):  # the token, the presets, their use
        assert len(reader.get("/presets").body["results"]) == number
