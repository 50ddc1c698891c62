"""Carrying out a repeated call once: the caller's key, and the job that it made.

A key is looked up before anything else about a call is checked, and written in the transaction
that writes what the call makes.
"""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from jobs.models import Batch, BulkAction, IdempotencyKey, Job
from organizations.models import ApiToken, Organization, User

MAX_KEY = 255
# printable ASCII, which every HTTP client and proxy leaves as it is; not blank
KEY_PATTERN = r"^[ -~]*[!-~][ -~]*$"
KEY_RULE = f"A key must have 1 to {MAX_KEY} printable ASCII characters."
# docs/api.md promises this; a call that is repeated later is carried out again.
KEPT = timedelta(days=90)
BATCH = 1_000


class KeyRefused(Exception):
    """The key cannot be used for this call; the message is a sentence."""


class KeyOfDeletedJob(Exception):
    """The call was carried out, but the job that it made has been deleted."""

    def __init__(self) -> None:
        super().__init__(
            "This key was used before, and the job that it created has been deleted. "
            "Nothing was sent."
        )


@dataclass(frozen=True, slots=True)
class CallerKey:
    """A key as sent with a call: its owner, the call, and a digest of the call with its body."""

    owner: str
    text: str
    call: str
    fingerprint: str


def caller_key(
    text: str,
    call: str,
    body: Any,
    *,
    user: User | None = None,
    token: ApiToken | None = None,
) -> CallerKey:
    """`text` as the key of this caller's call with this body (JSON values). Raises KeyRefused."""
    text = text.strip()
    if len(text) > MAX_KEY or not re.fullmatch(KEY_PATTERN, text):
        raise KeyRefused(KEY_RULE)
    owner = f"token:{token.pk}" if token else f"user:{user.pk}" if user else "command"
    return CallerKey(owner, text, call, _digest([call, body]))


def form_key(text: str, call: str, body: Any, user: User) -> CallerKey:
    """The key of a form that was rendered with `text`, for what was filled in.

    Sent twice with the same content, the form is carried out once; with other content, as after
    going back in the browser, it is another request. Raises KeyRefused.
    """
    key = caller_key(text, call, body, user=user)
    return CallerKey(key.owner, _digest([text, key.fingerprint]), call, key.fingerprint)


def find_job(organization: Organization, key: CallerKey | None) -> Job | None:
    """The job that was made under the key; None for a new key, or none.

    Raises KeyRefused when it was used for another call or body, KeyOfDeletedJob.
    """
    known = find_known(organization, key, "job__account")
    if known is None:
        return None
    if known.job is None:
        raise KeyOfDeletedJob
    return known.job


def find_known(
    organization: Organization, key: CallerKey | None, *related: str
) -> IdempotencyKey | None:
    """The key as it was stored; None for a new key, or none.

    Raises KeyRefused when it was used for another call or body.
    """
    if key is None:
        return None
    known = (
        IdempotencyKey.objects.filter(organization=organization, owner=key.owner, key=key.text)
        .select_related(*related)
        .first()
    )
    if known is not None and known.fingerprint != key.fingerprint:
        raise KeyRefused(
            f"This key was already used for another request ({known.call}). "
            "Use a new key for each request."
        )
    return known


def make_once(
    organization: Organization, key: CallerKey | None, make: Callable[[], Job]
) -> tuple[Job, bool]:
    """Call `make` in a transaction and store that the key made its job; True with it.

    Where that fails since the same call was carried out meanwhile, as by the other half of a
    double click, return the job that it made, and False.
    """
    try:
        with transaction.atomic():
            job = make()
            # last: a second call waits here, and by then holds no lock that the first still needs
            store(organization, key, job)
        return job, True
    except Exception:
        made = find_job(organization, key)
        if made is None:
            raise
        return made, False


def store(
    organization: Organization, key: CallerKey | None, made: Job | BulkAction | Batch
) -> None:
    """Store what the key made. Raises IntegrityError when another call was faster."""
    if key is not None:
        IdempotencyKey.objects.create(
            organization=organization,
            owner=key.owner,
            key=key.text,
            call=key.call,
            fingerprint=key.fingerprint,
            job=made if isinstance(made, Job) else None,
            bulk=made if isinstance(made, BulkAction) else None,
            batch=made if isinstance(made, Batch) else None,
        )


def prune(now: datetime) -> int:
    """Delete the keys that are older than KEPT, a short transaction at a time; returns how many."""
    deleted = 0
    while True:
        # the oldest have the lowest ids, so that no index on their time is needed
        oldest = IdempotencyKey.objects.order_by("pk").values_list("pk", "created_at")[:BATCH]
        expired = [pk for pk, created_at in oldest if created_at < now - KEPT]
        deleted += IdempotencyKey.objects.filter(pk__in=expired).delete()[0]
        if len(expired) < BATCH:
            return deleted


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
