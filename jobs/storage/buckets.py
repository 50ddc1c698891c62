"""Reading an S3-compatible bucket: signed by botocore, sent by our own client.

So the rules of providers' hosts hold here as well: no private address, no redirect, bounded in
time and size.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import quote
from xml.etree import ElementTree

from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from django.conf import settings

from providers.core.errors import BadAnswer
from providers.core.types import Bucket
from providers.http.client import HttpClient

DEADLINE_S = 10
# As many as one answer has; a listing asks for no more answers than this.
PAGE_SIZE = 1_000
MAX_PAGES = 100
# Providers fetch an input when its turn comes, which may be long after it was submitted.
LINK_S = 7 * 24 * 3600


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


def list_objects(bucket: Bucket, limit: int) -> Iterator[Listed]:
    """Yield the objects whose keys begin with `bucket.key`, in the order of keys.

    At most `limit`, and what MAX_PAGES answers have. What stands for a folder is left out. Raises
    ProviderError.
    """
    with _open(bucket) as http:
        continuation, left = "", limit
        for _ in range(MAX_PAGES):
            page = _read_page(http, bucket, bucket.key, continuation, PAGE_SIZE)
            for one in page.objects:
                if one.key.endswith("/"):
                    continue
                if not left:
                    return
                left -= 1
                yield one
            if not page.continuation:
                return
            continuation = page.continuation


def sign_link(bucket: Bucket) -> str:
    """A URL at which anybody can read the object for LINK_S. Sends nothing."""
    request = AWSRequest("GET", _url(bucket, bucket.key))
    S3SigV4QueryAuth(_credentials(bucket), "s3", bucket.region, LINK_S).add_auth(request)
    return str(request.url)


def _open(bucket: Bucket) -> HttpClient:
    return HttpClient(
        allow_private_addresses=settings.ALLOW_PRIVATE_ADDRESSES,
        answer_s=DEADLINE_S,
        secrets=[bucket.key_id, bucket.secret],
    )


def _read_page(
    http: HttpClient, bucket: Bucket, prefix: str, continuation: str, size: int
) -> _Page:
    params = {"list-type": "2", "max-keys": str(size), "prefix": prefix}
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
            raise ValueError("it has a DOCTYPE")
        root = ElementTree.fromstring(text)  # noqa: S314 - checked above, and bounded in size
        objects = [
            Listed(_text(item, "Key"), int(_text(item, "Size") or 0))
            for item in root.iterfind("{*}Contents")
        ]
    except (ElementTree.ParseError, ValueError) as error:
        raise BadAnswer(f"The storage's response is not a list of objects: {error}.") from None
    is_cut = _text(root, "IsTruncated") == "true"
    return _Page(objects, _text(root, "NextContinuationToken") if is_cut else "")


def _text(node: ElementTree.Element, name: str) -> str:
    return node.findtext(f"{{*}}{name}") or ""


def _url(bucket: Bucket, key: str = "") -> str:
    endpoint = bucket.endpoint or f"https://s3.{bucket.region}.amazonaws.com"
    return f"{endpoint}/{quote(bucket.name)}/{quote(key, safe='/~')}"


def _credentials(bucket: Bucket) -> Credentials:
    return Credentials(bucket.key_id, bucket.secret)
