"""Files: their shape, paging and filters, and that nobody sees another's."""

from datetime import timedelta
from typing import Any

import pytest

from jobs.models import ProviderAccount
from organizations.models import Organization
from tests.jobs.api.conftest import ApiClient
from tests.jobs.factories import NOON, make_account, make_job, make_output, make_preset

pytestmark = pytest.mark.django_db


def test_a_file(reader: ApiClient, account: ProviderAccount) -> None:
    job = make_job(account, name="harbour.mov", status="running")
    output = make_output(
        job,
        remote_id="a",
        label="",
        url="https://cdn.example/f.mp4?Signature=REDACTED",
        secret_url="https://cdn.example/f.mp4?Signature=canary",
        expires_at=NOON,
    )
    body = reader.get("/files").body
    assert body == {
        "results": [
            {
                "id": str(output.pk),
                "job": {"id": str(job.pk), "name": "harbour.mov", "status": "running"},
                "account": {"id": str(account.pk), "name": "main", "provider": "zencoder"},
                "remote_id": "a",
                "kind": "video",
                "label": None,
                "format": "mp4",
                "width": 1280,
                "height": 720,
                "duration_ms": 61_240,
                "size_bytes": 19_350_611,
                "video_codec": "h264",
                "audio_codec": "aac",
                "status": "succeeded",
                "url": "https://cdn.example/f.mp4?Signature=REDACTED",
                "open_url": f"http://127.0.0.1:8000/o/north/jobs/{job.pk}/outputs/{output.pk}/open/",
                "expires_at": "2026-03-14T12:00:00.000Z",
            }
        ],
        "next": None,
    }


def test_what_no_browser_opens_has_no_open_url(reader: ApiClient, account: ProviderAccount) -> None:
    make_output(make_job(account), url="s3://bucket/key.mp4")
    assert reader.get("/files").body["results"][0]["open_url"] is None


def test_pages_follow_each_other_newest_first(reader: ApiClient, account: ProviderAccount) -> None:
    made = [
        make_output(make_job(account, created_at=NOON + timedelta(seconds=number // 2)))
        for number in range(7)
    ]
    seen: list[str] = []
    path = "/files?limit=3"
    while path:
        body = reader.get(path).body
        seen += [file["id"] for file in body["results"]]
        path = body["next"] and f"/files?limit=3&cursor={body['next']}"
    assert seen == [str(output.pk) for output in reversed(made)]
    oldest = reader.get("/files?sort=created&limit=1").body["results"][0]
    assert oldest["id"] == seen[-1]


def test_filters_apply(
    reader: ApiClient, account: ProviderAccount, organization: Organization
) -> None:
    preset = make_preset(account)
    job = make_job(account, name="dawn.mov")
    tall = make_output(job, height=1080, preset=preset)
    image = make_output(job, kind="image", height=90)
    other = make_output(make_job(make_account(organization, name="b")), status="failed")

    def found(query: str) -> set[str]:
        return {file["id"] for file in reader.get(f"/files?{query}").body["results"]}

    assert found("") == {str(tall.pk), str(other.pk)}
    assert found("min_height=721") == found(f"preset={preset.pk}") == found("q=dawn")
    assert found("q=dawn") == {str(tall.pk)}
    assert found("kind=image&kind=video&account=main") == {str(tall.pk), str(image.pk)}
    assert found("status=failed") == {str(other.pk)}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("kind=film", "kind"),
        ("status=done", "status"),
        ("min_height=tall", "min_height"),
        ("limit=201", "limit"),
        ("sort=size", "sort"),
        ("cursor=nonsense", "cursor"),
        ("created_after=soon", "created_after"),
        ("account=nobody", "account"),
        ("preset=0", "preset"),
        ("q=%00", "q"),
    ],
)
def test_a_query_that_cannot_be_read_is_told_by_field(
    reader: ApiClient, account: ProviderAccount, query: str, field: str
) -> None:
    assert list(reader.get(f"/files?{query}").fields) == [field]


def test_files_of_another_organization_are_not_listed(
    reader: ApiClient, stranger: ApiClient, account: ProviderAccount
) -> None:
    make_output(make_job(account, remote_id="77"), remote_id="9", preset=make_preset(account))
    preset = account.presets.get()
    for query in ("", "?q=77", "?q=9", "?provider=zencoder", "?kind=video"):
        assert len(reader.get(f"/files{query}").body["results"]) == 1
        assert stranger.get(f"/files{query}").body["results"] == []
    assert list(stranger.get(f"/files?preset={preset.pk}").fields) == ["preset"]
    assert list(stranger.get("/files?account=main").fields) == ["account"]
    assert ApiClient().get("/files").status == 401


@pytest.mark.parametrize("number", [1, 12])
def test_a_list_costs_the_same_however_long_it_is(
    reader: ApiClient, organization: Organization, django_assert_num_queries: Any, number: int
) -> None:
    reader.get("/files")  # notes that the token was used, which it does now and then
    for _ in range(number):
        make_output(make_job(make_account(organization)), secret_url="https://cdn.example/s")
    with django_assert_num_queries(2) as queries:  # the token, the files
        assert len(reader.get("/files").body["results"]) == number
    for column in ("secret_url", "credentials", "metadata"):
        assert f'"{column}"' not in queries.captured_queries[1]["sql"]
