"""Xvid's part in the contract suite."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import responses

from providers.core.contract import Account
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
from providers.http.client import HttpClient
from providers.http.tokens import TOKENS, Token, owner_of
from providers.xvid.adapter import PAGE_SIZE, Xvid
from tests.providers.cases.shape import Cases, Refusal, Wire

FIXTURES = Path(__file__).parents[2] / "fixtures" / "xvid"
BASE_URL = "https://xvid.example.com/v1"
CREDENTIALS = {"client_id": "canary-client-5c1e", "client_secret": "canary+se/cret&=%42"}
HELD = "canary-token-held"
OPTIONS = {"pipeline_id": "66b1f0a2c3d4e5f601020304"}
PRESETS = ["66b1f0a2c3d4e5f6010203a1", "66b1f0a2c3d4e5f6010203a2"]
# The queries of a list of jobs: how it is paged, and how each job is returned.
PAGING = {"sort": "created_at", "direction": "-1", "limit": str(PAGE_SIZE)}
READ = {"show_null": "true", "expand": "file,preset"}
REQUEST = JobRequest(
    input="https://media.example.com/incoming/a81.mov",
    renditions=(Rendition("mp4", (360, 720)),),
    extra={"presets": PRESETS},
)


def load(name: str) -> Any:
    return json.loads((FIXTURES / f"{name}.json").read_text())


def sign_in(life_s: float = 7200) -> None:
    """Have this process hold one token, for the account of these cases."""
    TOKENS.clear()
    owner = owner_of(BASE_URL, CREDENTIALS["client_id"], CREDENTIALS["client_secret"])
    TOKENS.get(owner, lambda: Token(HELD, TOKENS.clock() + life_s))


def make_adapter(http: HttpClient) -> Xvid:
    """An adapter that holds a token, so that nothing is sent but what a test asks for."""
    sign_in()
    return Xvid(Account(BASE_URL, CREDENTIALS, OPTIONS), http)


def make_job(number: int, status: str = "SUCCESS", **changes: Any) -> dict[str, Any]:
    return {"id": f"{number:024x}", "status": status, **changes}


def request_for(*presets: str, **changes: Any) -> JobRequest:
    extra = {"presets": list(presets)} if presets else {}
    return JobRequest("https://h/a.mov", **{"extra": extra, **changes})


def queries(wire: responses.RequestsMock) -> list[dict[str, str]]:
    """What each call asked for."""
    return [dict(parse_qsl(urlsplit(str(call.request.url)).query)) for call in wire.calls]


TOKEN = Wire("POST", "/oauth2/token/", json=load("token"))

REFUSALS = (
    # Twice: with the token that was held, and with the new one.
    Refusal(
        Wire("GET", "/jobs/", 403, json=load("bad_token")),
        lambda adapter: list(adapter.list_jobs()),
        AuthRefused,
        "auth.refused",
        others=(TOKEN,),
    ),
    Refusal(
        Wire("GET", "/jobs/77", 404, json=load("no_job")),
        lambda adapter: adapter.get_job("77"),
        NotFound,
        "unknown",
    ),
    Refusal(
        Wire("GET", "/jobs/77", json={"job": {**load("job_success"), "id": "77"}}),
        lambda adapter: adapter.cancel("77"),
        Conflict,
        "unknown",
    ),
    Refusal(
        Wire("DELETE", "/jobs/77", 403, json=load("bad_token")),
        lambda adapter: adapter.cancel("77"),
        AuthRefused,
        "auth.refused",
        others=(Wire("GET", "/jobs/77", json={"job": {**load("job_queued"), "id": "77"}}),),
    ),
    Refusal(
        Wire("POST", "/jobs/", 400, json=load("bad_input")),
        lambda adapter: adapter.submit(REQUEST, "k" * 32),
        Rejected,
        "settings.invalid",
    ),
    Refusal(
        Wire("POST", "/jobs/", 500, json=load("broken")),
        lambda adapter: adapter.submit(REQUEST, "k" * 32),
        Outage,
        "provider.outage",
        transient=True,
        ambiguous=True,
    ),
    Refusal(
        Wire("GET", "/jobs/", 429, body="", headers={"Retry-After": "11"}),
        lambda adapter: list(adapter.list_jobs()),
        RateLimited,
        "quota.rate",
        transient=True,
        wait_s=11,
    ),
    Refusal(
        Wire("GET", "/jobs/77", 504, body="<h1>Gateway Time-out</h1>"),
        lambda adapter: adapter.get_job("77"),
        TimedOut,
        "provider.timeout",
        transient=True,
        ambiguous=True,
    ),
    # The answer to a cancellation says SUCCESS as well, and is no job.
    Refusal(
        Wire("GET", "/jobs/77", json=load("cancelled")),
        lambda adapter: adapter.get_job("77"),
        BadAnswer,
        "provider.outage",
        transient=True,
    ),
)

CASES = Cases(
    provider=Xvid,
    base_url=BASE_URL,
    credentials=CREDENTIALS,
    options=OPTIONS,
    jobs={
        "queued": (load("job_queued"), "queued"),
        "processing": (load("job_processing"), "running"),
        "succeeded": (load("job_success"), "succeeded"),
        "failed": (load("job_failure"), "failed"),
        "cancelled": (load("job_cancelled"), "cancelled"),
    },
    list_path="/jobs/",
    wrap_list=lambda bodies: {"jobs": bodies, "total": len(bodies), "start": 0, "limit": 100},
    read=lambda body: (Wire("GET", f"/jobs/{body['id']}", json={"job": body}),),
    set_status=lambda body, label: {**body, "status": label},
    request=REQUEST,
    created=Wire("POST", "/jobs/", json=load("created")),
    refusals=REFUSALS,
    prepare=sign_in,
)
