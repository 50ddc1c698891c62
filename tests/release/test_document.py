"""The API, called at random by its OpenAPI document: nothing is answered that this does not say."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from jobs.api.http.examples import REQUESTS, RESPONSES
from jobs.api.http.field_errors import SENTENCES
from jobs.models import Batch, BulkAction, Job, JobErrorGroup, Output, Preset, ProviderAccount
from organizations.models import ApiToken, Organization, Scope
from sandbox.server import RunningSandbox, start
from tests.factories import make_organization
from tests.jobs.factories import (
    make_account,
    make_body,
    make_bulk,
    make_event,
    make_job,
    make_output,
    make_preset,
)

pytestmark = [pytest.mark.release, pytest.mark.django_db(transaction=True)]

SCHEMATHESIS = Path(sys.prefix) / "release" / "bin" / "schemathesis"
HOOKS = Path(__file__).parent / "fuzzing"
SECONDS = 300
# of the calls that fit the schema; a run that is refused throughout would show little
MIN_ACCEPTED = 0.1
# as field_errors.SENTENCES, of what we check ourselves
OF_SCHEMAS = (
    "Enter a value, or leave the parameter out.",
    "Use true or false.",
    "Remove the control characters.",
    "Name each height once.",
    "Give exactly one of count, interval_s and timestamps.",
    "Give formats without format.",
    "Enter the URL of a file.",
)
STATUSES = ("succeeded", "failed", "running", "cancelled", "unknown")
# of each status: calls change them, and a job is cancelled once
JOBS = 60


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    with start(encode=False, rate_limit=0, time_scale=0) as running:
        yield running


@pytest.fixture
def organization(sandbox: RunningSandbox) -> Organization:
    """With accounts at the sandbox, and rows of each kind."""
    made = make_organization("studio")
    account = add_account(made, sandbox, "main")
    for status in STATUSES:
        for number in range(JOBS):
            job = make_job(account, status=status, batch=f"batch {number % 3}")
            make_output(job, preset=make_preset(account) if number < 3 else None)
            make_body(job, {"state": status})
            make_event(job)
    for job in Job.objects.filter(status="failed")[:5]:
        make_bulk(job)
    # a group that no call resolves, which would end what mutes it
    make_job(account, status="failed", error_class="quota.plan", error_message="No minutes left.")
    # what is paused, moved or refused by a call must not stop the others
    for number in range(3):
        add_account(made, sandbox, f"spare {number}")
    return made


# What an action on many jobs may be given beside them
NO_OPTIONS: dict[str, Any] = {
    "ids": None,
    "account": None,
    "batch": None,
    "new_batch": None,
    "presets": [],
}


def add_account(organization: Organization, sandbox: RunningSandbox, name: str) -> ProviderAccount:
    return make_account(
        organization, name=name, base_url=sandbox.api_url("zencoder"), credentials=key_of(sandbox)
    )


def key_of(sandbox: RunningSandbox) -> dict[str, str]:
    return {"api_key": sandbox.keys["zencoder_api_key"]}


def find_fitting(sandbox: RunningSandbox) -> dict[str, list[dict[str, Any]]]:
    """By operation, values that exist and fit together."""

    def jobs(*statuses: str) -> list[dict[str, Any]]:
        rows = Job.objects.filter(status__in=statuses)
        return [{"job_id": str(pk)} for pk in rows.values_list("pk", flat=True)]

    main, *spare = ProviderAccount.objects.order_by("pk")
    files = Output.objects.values_list("job_id", "pk")
    presets = [str(pk) for pk in Preset.objects.values_list("pk", flat=True)]
    accounts = [{"account_id": str(account.pk)} for account in (main, *spare)]
    rows = [
        {
            "account": [main.name],
            "provider": ["zencoder"],
            "preset": [preset],
            "job": [str(job)],
            "submitted_by": ["token:release"],
            "error": ["input.*"],
            "batch": ["batch 1"],
            "created_after": "3d",
        }
        for preset, (job, _) in zip(presets, files, strict=False)
    ]
    common, muted = (
        {"group_id": str(JobErrorGroup.objects.get(error_class=name).pk)}
        for name in ("input.not_found", "quota.plan")
    )
    bulks = [{"bulk_id": str(pk)} for pk in BulkAction.objects.values_list("pk", flat=True)]
    one_limit = {"count": 50, "until": None, "rate_per_hour": None}
    at_sandbox = {"base_url": sandbox.api_url("zencoder"), "credentials": key_of(sandbox)}
    source = {"input": "https://media.example.com/UNIQUE.mov"}
    mp4 = {"renditions": [{"packaging": "mp4", "heights": [360]}]}
    return {
        **dict.fromkeys(("list_jobs", "list_files", "list_presets", "list_accounts"), rows),
        "read_stats": [{"from": "2026-01-05", "to": "2026-01-07", "group": "day"}],
        "list_errors": [{"account": [main.name], "provider": ["zencoder"]}],
        **dict.fromkeys(("read_error", "resolve_error", "reopen_error"), [common]),
        "assign_error": [common | {"assignee": None}],
        "mute_error": [muted | {"reason": "Known", **one_limit}],
        **dict.fromkeys(("read_job", "read_raw"), jobs(*STATUSES)),
        "cancel_job": jobs("running"),
        "resubmit_job": jobs("failed", "cancelled"),
        "read_link": [{"job_id": str(job), "output_id": str(pk)} for job, pk in files],
        "read_file": [{"file_id": str(pk)} for _, pk in files],
        "read_preset": [{"preset_id": preset} for preset in presets],
        **dict.fromkeys(("read_account", "check_account_credentials"), accounts),
        **dict.fromkeys(("sync_account", "switch_integration"), accounts[:1]),
        "update_account": [
            values | beside for values in accounts[1:] for beside in ({}, at_sandbox)
        ],
        "create_account": [{"provider": "zencoder", "name": "UNIQUE", **at_sandbox}],
        "submit_job": [
            {"account": account} | beside
            for account in (main.name, str(main.pk))
            for beside in (mp4, source, source | mp4)
        ],
        "watch_job": [{"account": main.name}],
        **dict.fromkeys(("read_bulk", "list_bulk_results", "stop_bulk", "resume_bulk"), bulks),
        "start_bulk": [
            NO_OPTIONS | {"action": "cancel", "q": "status:running"},
            NO_OPTIONS | {"action": "resubmit", "q": "status:failed"},
            NO_OPTIONS | {"action": "add_to_batch", "q": "status:failed", "batch": "batch 1"},
        ],
        "read_batch": [{"batch_id": str(pk)} for pk in Batch.objects.values_list("pk", flat=True)],
        "submit_batch": [
            {
                "account": main.name,
                "name": "UNIQUE",
                "request": mp4,
                "template": None,
                "inputs": [source],
                "inputs_from": None,
                "allow_duplicates": True,
            }
        ],
    }


def said_by_schema() -> str:
    """A pattern for the sentences of what the document's schemas say."""
    known = [re.escape(sentence) for sentence in (*SENTENCES.values(), *OF_SCHEMAS)]
    known = [text.replace(r"\{expected\}", "'.*") for text in known]
    return "|".join(re.sub(r"\\\{.*?\\\}", "[0-9.,]+", text) for text in known)


SELDOM = {
    "submit_job": ["extra", "thumbnails", "destination", "template"],
    "update_account": ["base_url", "credentials", "options"],
    "create_account": ["options"],
    **dict.fromkeys(("list_jobs", "list_files", "list_presets", "list_errors"), ["cursor"]),
}


def test_every_call_answers_as_the_document_says(
    live_server: LiveServer, organization: Organization, sandbox: RunningSandbox, tmp_path: Path
) -> None:
    token = ApiToken.issue(organization, "release", Scope.MANAGE)[1]
    answers = tmp_path / "answers.json"
    done = subprocess.run(
        [
            SCHEMATHESIS, "--config-file", HOOKS / "schemathesis.toml",
            "run", f"{live_server.url}/api/v1/openapi.json",
            "--header", f"Authorization: Bearer {token}", "--continue-on-failure",
            "--max-time", str(SECONDS), "--no-color",
        ],
        cwd=tmp_path,
        env={
            "PATH": os.defpath,
            "HOME": str(tmp_path),
            "PYTHONPATH": str(HOOKS),
            "SCHEMATHESIS_HOOKS": "hooks",
            "FITTING": json.dumps(find_fitting(sandbox)),
            "SELDOM": json.dumps(SELDOM),
            "SAID_BY_SCHEMA": said_by_schema(),
            "ANSWERS": str(answers),
        },
        capture_output=True,
        text=True,
        timeout=10 * SECONDS + 600,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    check_accepted(json.loads(answers.read_text()))


def check_accepted(answers: list[tuple[str, str, int]]) -> None:
    """That each operation accepted its part of the calls."""
    sent: Counter[str] = Counter()
    accepted: Counter[str] = Counter()
    for name, status, count in answers:
        sent[name] += count
        accepted[name] += count if status < "300" else 0
    shares = {name: accepted[name] / count for name, count in sent.items()}
    print({name: f"{share:.0%} of {sent[name]}" for name, share in shares.items()})  # noqa: T201
    # an example may be of one status of an operation: "start_bulk 200"
    assert shares.keys() == {name.partition(" ")[0] for name in REQUESTS | RESPONSES}
    assert {name: share for name, share in shares.items() if share < MIN_ACCEPTED} == {}
