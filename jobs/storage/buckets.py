"""Reading an S3-compatible bucket: signed by botocore, sent by our own client.

So the rules of providers' hosts hold here as well: no private address, no redirect, bounded in
time and size.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import quote, unquote_plus
from xml.etree import ElementTree

from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from django.conf import settings

from providers.core.errors import (
    AddressRefused,
    AuthRefused,
    BadAnswer,
    NotFound,
    ProviderError,
    Rejected,
    TimedOut,
    Unreachable,
)
from providers.core.types import Bucket
from providers.http.client import HttpClient

# A whole listing, whose reader waits for it
DEADLINE_S = 10
# As many as one answer has; a listing asks for no more answers than this.
PAGE_SIZE = 1_000
MAX_PAGES = 100
# A thousand keys of the greatest length, percent-encoded, are about 4 MB.
MAX_ANSWER_BYTES = 5_000_000
MISDIRECTED = (
    "The storage answered with a redirect, or not as a bucket. Check endpoint, region and bucket."
)
# Providers fetch an input when its turn comes, which may be long after it was submitted.
LINK_S = 7 * 24 * 3600


class TooManyObjects(Exception):
    """There are more objects than a listing reads, which is MAX_PAGES answers."""


@dataclass(frozen=True, slots=True)
class Listed:
    """An object: its key, from the root of the bucket, and its size."""

    key: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class _Page:
    objects: list[Listed] = field(default_factory=list)
    continuation: str = ""


def check_bucket(bucket: Bucket) -> None:
    """Return quietly where the key may list the bucket's folder, else raise ProviderError."""
    with _open(bucket) as http:
        _read_page(http, bucket, bucket.key, "", 1)


def list_objects(bucket: Bucket) -> Iterator[Listed]:
    """Yield the objects whose keys begin with `bucket.key`, in the order of the storage.

    What stands for a folder is left out. Raises ProviderError; TooManyObjects after those read.
    """
    with _open(bucket) as http:
        continuation, seen = "", set[str]()
        for _ in range(MAX_PAGES):
            page = _read_page(http, bucket, bucket.key, continuation, PAGE_SIZE)
            for one in page.objects:
                if not one.key.startswith(bucket.key):
                    raise BadAnswer("The storage lists objects outside of the folder.")
                if not one.key.endswith("/"):
                    yield one
            continuation = page.continuation
            if not continuation:
                return
            if continuation in seen:
                raise BadAnswer("The storage lists the same objects again.")
            seen.add(continuation)
    raise TooManyObjects


def explain(error: ProviderError) -> str:
    """Why a bucket cannot be read, as a sentence for whoever stored it."""
    match error:
        case AuthRefused():
            return "The storage refuses these credentials for listing the folder."
        case NotFound():
            return "There is nothing of this name at the storage."
        case Rejected():
            return "The storage rejects the request. Check the settings of the location."
        case BadAnswer(transient=False):
            return MISDIRECTED
        case BadAnswer():
            return "The storage's response is not a list of objects."
        case TimedOut():
            return f"The storage did not answer within {DEADLINE_S} seconds."
        case Unreachable():
            return "No connection to the storage could be made."
        case AddressRefused():
            return str(error)
    return "The storage cannot answer now. Try again later."


def sign_link(bucket: Bucket) -> str:
    """A URL at which anybody can read the object for LINK_S. Sends nothing."""
    request = AWSRequest("GET", _url(bucket, bucket.key))
    S3SigV4QueryAuth(_credentials(bucket), "s3", bucket.region, LINK_S).add_auth(request)
    return str(request.url)


def _open(bucket: Bucket) -> HttpClient:
    return HttpClient(
        allow_private_addresses=settings.ALLOW_PRIVATE_ADDRESSES,
        deadline_s=DEADLINE_S,
        max_bytes=MAX_ANSWER_BYTES,
        secrets=[bucket.key_id, bucket.secret],
    )


def _read_page(
    http: HttpClient, bucket: Bucket, prefix: str, continuation: str, size: int
) -> _Page:
    # encoded, since XML has no way to write most control characters
    params = {"list-type": "2", "max-keys": str(size), "prefix": prefix, "encoding-type": "url"}
    if continuation:
        params["continuation-token"] = continuation
    request = AWSRequest("GET", _url(bucket), params=params)
    S3SigV4Auth(_credentials(bucket), "s3", bucket.region).add_auth(request)
    prepared = request.prepare()
    answer = http.send("GET", prepared.url, headers=dict(prepared.headers), is_text=True)
    return _parse(answer.text)


def _parse(text: str) -> _Page:
    try:
        # a list of objects has none: entities could grow without bound
        if "<!DOCTYPE" in text:
            raise ValueError
        root = ElementTree.fromstring(text)  # noqa: S314 - checked above, and bounded in size
        is_encoded = _text(root, "EncodingType") == "url"
        objects = [_read_object(item, is_encoded) for item in root.iterfind("{*}Contents")]
        continuation = _text(root, "NextContinuationToken")
        is_cut = _text(root, "IsTruncated") == "true"
        if is_cut and not continuation:
            raise ValueError
    except (ElementTree.ParseError, ValueError):
        raise BadAnswer("The storage's response is not a list of objects.") from None
    return _Page(objects, continuation if is_cut else "")


def _read_object(item: ElementTree.Element, is_encoded: bool) -> Listed:
    key = _text(item, "Key")
    return Listed(unquote_plus(key) if is_encoded else key, int(_text(item, "Size") or 0))


def _text(node: ElementTree.Element, name: str) -> str:
    return node.findtext(f"{{*}}{name}") or ""


def _url(bucket: Bucket, key: str = "") -> str:
    endpoint = bucket.endpoint or f"https://s3.{bucket.region}.amazonaws.com"
    return f"{endpoint}/{quote(bucket.name)}/{quote(key, safe='/~')}"


def _credentials(bucket: Bucket) -> Credentials:
    return Credentials(bucket.key_id, bucket.secret)
