"""One file, one preset, one output's link, and the token that asks."""

from datetime import timedelta
from typing import Any

import pytest
import responses
from django.utils import timezone

from jobs.models import ProviderAccount
from organizations.models import ApiToken, Organization, Scope
from tests.jobs.api.conftest import ApiClient
from tests.jobs.factories import NOON, make_account, make_job, make_output, make_preset

pytestmark = pytest.mark.django_db

FACTS: dict[str, Any] = {
    "frame_rate": 23.976,
    "video_codec": "h264",
    "audio_codec": "aac",
    "video_bitrate_kbps": 4_100,
    "audio_bitrate_kbps": 128,
}
SIGNED = "https://cdn.example/f.mp4?Signature=canary"


def test_a_file_and_a_job_carry_every_media_fact(
    reader: ApiClient, stranger: ApiClient, account: ProviderAccount
) -> None:
    job = make_job(account, input_frame_rate=59.94, input_bitrate_kbps=88_000)
    output = make_output(job, **FACTS)
    file = reader.get(f"/files/{output.pk}")
    (listed,) = reader.get("/files").body["results"]
    assert file.body == listed | FACTS
    body = reader.get(f"/jobs/{job.pk}").body
    assert body["outputs"][0].items() >= FACTS.items()
    assert (body["input"]["frame_rate"], body["input"]["bitrate_kbps"]) == (59.94, 88_000)
    assert stranger.get(f"/files/{output.pk}").status == 404


def test_a_job_shows_the_request_as_it_was_sent_without_its_secrets(operator: ApiClient) -> None:
    make_account(Organization.objects.get(), name="main")
    sent = {
        "account": "main",
        "input": "https://media.example.com/in.mov?token=canary",
        "renditions": [{"packaging": "mp4", "heights": [360]}],
        "test": True,
        "extra": {"region": "europe", "password": "canary"},
    }
    made = operator.post("/jobs", sent).body
    assert made["request"]["input"] == "https://media.example.com/in.mov?token=REDACTED"
    assert made["request"]["renditions"] == sent["renditions"]
    assert made["request"]["extra"]["region"] == "europe"
    assert "canary" not in str(made)
    assert (made["test"], made["priority"]) == (True, None)


def test_a_preset_by_its_id(
    reader: ApiClient, stranger: ApiClient, account: ProviderAccount
) -> None:
    preset = make_preset(account, name="web 720")
    make_preset(account, name="another")
    make_output(make_job(account, status="failed", created_at=timezone.now()), preset=preset)
    listed = reader.get(f"/presets?preset={preset.pk}").body["results"]
    assert [reader.get(f"/presets/{preset.pk}").body] == listed
    assert (listed[0]["jobs"], listed[0]["failed"]) == (1, 1)
    assert stranger.get(f"/presets/{preset.pk}").status == 404


def test_a_token_gets_the_url_that_opens(
    reader: ApiClient, stranger: ApiClient, account: ProviderAccount
) -> None:
    ends_at = (timezone.now() + timedelta(hours=1)).replace(microsecond=0)
    job, other = make_job(account), make_job(account)
    output = make_output(job, url="redacted", secret_url=SIGNED, expires_at=ends_at)
    path = f"/jobs/{job.pk}/outputs/{output.pk}/link"
    answer = reader.get(path, Accept_Encoding="gzip")
    until = ends_at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    assert (answer.status, answer.body) == (200, {"url": SIGNED, "expires_at": until})
    assert "no-store" in answer.headers["Cache-Control"]
    assert not {"ETag", "Content-Encoding"} & set(answer.headers)
    assert reader.get(path.replace(f"jobs/{job.pk}", f"jobs/{other.pk}")).status == 404
    assert stranger.get(path).status == 404


def test_a_link_that_cannot_be_had_says_why(reader: ApiClient, account: ProviderAccount) -> None:
    job = make_job(account, remote_id="71")
    unmade = make_output(job, remote_id="1", status="failed")
    answer = reader.get(f"/jobs/{job.pk}/outputs/{unmade.pk}/link")
    assert (answer.status, answer.body["error"]["code"]) == (404, "no_link")
    expired = make_output(job, remote_id="2", secret_url=SIGNED, expires_at=NOON)
    with responses.RequestsMock() as provider:
        provider.get(f"{account.base_url}/jobs/71", status=503)
        answer = reader.get(f"/jobs/{job.pk}/outputs/{expired.pk}/link")
    assert (answer.status, answer.body["error"]["code"]) == (503, "provider_unavailable")
    assert answer.headers["Retry-After"] == "30"


def test_a_token_says_what_it_may_do(organization: Organization, account: ProviderAccount) -> None:
    token, text = ApiToken.issue(organization, "nightly", Scope.OPERATE, expires_at=None)
    token.account_ids = [account.pk]
    token.save()
    assert ApiClient(text).get("/me").body == {
        "id": str(token.pk),
        "organization": "north",
        "name": "nightly",
        "scope": "operate",
        "accounts": [str(account.pk)],
        "expires_at": None,
    }
