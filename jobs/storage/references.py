"""`NAME/path` in a request in place of a URL: the stored source or destination that it names."""

import re
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from urllib.parse import quote

from jobs.models import ProviderAccount, StoredLocation
from jobs.models.requests.storage import NAME_PATTERN
from jobs.storage.buckets import sign_link
from organizations.encryption import Undecryptable
from organizations.models import Organization
from providers.core.issues import RequestIssue
from providers.core.types import Bucket, JobRequest

_REFERENCE = re.compile(rf"({NAME_PATTERN})(?:/(.*))?", re.DOTALL)


class LocationRefused(Exception):
    """A stored location cannot be used; `field` of the request names it, `issue` says why."""

    def __init__(self, field: str, message: str, issue: RequestIssue | None = None) -> None:
        super().__init__(message)
        self.field = field
        self.issue = issue or RequestIssue(field, "location_unusable", {"reason": message})


@dataclass(frozen=True, slots=True)
class Reference:
    location: StoredLocation
    path: str

    @property
    def shown(self) -> str:
        """Where it leads, without credentials."""
        return _join(self.location.place, self.path)

    def as_bucket(self) -> Bucket:
        """The place in its bucket, with the credentials. Raises Undecryptable."""
        location, credentials = self.location, self.location.credentials
        return Bucket(
            location.bucket,
            _join(location.prefix, self.path),
            location.region,
            location.endpoint,
            credentials["key_id"],
            credentials["secret"],
        )


class Locations:
    """What an organization has stored, for many requests: read once, and only if asked for."""

    def __init__(self, organization: Organization) -> None:
        self._organization = organization

    @cached_property
    def _by_name(self) -> dict[str, StoredLocation]:
        found = StoredLocation.objects.for_organization(self._organization)
        return {location.name: location for location in found}

    def find(self, text: str | None) -> Reference | None:
        """What `text` names; None for a URL, and for an id or a folder at the provider."""
        match = _REFERENCE.fullmatch(text or "")
        if match is None or "://" in match[0]:
            return None
        location = self._by_name.get(match[1])
        return Reference(location, match[2] or "") if location else None


def find_reference(organization: Organization, text: str | None) -> Reference | None:
    """As `Locations.find`, for one text."""
    return Locations(organization).find(text)


def resolve(
    account: ProviderAccount, request: JobRequest, locations: Locations | None = None
) -> JobRequest:
    """`request` with URLs in place of references, as the account's provider takes them.

    With the credentials: to be sent, and neither kept nor shown. Raises LocationRefused.
    """
    locations = locations or Locations(account.organization)
    values: dict[str, Any] = {}
    if source := locations.find(request.input):
        _check_use(source, "input", is_allowed=source.location.is_source)
        values["input"] = _open(source, "input", account)
    if destination := locations.find(request.destination):
        _check_use(destination, "destination", is_allowed=destination.location.is_destination)
        values["destination"] = _open(destination, "destination", account)
    return replace(request, **values) if values else request


def _check_use(reference: Reference, field: str, *, is_allowed: bool) -> None:
    if not is_allowed:
        use = "source" if field == "input" else "destination"
        raise LocationRefused(field, f"{reference.location} is not stored as a {use}.")
    if not is_plain_path(reference.path):
        raise LocationRefused(field, f"The path after {reference.location}/ is not valid.")
    # beside credentials in a query, the path of a folder is not encoded
    if field == "destination" and re.search(r"[?#]", reference.path):
        raise LocationRefused(field, f"Remove ? and # from the path after {reference.location}/.")
    if field == "input" and not reference.path:
        raise LocationRefused(field, f"Add the path of the file after {reference.location}/.")


def is_plain_path(path: str) -> bool:
    """Whether it stays in its folder, and has no control characters."""
    return not ({".", ".."} & set(path.split("/")) or re.search(r"[\x00-\x1f\x7f-\x9f]", path))


def _open(reference: Reference, field: str, account: ProviderAccount) -> str:
    location = reference.location
    try:
        if not location.is_bucket:
            return _join(str(location.credentials["url"]), quote(reference.path, safe="/%~"))
        bucket = reference.as_bucket()
    except Undecryptable as error:
        raise LocationRefused(field, str(error)) from error
    if field == "input":
        return sign_link(bucket)
    url = account.adapter_class.bucket_url(bucket)
    if url is None:
        issue = account.adapter_class.refuse(field, "bucket_elsewhere", location=location.name)
        raise LocationRefused(field, issue.message, issue)
    return url


def _join(base: str, path: str) -> str:
    if not path or not base:
        return base or path
    return f"{base.rstrip('/')}/{path}"
