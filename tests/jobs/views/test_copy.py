"""A job as the start of the next one: its secrets stay stored, and gaps are named."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from jobs.models import Job, JobSecret, ProviderAccount, Submission
from jobs.submission.service import submit
from jobs.submission.stored_request import dump_request, load_request
from organizations.models import Organization
from providers.core.status import JobStatus
from providers.core.types import JobRequest, OutputKind, Rendition, Thumbnails
from tests.jobs.factories import NOON, make_account, make_job, make_output, make_preset

NEW = "/o/harbour-studio/jobs/new/"
INPUT = "https://media.example/dawn.mov?token=hunter2-secret"
SIGNED = (
    "https://media.example/dawn.mov?X-Amz-Date={date}T000000Z&X-Amz-Expires=3600"
    "&X-Amz-Signature=hunter2-secret"
)
REQUEST = JobRequest(
    input=INPUT,
    destination="s3://user:hunter2-secret@results/dawn/",
    renditions=(Rendition("hls", (144, 240)), Rendition("mp4", (720,))),
    metadata={"ticket": 41, "api_key": "hunter2-secret"},
    extra={
        "region": "europe",
        "notifications": [{"url": "https://a:hunter2-secret@hooks.example/"}, "b@media.example"],
    },
)


def copy(job: Job, client: Client, way: str = "from") -> dict[str, Any]:
    """What a browser would send of the form as it comes."""
    response = client.get(f"{NEW}?{way}={job.pk}")
    assert response.status_code == 200
    assert "hunter2" not in response.content.decode()
    form = response.context["form"]
    values = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in values.items() if value not in (None, False)}


def submit_one(account: ProviderAccount, request: JobRequest = REQUEST) -> Job:
    job = submit(organization=account.organization, account=account, request=request).job
    Job.objects.filter(pk=job.pk).update(status=JobStatus.FAILED)
    return job


def newest() -> dict[str, Any]:
    stored: dict[str, Any] = Submission.objects.latest("pk").request
    return stored


@pytest.mark.parametrize("way", ["from", "duplicate"])
def test_what_is_left_as_shown_is_sent_with_the_stored_secrets(
    operator: Client, account: ProviderAccount, way: str
) -> None:
    job = submit_one(account)
    values = copy(job, operator, way)
    html = operator.get(f"{NEW}?{way}={job.pk}").content.decode()
    assert html.count("The stored link is used.") == 2
    assert "The stored secret values are used." in html

    response = operator.post(NEW, values | {"hls": [240]})
    assert response.status_code == 302
    sent, before = newest(), Submission.objects.get(pk=job.pk).request
    assert {name: sent[name] for name in ("input", "destination", "metadata", "extra")} == {
        name: before[name] for name in ("input", "destination", "metadata", "extra")
    }
    assert sent["renditions"][0]["heights"] == [240]
    assert Job.objects.latest("pk").retry_of == (job if way == "from" else None)


def test_a_part_of_the_settings_can_be_changed_beside_a_stored_secret(
    operator: Client, account: ProviderAccount
) -> None:
    values = copy(submit_one(account), operator)
    extra = json.loads(values["extra"])
    extra["region"] = "asia"
    extra["notifications"].reverse()
    extra["notifications"].append("c@media.example")
    response = operator.post(NEW, values | {"extra": json.dumps(extra)})
    assert response.status_code == 302
    assert newest()["extra"] == {
        "region": "asia",
        "notifications": [
            "b@media.example",
            {"url": "https://a:hunter2-secret@hooks.example/"},
            "c@media.example",
        ],
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("input", "https://media.example/dusk.mov?token=REDACTED"),
        ("destination", "s3://REDACTED@results/dusk/"),
        ("metadata", '{"note": "see https://a.example/?sig=REDACTED"}'),
        ("metadata", "REDACTED"),
        ("extra", '{"region": "europe", "REDACTED": 1}'),
        ("extra", '{"notifications": [{"url": "https://REDACTED@elsewhere.example/"}]}'),
    ],
)
@pytest.mark.parametrize("is_copy", [True, False])
def test_a_redacted_value_is_refused_at_its_field(
    operator: Client, account: ProviderAccount, field: str, value: str, is_copy: bool
) -> None:
    values = {"account": account.pk, "input": "s3://footage/dawn.mov", "idempotency_key": "k"}
    if is_copy:
        values = copy(submit_one(account), operator)
    count = Submission.objects.count()
    response = operator.post(NEW, values | {field: value})
    assert response.status_code == 422
    assert "Enter the original value." in str(response.context["form"].errors[field])
    assert Submission.objects.count() == count


def test_an_expired_stored_link_is_named_before_anything_is_sent(
    operator: Client, account: ProviderAccount
) -> None:
    job = submit_one(account, replace(REQUEST, input=SIGNED.format(date="20200229")))
    sentence = "The stored link expired on 2020-02-29 01:00 UTC. Enter a new one."
    assert sentence in operator.get(f"{NEW}?from={job.pk}").content.decode()
    page = operator.get(NEW.replace("new", str(job.pk))).content.decode()
    # in the question that scripts ask, and beside the button that asks none without them
    assert page.count("The link to the source file expired at") == 2
    (unscripted,) = re.findall("<noscript>(.*?)</noscript>", page, re.S)
    assert "The link to the source file expired at" in unscripted
    assert f"?from={job.pk}" in unscripted
    values = copy(job, operator)
    response = operator.post(NEW, values)
    assert response.context["form"].errors["input"] == [sentence]
    assert Submission.objects.count() == 1

    fresh = SIGNED.format(date="29990101")
    assert operator.post(NEW, values | {"input": fresh}).status_code == 302
    assert newest()["input"] == fresh


def test_a_lost_key_is_named_and_nothing_redacted_is_sent(
    operator: Client, account: ProviderAccount, settings: Settings
) -> None:
    job = submit_one(account)
    other = make_job(account, input_url="https://media.example/a.mov?token=REDACTED")
    JobSecret.objects.create(job=other, input_url="https://media.example/a.mov?token=hunter2")
    settings.CREDENTIALS_KEYS = ["another-key-that-is-long-enough-for-it"]
    for one in (job, other):
        html = operator.get(f"{NEW}?duplicate={one.pk}").content.decode()
        assert "CREDENTIALS_KEYS has no key that decrypts them" in html
        assert "token=REDACTED" in html
    response = operator.post(NEW, copy(job, operator, "duplicate"))
    assert "Enter the original value." in str(response.context["form"].errors["input"])


def test_a_source_of_another_organization_gives_no_secret(
    operator: Client, account: ProviderAccount, foreign_job: Job
) -> None:
    job = submit_one(foreign_job.account)
    values = {"account": account.pk, "idempotency_key": "k", "copied_from": job.pk}
    response = operator.post(NEW, values | {"input": INPUT.replace("hunter2-secret", "REDACTED")})
    assert response.status_code == 422
    assert Submission.objects.count() == 1


REBUILT: dict[str, tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any]]] = {
    "zencoder": (
        {},
        [
            {"label": "hls-240p", "format": "mpeg-ts", "height": 240},
            {"label": "web", "format": "mpeg4", "height": 718},
            {"label": "hls", "kind": OutputKind.PLAYLIST, "format": "m3u8", "height": None},
            {"label": "sound", "kind": OutputKind.AUDIO, "format": "aac", "height": None},
            {"label": "picture", "kind": OutputKind.IMAGE, "format": "png"},
        ],
        {"hls": [240], "mp4": [718], "thumbnails": "1", "thumbnails_formats": ["png"]},
    ),
    "videosdk": (
        {"credentials": {"api_key": "k", "secret": "s"}},
        [
            {"label": "480p", "kind": OutputKind.PLAYLIST, "preset_name": "HLS 360p, 480p"},
            {"label": "1080p", "format": "mp4", "height": 1072, "preset_name": "MP4 1080p"},
        ],
        {"hls": [360, 480], "mp4": [1080]},
    ),
    "tpstreams": (
        {"credentials": {"token": "t"}, "options": {"organization_id": "6dnpyx"}},
        [{"label": "360p", "format": "", "height": None}, {"label": "720p", "height": 720}],
        {"hls": [360, 720]},
    ),
    "xvid": (
        {
            "credentials": {"client_id": "c", "client_secret": "s"},
            "options": {"pipeline_id": "p"},
        },
        [{"label": "a", "preset_name": "House 360p"}, {"label": "b"}],
        {"presets": ["id-of-House 360p"]},
    ),
}
MISSING = {
    "zencoder": ["Destination", "Output sound (audio)"],
    "videosdk": ["Codecs, bitrates and other output settings"],
    "tpstreams": ["Destination"],
    "xvid": ["Destination", "Preset of output b"],
}


@pytest.mark.parametrize("status", [JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED])
@pytest.mark.parametrize("provider", REBUILT)
def test_a_job_of_elsewhere_is_rebuilt_from_the_mirror_and_its_gaps_are_listed(
    operator: Client, studio: Organization, provider: str, status: JobStatus
) -> None:
    fields, outputs, expected = REBUILT[provider]
    account = make_account(studio, provider=provider, name="of the job", **fields)
    job = make_job(
        account,
        status=status,
        input_url=INPUT.replace("hunter2-secret", "REDACTED"),
        metadata={"ticket": 41},
        gone_at=NOON if status == JobStatus.CANCELLED else None,
    )
    JobSecret.objects.create(job=job, input_url=INPUT)
    for output in outputs:
        columns = dict(output)
        name = columns.pop("preset_name", "")
        if name:
            columns["preset"] = make_preset(account, name=name, remote_id=f"id-of-{name}")
        make_output(job, **columns)

    link = f"{NEW}?duplicate={job.pk}"
    assert f'href="{link}"' in operator.get(NEW.replace("new", str(job.pk))).content.decode()
    response = operator.get(link)
    form = response.context["form"]
    assert form.chosen == account
    assert json.loads(form["metadata"].value()) == {"ticket": 41}
    assert {name: form[name].value() for name in expected} == expected
    html = response.content.decode()
    for part in MISSING[provider]:
        assert f"<li><bdi>{part}</bdi></li>" in html

    values = copy(job, operator, "duplicate")
    if provider == "tpstreams":
        values["destination"] = "s3://results/"
    response = operator.post(NEW, values)
    assert response.status_code == 302, response.context["form"].errors
    assert newest()["input"] == INPUT
    assert Job.objects.latest("pk").retry_of is None


@pytest.mark.parametrize(
    ("provider", "asked", "typed"),
    [
        ("zencoder", Thumbnails(interval_s=2.5, width=320, height=180, formats=("png",)), "2.5"),
        (
            "zencoder",
            Thumbnails(timestamps=(0, 1.25, 90), formats=("jpg", "png")),
            "0:00, 1.25, 1:30",
        ),
        (
            "videosdk",
            Thumbnails(
                timestamps=(5, 3723),
                formats=("jpg", "webp"),
                filters=("none", "blur"),
                height=2160,
            ),
            "0:05, 1:02:03",
        ),
    ],
)
def test_thumbnails_are_copied_as_they_were_asked_for(
    operator: Client, studio: Organization, provider: str, asked: Thumbnails, typed: str
) -> None:
    account = make_account(studio, provider=provider, **REBUILT[provider][0])
    request = JobRequest(INPUT, renditions=(Rendition("mp4", (2160,)),), thumbnails=asked)
    job = submit_one(account, request)
    values = copy(job, operator)
    assert values["thumbnails"] == typed
    assert operator.post(NEW, values).status_code == 302
    assert load_request(newest()).thumbnails == asked


def test_an_older_request_for_thumbnails_is_read(account: ProviderAccount) -> None:
    stored = dump_request(REQUEST)
    older = {"count": 3, "interval_s": 2, "width": None, "height": 90, "format": "png"}
    expected = Thumbnails(timestamps=(0, 2, 4), height=90, formats=("png",))
    assert load_request(stored | {"thumbnails": older}).thumbnails == expected


def test_a_retry_with_changes_waits_for_one_that_has_not_ended(
    operator: Client, account: ProviderAccount
) -> None:
    job = submit_one(account)
    values = copy(job, operator)
    first = operator.post(NEW, values | {"hls": [240]})
    assert first.status_code == 302
    retry = Job.objects.latest("pk")
    # a double click leads to the same
    assert operator.post(NEW, values | {"hls": [240]})["Location"] == first["Location"]

    other = values | {"hls": [360], "idempotency_key": "of-another-form"}
    response = operator.post(NEW, other)
    assert response.status_code == 422
    html = response.content.decode()
    assert "is already being retried" in html
    assert f"/jobs/{retry.pk}/" in html
    assert operator.post(NEW, other | {"allow_duplicate": "on"}).status_code == 302
    assert Job.objects.filter(retry_of=job).count() == 2
