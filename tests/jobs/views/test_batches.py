"""Batches on the site: checking inputs, submitting them, watching, stopping."""

import csv
import io
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from jobs.batches.worker import run_batch
from jobs.models import Batch, Job, ProviderAccount
from jobs.submission.templates.service import create_template
from jobs.submission.templates.settings import settings_of
from organizations.models import AuditEntry, Organization, User
from providers.core.types import JobRequest, Rendition
from tests.jobs.factories import make_batch, make_job
from tests.jobs.views.test_bulk import text_of

pytestmark = pytest.mark.django_db

BATCHES = "/o/harbour-studio/batches/"
NEW = f"{BATCHES}new/"
CSV = (
    "name;input;metadata.reel;mp4\r\n"
    '"Reel; 1";s3://a/1.mov;1;\r\n'
    "Reel 2;no url;2;\r\n"
    "Reel 3;s3://a/3.mov?token=hunter2;3;1080\r\n"
    "Reel 4;s3://a/1.mov;4;\r\n"
    "Reel 5;s3://a/5.mov\r\n"
)


def fields(account: ProviderAccount, **changes: Any) -> dict[str, Any]:
    usual = {"account": account.pk, "name": "reels", "mp4": ["720"], "idempotency_key": "one"}
    return {**usual, "inputs": "s3://a/1.mov\ns3://a/2.mov", **changes}


def left_out(page: str) -> str:
    found = re.search(r'name="left_out" value="([^"]*)"', page)
    return found[1] if found else ""


def test_pasted_lines_are_checked_and_then_submitted(
    operator: Client, account: ProviderAccount
) -> None:
    assert "Check the inputs" in text_of(operator.get(NEW))
    page = operator.post(NEW, fields(account, check="yes")).content.decode()
    assert "Submit 2 jobs" in page
    assert not Batch.objects.exists()
    sent = fields(account, submit="yes", left_out=left_out(page))
    urls = {operator.post(NEW, sent)["Location"] for _ in range(2)}
    batch = Batch.objects.get()
    assert urls == {f"{BATCHES}{batch.pk}/"}
    assert (batch.name, batch.total, batch.account) == ("reels", 2, account)
    run_batch(batch.pk)
    assert list(Job.objects.values_list("name", flat=True)) == ["1.mov", "2.mov"]


def test_bad_lines_of_a_file_are_marked_left_out_and_downloaded(
    operator: Client, account: ProviderAccount
) -> None:
    def upload() -> SimpleUploadedFile:
        return SimpleUploadedFile("reels.csv", CSV.encode("utf-8-sig"))

    response = operator.post(NEW, fields(account, file=upload(), check="yes"))
    page, text = response.content.decode(), text_of(response)
    assert "Jobs 2 Left out, with a problem 2 Left out, duplicate 1" in text
    assert "5 The same input and settings as line 2." in text
    assert "6 2 columns instead of 4." in text
    assert left_out(page) == "3,5,6"
    typed = response.context["form"]["inputs"].value()
    assert "Reel; 1" in typed
    rows = operator.post(NEW, fields(account, inputs=typed, download="yes"))
    found = list(csv.reader(io.StringIO(rows.getvalue().decode("utf-8-sig"))))
    assert found[0] == ["line", "problem", "name", "input", "metadata.reel", "mp4"]
    assert [row[0] for row in found[1:]] == ["3", "5", "6"]
    # what was not seen is not submitted
    page = operator.post(NEW, fields(account, inputs=typed, submit="yes")).content.decode()
    assert not Batch.objects.exists()
    operator.post(NEW, fields(account, inputs=typed, submit="yes", left_out=left_out(page)))
    batch = Batch.objects.get()
    assert list(batch.inputs.values_list("name", flat=True)) == ["Reel; 1", "Reel 3"]
    run_batch(batch.pk)
    second = Job.objects.get(name="Reel 3")
    assert second.metadata == {"reel": "3"}
    assert second.request
    assert second.request["renditions"] == [{"packaging": "mp4", "heights": [1080]}]
    assert "hunter2" not in operator.get(f"{BATCHES}{batch.pk}/?show=unsent").content.decode()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"inputs": ""}, "Enter at least one input."),
        ({"inputs": "name,url\na,b"}, "no column “input”"),
        ({"name": ""}, "Enter a name."),
        ({"name": "taken"}, "Another batch has this name."),
        ({"mp4": []}, "Choose at least one height."),
        ({"extra": "{"}, "This is not JSON"),
    ],
)
def test_what_is_wrong_with_the_form_is_said_at_its_field(
    operator: Client, account: ProviderAccount, changes: dict[str, Any], message: str
) -> None:
    make_batch(account, name="taken")
    response = operator.post(NEW, fields(account, submit="yes", **changes))
    assert response.status_code == 422
    assert message in text_of(response)
    assert Batch.objects.count() == 1


def test_a_template_says_how_the_jobs_are_encoded(
    operator: Client, account: ProviderAccount, studio: Organization
) -> None:
    request = JobRequest("", renditions=(Rendition("hls", (360,)),))
    user = User.objects.first()
    assert user
    version = create_template(studio, "Episodes", settings_of(request, "zencoder"), user)
    chosen = {"template": version.template_id, "choose": "yes"}
    page = operator.post(NEW, fields(account, **chosen)).content.decode()
    assert "Settings of all jobs" not in page
    sent = fields(account, template=version.template_id, submit="yes", left_out="")
    operator.post(NEW, sent)
    batch = Batch.objects.get()
    run_batch(batch.pk)
    job = Job.objects.order_by("pk")[0]
    assert job.request
    assert job.request["renditions"] == [{"packaging": "hls", "heights": [360]}]
    assert (job.template_version, batch.template_version) == (version, version)
    assert "Template Episodes , version 1" in text_of(operator.get(f"{BATCHES}{batch.pk}/"))


def test_a_batch_page_says_how_far_it_is_and_leads_on(
    operator: Client, account: ProviderAccount
) -> None:
    batch = make_batch(account, name="night", total=5, submitted=4, refused=1)
    failed = make_job(account, batch=batch, status="failed", name="odd.mov")
    for status in ("succeeded", "succeeded", "running"):
        make_job(account, batch=batch, status=status)
    batch.inputs.create(position=5, url="s3://a/5.mov", outcome="refused", reason="Not readable.")
    url = f"{BATCHES}{batch.pk}/"
    text = text_of(operator.get(url))
    assert "2 of 5 succeeded 2 failed 1 left" in text
    assert "odd.mov" in text
    assert "odd.mov" not in text_of(operator.get(f"{url}?show=succeeded"))
    assert "s3://a/5.mov Refused Not readable." in text_of(operator.get(f"{url}?show=unsent"))
    page = operator.get(url).content.decode()
    retry = re.search(r'href="([^"]*action=resubmit[^"]*)"', page)
    assert retry
    assert "Retry 1 of 1 job?" in text_of(operator.get(retry[1].replace("&amp;", "&")))
    listed = text_of(operator.get(f"/o/harbour-studio/jobs/?batch={batch.pk}"))
    assert "night Running 2 of 5 succeeded 2 failed 1 left" in listed
    assert f"#{failed.pk}" in listed
    assert "night" in text_of(operator.get(BATCHES))


def test_failures_of_a_batch_are_counted_by_cause_as_the_list_counts_them(
    operator: Client, account: ProviderAccount
) -> None:
    batch, other = make_batch(account, total=4), make_batch(account, total=1)
    classes = ("input.not_found", "input.not_found", "output.access_denied", "")
    for name in classes:
        make_job(account, status="failed" if name else "succeeded", error_class=name, batch=batch)
    make_job(account, status="failed", error_class="quota.plan", batch=other)
    page = operator.get(f"{BATCHES}{batch.pk}/")
    causes = page.context["causes"]
    assert [(one.title, one.jobs) for one in causes] == [
        ("Source not found", 2), ("Destination access denied", 1),
    ]  # fmt: skip
    for one in causes:
        assert len(operator.get(one.url).context["page"].rows) == one.jobs
    clean = make_batch(account, total=0)
    assert "Failures by cause" not in text_of(operator.get(f"{BATCHES}{clean.pk}/"))


def test_a_batch_is_stopped_and_the_rest_submitted(
    operator: Client, account: ProviderAccount
) -> None:
    operator.post(NEW, fields(account, submit="yes", left_out=""))
    batch = Batch.objects.get()
    url = f"{BATCHES}{batch.pk}/"
    assert "Stop submitting" in text_of(operator.get(url))
    assert "What has not been submitted stays" in text_of(operator.post(f"{url}stop/", follow=True))
    run_batch(batch.pk)
    assert not Job.objects.exists()
    assert "Submit the rest, 2" in text_of(operator.get(url))
    operator.post(f"{url}resume/")
    run_batch(batch.pk)
    assert Job.objects.count() == 2
    assert "All of its inputs" in text_of(operator.post(f"{url}stop/", follow=True))
    actions = AuditEntry.objects.filter(target_kind="batch").order_by("pk")
    assert list(actions.values_list("action", flat=True)) == [
        "batch.started", "batch.stopped", "batch.resumed"
    ]  # fmt: skip


def test_a_viewer_reads_and_starts_nothing(viewer: Client, account: ProviderAccount) -> None:
    batch = make_batch(account, state="stopped", total=1)
    page = viewer.get(f"{BATCHES}{batch.pk}/").content.decode()
    assert "Submit the rest" not in page
    assert "New batch" not in viewer.get(BATCHES).content.decode()
    assert viewer.get(NEW).status_code == 403
    for action in ("stop", "resume"):
        assert viewer.post(f"{BATCHES}{batch.pk}/{action}/").status_code == 403
    batch.refresh_from_db()
    assert batch.state == "stopped"


def test_pages_of_batches_cost_the_same_however_many_jobs_there_are(
    viewer: Client, account: ProviderAccount
) -> None:
    batch = make_batch(account, total=2)
    make_job(account, batch=batch)
    urls = (f"{BATCHES}{batch.pk}/", BATCHES)
    counts = []
    for _ in range(2):
        for url in urls:
            viewer.get(url)
        found = []
        for url in urls:
            with CaptureQueriesContext(connection) as queries:
                viewer.get(url)
            found.append(len(queries))
        counts.append(found)
        for _ in range(5):
            make_job(account, batch=batch)
            make_batch(account)
    assert counts[0] == counts[1]
