"""Xvid's part in the contract suite."""

import json
from pathlib import Path
from typing import Any

from providers.errors import (
    AuthRefused,
    BadAnswer,
    Conflict,
    NotFound,
    Outage,
    RateLimited,
    Rejected,
    TimedOut,
)
from providers.types import JobRequest, Rendition
from providers.xvid.adapter import Xvid
from providers.xvid.tokens import TOKENS, Token, owner_of
from tests.providers.cases.shape import Cases, Refusal, Wire

FIXTURES = Path(__file__).parents[2] / "fixtures" / "xvid"
BASE_URL = "https://xvid.example.com/v1"
CREDENTIALS = {"client_id": "canary-client-5c1e", "client_secret": "canary+se/cret&=%42"}
HELD = "canary-token-held"
PRESETS = ["66b1f0a2c3d4e5f6010203a1", "66b1f0a2c3d4e5f6010203a2"]
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
    options={"pipeline_id": "66b1f0a2c3d4e5f601020304"},
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
    set_status=lambda body, word: {**body, "status": word},
    request=REQUEST,
    created=Wire("POST", "/jobs/", json=load("created")),
    refusals=REFUSALS,
    prepare=sign_in,
)
