"""The submit form, its preview, and what comes of sending it."""

import json
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from jobs.models import Job, ProviderAccount, Submission
from jobs.submission.stored_request import load_request
from organizations.models import Organization
from providers.core.types import Thumbnails
from tests.factories import make_organization
from tests.jobs.factories import make_account, make_preset
from tests.markup import without_isolation

NEW = "/o/harbour-studio/jobs/new/"
PREVIEW = f"{NEW}preview/"


@pytest.fixture
def values(account: ProviderAccount) -> dict[str, Any]:
    return {
        "account": account.pk,
        "input": "https://media.example/dawn.mov?token=hunter2-secret",
        "destination": "s3://results/dawn/",
        "hls": ["240", "480"],
        "mp4": ["720"],
        "thumbnails": "3",
        "metadata": '{"ticket": 41}',
        "extra": '{"region": "europe"}',
        "idempotency_key": "made-with-the-form",
    }


def test_a_sent_form_becomes_a_job_and_leads_to_it(
    operator: Client, values: dict[str, Any]
) -> None:
    response = operator.post(NEW, values)
    job = Job.objects.get()
    assert response["Location"] == reverse("jobs:detail", args=["harbour-studio", job.pk])
    assert (job.status, job.submitted_by is not None) == ("submitting", True)
    request = Submission.objects.get().request
    assert request["input"].endswith("hunter2-secret")
    assert request["metadata"] == {"ticket": 41}
    assert request["extra"] == {"region": "europe"}
    assert [one["heights"] for one in request["renditions"]] == [[240, 480], [720]]
    assert "hunter2" not in operator.get(response["Location"]).content.decode()


def test_a_double_click_makes_one_job(operator: Client, values: dict[str, Any]) -> None:
    first, second = operator.post(NEW, values), operator.post(NEW, values)
    assert first["Location"] == second["Location"]
    assert Job.objects.count() == 1


def test_the_same_again_is_asked_about_first(operator: Client, values: dict[str, Any]) -> None:
    operator.post(NEW, values)
    again = values | {"idempotency_key": "of-another-form"}
    response = operator.post(NEW, again)
    assert response.status_code == 422
    assert "in the last 24 hours" in response.content.decode()
    assert Job.objects.count() == 1
    assert operator.post(NEW, again | {"allow_duplicate": "on"}).status_code == 302
    assert Job.objects.count() == 2


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("input", "", "Enter the URL of the source file."),
        ("input", "dawn.mov", "https://"),
        ("extra", "{nope", "This is not JSON"),
        ("extra", "[1]", "Enter a JSON object"),
        ("extra", '{"a": NaN}', "NaN is not JSON"),
        ("extra", '{"a": 1e999}', "infinite numbers"),
        ("extra", "[" * 9000, "nested too deep"),
        ("extra", '{"a": ' * 21 + "1" + "}" * 21, "at most 20 levels"),
        ("extra", '{"a": "' + "x" * 17_000 + '"}', "at most 16384 bytes"),
        ("metadata", "[" * 3999, "nested too deep"),
        ("metadata", "[" * 400 + "]" * 400, "at most 20 levels"),
        ("metadata", '{"a": -Infinity}', "-Infinity is not JSON"),
        ("thumbnails", "101", "Enter a number from 0 to 100."),
        ("thumbnails", "many", "Enter a whole number."),
        ("thumbnails_width", "0", "Enter a number from 1 to 7,680."),
        ("hls", "5000", "Choose heights from 1 to 4,320."),
        ("account", "0", "Choose one of the accounts listed."),
        ("metadata", "x" * 300, "Zencoder stores at most 255 characters"),
    ],
)
def test_a_complaint_is_shown_at_its_field(
    operator: Client, values: dict[str, Any], field: str, value: str, sentence: str
) -> None:
    response = operator.post(NEW, values | {field: value})
    assert response.status_code == 422
    form = response.context["form"]
    assert sentence in str(form.errors[field])
    html = response.content.decode()
    assert sentence in html
    # the browser leads there, and a screen reader reads the sentence with the field
    first = re.search(r"<(?:input|textarea|select)[^>]*\bautofocus\b[^>]*>", html)
    assert first is not None
    assert f'name="{field}"' in first[0]
    assert 'aria-invalid="true"' in first[0]
    assert f'id="id_{field}_error"' in html
    assert re.search(rf'aria-describedby="[^"]*\bid_{field}_error\b', html)
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("by", "text", "expected"),
    [
        ("count", "3", Thumbnails(count=3, formats=("png",))),
        ("count", "0", None),
        ("count", "00", None),
        ("count", " ", None),
        ("interval_s", "2.5", Thumbnails(interval_s=2.5, formats=("png",))),
        ("timestamps", "0:05; 90, 1:02:03", Thumbnails(timestamps=(5, 90, 3723), formats=("png",))),
        ("timestamps", "0", Thumbnails(timestamps=(0,), formats=("png",))),
        ("timestamps", "", None),
        ("interval_s", "1e3", "Enter a number of seconds, up to 24 hours."),
        ("interval_s", "0:05", "Enter a number of seconds, up to 24 hours."),
        ("timestamps", "1:99", "Enter times such as 0:05 or 1:02:30, with commas between them."),
        ("timestamps", "-1", "Enter times such as 0:05 or 1:02:30, with commas between them."),
        ("timestamps", ",".join(map(str, range(101))), "Enter at most 100 times."),
        ("9", "3", "Choose from those listed."),
    ],
)
def test_thumbnails_are_placed_as_chosen(
    operator: Client,
    values: dict[str, Any],
    by: str,
    text: str,
    expected: Thumbnails | str | None,
) -> None:
    asked = {"thumbnails_by": by, "thumbnails": text, "thumbnails_formats": ["png"]}
    response = operator.post(NEW, values | asked)
    if isinstance(expected, str):
        assert expected in str(response.context["form"].errors)
    else:
        assert load_request(Submission.objects.get().request).thumbnails == expected


def test_the_form_offers_the_thumbnails_that_the_provider_makes(
    operator: Client, studio: Organization, values: dict[str, Any]
) -> None:
    video = make_account(studio, provider="videosdk", **OTHERS["videosdk"])
    form = operator.get(NEW, {"account": video.pk}).context["form"]
    offered = {
        name: [value for value, _ in form.fields[name].choices]
        for name in ("thumbnails_by", "thumbnails_formats", "thumbnails_filters", "mp4")
    }
    assert offered == {
        "thumbnails_by": ["timestamps"],
        "thumbnails_formats": ["jpg", "webp"],
        "thumbnails_filters": ["none", "blur"],
        "mp4": [240, 360, 480, 720, 1080, 2160],
    }
    assert form["thumbnails"].value() == "0:00, 0:05, 0:10"
    sent = values | {"account": video.pk, "destination": "", "extra": "", "hls": "2160"}
    sent |= {"thumbnails": "0:03", "thumbnails_height": "2160"}
    sent |= {"thumbnails_formats": ["jpg", "webp"], "thumbnails_filters": ["none", "blur"]}
    body = json.loads(operator.post(PREVIEW, sent).context["body"])
    assert body["presets"][0]["resolutions"] == ["4k"]
    (entry,) = body["thumbnails"]
    assert entry["formats"] == ["jpg", "webp"]
    assert entry["filters"] == ["none", "blur"]
    assert (entry["timestamp"], entry["resolutions"]) == ("00:00:03", ["4K"])


def test_what_thumbnails_meant_at_another_account_is_not_taken_over(
    operator: Client, studio: Organization, values: dict[str, Any]
) -> None:
    video = make_account(studio, provider="videosdk", **OTHERS["videosdk"])
    typed = {"thumbnails_by": "count", "thumbnails": "6", "thumbnails_formats": ["png"]}
    chosen = values | typed | {"account": video.pk, "choose": "yes"}
    form = operator.post(NEW, chosen).context["form"]
    names = ("thumbnails_by", "thumbnails", "thumbnails_formats")
    assert [form[name].value() for name in names] == ["timestamps", "0:00, 0:05, 0:10", ["jpg"]]
    form = operator.post(NEW, chosen | {"thumbnails": ""}).context["form"]
    assert form["thumbnails"].value() == ""


def test_a_key_that_no_form_of_ours_had_is_refused(
    operator: Client, values: dict[str, Any]
) -> None:
    response = operator.post(NEW, values | {"idempotency_key": "\u0663"})
    assert response.status_code == 422
    assert not Job.objects.exists()


def test_text_that_only_begins_like_json_is_metadata(
    operator: Client, values: dict[str, Any]
) -> None:
    operator.post(NEW, values | {"metadata": "[draft] NaN"})
    assert Submission.objects.get().request["metadata"] == "[draft] NaN"


def test_what_was_typed_survives_a_refusal(operator: Client, values: dict[str, Any]) -> None:
    html = operator.post(NEW, values | {"extra": "{nope"}).content.decode()
    assert "{nope" in html
    assert "s3://results/dawn/" in html


def test_an_account_of_another_organization_cannot_be_chosen(
    operator: Client, values: dict[str, Any]
) -> None:
    foreign = make_account(make_organization())
    response = operator.post(NEW, values | {"account": foreign.pk})
    assert "account" in response.context["form"].errors


def test_the_preview_is_the_providers_body_without_secrets(
    operator: Client, values: dict[str, Any]
) -> None:
    response = operator.post(PREVIEW, values)
    body = json.loads(response.context["body"])
    assert body["region"] == "europe"
    assert len(body["outputs"]) >= 3
    assert "hunter2" not in response.content.decode()
    assert "<mark>REDACTED</mark>" in response.content.decode()
    assert not Job.objects.exists()


def test_the_preview_of_an_unfinished_form_waits(operator: Client, values: dict[str, Any]) -> None:
    response = operator.post(PREVIEW, values | {"input": ""})
    assert response.status_code == 200
    assert "Enter a source file" in response.content.decode()


def test_what_the_provider_decides_by_itself_is_reported(
    operator: Client, values: dict[str, Any]
) -> None:
    html = operator.post(PREVIEW, values | {"destination": ""}).content.decode()
    assert "keeps the files for 24 hours" in html


def test_a_job_can_be_taken_as_the_draft_of_the_next(
    operator: Client, viewer: Client, values: dict[str, Any]
) -> None:
    operator.post(NEW, values)
    job = Job.objects.get()
    response = operator.get(f"{NEW}?from={job.pk}")
    form = response.context["form"]
    assert form["hls"].value() == [240, 480]
    assert json.loads(form["extra"].value()) == {"region": "europe"}
    assert viewer.get(f"{NEW}?from={job.pk}").status_code == 403

    sent = values | {"retry_of": job.pk, "input": "https://media.example/dusk.mov"}
    operator.post(NEW, sent | {"idempotency_key": "the-next"})
    assert Job.objects.latest("pk").retry_of == job


@pytest.mark.parametrize("given", ["x", "-1", "9" * 30, "٣"])
def test_a_draft_that_is_no_job_is_not_found(operator: Client, account: Any, given: str) -> None:
    assert operator.get(NEW, {"from": given}).status_code == 404


def test_a_draft_of_another_organization_is_not_found(
    operator: Client, account: ProviderAccount, foreign_job: Job
) -> None:
    assert operator.get(NEW, {"from": foreign_job.pk}).status_code == 404


def test_without_an_account_the_page_says_what_is_missing(
    operator: Client, studio: Organization
) -> None:
    assert "No account supports submission yet" in operator.get(NEW).content.decode()


OTHERS: dict[str, dict[str, Any]] = {
    "videosdk": {"credentials": {"api_key": "k", "secret": "s"}},
    "tpstreams": {"credentials": {"token": "t"}, "options": {"organization_id": "6dnpyx"}},
    "xvid": {
        "credentials": {"client_id": "c", "client_secret": "s"},
        "options": {"pipeline_id": "p"},
    },
}


@pytest.mark.parametrize(
    ("provider", "absent", "present"),
    [
        ("zencoder", {"presets", "thumbnails_filters"}, {"hls", "mp4", "test", "priority"}),
        ("videosdk", {"destination", "test", "presets", "thumbnails_width"}, {"mp4", "thumbnails"}),
        ("tpstreams", {"thumbnails", "mp4", "test", "presets"}, {"hls", "destination"}),
        ("xvid", {"hls", "mp4", "test", "thumbnails_formats"}, {"presets", "thumbnails"}),
    ],
)
def test_fields_without_a_meaning_at_the_provider_are_absent(
    operator: Client, studio: Organization, provider: str, absent: set[str], present: set[str]
) -> None:
    other = make_account(studio, provider=provider, **OTHERS.get(provider, {}))
    form = operator.get(NEW, {"account": other.pk}).context["form"]
    assert not absent & set(form.fields)
    assert present <= set(form.fields)


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_another_account_brings_its_fields_and_keeps_what_was_typed(
    operator: Client, studio: Organization, values: dict[str, Any], headers: dict[str, str]
) -> None:
    other = make_account(studio, provider="tpstreams", **OTHERS["tpstreams"])
    chosen = values | {"account": other.pk, "choose": "yes"}
    response = operator.post(NEW, chosen, headers=headers)
    html = response.content.decode()
    assert response.status_code == 200
    assert ("<html" in html) == (not headers)
    assert "Heights" in html
    assert "hunter2-secret" in html
    assert response.context["form"]["hls"].value() == ["240", "480"]
    assert not Job.objects.exists()


def test_fields_of_another_account_are_shown_anew_and_not_sent(
    operator: Client, studio: Organization, account: ProviderAccount, values: dict[str, Any]
) -> None:
    other = make_account(studio, provider="tpstreams", **OTHERS["tpstreams"])
    sent = values | {"account": other.pk, "fields_of": account.pk}
    response = operator.post(NEW, sent)
    assert response.status_code == 200
    sentence = f"Not submitted yet: the form now shows the fields for {other.name}."
    assert sentence in without_isolation(response.content.decode())
    assert operator.post(PREVIEW, sent).status_code == 204
    assert not Job.objects.exists()


def test_the_presets_of_the_account_are_offered_and_sent(
    operator: Client, studio: Organization, values: dict[str, Any]
) -> None:
    xvid = make_account(studio, provider="xvid", **OTHERS["xvid"])
    for remote_id, name in (("65f0", "House 360p"), ("65f1", "House 720p")):
        make_preset(xvid, remote_id=remote_id, name=name)
    html = operator.get(NEW, {"account": xvid.pk}).content.decode()
    assert "House 360p" in html
    sent = values | {"account": xvid.pk, "presets": ["65f1"], "extra": "", "destination": "dawn/"}
    response = operator.post(NEW, sent)
    assert response.status_code == 302
    assert Submission.objects.get().request["extra"] == {"presets": ["65f1"]}

    draft = operator.get(NEW, {"from": Job.objects.get().pk}).context["form"]
    assert (draft["presets"].value(), draft["extra"].value()) == (["65f1"], "")

    refused = operator.post(NEW, sent | {"presets": [], "idempotency_key": "next"})
    assert "Choose at least one preset." in str(refused.context["form"].errors["presets"])


def test_what_a_provider_says_is_shown_at_its_field(
    operator: Client, studio: Organization, values: dict[str, Any]
) -> None:
    tpstreams = make_account(studio, provider="tpstreams", **OTHERS["tpstreams"])
    sent = values | {"account": tpstreams.pk, "destination": ""}
    response = operator.post(PREVIEW, sent)
    form, html = response.context["form"], response.content.decode()
    assert [note.blocking for note in form.notes["destination"]] == [True]
    assert 'id="id_destination_notes"' in html
    assert [(one.label, one.is_left_out) for one in form.deviations] == [("Renditions", False)]
    assert "Not sent as entered" in html
    assert "TPStreams chooses the packaging itself." in html
    refused = operator.post(NEW, sent)
    assert "s3 URL" in str(refused.context["form"].errors["destination"])


def test_a_video_of_the_provider_is_named_by_its_id(
    operator: Client, studio: Organization, values: dict[str, Any]
) -> None:
    video = make_account(studio, provider="videosdk", **OTHERS["videosdk"])
    sent = values | {"account": video.pk, "input": "6b0248895b0c00008f0d1802"}
    sent |= {"thumbnails": "0:02", "extra": ""}
    assert operator.post(NEW, sent).status_code == 302
    assert Submission.objects.get().request["input"] == "6b0248895b0c00008f0d1802"


def test_the_account_defaults_to_the_one_that_this_person_used_last(
    operator: Client, manager: Client, studio: Organization, values: dict[str, Any]
) -> None:
    last = make_account(studio, name="Zencoder second")
    make_account(studio, name="A first by name")
    operator.post(NEW, values | {"account": last.pk})
    manager.post(NEW, values | {"idempotency_key": "of-a-colleague"})

    assert operator.get(NEW).context["form"].chosen == last
    assert manager.get(NEW).context["form"].chosen.pk == values["account"]
    asked = operator.get(NEW, {"account": values["account"]})
    assert asked.context["form"].chosen.pk == values["account"]


def test_a_form_sent_by_htmx_leads_to_the_job_or_comes_back_with_its_errors(
    operator: Client, values: dict[str, Any]
) -> None:
    headers = {"HX-Request": "true"}
    wrong = operator.post(NEW, values | {"input": ""}, headers=headers)
    html = wrong.content.decode()
    assert wrong.status_code == 422
    assert html.lstrip().startswith('<div id="job-form-area"')
    assert "Enter the URL of the source file." in html

    response = operator.post(NEW, values, headers=headers)
    assert response["HX-Redirect"] == reverse(
        "jobs:detail", args=["harbour-studio", Job.objects.get().pk]
    )


@pytest.mark.parametrize(
    ("provider", "field", "sentence"),
    [
        ("zencoder", "hls", "Choose at least one height."),
        ("xvid", "presets", "Choose at least one preset."),
        ("videosdk", "hls", "Choose at least one height."),
        ("tpstreams", "hls", "Choose at least one height."),
    ],
)
@pytest.mark.parametrize("more", [{}, {"input": ""}, {"thumbnails": "0", "destination": ""}])
def test_nothing_chosen_is_said_as_a_choice_to_make(
    operator: Client,
    studio: Organization,
    values: dict[str, Any],
    provider: str,
    field: str,
    sentence: str,
    more: dict[str, str],
) -> None:
    other = make_account(studio, provider=provider, **OTHERS.get(provider, {}))
    make_preset(other)
    sent = values | {"account": other.pk, "hls": [], "mp4": [], "extra": ""} | more
    response = operator.post(NEW, sent)
    assert response.status_code == 422
    form = response.context["form"]
    assert form.errors[field] == [sentence]
    html = response.content.decode()
    assert f'id="id_{field}_error"' in html
    focused = re.findall(r'<[^>]*name="(\w+)"[^>]*\bautofocus\b', html)
    assert focused[0] == next(name for name in form.fields if name in form.errors)
    assert not Job.objects.exists()


def test_all_that_is_wrong_is_said_at_once_with_the_focus_on_the_first(
    operator: Client, studio: Organization, values: dict[str, Any]
) -> None:
    xvid = make_account(studio, provider="xvid", **OTHERS["xvid"])
    make_preset(xvid)
    sent = values | {"account": xvid.pk, "input": "", "extra": "", "thumbnails": "-1"}
    response = operator.post(NEW, sent)
    assert set(response.context["form"].errors) == {"input", "presets", "thumbnails"}
    focused = re.findall(r'<[^>]*name="(\w+)"[^>]*\bautofocus\b', response.content.decode())
    assert focused == ["input"]


def test_a_job_for_a_paused_account_is_said_to_be_held(
    operator: Client, account: ProviderAccount, values: dict[str, Any]
) -> None:
    ProviderAccount.objects.update(enabled=False)
    html = operator.get(NEW).content.decode()
    assert "This job will be on hold" in html
    assert "Submit and hold" in html

    html = operator.post(NEW, values, follow=True).content.decode()
    assert f"The job is held: {account.name} is paused." in html
    assert f"<strong>On hold:</strong> <bdi>{account.name}</bdi> is paused." in html
    assert "being sent" not in html
