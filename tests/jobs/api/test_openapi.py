"""The OpenAPI document and its pages, served from here alone."""

import re
from typing import Any

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import Client

from jobs.actions.offers import Refusal
from jobs.api.http import reasons
from jobs.api.http.rate import REQUESTS_PER_MINUTE
from jobs.api.schemas.parameters import TEXT_PATTERN
from jobs.media.urls import SOURCE_PATTERN, URL_PATTERN
from jobs.query.files import MAX_PIXELS
from jobs.query.parameters import DEFAULT_LIMIT, MAX_LIMIT
from jobs.query.references import ID_PATTERN
from providers.core import registry
from providers.core.status import JobStatus
from providers.parsing.text import VISIBLE_ID_PATTERN, VISIBLE_PATTERN


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
        ("GET", "/api/v1/templates"),
        ("GET", "/api/v1/files"),
        ("GET", "/api/v1/files/{file_id}"),
        ("GET", "/api/v1/jobs/{job_id}/outputs/{output_id}/link"),
        ("GET", "/api/v1/errors"),
        ("GET", "/api/v1/errors/{group_id}"),
        ("POST", "/api/v1/errors/{group_id}/mute"),
        ("POST", "/api/v1/errors/{group_id}/resolve"),
        ("POST", "/api/v1/errors/{group_id}/reopen"),
        ("POST", "/api/v1/errors/{group_id}/assign"),
        ("POST", "/api/v1/jobs/{job_id}/assign"),
        *(
            (method, f"/api/v1/{subject}/notes")
            for method in ("GET", "POST")
            for subject in ("jobs/{job_id}", "errors/{group_id}")
        ),
        ("POST", "/api/v1/bulk"),
        ("GET", "/api/v1/bulk/{bulk_id}"),
        ("GET", "/api/v1/bulk/{bulk_id}/results"),
        ("POST", "/api/v1/bulk/{bulk_id}/stop"),
        ("POST", "/api/v1/bulk/{bulk_id}/rest"),
        ("POST", "/api/v1/batches"),
        ("GET", "/api/v1/batches"),
        ("GET", "/api/v1/batches/{batch_id}"),
        ("GET", "/api/v1/stats"),
        ("GET", "/api/v1/me"),
    }


def test_calls_have_names_that_generated_clients_keep(document: Any) -> None:
    names = [
        call["operationId"] for methods in document["paths"].values() for call in methods.values()
    ]
    assert sorted(names) == [
        *(
            "assign_error",
            "assign_job",
            "cancel_job",
            "check_account_credentials",
            "create_account",
        ),
        *("list_accounts", "list_batches", "list_bulk_results", "list_error_notes"),
        *("list_errors", "list_files", "list_job_notes"),
        *("list_jobs", "list_presets", "list_templates", "mute_error"),
        *(
            "read_account",
            "read_batch",
            "read_bulk",
            "read_error",
            "read_file",
            "read_job",
            "read_link",
            "read_preset",
            "read_raw",
            "read_stats",
        ),
        *(
            "read_token",
            "reopen_error",
            "resolve_error",
            "resubmit_job",
            "resume_bulk",
            "start_bulk",
            "stop_bulk",
            "submit_batch",
            "submit_job",
            "switch_integration",
            "sync_account",
        ),
        *("update_account", "watch_job", "write_error_note", "write_job_note"),
    ]


def test_everything_is_described_and_shown_by_an_example(document: Any) -> None:
    schemas = document["components"]["schemas"]
    undescribed = [
        f"{name}.{field}"
        for name, schema in schemas.items()
        for field, inner in schema.get("properties", {}).items()
        if not inner.get("description")
    ]
    assert undescribed == []
    assert schemas["JobStatus"]["enum"] == list(JobStatus)
    for call in calls_of(document):
        assert all(parameter["description"].endswith(".") for parameter in call["parameters"])
        bodies = [call["requestBody"]] if "requestBody" in call else []
        bodies += [body for status, body in call["responses"].items() if status < "400"]
        for body in bodies:
            content = body["content"]["application/json"]
            check_example(content["example"], content["schema"], schemas)


def check_example(value: Any, schema: Any, schemas: Any) -> None:
    """That the example has the fields of its schema, and of closed lists one of them."""
    for name in re.findall(r"/schemas/(\w+)", schema.get("$ref", "")):
        schema = schemas[name]
    if options := schema.get("anyOf"):
        schema = next(one for one in options if (one.get("type") == "null") == (value is None))
        return check_example(value, schema, schemas)
    assert value in schema.get("enum", [value])
    for inner in value if isinstance(value, list) else ():
        check_example(inner, schema["items"], schemas)
    if fields := schema.get("properties"):
        assert set(schema.get("required", ())) <= value.keys() <= fields.keys()
        for name, inner in value.items():
            check_example(inner, fields[name], schemas)
    return None


def calls_of(document: Any) -> list[Any]:
    return [call for methods in document["paths"].values() for call in methods.values()]


def test_parameters_have_the_types_that_they_are_read_as(document: Any) -> None:
    listed = document["paths"]["/api/v1/jobs"]["get"]["parameters"]
    types = {parameter["name"]: parameter["schema"] for parameter in listed}
    assert types["limit"] == {"type": "integer", "minimum": 1, "maximum": 200}
    assert types["gone"] == {"type": "boolean"}
    assert types["created_after"]["anyOf"][0] == {"type": "string", "format": "date-time"}
    assert types["status"]["items"]["enum"] == list(JobStatus)
    files = document["paths"]["/api/v1/files"]["get"]["parameters"]
    (height,) = [one["schema"] for one in files if one["name"] == "min_height"]
    assert height["type"] == "integer"


def test_every_call_says_how_it_may_be_refused(document: Any) -> None:
    for call in calls_of(document):
        assert {"400", "401", "404", "422", "429", "500", "503"} <= call["responses"].keys()
        assert ("requestBody" in call) == ("413" in call["responses"])


def test_a_refusal_says_why_by_code_and_by_field(document: Any) -> None:
    calls = {call["operationId"]: call["responses"] for call in calls_of(document)}
    for name, documented in reasons.OF_CALLS.items():
        for status, named in documented.items():
            text = calls[name][str(status)]["description"]
            assert [f"- `{one}`: " in text for one in named] == [True] * len(named)
    resubmit = set(re.findall("`([a-z_]+)`: ", calls["resubmit_job"]["409"]["description"]))
    assert resubmit == {*Refusal, "job_deleted"} - {Refusal.OUT_OF_DATE}
    assert "`not_found`" in calls["read_job"]["404"]["description"]
    assert "`not_found`" not in calls["list_jobs"]["404"]["description"]


def test_limits_that_a_schema_can_say_are_in_it(document: Any) -> None:
    schemas = document["components"]["schemas"]
    thumbnails = schemas["ThumbnailsRequest"]
    (one_of,) = thumbnails["allOf"]
    assert [one["required"] for one in one_of["oneOf"]] == [
        ["count"],
        ["interval_s"],
        ["timestamps"],
    ]
    assert thumbnails["properties"]["count"]["anyOf"][0]["maximum"] == 1000
    assert schemas["RenditionRequest"]["properties"]["heights"]["uniqueItems"]
    assert schemas["NewAccount"]["properties"]["provider"]["enum"] == [
        slug for slug, _ in registry.choices()
    ]
    listed = document["paths"]["/api/v1/files"]["get"]["parameters"]
    types = {parameter["name"]: parameter["schema"] for parameter in listed}
    assert types["max_height"]["maximum"] == MAX_PIXELS
    assert types["format"]["minItems"] == 1
    assert types["job"]["items"] == {"type": "string", "pattern": ID_PATTERN}


@pytest.mark.parametrize(
    ("pattern", "fits", "does_not"),
    [
        (TEXT_PATTERN, ["a", " a b", "ü"], ["", " ", "a\x00", "\x7f", "\x85"]),
        (
            URL_PATTERN,
            ["s3://b/a b".replace(" ", "%20"), "s3+eu-west-1://b/k", "https://h"],
            ["", "a.mov", "s3://", "s3:///k", "file://h/k", "https://h/a b", "https://h/\x01"],
        ),
        (SOURCE_PATTERN, ["https://h/a.mov", "a b.mov", "65f0"], ["", " ", "file://h", "a\x00"]),
        (VISIBLE_PATTERN, ["", "a\tb"], ["a\x00", "\u202e"]),
        (VISIBLE_ID_PATTERN, ["17", " a-b "], ["", "a b", "a\u200eb"]),
    ],
)
def test_patterns_say_what_is_checked(pattern: str, fits: list[str], does_not: list[str]) -> None:
    assert [text for text in (*fits, *does_not) if re.search(pattern, text)] == fits


def test_nothing_in_the_document_is_unused(document: Any) -> None:
    used = set(re.findall(r"'#/components/schemas/(\w+)'", str(document)))
    assert used == document["components"]["schemas"].keys()
    tags = {tag["name"] for tag in document["tags"]}
    assert tags == {tag for call in calls_of(document) for tag in call["tags"]}
    assert document["servers"] == [{"url": settings.BASE_URL}]
    # the address that mails come from is nobody's to write to
    assert document["info"]["contact"].keys() == {"name", "url"}


def test_every_call_takes_a_bearer_token(document: Any) -> None:
    assert document["components"]["securitySchemes"] == {
        "TokenAuth": {
            "type": "http",
            "scheme": "bearer",
            "description": "`Authorization: Bearer TOKEN`, as `create_api_token` printed it.",
        }
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
    submitted = schemas["SubmittedJob"]["properties"]
    assert submitted.keys() == job.keys() | {"warnings"}
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
            r'(?:\b\d{3}|\bstatus|_LONG|_REQUEST), "([a-z_]+)"', source.read_text()
        )
    }
    assert len(codes) > 15
    documented = set(re.findall(r"`([a-z_]+)`", guide))
    assert codes <= documented


def test_limits_stand_in_the_guide_as_they_are() -> None:
    guide = (settings.BASE_DIR / "docs" / "api.md").read_text()
    assert f"{REQUESTS_PER_MINUTE:,} calls a minute" in guide
    assert f"{DEFAULT_LIMIT}, at most {MAX_LIMIT}" in guide
