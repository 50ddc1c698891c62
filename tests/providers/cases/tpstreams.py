"""TPStreams' part in the contract suite."""

import json
from pathlib import Path
from typing import Any

from providers.core.errors import (
    AuthRefused,
    BadAnswer,
    Conflict,
    NotFound,
    Outage,
    ProviderError,
    RateLimited,
    Rejected,
    TimedOut,
    Withdrawn,
)
from providers.core.types import JobRequest, Rendition
from providers.tpstreams.adapter import TPStreams
from tests.providers.cases.shape import Cases, Refusal, Wire

FIXTURES = Path(__file__).parents[2] / "fixtures" / "tpstreams"
BASE_URL = "https://tpstreams.example.com/api/v1"
JOBS = "/6dnpyx/transcoding_jobs/"
REQUEST = JobRequest(
    input="https://media.example.com/rushes/Ferry%20crossing.mov",
    destination="s3://reels/ferry/?access_key=AK&secret_key=SK&region=eu-west-1",
    renditions=(Rendition("hls", (240, 480)),),
)


def load(name: str) -> Any:
    return json.loads((FIXTURES / f"{name}.json").read_text())


def refuse(
    method: str, path: str, status: int, error: type[ProviderError], error_class: str, **more: Any
) -> Refusal:
    """A refusal of the call that is sent with `method` to `path`."""
    calls = {
        ("GET", JOBS): lambda adapter: list(adapter.list_jobs()),
        ("GET", f"{JOBS}77/"): lambda adapter: adapter.get_job("77"),
        ("DELETE", f"{JOBS}77/"): lambda adapter: adapter.cancel("77"),
        ("POST", JOBS): lambda adapter: adapter.submit(REQUEST, "k" * 32),
    }
    wire = {name: more.pop(name) for name in ("json", "body", "headers") if name in more}
    return Refusal(
        Wire(method, path, status, **wire), calls[method, path], error, error_class, **more
    )


TEXT = {"Content-Type": "text/plain"}
UNKNOWN_ORGANIZATION = (FIXTURES / "unknown_organization.txt").read_text()
NOT_FOUND = {"detail": "Not found."}
COMPLETED = {"message": "Job is already completed."}

REFUSALS = (
    refuse("GET", JOBS, 401, AuthRefused, "auth.refused", json={"detail": "Invalid token."}),
    refuse("POST", JOBS, 403, AuthRefused, "auth.refused", json={"detail": "Not allowed."}),
    refuse("GET", JOBS, 404, AuthRefused, "auth.refused", body=UNKNOWN_ORGANIZATION, headers=TEXT),
    # A job is gone only when the API itself says so.
    refuse("GET", f"{JOBS}77/", 404, NotFound, "unknown", json=NOT_FOUND),
    refuse(
        *("GET", f"{JOBS}77/", 404, AuthRefused, "auth.refused"),
        body=UNKNOWN_ORGANIZATION,
        headers=TEXT,
    ),
    refuse(
        *("GET", f"{JOBS}77/", 404, Withdrawn, "provider.withdrawn"),
        body="<html><h1>Nothing here</h1></html>",
        headers={"Content-Type": "text/html"},
    ),
    refuse("DELETE", f"{JOBS}77/", 404, NotFound, "unknown", json=NOT_FOUND),
    refuse("DELETE", f"{JOBS}77/", 200, Conflict, "unknown", json=COMPLETED),
    refuse("DELETE", f"{JOBS}77/", 400, Conflict, "unknown", json=COMPLETED),
    refuse("DELETE", f"{JOBS}77/", 409, Conflict, "unknown", json={}),
    refuse("POST", JOBS, 400, Rejected, "settings.invalid", json=load("rejected")),
    refuse(
        *("GET", JOBS, 429, RateLimited, "quota.rate"),
        json={"detail": "Request was throttled."},
        headers={"Retry-After": "23"},
        transient=True,
        wait_s=23,
    ),
    refuse(
        *("POST", JOBS, 502, Outage, "provider.outage"),
        body="<h1>Bad Gateway</h1>",
        transient=True,
        ambiguous=True,
    ),
    refuse(
        *("GET", f"{JOBS}77/", 504, TimedOut, "provider.timeout"),
        body="",
        transient=True,
        ambiguous=True,
    ),
    # What Django does to a URL without its slash.
    refuse(
        *("POST", JOBS, 301, BadAnswer, "provider.outage"),
        body="",
        headers={"Location": f"{BASE_URL}{JOBS}"},
    ),
)

CASES = Cases(
    provider=TPStreams,
    base_url=BASE_URL,
    credentials={"token": "canary-token-7d0f", "webhook_secret": "canary-webhook"},
    options={"organization_id": "6dnpyx"},
    jobs={
        "queued": (load("job_queued"), "queued"),
        "transcoding": (load("job_transcoding"), "running"),
        "completed": (load("job_completed"), "succeeded"),
        "failed": (load("job_error"), "failed"),
        "cancelled": (load("job_cancelled"), "cancelled"),
        "in a list": (load("list_page_2")["results"][0], "succeeded"),
        "in a webhook": (load("webhook_job"), "running"),
    },
    list_path=JOBS,
    wrap_list=lambda bodies: {
        "count": len(bodies),
        "next": None,
        "previous": None,
        "results": bodies,
    },
    read=lambda body: (Wire("GET", f"{JOBS}{body['id']}/", json=body),),
    set_status=lambda body, label: {**body, "status": label},
    request=REQUEST,
    created=Wire("POST", JOBS, 201, json=load("created")),
    refusals=REFUSALS,
    webhook_headers={"x-streams-token": "canary-webhook"},
    webhook_body=load("webhook_job"),
    webhook_job="Zb4Tn81LmQe",
)
