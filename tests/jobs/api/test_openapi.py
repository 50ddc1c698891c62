"""The OpenAPI document and its pages, served from here alone."""

import re
from typing import Any

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import Client

from jobs.api.http.rate import REQUESTS_PER_MINUTE
from jobs.query.parameters import DEFAULT_LIMIT, MAX_LIMIT


@pytest.fixture
def document(client: Client) -> Any:
    response = client.get("/api/v1/openapi.json")
    assert response["Content-Type"] == "application/json"
    return response.json()


def test_every_call_is_documented(document: Any) -> None:
    calls = {
        (method.upper(), path) for path, methods in document["paths"].items() for method in methods
    }
    assert document["openapi"].startswith("3.")
    assert calls == {
        ("GET", "/api/v1/jobs"),
        ("POST", "/api/v1/jobs"),
        ("POST", "/api/v1/jobs/watch"),
        ("GET", "/api/v1/jobs/{job_id}"),
        ("GET", "/api/v1/jobs/{job_id}/raw"),
        ("POST", "/api/v1/jobs/{job_id}/cancel"),
        ("POST", "/api/v1/jobs/{job_id}/resubmit"),
        ("GET", "/api/v1/accounts"),
        ("GET", "/api/v1/accounts/{account_id}"),
        ("POST", "/api/v1/accounts"),
        ("PATCH", "/api/v1/accounts/{account_id}"),
        ("POST", "/api/v1/accounts/{account_id}/check"),
        ("PUT", "/api/v1/accounts/{account_id}/integration"),
        ("POST", "/api/v1/accounts/{account_id}/sync"),
        ("GET", "/api/v1/presets"),
        ("GET", "/api/v1/presets/{preset_id}"),
        ("GET", "/api/v1/files"),
        ("GET", "/api/v1/files/{file_id}"),
        ("GET", "/api/v1/jobs/{job_id}/outputs/{output_id}/link"),
        ("GET", "/api/v1/me"),
    }


def test_calls_have_names_that_generated_clients_keep(document: Any) -> None:
    names = [
        call["operationId"] for methods in document["paths"].values() for call in methods.values()
    ]
    assert sorted(names) == [
        *("cancel_job", "check_account_credentials", "create_account"),
        *("list_accounts", "list_files", "list_jobs", "list_presets"),
        *("read_account", "read_file", "read_job", "read_link", "read_preset", "read_raw"),
        *("read_token", "resubmit_job", "submit_job", "switch_integration", "sync_account"),
        *("update_account", "watch_job"),
    ]


def test_every_call_takes_a_bearer_token(document: Any) -> None:
    assert document["components"]["securitySchemes"] == {
        "TokenAuth": {"type": "http", "scheme": "bearer"}
    }
    for methods in document["paths"].values():
        for call in methods.values():
            assert call["security"] == [{"TokenAuth": []}]
            assert {"401", "429"} <= call["responses"].keys()


def test_shapes_are_documented_as_they_are_sent(document: Any) -> None:
    schemas = document["components"]["schemas"]
    assert {"class", "code", "message", "hint", "transient"} == schemas["ErrorInfo"][
        "properties"
    ].keys()
    job = schemas["JobDetail"]["properties"]
    assert job["id"]["type"] == "string"
    assert {"partial", "suspect", "open_url"} <= job.keys() | schemas["OutputShape"][
        "properties"
    ].keys()
    assert {"from", "to"} <= schemas["EventShape"]["properties"].keys()


def test_the_idempotency_key_is_a_header(document: Any) -> None:
    (parameter,) = document["paths"]["/api/v1/jobs"]["post"]["parameters"]
    assert (parameter["in"], parameter["name"]) == ("header", "Idempotency-Key")
    assert not parameter["required"]


def test_pages_for_people_load_nothing_from_elsewhere_and_no_inline_script(client: Client) -> None:
    response = client.get("/api/v1/docs")
    page = response.content.decode()
    assert response.status_code == 200
    for address in re.findall(r'(?:src|href)="([^"]+)"', page):
        assert finders.find(address.removeprefix("/static/")), address
    for attributes, body in re.findall(r"<script([^>]*)>(.*?)</script>", page, re.DOTALL):
        assert "application/json" in attributes or not body.strip()
    assert "<style" not in page
    assert " style=" not in page


def test_the_guide_tells_of_every_call_parameter_and_code(document: Any) -> None:
    guide = (settings.BASE_DIR / "docs" / "api.md").read_text()
    for path, methods in document["paths"].items():
        for method, call in methods.items():
            assert f"`{method.upper()} {path}`" in guide
            for parameter in call["parameters"]:
                assert parameter["in"] == "path" or f"`{parameter['name']}`" in guide, parameter
    for name in document["components"]["schemas"]["SubmitRequest"]["properties"]:
        assert f"`{name}`" in guide
    folders = (settings.BASE_DIR / "jobs" / "api", settings.BASE_DIR / "dashboard" / "web")
    codes = {
        code
        for folder in folders
        for source in folder.rglob("*.py")
        for code in re.findall(
            r'(?:\b\d{3}|\bstatus|[A-Z]_[A-Z]+), "([a-z_]+)"', source.read_text()
        )
    }
    assert len(codes) > 15
    told = set(re.findall(r"`([a-z_]+)`", guide))
    assert codes <= told


def test_limits_stand_in_the_guide_as_they_are() -> None:
    guide = (settings.BASE_DIR / "docs" / "api.md").read_text()
    assert f"{REQUESTS_PER_MINUTE:,} calls a minute" in guide
    assert f"{DEFAULT_LIMIT}, at most {MAX_LIMIT}" in guide
