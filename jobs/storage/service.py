"""Saving stored locations: checked at the storage, without writing to it, and audited."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from jobs.accounts.base_urls import check_base_url
from jobs.media.urls import check_url
from jobs.models import StoredLocation
from jobs.storage.buckets import DEADLINE_S, check_bucket, explain
from jobs.storage.references import Reference, is_plain_path
from organizations.audit.changes import changes
from organizations.encryption import Undecryptable
from organizations.models import AuditEntry, User
from providers.core.errors import (
    AddressRefused,
    AuthRefused,
    BadAnswer,
    NotFound,
    ProviderError,
    Rejected,
)
from providers.http.client import HttpClient
from providers.http.redaction import redact_url

SHOWN = (
    *("name", "kind", "is_source", "is_destination", "endpoint", "region", "bucket", "prefix"),
    "url",
)
# Both are put into URLs: in a region, a slash would make another host of that of AWS
_NAMES = {
    "region": (
        *("a region", r"[A-Za-z0-9-]+"),
        "A region has letters, digits and hyphens, such as eu-west-1.",
    ),
    "bucket": (
        *("a bucket", r"[A-Za-z0-9_][A-Za-z0-9._-]*"),
        "The name of a bucket has letters, digits, dots, hyphens and underscores.",
    ),
}
NAME_TAKEN = "There is a stored location with this name already."


class LocationInvalid(Exception):
    """The location cannot be saved; `field` is what to change."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Saved:
    """`warning`: why it is not known whether the credentials are good; else empty."""

    location: StoredLocation
    warning: str = ""


def save_location(location: StoredLocation, credentials: Mapping[str, str], user: User) -> Saved:
    """Check `location` and save it, with those `credentials` that are not empty.

    The others stay as they are stored. Raises LocationInvalid; also where the storage refuses.
    """
    stored = {} if location._state.adding else _stored(location)
    kept = {name: value for name, value in credentials.items() if value}
    location.credentials = stored | kept
    _validate(location)
    warning = _check(location)
    location.checked_at = None if warning else timezone.now()
    before = StoredLocation.objects.filter(pk=location.pk).values(*SHOWN).first() or {}
    try:
        with transaction.atomic():
            location.save()
            _record(location, before, sorted(kept), user)
    except IntegrityError as error:
        raise LocationInvalid("name", NAME_TAKEN) from error
    return Saved(location, warning)


def delete_location(location: StoredLocation, user: User) -> None:
    """Delete it; jobs that are still to be sent with it are refused then."""
    with transaction.atomic():
        AuditEntry.record(location.organization, "destination.deleted", location, actor=user)
        location.delete()


def _stored(location: StoredLocation) -> dict[str, str]:
    try:
        return dict(location.credentials)
    except Undecryptable:
        return {}


def _validate(location: StoredLocation) -> None:
    if not (location.is_source or location.is_destination):
        raise LocationInvalid("is_source", "Choose at least one use.")
    if location.is_bucket:
        _validate_bucket(location)
    else:
        _validate_url(location)


def _validate_bucket(location: StoredLocation) -> None:
    for name, (label, pattern, rule) in _NAMES.items():
        if not getattr(location, name):
            raise LocationInvalid(name, f"Enter {label}.")
        if not re.fullmatch(pattern, getattr(location, name)):
            raise LocationInvalid(name, rule)
    if not is_plain_path(location.prefix) or re.search(r"[?#]", location.prefix):
        raise LocationInvalid("prefix", "Remove ., .., ?, # and control characters.")
    for name, label in {"key_id": "a key id", "secret": "a secret"}.items():
        if not location.credentials.get(name):
            raise LocationInvalid(name, f"Enter {label}.")
    location.credentials = {name: location.credentials[name] for name in ("key_id", "secret")}
    location.url = ""
    if location.endpoint:
        location.endpoint = _check_host("endpoint", location.endpoint)
        if urlsplit(location.endpoint).path:
            raise LocationInvalid("endpoint", "Enter the endpoint without a path.")


def _validate_url(location: StoredLocation) -> None:
    url = location.credentials.get("url", "")
    try:
        check_url(url)
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError as error:
        raise LocationInvalid("url", str(error)) from error
    # elsewhere, the host is the name of a bucket
    if parts.scheme in ("http", "https", "ftp", "ftps", "sftp"):
        _check_host("url", f"https://[{host}]" if ":" in host else f"https://{host}")
    location.credentials = {"url": url}
    location.url = redact_url(url)
    location.endpoint = location.region = location.bucket = location.prefix = ""


def _check_host(field: str, text: str) -> str:
    try:
        return check_base_url(text, allow_private=settings.ALLOW_PRIVATE_ADDRESSES)
    except ValueError as error:
        message = str(error).replace("base URL", "endpoint" if field == "endpoint" else "URL")
        raise LocationInvalid(field, message) from error


def _check(location: StoredLocation) -> str:
    """Why it is not known whether the storage accepts the credentials; empty where it does.

    Raises LocationInvalid where it refuses them.
    """
    at = "secret" if location.is_bucket else "url"
    try:
        if location.is_bucket:
            check_bucket(Reference(location, "").as_bucket())
        elif not _check_web(location.credentials["url"]):
            return "Saved without a check: only http and https URLs are checked."
    except NotFound as error:
        raise LocationInvalid("bucket" if location.is_bucket else "url", explain(error)) from error
    except (AuthRefused, Rejected, AddressRefused) as error:
        raise LocationInvalid(at, explain(error)) from error
    except ProviderError as error:
        if isinstance(error, BadAnswer) and not error.transient:
            raise LocationInvalid(at, explain(error)) from error
        return f"Saved without a check: {explain(error)}"
    return ""


def _check_web(url: str) -> bool:
    """Whether a web server accepts the user name and password; False for other servers."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        return False
    headers = {}
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    with HttpClient(
        allow_private_addresses=settings.ALLOW_PRIVATE_ADDRESSES,
        deadline_s=DEADLINE_S,
        secrets=[unquote(parts.password or "")],
    ) as http:
        try:
            http.send("HEAD", bare, headers=headers, is_text=True)
        except NotFound:
            return True  # a folder that cannot be listed
    return True


def _record(
    location: StoredLocation, before: Mapping[str, Any], given: list[str], user: User
) -> None:
    """Nothing, where nothing was changed. Of credentials it names those that were given."""
    after = {name: getattr(location, name) for name in SHOWN}
    sides = changes(before, after)
    if before and not (sides["before"] or given):
        return
    AuditEntry.record(
        location.organization,
        "destination.changed" if before else "destination.added",
        location,
        actor=user,
        before=sides["before"],
        after=sides["after"],
        details={"credentials": given},
    )
