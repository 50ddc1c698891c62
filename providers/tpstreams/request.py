"""Translates a request into the body of a creation.

https://developer.tpstreams.com/docs/transcoding-service/transcode-a-video
"""

from typing import Any
from urllib.parse import urlencode, urlsplit

from providers.core.types import Bucket, JobRequest

INPUT_FIELDS = frozenset({"input_url", "input_path"})


def build(request: JobRequest) -> dict[str, Any]:
    body: dict[str, Any] = {}
    if not INPUT_FIELDS & request.extra.keys():
        body["input_path" if is_s3(request.input) else "input_url"] = request.input
    if request.destination:
        body["output_path"] = request.destination
    # each height once, whatever packagings it is asked for in
    heights = [height for rendition in request.renditions for height in rendition.heights]
    if heights:
        body["resolutions"] = [f"{height}p" for height in dict.fromkeys(heights)]
    return body


def is_s3(url: str) -> bool:
    return url.lower().startswith("s3://")


def build_bucket_url(bucket: Bucket) -> str:
    """With the credentials in the query; another store than AWS's is named by its host."""
    query = {
        "access_key": bucket.key_id,
        "secret_key": bucket.secret,
        "region": bucket.region,
    }
    host = urlsplit(bucket.endpoint).netloc
    place = "/".join(filter(None, [host, bucket.name, bucket.key]))
    return f"s3://{place.rstrip('/')}/?{urlencode(query)}"
