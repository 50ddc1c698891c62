"""Any text in, a Url out: its file name as far as it can be read, a host only where one is."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from providers.http.redaction import REDACTED, redact_url
from providers.parsing.media import read_file_name
from providers.parsing.urls import parse_url, strip_query

PIECES = st.sampled_from(
    ["https://", "s3://", "file://", "//", "[", "]", ":", "@", "\\", "?", "#", "%", "%2F", "／",
     "？", "\x00", "\ud800", "\u202e", ":99999", "[::1", "a", "a.example", "sig=1", "&", " ", "é"]
)  # fmt: skip
ANY_URL = st.lists(PIECES | st.text(st.characters(codec=None), max_size=4), max_size=12).map(
    "".join
)


@given(ANY_URL)
@example("//[")
@example("https://[::1/x.mp4")
@example("http://a／b.example/x.mp4")
@example("https://\ud800/x")
@example(f"https://{'é' * 10_000}/x")
def test_no_text_makes_it_raise(text: str) -> None:
    url = parse_url(text)
    assert len(url.file_name) <= 255
    assert "\x00" not in url.file_name
    assert url.is_web is (url.origin is not None)
    (url.origin or "").encode("ascii")
    assert text.startswith(strip_query(text))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("s3://[bucket]/clip.mp4", "clip.mp4"),
        ("https://[::1/x.mp4", "x.mp4"),
        ("http://a／b.example/x.mp4", "x.mp4"),
        ("https://host:99999/x.mp4", "x.mp4"),
        ("file://なぜ？.mp4", "なぜ？.mp4"),
        ("file:///srv/in/Why?.mp4", "Why?.mp4"),
        ("//[MP4_720p]_D16.mp4", "[MP4_720p]_D16.mp4"),
        ("//[", "["),
        ("s3://bucket-a/Show #12 - What?.mov", "Show #12 - What?.mov"),
        ("s3+eu-west-1://bucket/Show #12.mov", "Show #12.mov"),
        ("gs://bucket/Show #12 - What?.mov", "Show #12 - What?.mov"),
        ("gcs://bucket/What?.mov", "What?.mov"),
        ("sftp://user@host:22/in/Show #12 - What?.mov", "Show #12 - What?.mov"),
        ("ftp://host/Show #12.mov", "Show #12.mov"),
        ("folder/Show #12 - What?.mp4", "Show #12 - What?.mp4"),
        ("s3://bucket/clip.mp4?X-Amz-Date=1&X-Amz-Signature=abc", "clip.mp4"),
        ("s3://bucket/What?.mp4?X-Amz-Signature=abc", "What?.mp4"),
        ("https://host/Show%20%2312%20-%20What%3F.mov?a=1#b", "Show #12 - What?.mov"),
        ("https://host/clip.mp4#t=10", "clip.mp4"),
        ("https://host/v0/b/bucket/o/folder%2Fclip.mp4?alt=media", "clip.mp4"),
        ("https://host/folder/", "folder"),
        ("https://host/a%00b.mp4", "a\\u0000b.mp4"),
        ("https://host", None),
        ("s3://bucket", None),
        ("", None),
        (None, None),
    ],
)
def test_the_file_name_is_read_as_far_as_it_can_be(text: str | None, name: str | None) -> None:
    assert read_file_name(text) == name


@pytest.mark.parametrize(
    "text",
    [
        "https://[::1/x.mp4",
        "http://a／b.example/x.mp4",
        "https://host:99999/x",
        "https://good.example\\@evil.example/x",
        "https://host name/x",
        "https://*.example/x",
        "javascript://x",
        "s3://bucket/x",
        "//host/x",
    ],
)
def test_a_browser_is_not_sent_to_what_it_may_read_otherwise(text: str) -> None:
    assert not parse_url(text).is_web


def test_a_host_is_read_with_its_port() -> None:
    url = parse_url("HTTPS://user:pass@Media.Example:8443/a?b#c")
    assert (url.scheme, url.host, url.port, url.path, url.query) == (
        "https", "media.example", 8443, "/a", "b",
    )  # fmt: skip
    assert url.origin == "https://media.example:8443"
    assert parse_url("http://[2001:db8::1]:81/").origin == "http://[2001:db8::1]:81"
    assert parse_url("https://bücher.example/").origin == "https://xn--bcher-kva.example"


def test_a_signed_key_in_a_store_keeps_its_name_and_loses_its_secrets() -> None:
    signed = "s3://bucket/Show #12 - What?.mov?X-Amz-Date=1&X-Amz-Signature=canary-5f2"
    redacted = redact_url(signed)
    assert "canary" not in redacted
    assert REDACTED in redacted
    assert read_file_name(redacted) == "Show #12 - What?.mov"


def test_only_the_query_is_what_signs_a_url() -> None:
    assert strip_query("https://host/a?sig=1#b") == "https://host/a"
    assert strip_query("s3://b/What? 1.mov") == "s3://b/What? 1.mov"
    assert strip_query("s3://b/What?.mov?sig=1") == "s3://b/What?.mov"
