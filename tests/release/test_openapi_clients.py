"""The API, used by programs that know nothing of it but its OpenAPI document."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pytest_django.live_server_helper import LiveServer

from organizations.models import ApiToken, Scope
from tests.factories import make_organization
from tests.jobs.factories import (
    make_account,
    make_body,
    make_event,
    make_job,
    make_output,
    make_preset,
)

pytestmark = [pytest.mark.release, pytest.mark.django_db(transaction=True)]

# Made by `make check-release`: the programs share no package with us.
PROGRAMS = Path(sys.prefix) / "release" / "bin"
STATUSES = ("succeeded", "failed", "running", "cancelled", "unknown")


@pytest.fixture
def token() -> str:
    """May operate, in an organization with a row of each kind."""
    organization = make_organization("studio")
    account = make_account(organization, name="main")
    for status in STATUSES:
        job = make_job(account, status=status)
        make_output(job, preset=make_preset(account))
        make_body(job, {"state": status})
        make_event(job)
    return ApiToken.issue(organization, "release", Scope.OPERATE)[1]


def run(program: str, *arguments: str, folder: Path) -> str:
    """What it printed."""
    done = subprocess.run(
        [PROGRAMS / program, *arguments],
        cwd=folder,
        env={"PATH": f"{PROGRAMS}{os.pathsep}{os.defpath}", "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


# Every call through the functions that were generated for it; prints what came of them.
USE_CLIENT = """
import json, sys
from client import AuthenticatedClient
from client.api.accounts import list_accounts, read_account, sync_account
from client.api.files import list_files
from client.api.jobs import cancel_job, list_jobs, read_job, read_raw, resubmit_job, submit_job
from client.api.presets import list_presets
from client.models import (
    RenditionRequest, RenditionRequestPackaging, ResubmitRequest, SubmitRequest,
)

url, token = sys.argv[1:]
client = AuthenticatedClient(base_url=url, token=token, raise_on_unexpected_status=True)

def send(call, *path, **arguments):
    answer = call.sync_detailed(*path, client=client, **arguments)
    return [int(answer.status_code), type(answer.parsed).__name__], answer.parsed

came = {}
came["jobs"], jobs = send(list_jobs)
by_status = {job.status: job for job in jobs.results}
came["job"], detail = send(read_job, by_status["failed"].id)
assert detail.to_dict()["id"] == by_status["failed"].id
came["raw"], _ = send(read_raw, detail.id)
came["no job"], _ = send(read_job, "999999")
came["cancel"], _ = send(cancel_job, by_status["running"].id)
came["resubmit"], _ = send(
    resubmit_job, by_status["failed"].id, body=ResubmitRequest()
)
request = SubmitRequest(
    account="main", input_="https://media.example.com/in.mov",
    renditions=[RenditionRequest(packaging=RenditionRequestPackaging.MP4, heights=[360])],
)
came["submit"], submitted = send(submit_job, body=request)
came["files"], files = send(list_files)
came["presets"], presets = send(list_presets)
came["accounts"], accounts = send(list_accounts)
came["account"], account = send(read_account, accounts.results[0].id)
came["sync"], _ = send(sync_account, account.id)
came["counts"] = [len(jobs.results), len(files.results), len(presets.results)]
print(json.dumps(came))
"""


def test_a_generated_client_makes_every_call(
    live_server: LiveServer, token: str, tmp_path: Path
) -> None:
    run(
        "openapi-python-client", "generate", "--url", f"{live_server.url}/api/v1/openapi.json",
        "--meta", "none", "--output-path", "client", "--fail-on-warning", folder=tmp_path,
    )  # fmt: skip
    came = json.loads(run("python", "-c", USE_CLIENT, live_server.url, token, folder=tmp_path))
    assert came == {
        "jobs": [200, "JobList"],
        "job": [200, "JobDetail"],
        "raw": [200, "dict"],
        "no job": [404, "ErrorBody"],
        "cancel": [202, "JobDetail"],
        "resubmit": [202, "SubmittedJob"],
        "submit": [201, "SubmittedJob"],
        "files": [200, "FileList"],
        "presets": [200, "PresetList"],
        "accounts": [200, "AccountList"],
        "account": [200, "AccountShape"],
        "sync": [202, "AccountShape"],
        "counts": [len(STATUSES)] * 3,
    }
