"""The `Idempotency-Key` header: what it may be, and the job that a call with it made before."""

from typing import Annotated

from ninja import Header
from pydantic import BaseModel, WithJsonSchema

from jobs.api.auth import ApiRequest
from jobs.models import Job
from jobs.submission import idempotency
from jobs.submission.idempotency import CallerKey

# documented here and checked by `caller_key`, whose sentence says more than a pattern does
KeyText = Annotated[
    str,
    WithJsonSchema(
        {
            "type": "string",
            "minLength": 1,
            "maxLength": idempotency.MAX_KEY,
            "pattern": idempotency.KEY_PATTERN,
        }
    ),
]
KeyHeader = Annotated[
    KeyText | None,
    Header(
        alias="Idempotency-Key",
        description="Chosen by the caller, a new one for each request: a call that is repeated "
        "with the same key is carried out once.",
    ),
]


def read_key(request: ApiRequest, text: str | None, call: str, body: BaseModel) -> CallerKey | None:
    """The key of this call. Raises KeyRefused."""
    if text is None:
        return None
    # what is left out is the same as its default spelt out, also after a version adds a field
    sent = body.model_dump(mode="json", exclude_defaults=True)
    return idempotency.caller_key(text, call, sent, token=request.auth)


def find_made(request: ApiRequest, key: CallerKey | None) -> Job | None:
    """What the key made before; None for a new key, or none. Raises KeyRefused, KeyOfDeletedJob."""
    return idempotency.find_job(request.auth.organization, key)
