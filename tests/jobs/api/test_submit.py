"""Submitting and acting: what is taken, what is refused at which field, and once only."""

import json
from typing import Any

import pytest

from jobs.models import Job, JobAction, ProviderAccount, Submission
from jobs.submission.stored_request import find_sent_request
from organizations.models import Organization
from providers.core.types import JobRequest, Rendition, Thumbnails
from tests.jobs.api.conftest import ApiClient
from tests.jobs.factories import make_account, make_job

pytestmark = pytest.mark.django_db

WHOLE = {
    "account": "main",
    "input": "https://media.example.com/in.mov?token=canary-of-the-input",
    "destination": "s3://deliveries/spring/",
    "renditions": [
        {"packaging": "hls", "heights": [240, 360]},
        {"packaging": "mp4", "heights": [720]},
    ],
    "thumbnails": {"count": 5, "width": 320, "formats": ["png"]},
    "metadata": {"order": 7},
    "test": True,
    "extra": {"region": "europe"},
}
OTHERS: dict[str, dict[str, Any]] = {
    "zencoder": {},
    "videosdk": {"credentials": {"token": "t"}},
    "tpstreams": {"credentials": {"token": "t"}, "options": {"organization_id": "6dnpyx"}},
    "xvid": {
        "credentials": {"client_id": "c", "client_secret": "s"},
        "options": {"pipeline_id": "p"},
    },
}
SMALL: dict[str, Any] = {
    "account": "main",
    "input": "https://media.example.com/in.mov",
    "renditions": [{"packaging": "mp4", "heights": [360]}],
}


def test_a_job_is_submitted_as_it_was_asked_for(
    operator: ApiClient, account: ProviderAccount
) -> None:
    answer = operator.post("/jobs", SMALL)
    assert answer.status == 201
    assert answer.body["status"] == "submitting"
    assert answer.body["account"]["id"] == str(account.pk)
    assert answer.body["name"] == "in.mov"
    assert answer.body["outputs"] == []
    job = Job.objects.get(pk=answer.body["id"])
    assert find_sent_request(job) == JobRequest(
        input="https://media.example.com/in.mov", renditions=(Rendition("mp4", (360,)),)
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("input", "https://media.example.com/in.mov?token=REDACTED"),
        ("destination", "s3://REDACTED@deliveries/"),
        ("metadata", {"note": ["a REDACTED b"]}),
        ("extra", {"notifications": [{"url": "https://REDACTED@hooks.example/"}]}),
    ],
)
def test_a_redacted_value_is_refused_at_its_field(
    operator: ApiClient, account: ProviderAccount, field: str, value: Any
) -> None:
    answer = operator.post("/jobs", SMALL | {field: value})
    assert list(answer.fields) == [field]
    assert "Enter the original value" in answer.fields[field]
    assert not Job.objects.exists()


def test_every_field_reaches_the_request(operator: ApiClient, account: ProviderAccount) -> None:
    whole = {name: value for name, value in WHOLE.items() if name != "test"}
    answer = operator.post("/jobs", whole)
    assert answer.status == 201, answer.body
    assert find_sent_request(Job.objects.get()) == JobRequest(
        input="https://media.example.com/in.mov?token=canary-of-the-input",
        destination="s3://deliveries/spring/",
        renditions=(Rendition("hls", (240, 360)), Rendition("mp4", (720,))),
        thumbnails=Thumbnails(count=5, width=320, formats=("png",)),
        metadata={"order": 7},
        extra={"region": "europe"},
    )
    assert "canary" not in str(answer.body)


def submitted_thumbnails(operator: ApiClient, **asked: Any) -> Thumbnails | None:
    answer = operator.post("/jobs", SMALL | {"thumbnails": asked, "allow_duplicate": True})
    assert answer.status == 201, answer.body
    request = find_sent_request(Job.objects.get(pk=answer.body["id"]))
    assert request is not None
    return request.thumbnails


def test_thumbnails_are_asked_for_at_times_in_formats_and_with_filters(
    operator: ApiClient, account: ProviderAccount
) -> None:
    found = submitted_thumbnails(
        operator,
        timestamps=[0, 2.5, "0:03", "01:02:03.5"],
        formats=["png", "jpg"],
        filters=["none"],
    )
    times = (0, 2.5, 3, 3723.5)
    assert found == Thumbnails(timestamps=times, formats=("png", "jpg"), filters=("none",))


def test_the_single_format_of_an_older_client_still_counts(
    operator: ApiClient, account: ProviderAccount
) -> None:
    asked = submitted_thumbnails(operator, count=2, format="png")
    assert asked == Thumbnails(count=2, formats=("png",))


@pytest.mark.parametrize(
    ("provider", "asked", "field", "sentence"),
    [
        ("zencoder", {"count": 1, "formats": ["jpg", "webp"]}, "formats", "formats: jpg and png"),
        ("zencoder", {"count": 1, "filters": ["none", "blur"]}, "filters", "has no filters"),
        ("zencoder", {"count": 101}, "count", "at most 100"),
        ("videosdk", {"count": 1}, "count", "only takes thumbnails by timestamps"),
        ("videosdk", {"interval_s": 5}, "interval_s", "only takes thumbnails by timestamps"),
        ("videosdk", {"timestamps": [1.5]}, "timestamps", "whole seconds"),
        ("videosdk", {"timestamps": [1], "formats": ["png"]}, "formats", "formats: jpg and webp"),
        ("videosdk", {"timestamps": [1], "width": 320}, "width", "by height only"),
        ("videosdk", {"timestamps": [1], "height": 320}, "height", "720, 1080 and 2160"),
        ("xvid", {"timestamps": [1]}, "timestamps", "only takes thumbnails by count"),
        ("xvid", {"count": 1, "formats": ["jpg"]}, "formats", "determines the format"),
        ("xvid", {"count": 1, "filters": ["blur"]}, "filters", "has no filters"),
        ("xvid", {"count": 1, "height": 90}, "height", "determines the size"),
        ("tpstreams", {"count": 1}, None, "does not create thumbnails"),
    ],
)
def test_thumbnails_that_the_provider_cannot_make_are_refused_at_their_field(
    operator: ApiClient,
    account: ProviderAccount,
    provider: str,
    asked: dict[str, Any],
    field: str | None,
    sentence: str,
) -> None:
    make_account(account.organization, name="other", provider=provider, **OTHERS[provider])
    answer = operator.post("/jobs", SMALL | {"account": "other", "thumbnails": asked})
    assert answer.status == 422
    assert sentence in answer.fields[f"thumbnails.{field}" if field else "thumbnails"]
    assert not Job.objects.exists()


def test_the_account_may_be_given_by_id(operator: ApiClient, account: ProviderAccount) -> None:
    answer = operator.post("/jobs", SMALL | {"account": str(account.pk)})
    assert answer.body["account"]["name"] == "main"


def test_renditions_may_be_left_to_extra(operator: ApiClient, account: ProviderAccount) -> None:
    body = {"account": "main", "input": SMALL["input"], "extra": {"outputs": [{"format": "mp4"}]}}
    assert operator.post("/jobs", body).status == 201


def test_the_same_idempotency_key_makes_one_job(
    operator: ApiClient, account: ProviderAccount
) -> None:
    first = operator.post("/jobs", SMALL, Idempotency_Key="order-7")
    again = operator.post("/jobs", SMALL, Idempotency_Key="order-7")
    other = operator.post("/jobs", SMALL | {"allow_duplicate": True}, Idempotency_Key="order-8")
    assert (first.status, again.status, other.status) == (201, 200, 201)
    assert first.body["id"] == again.body["id"] != other.body["id"]


def test_an_idempotency_key_is_bounded(operator: ApiClient, account: ProviderAccount) -> None:
    assert operator.post("/jobs", SMALL, Idempotency_Key="k" * 255).status == 201
    assert "Idempotency-Key" in operator.post("/jobs", SMALL, Idempotency_Key="k" * 256).fields


def test_a_repeat_is_answered_with_the_job_that_is_there(
    operator: ApiClient, account: ProviderAccount
) -> None:
    first = operator.post("/jobs", SMALL)
    repeat = operator.post("/jobs", SMALL)
    assert (repeat.status, repeat.body["error"]["code"]) == (409, "duplicate")
    assert repeat.body["job"] == {k: v for k, v in first.body.items() if k != "warnings"}
    assert operator.post("/jobs", SMALL | {"allow_duplicate": True}).status == 201
    assert Submission.objects.count() == 2


def test_heights_in_another_order_are_the_same_job(
    operator: ApiClient, account: ProviderAccount
) -> None:
    def send(*renditions: tuple[str, list[int]]) -> int:
        asked = [{"packaging": packaging, "heights": heights} for packaging, heights in renditions]
        return operator.post("/jobs", SMALL | {"renditions": asked}).status

    assert send(("hls", [240, 360]), ("mp4", [720])) == 201
    assert send(("mp4", [720]), ("hls", [360, 240])) == 409
    assert send(("hls", [240]), ("mp4", [720, 360])) == 201


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"account": None}, "account"),
        ({"account": 7}, "account"),
        ({"account": ""}, "account"),
        ({"account": "nobody"}, "account"),
        ({"input": None}, "input"),
        ({"input": ""}, "input"),
        ({"input": "in.mov"}, "input"),
        ({"input": "file:///etc/passwd"}, "input"),
        ({"input": "javascript://x/%0aalert(1)"}, "input"),
        ({"input": "https://"}, "input"),
        ({"input": "https://[::1"}, "input"),
        ({"input": "https://h/a b"}, "input"),
        ({"input": "https://h/a\n"}, "input"),
        ({"input": "https://h/\x00"}, "input"),
        ({"input": "https://h/\x7f"}, "input"),
        ({"input": "https://h/\ud800"}, "input"),
        ({"input": "https://h/" + "x" * 4000}, "input"),
        ({"destination": "ftp"}, "destination"),
        ({"renditions": []}, "renditions"),
        ({"renditions": {}}, "renditions"),
        ({"renditions": [{"packaging": "dash", "heights": [1]}]}, "renditions.0.packaging"),
        ({"renditions": [{"packaging": "mp4"}]}, "renditions.0.heights"),
        ({"renditions": [{"packaging": "mp4", "heights": []}]}, "renditions.0.heights"),
        ({"renditions": [{"packaging": "mp4", "heights": [0]}]}, "renditions.0.heights.0"),
        ({"renditions": [{"packaging": "mp4", "heights": [4321]}]}, "renditions.0.heights.0"),
        ({"renditions": [{"packaging": "mp4", "heights": ["360"]}]}, "renditions.0.heights.0"),
        ({"renditions": [{"packaging": "mp4", "heights": [True]}]}, "renditions.0.heights.0"),
        ({"renditions": [{"packaging": "mp4", "heights": [360, 360]}]}, "renditions.0.heights"),
        ({"renditions": [{"packaging": "mp4", "heights": [1], "x": 1}]}, "renditions.0.x"),
        ({"thumbnails": {"count": 0}}, "thumbnails.count"),
        ({"thumbnails": {"interval_s": -1}}, "thumbnails.interval_s"),
        ({"thumbnails": {"count": 1, "format": "gif"}}, "thumbnails.format"),
        ({"thumbnails": {"count": 1, "formats": ["jpg", "gif"]}}, "thumbnails.formats.1"),
        ({"thumbnails": {"count": 1, "formats": ["jpg", "jpg"]}}, "thumbnails.formats"),
        ({"thumbnails": {"count": 1, "filters": ["sepia"]}}, "thumbnails.filters.0"),
        ({"thumbnails": {"count": 1, "formats": ["jpg"], "format": "png"}}, "thumbnails"),
        ({"thumbnails": {}}, "thumbnails"),
        ({"thumbnails": {"count": 1, "interval_s": 5}}, "thumbnails"),
        ({"thumbnails": {"timestamps": []}}, "thumbnails.timestamps"),
        ({"thumbnails": {"timestamps": [1, "0:01"]}}, "thumbnails.timestamps"),
        ({"thumbnails": {"timestamps": [0, -1]}}, "thumbnails.timestamps.1"),
        ({"thumbnails": {"timestamps": ["1:60"]}}, "thumbnails.timestamps.0"),
        ({"thumbnails": {"timestamps": ["90"]}}, "thumbnails.timestamps.0"),
        ({"thumbnails": {"timestamps": [True]}}, "thumbnails.timestamps.0"),
        ({"thumbnails": {"timestamps": 5}}, "thumbnails.timestamps"),
        ({"thumbnails": {"timestamps": list(range(101))}}, "thumbnails.timestamps"),
        ({"thumbnails": True}, "thumbnails"),
        ({"metadata": "x" * 20_000}, "metadata"),
        ({"metadata": {"\x00": 1}}, "metadata"),
        ({"metadata": ["\ud800"]}, "metadata"),
        ({"extra": []}, "extra"),
        ({"extra": {"a": "x" * 20_000}}, "extra"),
        ({"test": "yes"}, "test"),
        ({"test": 1}, "test"),
        ({"priority": 101}, "priority"),
        ({"priority": -101}, "priority"),
        ({"priority": True}, "priority"),
        ({"allow_duplicate": "false"}, "allow_duplicate"),
        ({"rendition": []}, "rendition"),
    ],
)
def test_what_cannot_be_used_is_told_at_its_field(
    operator: ApiClient, account: ProviderAccount, changes: dict[str, Any], field: str
) -> None:
    body = {name: value for name, value in {**SMALL, **changes}.items() if value is not None}
    assert list(operator.post("/jobs", body).fields) == [field]
    assert not Job.objects.exists()


def test_deep_and_endless_values_are_told_at_their_field(
    operator: ApiClient, account: ProviderAccount
) -> None:
    deep = (
        b'{"account": "main", "input": "https://h/a", "metadata": ' + b"[" * 50 + b"]" * 50 + b"}"
    )
    assert "metadata" in operator.post("/jobs", deep).fields
    endless = b'{"account": "main", "input": "https://h/a", "extra": {"rate": 1e999}}'
    assert "extra" in operator.post("/jobs", endless).fields


@pytest.mark.parametrize(
    "address",
    ["s3+eu-west-1://bucket/a.mov", "sftp://user@h:22/a.mov", "http://h/ü.mov", "gcs://b/a"],
)
def test_addresses_of_the_usual_stores_are_taken(
    operator: ApiClient, account: ProviderAccount, address: str
) -> None:
    assert operator.post("/jobs", SMALL | {"input": address}).status == 201


def test_cancel_is_asked_for_once(operator: ApiClient, account: ProviderAccount) -> None:
    job = make_job(account, status="running")
    for _ in range(2):
        answer = operator.post(f"/jobs/{job.pk}/cancel")
        assert answer.status == 202
        assert answer.body["id"] == str(job.pk)
    action = JobAction.objects.get()
    assert (action.job, action.kind) == (job, "cancel")
    assert action.token is not None


def test_resubmit_tells_what_can_no_longer_be_used(
    operator: ApiClient, account: ProviderAccount
) -> None:
    job = Job.objects.get(pk=operator.post("/jobs", SMALL).body["id"])
    Job.objects.update(status="failed")
    # as sent under an older rule
    request = Submission.objects.get().request | {"metadata": "x" * 300}
    Submission.objects.update(request=request)
    fields = operator.post(f"/jobs/{job.pk}/resubmit").fields
    assert "255 characters" in fields["metadata"]
    assert Job.objects.get() == job


@pytest.mark.parametrize("name", ["ma\x00in", "\x00", "\ud800"])
def test_an_account_that_no_name_can_be_is_not_known(
    operator: ApiClient, account: ProviderAccount, name: str
) -> None:
    assert list(operator.post("/jobs", SMALL | {"account": name}).fields) == ["account"]


def test_a_paused_account_takes_the_job_and_holds_it(
    operator: ApiClient, account: ProviderAccount
) -> None:
    paused = make_account(account.organization, name="paused", enabled=False)
    answer = operator.post("/jobs", SMALL | {"account": "paused"})
    assert (answer.status, answer.body["status"]) == (201, "submitting")
    assert Job.objects.get().account == paused


def test_what_the_provider_decides_by_itself_is_in_the_warnings(
    operator: ApiClient, account: ProviderAccount
) -> None:
    outputs = {"outputs": [{"label": "own", "url": "s3://deliveries/own.mp4"}]}
    body = SMALL | {"destination": "s3://deliveries/", "extra": outputs}
    answer = operator.post("/jobs", body, Idempotency_Key="k")
    assert answer.status == 201
    assert answer.body["warnings"] == [
        "renditions: The outputs in extra replace these.",
        "destination: extra sets this differently, so it is ignored.",
    ]
    again = operator.post("/jobs", body, Idempotency_Key="k")
    assert (again.status, again.body) == (200, answer.body)


def test_what_the_provider_cannot_do_is_refused_at_its_field(
    operator: ApiClient, organization: Organization
) -> None:
    make_account(
        organization,
        name="sdk",
        provider="videosdk",
        base_url="https://api.videosdk.live/v1",
        credentials={"token": "t"},
    )
    body = SMALL | {"account": "sdk", "test": True, "destination": "s3://deliveries/"}
    assert operator.post("/jobs", body).fields.keys() == {"test", "destination"}
    assert not Job.objects.exists()


def test_a_whole_number_may_be_written_as_a_fraction(
    operator: ApiClient, account: ProviderAccount
) -> None:
    body = json.dumps(SMALL | {"thumbnails": {"count": 5, "height": 90}})
    fractions = body.replace("360", "360.0").replace("5", "5.0").replace("90", "9e1")
    answer = operator.post("/jobs", fractions.encode())
    assert answer.status == 201
    sent = find_sent_request(Job.objects.get())
    assert sent
    assert sent.renditions == (Rendition("mp4", (360,)),)
    assert sent.thumbnails == Thumbnails(count=5, height=90)


def test_a_job_for_a_paused_account_is_said_to_be_held(
    operator: ApiClient, account: ProviderAccount
) -> None:
    hold = "The job is held: main is paused. It is sent when the account is resumed."
    # a destination, since without one the provider's own remark is among the warnings
    small = SMALL | {"destination": "s3://deliveries/"}
    assert "warnings" not in operator.post("/jobs", small).body

    ProviderAccount.objects.update(enabled=False)
    again = small | {"allow_duplicate": True}
    answer = operator.post("/jobs", again, Idempotency_Key="k")
    assert answer.body["warnings"] == [hold]
    assert operator.post("/jobs", again, Idempotency_Key="k").body["warnings"] == [hold]

    Job.objects.filter(pk=answer.body["id"]).update(status="failed")
    assert "warnings" not in operator.post("/jobs", again, Idempotency_Key="k").body
    retry = operator.post(f"/jobs/{answer.body['id']}/resubmit", {})
    assert retry.status == 202
    assert retry.body["warnings"] == [hold]
