"""The OpenAPI document: what ninja writes, with what programs and readers miss in it."""

import re
from collections.abc import Iterator
from email.utils import parseaddr
from http import HTTPStatus
from typing import Any

from django.conf import settings

from jobs.api.http.examples import REQUESTS, RESPONSES

TAGS = {
    "jobs": "Encoding jobs of all accounts: list, read, submit, cancel, run again.",
    "accounts": "Provider accounts, and how syncing them goes.",
    "presets": "Presets of all accounts, and how often each is used.",
    "files": "Outputs of all jobs.",
    "tokens": "The token that calls.",
}
LICENSE = {"name": "MIT", "url": "https://opensource.org/license/mit"}
SCHEME = "`Authorization: Bearer TOKEN`, as `create_api_token` printed it."
# Beside those that each call names itself
REFUSALS_OF_ALL = (400, 401, 404, 422, 429, 500, 503)
REFUSALS_OF_BODIES = (408, 413, 415)
JSON = "application/json"
ERROR = {"$ref": "#/components/schemas/ErrorBody"}

Node = dict[str, Any]


def complete(document: Node) -> Node:
    """`document` itself, completed in place."""
    sender = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    contact = {"name": "Reelboard", "url": settings.BASE_URL, "email": sender}
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
    refusals = REFUSALS_OF_ALL + (REFUSALS_OF_BODIES if "requestBody" in call else ())
    responses = {status: {"content": {JSON: {"schema": ERROR}}} for status in refusals}
    responses |= {int(status): response for status, response in call["responses"].items()}
    call["responses"] = {str(status): responses[status] for status in sorted(responses)}
    for status, response in call["responses"].items():
        response["description"] = HTTPStatus(int(status)).phrase
        example = RESPONSES.get(call["operationId"]) if int(status) < 400 else None
        _complete_body(response["content"][JSON], example)
    if "requestBody" in call:
        _complete_body(call["requestBody"]["content"][JSON], REQUESTS.get(call["operationId"]))


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
