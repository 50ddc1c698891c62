"""The inputs of a batch from a stored source: the objects of its bucket, named as requests do."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from jobs.batches.lines import MAX_INPUTS
from jobs.models import StoredLocation
from jobs.query.references import has_control_characters
from jobs.storage.buckets import Listed, TooManyObjects, explain, list_objects
from jobs.storage.references import Reference
from organizations.encryption import Undecryptable
from organizations.models import Organization
from providers.core.errors import ProviderError
from providers.core.types import Bucket

MAX_PREFIX = 1_000
MAX_PATTERN = 200
# what S3 allows
MAX_KEY = 1_024
# of all names together: a form with them is sent back by the browser
MAX_BYTES = 2_000_000
TOO_MANY = "There are more objects than a batch can hold. Use a longer prefix."
UNREAD = "There are too many objects to read all of them. Use a longer prefix."


class ListingRefused(Exception):
    """No inputs were found; `field` (`source` or `prefix`) is what to change."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Found:
    """`inputs` are `NAME/path`, in the order of the storage.

    `unusable` counts objects whose names no input can hold. `missing` says why there may be more
    objects than these; empty where these are all.
    """

    inputs: Sequence[str]
    size_bytes: int
    unusable: int = 0
    missing: str = ""


def find_inputs(organization: Organization, source: str, prefix: str, pattern: str = "") -> Found:
    """List the bucket of the stored source, within DEADLINE_S.

    `pattern`, with `*` and `?`, is of the file's name, in any case. Raises ListingRefused.
    """
    location = _find_source(organization, source)
    prefix = prefix.lstrip("/")
    try:
        bucket = Reference(location, "").as_bucket()
    except Undecryptable as error:
        raise ListingRefused("source", str(error)) from error
    folder = f"{location.prefix.rstrip('/')}/" if location.prefix else ""
    try:
        found = _collect(location, replace(bucket, key=folder + prefix), folder, pattern)
    except ProviderError as error:
        raise ListingRefused("source", explain(error)) from error
    if not (found.inputs or found.unusable or found.missing):
        which = f" whose name is like {pattern}" if pattern else ""
        raise ListingRefused("prefix", f"There is no object in {location}/{prefix}{which}.")
    return found


def write_lines(inputs: Sequence[str]) -> str:
    """CSV with a header: names may hold what separates columns."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["input"])
    writer.writerows([one] for one in inputs)
    return text.getvalue()


def _find_source(organization: Organization, name: str) -> StoredLocation:
    stored = StoredLocation.objects.for_organization(organization)
    location = stored.filter(name=name).first()
    if location is None:
        raise ListingRefused("source", "No stored source has this name.")
    if not location.is_source:
        raise ListingRefused("source", f"{location} is not stored as a source.")
    if not location.is_bucket:
        raise ListingRefused("source", f"{location} is not a bucket, and cannot be listed.")
    return location


def _collect(location: StoredLocation, bucket: Bucket, folder: str, pattern: str) -> Found:
    inputs: list[str] = []
    size = unusable = length = 0
    missing = ""
    try:
        for one in _matching(bucket, pattern):
            path = one.key.removeprefix(folder)
            if not _is_usable(path):
                unusable += 1
                continue
            text = f"{location.name}/{path}"
            # with its quotes, and those in it twice
            length += len(text.encode()) + text.count('"') + 4
            if len(inputs) == MAX_INPUTS or length > MAX_BYTES:
                missing = TOO_MANY
                break
            inputs.append(text)
            size += one.size_bytes
    except TooManyObjects:
        missing = UNREAD
    return Found(inputs, size, unusable, missing)


def _matching(bucket: Bucket, pattern: str) -> Iterator[Listed]:
    pattern = pattern.lower()
    for one in list_objects(bucket):
        if not pattern or fnmatchcase(one.key.rpartition("/")[2].lower(), pattern):
            yield one


def _is_usable(path: str) -> bool:
    """Whether `NAME/path`, as a line of text, is read as the object and as nothing else."""
    return (
        bool(path)
        and len(path) <= MAX_KEY
        and path == path.rstrip()
        and "://" not in path
        and not has_control_characters(path)
    )
