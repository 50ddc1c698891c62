"""Video SDK's part in the contract suite."""

import json
from pathlib import Path
from typing import Any

from providers.core.errors import (
    AuthRefused,
    BadAnswer,
    Conflict,
    NotFound,
    NotFoundOrWithdrawn,
    Outage,
    ProviderError,
    RateLimited,
    Rejected,
    TimedOut,
    Withdrawn,
)
from providers.core.types import JobRequest, Rendition
from providers.videosdk.adapter import VideoSDK
from tests.providers.cases.shape import Cases, Refusal, Wire

FIXTURES = Path(__file__).parents[2] / "fixtures" / "videosdk"
BASE_URL = "https://videosdk.example.com/v1"
LIST, JOBS = "/encoder/jobs/", "/encoder/jobs"
REQUEST = JobRequest(
    input="https://ingest.example.com/rushes/Tide%20tables.mov",
    renditions=(Rendition("hls", (240, 480)), Rendition("mp4", (360,))),
)
HTML = {"Content-Type": "text/html; charset=utf-8"}
WITHDRAWN = (FIXTURES / "withdrawn.html").read_text()


def load(name: str) -> Any:
    return json.loads((FIXTURES / f"{name}.json").read_text())


def wrap_list(bodies: list[Any]) -> Any:
    return {"pageInfo": {"currentPage": 1, "perPage": 20, "lastPage": 1}, "data": bodies}


LIST_IS_THERE = (Wire("GET", LIST, json=wrap_list([])),)


def refuse(
    method: str, path: str, status: int, error: type[ProviderError], error_class: str, **more: Any
) -> Refusal:
    """A refusal of the call that is sent with `method` to `path`; the list is there beside it."""
    calls = {
        ("GET", LIST): lambda adapter: list(adapter.list_jobs()),
        ("GET", f"{JOBS}/77"): lambda adapter: adapter.get_job("77"),
        ("DELETE", f"{JOBS}/77"): lambda adapter: adapter.cancel("77"),
        ("POST", JOBS): lambda adapter: adapter.submit(REQUEST, "k" * 32),
    }
    if path == f"{JOBS}/77" and "others" not in more:
        act = calls[method, path]
        calls[method, path] = lambda adapter: (list(adapter.list_jobs()), act(adapter))
    wire = {name: more.pop(name) for name in ("json", "body", "headers") if name in more}
    more.setdefault("others", () if path == LIST else LIST_IS_THERE)
    return Refusal(
        Wire(method, path, status, **wire), calls[method, path], error, error_class, **more
    )


GONE = (Withdrawn, "provider.withdrawn")
LOST = (NotFoundOrWithdrawn, "provider.withdrawn")
NO_LIST = (Wire("GET", LIST, 404, body=WITHDRAWN, headers=HTML),)

REFUSALS = (
    # These come first: an adapter that has seen the list, or none, does not ask for it again.
    refuse("GET", f"{JOBS}/77", 404, *LOST, body=WITHDRAWN, headers=HTML, others=NO_LIST),
    refuse("GET", f"{JOBS}/77", 404, *LOST, json={"message": "Not Found"}, others=NO_LIST),
    refuse("GET", f"{JOBS}/77", 403, *GONE, json={}, others=NO_LIST),
    refuse("GET", LIST, 401, AuthRefused, "auth.refused", json={"message": "No."}),
    refuse("GET", LIST, 403, AuthRefused, "auth.refused", json={"error": "Token is invalid"}),
    refuse("GET", LIST, 403, AuthRefused, "auth.refused", json={"message": "Unknown API key"}),
    refuse("GET", LIST, 403, AuthRefused, "auth.refused", json={"message": "It has expired"}),
    # Beside a list that is there, the same answers are about the job.
    refuse("GET", f"{JOBS}/77", 404, NotFound, "unknown", json={"message": "No such job"}),
    refuse("GET", f"{JOBS}/77", 404, NotFound, "unknown", body="Cannot GET", headers=HTML),
    refuse("GET", f"{JOBS}/77", 410, NotFound, "unknown", json={}),
    refuse("GET", f"{JOBS}/77", 403, AuthRefused, "auth.refused", json={}),
    refuse("DELETE", f"{JOBS}/77", 404, NotFound, "unknown", json={}),
    refuse("DELETE", f"{JOBS}/77", 400, Conflict, "unknown", json={"message": "Not queued"}),
    refuse("DELETE", f"{JOBS}/77", 403, Conflict, "unknown", json={"message": "Not allowed"}),
    refuse("DELETE", f"{JOBS}/77", 405, Conflict, "unknown", json={}),
    refuse("DELETE", f"{JOBS}/77", 409, Conflict, "unknown", json={}),
    refuse("DELETE", f"{JOBS}/77", 422, Conflict, "unknown", json={"message": "Running"}),
    refuse("DELETE", f"{JOBS}/77", 200, Conflict, "unknown", json={"status": "Processing"}),
    # The list and a creation are always known to a service that is there.
    refuse("GET", LIST, 403, *GONE, json={"message": "Forbidden"}),
    refuse("GET", LIST, 404, *GONE, body=WITHDRAWN, headers=HTML),
    refuse("GET", LIST, 410, *GONE, json={}),
    refuse("GET", LIST, 400, *GONE, body=WITHDRAWN, headers=HTML),
    refuse("POST", JOBS, 405, *GONE, body=WITHDRAWN, headers=HTML),
    refuse("GET", LIST, 200, *GONE, body=WITHDRAWN, headers=HTML, ambiguous=True),
    refuse("POST", JOBS, 404, *GONE, json={"message": "Not Found"}),
    refuse("POST", JOBS, 200, *GONE, body=WITHDRAWN, headers=HTML, ambiguous=True),
    refuse("POST", JOBS, 400, Rejected, "settings.invalid", json=load("rejected")),
    refuse("POST", JOBS, 404, Rejected, "input.not_found", json={"message": "No such video"}),
    refuse("POST", JOBS, 402, Rejected, "quota.plan", json={}),
    refuse(
        *("GET", LIST, 429, RateLimited, "quota.rate"),
        json={},
        headers={"Retry-After": "9"},
        transient=True,
        wait_s=9,
    ),
    refuse(
        *("POST", JOBS, 503, Outage, "provider.outage"),
        body="<h1>Back soon</h1>",
        headers=HTML,
        transient=True,
        ambiguous=True,
    ),
    refuse(
        *("GET", f"{JOBS}/77", 504, TimedOut, "provider.timeout"),
        body="",
        transient=True,
        ambiguous=True,
    ),
    refuse(
        *("GET", LIST, 302, BadAnswer, "provider.outage"),
        body="",
        headers={"Location": "https://docs.example.com/"},
    ),
)

CASES = Cases(
    provider=VideoSDK,
    base_url=BASE_URL,
    credentials={"api_key": "canary-api-key", "secret": "canary-secret", "token": "canary-token"},
    options={},
    jobs={
        "queued": (load("job_queued"), "queued"),
        "processing": (load("job_processing"), "running"),
        "completed": (load("job_completed"), "succeeded"),
        "failed without a message": (load("job_failed"), "failed"),
        "failed with a message": (load("job_failed_with_words"), "failed"),
        "in the answer to its creation": (load("created"), "queued"),
    },
    list_path=LIST,
    wrap_list=wrap_list,
    read=lambda body: (Wire("GET", f"{JOBS}/{body['id']}", json=body),),
    set_status=lambda body, label: {**body, "status": label},
    request=REQUEST,
    created=Wire("POST", JOBS, 200, json=load("created")),
    refusals=REFUSALS,
    webhook_body=load("webhook_job"),
    webhook_job=load("webhook_job")["jobId"],
)
