"""The scripts of docs/api.md, run as they are printed, against a board that serves."""

import csv
import io
import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from jobs.models import Job, ProviderAccount, Submission
from organizations.models import ApiToken, Scope
from providers.core.status import JobStatus
from tests import services
from tests.factories import make_organization
from tests.jobs.answers import apply, output, reported
from tests.jobs.factories import make_account, make_job
from tests.waiting import PATIENCE_S

ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]


@dataclass
class Scripts:
    """Those of one language, in a folder of their own."""

    folder: Path
    program: str
    suffix: str
    environment: dict[str, str]

    def start(self, name: str, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [self.program, name + self.suffix, *arguments],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, name: str, *arguments: str) -> str:
        return finish(self.start(name, *arguments))


def finish(script: subprocess.Popen[str]) -> str:
    """What it printed, once it has ended well."""
    printed, complaints = script.communicate(timeout=PATIENCE_S)
    assert (script.returncode, complaints) == (0, "")
    return printed


@pytest.fixture
def account() -> ProviderAccount:
    return make_account(make_organization("studio"), name="main")


@pytest.fixture(
    params=[
        pytest.param(("python", ".py"), id="python"),
        pytest.param(("js", ".mjs"), id="node", marks=pytest.mark.node),
    ]
)
def scripts(
    request: pytest.FixtureRequest,
    account: ProviderAccount,
    live_server: LiveServer,
    tmp_path: Path,
) -> Scripts:
    language, suffix = request.param
    guide = (ROOT / "docs" / "api.md").read_text()
    printed = re.findall(
        rf"`(\w+\{suffix})`:\n\n```{language}\n(.*?)^```$", guide, re.MULTILINE | re.DOTALL
    )
    for name, text in printed:
        (tmp_path / name).write_text(text)
    token = ApiToken.issue(account.organization, "scripts", Scope.OPERATE)[1]
    program = sys.executable if suffix == ".py" else services.NODE.address
    environment = {"PATH": os.defpath, "BOARD": live_server.url, "TOKEN": token}
    return Scripts(tmp_path, program, suffix, environment)


def test_a_job_is_submitted_once_and_waited_for(scripts: Scripts, account: ProviderAccount) -> None:
    arguments = ("main", "https://media.example/in.mov", "4711")
    script = scripts.start("submit_and_wait", *arguments)
    ends_at = time.monotonic() + PATIENCE_S
    while not Job.objects.exists():
        assert script.poll() is None, script.communicate()
        assert time.monotonic() < ends_at
        time.sleep(0.05)
    made = (output("a", label="360p", url="https://out.example/a.m3u8"),)
    done = reported("71", JobStatus.SUCCEEDED, outputs=made, key=Submission.objects.get().key)
    apply(account, done)
    assert finish(script) == "360p https://out.example/a.m3u8\n"
    scripts.run("submit_and_wait", *arguments)
    assert Job.objects.count() == 1


def test_what_changed_since_yesterday_is_read_over_all_pages(
    scripts: Scripts, account: ProviderAccount
) -> None:
    now = timezone.now()
    recent = [make_job(account, changed_at=now - timedelta(seconds=at)) for at in range(201)]
    make_job(account, changed_at=now - timedelta(days=2))
    lines = scripts.run("changed").splitlines()
    assert sorted(int(json.loads(line)["id"]) for line in lines) == [job.pk for job in recent]


def test_this_weeks_failures_are_a_table_with_their_ends(
    scripts: Scripts, account: ProviderAccount
) -> None:
    now = timezone.now()
    failed = make_job(
        account, status="failed", name='a "cut", again', finished_at=now, error_message="No audio"
    )
    unreported = make_job(account, status="failed", finished_at=None, ended_at=now)
    make_job(account, status="failed", finished_at=now - timedelta(days=8))
    make_job(account, finished_at=now)
    rows = list(csv.DictReader(io.StringIO(scripts.run("failures"), newline="")))
    assert {int(row["id"]) for row in rows} == {failed.pk, unreported.pk}
    assert all(row["ended_at"] and row["ended_at_source"] for row in rows)
    (row,) = (row for row in rows if row["message"] == "No audio")
    assert (row["name"], row["account"]) == ('a "cut", again', "main")


def test_the_failures_of_one_cause_are_retried_once(
    scripts: Scripts, account: ProviderAccount
) -> None:
    request = {
        "input": "https://media.example/in.mov",
        "renditions": [{"packaging": "hls", "heights": [360]}],
    }
    failed = [
        make_job(account, status="failed", error_class="input.timeout", request=request)
        for _ in range(2)
    ]
    make_job(account, status="failed", error_class="input.not_found")
    first = scripts.run("retry", "input.timeout").splitlines()
    assert len(first) == 2
    assert {job.retry_of for job in Job.objects.filter(retry_of__isnull=False)} == set(failed)
    Job.objects.filter(retry_of__isnull=False).update(status="failed", error_class="input.timeout")
    assert scripts.run("retry", "input.timeout") == ""
    assert Job.objects.filter(retry_of__isnull=False).count() == 2


def test_each_new_failure_is_reported_once(scripts: Scripts, account: ProviderAccount) -> None:
    long_ago = timezone.now() - timedelta(days=3)
    make_job(account, status="failed", created_at=long_ago, changed_at=timezone.now())
    assert scripts.run("new_failures", "state.json") == ""
    now = timezone.now()
    make_job(account, status="failed", created_at=long_ago, changed_at=now)  # only imported now
    retried = make_job(account, status="failed", finished_at=now, changed_at=now)
    Job.objects.filter(pk=retried.pk).update(resolved_by=make_job(account))
    new = make_job(account, status="failed", name="new.mov", finished_at=now, changed_at=now)
    (line,) = scripts.run("new_failures", "state.json").splitlines()
    assert line.startswith("new.mov failed: ")
    assert line.endswith(f"/jobs/{new.pk}/")
    assert scripts.run("new_failures", "state.json") == ""
