"""Read by schemathesis: it takes values that exist, and holds refusals to what is documented.

The test passes in the environment what it made, by operation, and reads how each was answered.
"""

import atexit
import json
import os
import random
import re
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import schemathesis

# By operation: what a call may be made of, a choice of parameters and properties that fit together
FITTING = json.loads(os.environ["FITTING"])
# By operation: what seldom fits, and is mostly left out
SELDOM = json.loads(os.environ["SELDOM"])
# The messages of what a schema can say, which are no reason to refuse what fits it
SAID_BY_SCHEMA = re.compile(os.environ["SAID_BY_SCHEMA"])
# Stands in them for text that no other call has
UNIQUE = "UNIQUE"
KEY = "Idempotency-Key"
USE_FITTING = 0.85
LEAVE_OUT = 0.8

# How often each operation answered a call that fits with which status
answers: Counter[tuple[str, str]] = Counter()


# Gunicorn refuses a longer one before any view is asked
LONGEST_URL = 8_190


@schemathesis.hook
def filter_case(context: Any, case: Any) -> bool:
    """Leave out what no server passes on."""
    return len(urlencode(case.query or {}, doseq=True)) < LONGEST_URL


@schemathesis.hook
def map_case(context: Any, case: Any) -> Any:
    """Have most of the calls that fit the schema name what is there."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return case
    name = case.operation.definition.raw["operationId"]
    # not the global one, which begins anew with each case
    chance = random.Random(case.id)  # noqa: S311 (protects nothing)
    unique = f"{chance.getrandbits(64):x}"
    left_out = {one for one in SELDOM.get(name, ()) if chance.random() < LEAVE_OUT}
    fitting = FITTING.get(name) if chance.random() < USE_FITTING else None
    chosen = chance.choice(fitting) if fitting else {}
    chosen = {
        one: value.replace(UNIQUE, unique) if isinstance(value, str) else value
        for one, value in chosen.items()
    }
    if fitting and KEY in case.headers:
        case.headers[KEY] = unique
    case.path_parameters = _replace(case.path_parameters, chosen)
    case.query = _replace(_without(case.query, left_out), chosen)
    if isinstance(case.body, dict):
        inner = {one: chosen[one] for one in chosen if one not in case.path_parameters}
        case.body = {**_without(case.body, left_out), **inner}
    return case


def _without(values: Any, names: set[str]) -> Any:
    return (
        {name: value for name, value in values.items() if name not in names} if values else values
    )


def _replace(values: Any, chosen: dict[str, Any]) -> Any:
    return {name: chosen.get(name, value) for name, value in values.items()} if values else values


@schemathesis.check
def refusals_are_documented(ctx: Any, response: Any, case: Any) -> None:
    """A call that fits the schema is refused for a reason that the document gives, or accepted."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    call = case.operation.definition.raw
    status = str(response.status_code)
    reasons = _reasons(response)
    answers[call["operationId"], status] += 1
    documented = call["responses"].get(status, {}).get("description", "")
    unknown = [
        (name, message)
        for name, message in reasons
        if f"`{name}`" not in documented or SAID_BY_SCHEMA.fullmatch(message)
    ]
    assert not unknown, f"Refused for what the document does not name: {unknown}"


def _reasons(response: Any) -> list[tuple[str, str]]:
    """The code of a refusal or, of fields that are not valid, the names, each with the message."""
    if response.status_code < 400:
        return []
    error = response.json()["error"]
    fields = error.get("fields", {})
    # the rest of a path is a position or a name of the caller's
    named = [(name.partition(".")[0], message) for name, message in fields.items()]
    return named or [(error["code"], error["message"])]


@atexit.register
def _report() -> None:
    rows = [[*key, count] for key, count in answers.items()]
    Path(os.environ["ANSWERS"]).write_text(json.dumps(rows))
