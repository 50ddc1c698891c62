"""A row that cannot be rendered says so; the page, the poll and the other rows work."""

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client, override_settings

from jobs.models import Job, ProviderAccount
from tests.jobs.factories import (
    make_account,
    make_delivery,
    make_job,
    make_output,
    make_preset,
)
from tests.markup import without_isolation

# the row of the item called this includes a template that is not there
BROKEN = "broken"
ROWS = {
    "job_list/_job_row": "job.name",
    "files/_file_row": "output.label",
    "job_detail/_output_row": "output.label",
    "presets/_preset_row": "preset.name",
    "deliveries/_delivery_row": "delivery.result",
    "accounts/_account": "account.name",
}


@pytest.fixture(autouse=True)
def templates_that_break(tmp_path: Path) -> Any:
    for name, path in ROWS.items():
        original = (settings.BASE_DIR / "templates" / "jobs" / f"{name}.html").read_text()
        fault = f'{{% if {path} == "{BROKEN}" %}}{{% include "jobs/none.html" %}}{{% endif %}}'
        target = tmp_path / "jobs" / f"{name}.html"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(original + fault)
    engine = settings.TEMPLATES[0]
    with override_settings(TEMPLATES=[engine | {"DIRS": [tmp_path, *engine["DIRS"]]}]):
        yield


def text_of(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return " ".join(without_isolation(response.content.decode()).split())


def test_each_list_shows_the_other_rows_and_links_to_the_broken_ones_job(
    manager: Client, account: ProviderAccount, job: Job, caplog: pytest.LogCaptureFixture
) -> None:
    bad = make_job(account, name=BROKEN)
    make_output(job, label="sound", url="https://cdn.example/sound.mp4")
    make_output(job, label=BROKEN)
    make_preset(account, name="sound preset")
    make_preset(account, name=BROKEN)
    make_delivery(account, result="A sound delivery.")
    make_delivery(account, result=BROKEN)
    make_account(account.organization, name=BROKEN)
    base = "/o/harbour-studio"
    pages = {
        f"{base}/jobs/": ("harbour-at-dawn.mov", f"Open job {bad.pk}"),
        f"{base}/jobs/live/?rows={job.pk}.0_{bad.pk}.0&since=": (
            "harbour-at-dawn.mov", f'id="job-{bad.pk}" data-version="1" hx-swap-oob="morph"',
        ),
        f"{base}/files/": ("sound.mp4", f"Open job {job.pk}"),
        f"{base}/jobs/{job.pk}/": ("sound", f"Open job {job.pk}"),
        f"{base}/presets/": ("sound preset", "This row cannot be shown"),
        f"{base}/accounts/{account.pk}/deliveries/": ("A sound delivery", "row cannot be shown"),
        f"{base}/accounts/": ("Zencoder main", "This account cannot be shown"),
    }  # fmt: skip
    for path, (sound, broken) in pages.items():
        html = text_of(manager, path)
        assert sound in html, path
        assert broken in html, path
        assert html.count("cannot be shown") == 1, path
    assert caplog.text.count("row not rendered") == len(pages)


def test_each_failure_is_counted_in_the_metrics(
    viewer: Client, account: ProviderAccount, client: Client, settings: Any
) -> None:
    settings.METRICS_TOKEN = "metrics-token"
    make_job(account, name=BROKEN)
    for _ in range(2):
        text_of(viewer, "/o/harbour-studio/jobs/")
    metrics = client.get("/metrics", headers={"authorization": "Bearer metrics-token"})
    line = 'reelboard_rows_not_rendered_total{template="jobs/job_list/_job_row.html"} 2.0'
    assert line in metrics.content.decode()
