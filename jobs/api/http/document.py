"""The OpenAPI document: what ninja writes, with what programs and readers miss in it."""

import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from django.conf import settings

from jobs.api.http import reasons
from jobs.api.http.examples import REQUESTS, RESPONSES
from jobs.query.references import ID_PATTERN

TAGS = {
    "batches": "Many inputs submitted with the same settings: submit, list, read.",
    "bulk actions": "One action on many jobs: start, read, stop.",
    "jobs": "Encoding jobs of all accounts: list, read, submit, cancel, run again, annotate.",
    "accounts": "Provider accounts, and how syncing them goes.",
    "presets": "Presets of all accounts, and how often each is used.",
    "errors": "Failed jobs grouped by cause: list, read, mute, resolve, reopen, annotate.",
    "files": "Outputs of all jobs.",
    "statistics": "How jobs ended over time, and how long they took.",
    "templates": "Saved settings, to submit jobs with.",
    "tokens": "The token that calls.",
}
LICENSE = {"name": "MIT", "url": "https://opensource.org/license/mit"}
SCHEME = "`Authorization: Bearer TOKEN`, as `create_api_token` printed it."
# Beside those that each call names itself: wherever a path or a parameter is wrong
REFUSALS_OF_ALL = (404, 422)
JSON = "application/json"
ERROR = {"$ref": "#/components/schemas/ErrorBody"}

Node = dict[str, Any]


def complete(document: Node) -> Node:
    """`document` itself, completed in place."""
    contact = {"name": "Reelboard", "url": settings.BASE_URL}
    document["info"] |= {"contact": contact, "license": LICENSE}
    document["servers"] = [{"url": settings.BASE_URL}]
    document["tags"] = [{"name": name, "description": text} for name, text in sorted(TAGS.items())]
    for call in _calls(document):
        _complete_call(call)
    components = document["components"]
    for scheme in components["securitySchemes"].values():
        scheme["description"] = SCHEME
    for schema in components["schemas"].values():
        _tidy(schema)
    _drop_unused(document)
    return document


def _calls(document: Node) -> Iterator[Node]:
    for methods in document["paths"].values():
        yield from methods.values()


def _complete_call(call: Node) -> None:
    for parameter in call["parameters"]:
        _complete_parameter(parameter)
    _complete_responses(call)
    if "requestBody" in call:
        _complete_body(call["requestBody"]["content"][JSON], REQUESTS.get(call["operationId"]))


def _complete_responses(call: Node) -> None:
    why = _find_reasons(call)
    responses: dict[int, Node] = {
        status: {"content": {JSON: {"schema": ERROR}}} for status in (*REFUSALS_OF_ALL, *why)
    }
    responses |= {int(status): response for status, response in call["responses"].items()}
    call["responses"] = {str(status): responses[status] for status in sorted(responses)}
    for status, response in responses.items():
        phrase = HTTPStatus(status).phrase
        response["description"] = reasons.explain(phrase, why.get(status, {}))
        name = call["operationId"]
        example = RESPONSES.get(f"{name} {status}", RESPONSES.get(name)) if status < 400 else None
        _complete_body(response["content"][JSON], example)


def _find_reasons(call: Node) -> dict[int, dict[str, str]]:
    """Why the call may be refused, by status."""
    parts = [reasons.OF_ALL, reasons.OF_CALLS.get(call["operationId"], {})]
    if any(parameter["in"] == "path" for parameter in call["parameters"]):
        parts.append(reasons.OF_IDS)
    if "requestBody" in call:
        parts.append(reasons.OF_BODIES)
    if 403 in call["responses"]:
        parts.append(reasons.OF_SCOPES)
    why: dict[int, dict[str, str]] = {}
    for part in parts:
        for status, named in part.items():
            why.setdefault(status, {}).update(named)
    return why


def _complete_body(body: Node, example: Node | None) -> None:
    _tidy(body["schema"])
    if example is not None:
        body["example"] = example


def _complete_parameter(parameter: Node) -> None:
    schema = parameter["schema"]
    text = schema.pop("description", None)
    kind = parameter["name"].removesuffix("_id")
    parameter["description"] = parameter.get("description") or text or f"Our id of the {kind}."
    _tidy(schema)
    if parameter["in"] == "path":
        schema["pattern"] = ID_PATTERN
    if schema.get("default") in ("", [], None):
        schema.pop("default", None)
    match schema:
        case {"anyOf": [one, {"type": "null"}]}:  # left out: a parameter is never null
            parameter["schema"] = one


def _tidy(schema: Node) -> None:
    """Drop titles, which pydantic makes of the names, and generated clients make names of.

    Drop defaults too: where there is one, clients in TypeScript want the property sent.
    """
    if isinstance(schema.get("title"), str):
        del schema["title"]
    for one in schema.get("properties", {}).values():
        one.pop("default", None)
    inner = [*schema.get("properties", {}).values(), *schema.get("anyOf", ())]
    inner += [schema[name] for name in ("items", "additionalProperties") if name in schema]
    for one in inner:
        if isinstance(one, dict):
            _tidy(one)


def _drop_unused(document: Node) -> None:
    schemas = document["components"]["schemas"]
    pattern = re.compile(r"'#/components/schemas/(\w+)'")
    while unused := schemas.keys() - set(pattern.findall(str(document))):
        for name in unused:
            del schemas[name]
