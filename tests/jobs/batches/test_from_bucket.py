"""Inputs from a bucket: which objects become lines, and what a bad storage leads to."""

import time
from typing import Any

import pytest
import requests
import responses

from jobs.batches import from_bucket
from jobs.batches.from_bucket import TOO_MANY, UNREAD, ListingRefused, find_inputs, write_lines
from jobs.batches.inputs import read_inputs
from jobs.models import ProviderAccount, StoredLocation
from jobs.storage import buckets
from organizations.models import Organization
from tests.factories import make_organization
from tests.jobs.factories import BUCKET_SECRET, make_location
from tests.providers.test_http import serve
from tests.providers.test_http_hostile import CHUNKED, Sender

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

STORE = "https://store.example"
URL = f"{STORE}/site/"


@pytest.fixture
def stored(organization: Organization, s3_url: str) -> StoredLocation:
    place = {"endpoint": s3_url, "region": "us-east-1", "bucket": "ingest", "prefix": "2026"}
    return make_location(organization, "ingest", **place)


@pytest.fixture
def far(organization: Organization) -> StoredLocation:
    return make_location(organization, "far", endpoint=STORE, prefix="")


def page(*keys: str, more: str = "", size: str = "7", encoding: str = "url") -> str:
    objects = "".join(f"<Contents><Key>{key}</Key><Size>{size}</Size></Contents>" for key in keys)
    return (
        f"<ListBucketResult xmlns='http://s3.amazonaws.com/doc/2006-03-01/'>{objects}"
        f"<EncodingType>{encoding}</EncodingType>{more}</ListBucketResult>"
    )


def cut(token: str) -> str:
    following = f"<NextContinuationToken>{token}</NextContinuationToken>"
    return f"<IsTruncated>true</IsTruncated>{following if token else ''}"


def find(location: StoredLocation, prefix: str = "", pattern: str = "") -> from_bucket.Found:
    return find_inputs(location.organization, location.name, prefix, pattern)


def test_objects_of_all_pages_become_lines_that_read_as_their_names(
    stored: StoredLocation, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buckets, "PAGE_SIZE", 2)
    names = ["a, b;c.mp4", 'quoted "x".MP4', "reel 1+.mp4", "sub/été.mp4", "z%41.mp4"]
    for name in [*names, "notes.txt", "folder/", "\x01.mp4"]:
        s3.put_object(Bucket="ingest", Key=f"2026/{name}", Body=b"xyz")
    # neither is in the stored folder
    for key in ("2026.mp4", "2025/other.mp4"):
        s3.put_object(Bucket="ingest", Key=key, Body=b"x")
    found = find(stored, "/", "*.mp4")
    assert list(found.inputs) == [f"ingest/{name}" for name in names]
    assert (found.size_bytes, found.unusable, found.missing) == (15, 1, "")
    rows = read_inputs(write_lines(found.inputs)).rows
    assert [row.line and row.line.input for row in rows] == list(found.inputs)
    assert list(find(stored, "sub/").inputs) == ["ingest/sub/été.mp4"]
    assert len(find(stored).inputs) == 6


@responses.activate
def test_names_that_no_line_can_hold_are_counted(far: StoredLocation) -> None:
    odd = ["a%0Ab", "a%00", "blank+", "http://10.0.0.1/x", "y" * 1_025, "%F0%9F%8E%AC.mp4"]
    responses.get(URL, body=page(*odd))
    found = find(far)
    assert (list(found.inputs), found.unusable) == (["far/🎬.mp4"], 5)


@responses.activate
def test_no_more_than_a_batch_holds_are_taken_and_it_is_said(
    far: StoredLocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(from_bucket, "MAX_INPUTS", 3)
    responses.get(URL, body=page("1", "2", more=cut("next")))
    responses.get(URL, body=page("3", "4", more=cut("last")))
    found = find(far)
    assert (len(found.inputs), found.missing) == (3, TOO_MANY)
    monkeypatch.setattr(from_bucket, "MAX_BYTES", 18)
    assert len(find(far).inputs) == 2
    # what cannot all be read within some requests is not read to the end
    monkeypatch.setattr(buckets, "MAX_PAGES", 1)
    assert find(far, "", "*.mp4").missing == UNREAD
    assert len(responses.calls) == 5


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"status": 403}, "refuses these credentials"),
        ({"status": 404}, "nothing of this name"),
        ({"status": 400}, "rejects the request"),
        ({"status": 503}, "cannot answer now"),
        ({"status": 307, "headers": {"Location": "http://10.0.0.1/"}}, "with a redirect"),
        ({"body": requests.ConnectionError()}, "No connection"),
        ({"body": "<html>"}, "not a list of objects"),
        ({"body": ""}, "not a list of objects"),
        ({"body": f"<!DOCTYPE x>{page('a')}"}, "not a list of objects"),
        ({"body": page("reels/a", size="canary")}, "not a list of objects"),
        ({"body": page("reels/a", more=cut(""))}, "not a list of objects"),
        # the same page again and again
        ({"body": page("reels/a", more=cut("again"))}, "not a list of objects"),
        ({"body": page("series/a")}, "not a list of objects"),
        ({"body": page(*["reels/" + "x" * 1_000] * 6_000)}, "not a list of objects"),
        ({"body": page()}, "no object in far/reels/"),
    ],
)  # fmt: skip
@responses.activate
def test_a_bad_storage_leads_to_a_sentence(
    far: StoredLocation, answer: dict[str, Any], message: str
) -> None:
    responses.get(URL, **answer)
    with pytest.raises(ListingRefused, match=message) as refused:
        find(far, "reels/", "*.none" if "again" in str(answer) else "")
    assert BUCKET_SECRET not in str(refused.value)
    assert "canary" not in str(refused.value)
    assert {str(call.request.url).partition("?")[0] for call in responses.calls} == {URL}


def test_a_storage_that_trickles_is_left_in_time(
    far: StoredLocation, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ALLOW_PRIVATE_ADDRESSES = True
    monkeypatch.setattr(buckets, "DEADLINE_S", 0.5)
    with serve(Sender(CHUNKED, b"1\r\n \r\n")) as server:
        far.endpoint = server.url
        far.save()
        started = time.monotonic()
        with pytest.raises(ListingRefused, match="did not answer within"):
            find(far)
        assert time.monotonic() - started < 3


def test_a_private_address_is_refused_at_connect(stored: StoredLocation, settings: Any) -> None:
    settings.ALLOW_PRIVATE_ADDRESSES = False
    with pytest.raises(ListingRefused, match="private address"):
        find(stored)


def test_only_a_bucket_of_the_organization_that_is_a_source_is_listed(
    organization: Organization, account: ProviderAccount
) -> None:
    make_location(make_organization("elsewhere"), "theirs")
    make_location(organization, "out", is_source=False)
    make_location(organization, "url", kind="url")
    for name, message in {
        "theirs": "No stored source",
        "nowhere": "No stored source",
        "out": "not stored as a source",
        "url": "not a bucket",
    }.items():
        with pytest.raises(ListingRefused, match=message):
            find_inputs(organization, name, "")
