"""Zencoder's part in the contract suite."""

import copy
import json
from pathlib import Path
from typing import Any

import responses
from responses import matchers

from providers.core.errors import (
    AuthRefused,
    BadAnswer,
    Conflict,
    NotFound,
    Outage,
    RateLimited,
    Rejected,
    TimedOut,
)
from providers.core.types import JobRequest, Rendition
from providers.zencoder.adapter import Zencoder
from tests.providers.cases.shape import Cases, Refusal, Wire

FIXTURES = Path(__file__).parents[2] / "fixtures" / "zencoder"
BASE_URL = "https://zencoder.example.com/api/v2"
REQUEST = JobRequest(
    input="https://media.example.com/Buoys.mov",
    destination="s3://reels/buoys/",
    renditions=(Rendition("mp4", (360, 720)),),
)


def load(name: str) -> Any:
    return json.loads((FIXTURES / f"{name}.json").read_text())


def read(body: Any) -> tuple[Wire, ...]:
    path = f"/jobs/{body['job']['id']}"
    progress = {"state": body["job"]["state"]}
    return Wire("GET", path, json=body), Wire("GET", f"{path}/progress", json=progress)


def set_status(body: Any, label: Any) -> Any:
    changed = copy.deepcopy(body)
    changed["job"]["state"] = label
    return changed


def make_job(number: int, **changes: Any) -> dict[str, Any]:
    return {"job": {"id": number, "state": "finished", **changes}}


def serve_pages(wire: responses.RequestsMock, pages: list[list[Any]]) -> None:
    for number, items in enumerate(pages, start=1):
        query = matchers.query_param_matcher({"page": number, "per_page": 50})
        wire.get(f"{BASE_URL}/jobs", json=items, match=[query])


REFUSALS = (
    Refusal(
        Wire("GET", "/jobs", 401, json={"errors": ["Unauthorized"]}),
        lambda adapter: list(adapter.list_jobs()),
        AuthRefused,
        "auth.refused",
    ),
    Refusal(
        Wire("GET", "/jobs", 403, body="Forbidden", headers={"Content-Type": "text/plain"}),
        lambda adapter: list(adapter.list_jobs()),
        AuthRefused,
        "auth.refused",
    ),
    Refusal(
        Wire(
            "GET",
            "/jobs",
            403,
            body=(FIXTURES / "rate_limited.txt").read_text(),
            headers={"Content-Type": "text/plain", "Retry-After": "17"},
        ),
        lambda adapter: list(adapter.list_jobs()),
        RateLimited,
        "quota.rate",
        transient=True,
        wait_s=17,
    ),
    Refusal(
        Wire("GET", "/jobs/77", 403, body="403 Forbidden (Rate Limit Exceeded)"),
        lambda adapter: adapter.get_job("77"),
        RateLimited,
        "quota.rate",
        transient=True,
    ),
    Refusal(
        Wire("GET", "/jobs/77", 404, body=" "),
        lambda adapter: adapter.get_job("77"),
        NotFound,
        "unknown",
    ),
    Refusal(
        Wire("PUT", "/jobs/77/cancel", 409, json={"errors": ["Job is finished."]}),
        lambda adapter: adapter.cancel("77"),
        Conflict,
        "unknown",
    ),
    Refusal(
        Wire("PUT", "/jobs/77/resubmit", 403, body="Forbidden"),
        lambda adapter: adapter.resubmit("77"),
        Conflict,
        "unknown",
    ),
    Refusal(
        Wire("PUT", "/jobs/77/resubmit", 409, json={"errors": "Too old."}),
        lambda adapter: adapter.resubmit("77"),
        Conflict,
        "unknown",
    ),
    Refusal(
        Wire("POST", "/jobs", 422, json=load("rejected")),
        lambda adapter: adapter.submit(REQUEST, "k" * 32),
        Rejected,
        "settings.invalid",
    ),
    Refusal(
        Wire("POST", "/jobs", 402, json={"errors": ["Billing is not set up."]}),
        lambda adapter: adapter.submit(REQUEST, "k" * 32),
        Rejected,
        "quota.plan",
    ),
    Refusal(
        Wire("POST", "/jobs", 503, body="<h1>Maintenance</h1>", headers={"Retry-After": "120"}),
        lambda adapter: adapter.submit(REQUEST, "k" * 32),
        Outage,
        "provider.outage",
        transient=True,
        ambiguous=True,
        wait_s=120,
    ),
    Refusal(
        Wire("GET", "/jobs/77", 504, body=""),
        lambda adapter: adapter.get_job("77"),
        TimedOut,
        "provider.timeout",
        transient=True,
        ambiguous=True,
    ),
    Refusal(
        Wire(
            "GET",
            "/jobs",
            301,
            body=(FIXTURES / "moved.html").read_text(),
            headers={"Location": f"{BASE_URL}/elsewhere", "Content-Type": "text/html"},
        ),
        lambda adapter: list(adapter.list_jobs()),
        BadAnswer,
        "provider.outage",
    ),
)

CASES = Cases(
    provider=Zencoder,
    base_url=BASE_URL,
    credentials={"api_key": "canary-full-access-key", "webhook_secret": "canary-webhook"},
    options={},
    jobs={
        "waiting": (load("job_waiting"), "queued"),
        "processing": (load("job_processing"), "running"),
        "finished": (load("job_finished"), "succeeded"),
        "cancelled": (load("job_cancelled"), "cancelled"),
        "failed on its input": (load("job_input_failed"), "failed"),
        "failed on an output": (load("job_output_failed"), "failed"),
    },
    list_path="/jobs",
    wrap_list=lambda bodies: bodies,
    read=read,
    set_status=set_status,
    request=REQUEST,
    created=Wire("POST", "/jobs", 201, json=load("created")),
    refusals=REFUSALS,
    webhook_headers={"x-zencoder-notification-secret": "canary-webhook"},
    webhook_body=load("notification_job"),
    webhook_job="734500123457",
)
