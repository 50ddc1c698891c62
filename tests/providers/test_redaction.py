"""No planted secret survives, nothing else changes, nothing raises."""

import base64
import json
from datetime import datetime
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from providers.http.redaction import (
    CUT,
    MAX_TEXT,
    REDACTED,
    is_secret_name,
    redact,
    redact_text,
    redact_url,
    split_url,
    url_expiry,
)

# Recognisable in any result, and of all the characters that storage secrets hold.
SECRETS = st.text("abcXYZ019/+-_.~%", min_size=1, max_size=30).map(lambda text: f"Zq7{text}Zq7")
PASSWORDS = st.text("abcXYZ019/+-_.@!$*:", min_size=1, max_size=30).map(lambda t: f"Zq7{t}Zq7")
PARAMS = st.sampled_from(
    [
        "signature", "Signature", "sig", "token", "access_token", "key", "access_key",
        "secret_key", "AWSAccessKeyId", "X-Amz-Signature", "X-Amz-Credential",
        "X-Amz-Security-Token", "X-Goog-Signature", "Key-Pair-Id", "Policy", "password",
        "api_key", "apiKey", "auth", "hdnts", "OSSAccessKeyId", "client_secret",
    ]
)  # fmt: skip
FIELDS = st.sampled_from(
    [
        "api_key", "apiKey", "Zencoder-Api-Key", "secret", "password", "token", "authorization",
        "credentials", "signing_key", "stream_key", "secret_token", "X-Auth-Token", "passwd",
        "AWSAccessKeyId", "encryption_key", "client_secret", "Set-Cookie", "webhookSecret",
    ]
)  # fmt: skip
SCHEMES = st.sampled_from(["http", "https", "s3", "ftp", "sftp", "rtmp", "gs", "azure"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
# What URLs, headers and bodies are made of, in any order.
PIECES = st.sampled_from(
    [
        "token", "api_key", "password", "sig", "key", "=", "&", "amp;", "?", "#", "://", "//",
        ":", "@", "/", "user", "p@ss", "host.com", "s3://", "https://", "/hooks/a/1/", "Bearer ",
        "/password/reset/key/1-", "set-password", "/invitations/1/", "ab" * 32,
        "/accounts/confirm-email/",
        "Basic ", "abc123", REDACTED, "%3A%2F%2F", "%26", "%3D", "%25", '"', "'", "\\", "{", "}",
        "\\/", "\\u0026", "%74",
        ",", ";", " ", "\n", "eyJabcdef.abcdef.x", "AKIAABCDEFGHIJKLMNOP", "1",
    ]
)  # fmt: skip
TEXTS = st.text(max_size=200) | st.lists(PIECES, max_size=15).map("".join)


@given(PARAMS, SECRETS, st.sampled_from(["", "&region=eu-west-1", "&Expires=1772529301", "#t=1"]))
def test_a_secret_parameter_never_survives(name: str, secret: str, rest: str) -> None:
    url = f"https://bucket.example.com/path/film.mp4?first=1&{name}={secret}{rest}"
    for text in (redact_url(url), redact_text(url), redact_text(f"GET {url} failed: {url}.")):
        assert "Zq7" not in text
        assert "https://bucket.example.com/path/film.mp4?first=1&" in text
        assert f"{name}={REDACTED}" in text
    if rest.startswith("&"):
        assert redact_url(url).endswith(rest)


@given(SCHEMES, PASSWORDS)
@example("ftp", "Zq7.:/Zq7")  # what is before the slash is no host and port
def test_a_user_and_password_never_survive(scheme: str, password: str) -> None:
    url = f"{scheme}://someone:{password}@host.example.com/path/film.mp4"
    for text in (redact_url(url), redact_text(url), redact_text(f"cannot open {url} now")):
        assert "Zq7" not in text
        assert f"{scheme}://{REDACTED}@host.example.com/path/film.mp4" in text


@given(FIELDS, SECRETS | st.integers(10**6) | st.lists(SECRETS, min_size=1), st.integers(0, 30))
def test_a_field_named_for_a_secret_is_blanked_at_any_depth(
    name: str, secret: Any, depth: int
) -> None:
    value: Any = {name: secret, "state": "finished"}
    for level in range(depth):
        value = [value] if level % 2 else {"nested": value}
    redacted = json.dumps(redact(value))
    assert "Zq7" not in redacted
    assert str(secret) not in redacted
    assert '"state": "finished"' in redacted


@given(FIELDS, st.text("abcXYZ019+-_.", min_size=1).map(lambda text: f"Zq7{text}Zq7"))
def test_a_secret_in_free_text_or_in_json_within_text_never_survives(
    name: str, secret: str
) -> None:
    body = json.dumps({name: secret, "state": "finished"})
    for text in (
        f"{name}={secret}",
        f"{name}: {secret}",
        f"{name} = '{secret}'",
        f"sent {body}",
        json.dumps(body),
        json.dumps(json.dumps(body)),
        str({name: secret}),
    ):
        assert "Zq7" not in redact_text(f"It said {text} and stopped."), text


@given(st.sampled_from(["Bearer", "bearer", "Basic", "Token"]), SECRETS)
def test_a_value_after_an_authentication_scheme_never_survives(scheme: str, secret: str) -> None:
    secret = secret.replace("%", "")
    assert "Zq7" not in redact_text(f"Authorization: {scheme} {secret}")
    assert redact_text(f"it sent {scheme} {secret}") == f"it sent {scheme} {REDACTED}"


def test_a_literal_secret_that_is_part_of_the_marker_is_not_found_within_it() -> None:
    assert redact_text(f"it sent {REDACTED} there", ["DACT"]) == f"it sent {REDACTED} there"


@given(st.text(min_size=4, max_size=40).filter(lambda text: "Z" not in text))
def test_a_literal_secret_never_survives_in_any_form(text: str) -> None:
    secret = f"Zq7{text}Zq7"
    basic = base64.b64encode(f"{secret}:".encode()).decode()
    forms = (secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1], basic)
    for form in forms:
        assert form not in redact_text(f"refused <{form}> here", [secret])
        assert form not in json.dumps(redact({"a": [form], form: 1}, [secret]))
        assert form not in redact_url(f"https://h.example.com/{form}/x", [secret])


@given(
    st.from_regex(r"[a-z]{2,10}", fullmatch=True), SECRETS.map(lambda text: text.replace("/", ""))
)
def test_the_secret_of_our_own_webhook_url_never_survives(slug: str, secret: str) -> None:
    secret = secret.replace("%", "")
    link = f"https://board.example.com/hooks/{slug}/42/{secret}/"
    expected = f"https://board.example.com/hooks/{slug}/42/{REDACTED}/"
    assert redact_text(f"posting to {link} failed") == f"posting to {expected} failed"
    assert redact({"notifications": [link]}) == {"notifications": [expected]}


@given(
    st.from_regex(r"[0-9a-z]{1,13}", fullmatch=True),
    SECRETS.map(lambda text: text.replace("/", "")),
)
def test_the_token_of_a_password_link_never_survives(user: str, token: str) -> None:
    path = f"/accounts/password/reset/key/{user}-%s/"
    assert redact_text(f"GET {path % token} 302") == f"GET {path % REDACTED} 302"
    whole = f"https://board.example.com{path % token}"
    assert redact_url(whole) == f"https://board.example.com{path % REDACTED}"


@pytest.mark.parametrize(
    ("path", "secret"),
    [
        ("/invitations/12/%s/", "09af" * 16),
        ("/accounts/confirm-email/%s/", "MQ:1vAb-C:xdHS_dh-2j"),
    ],
)
def test_the_secret_of_a_link_that_we_mail_never_survives(path: str, secret: str) -> None:
    assert redact_text(f"Gone: {path % secret}") == f"Gone: {path % REDACTED}"
    whole = f"https://board.example.com{path}"
    assert redact_url(whole % secret) == whole % REDACTED


@given(SECRETS)
def test_a_url_encoded_into_another_one_is_redacted(secret: str) -> None:
    inner = f"https://me:{secret}@h.example.com/x?signature={secret}&a=1"
    for encoded in (quote(inner, safe=""), quote(quote(inner, safe=""), safe="")):
        redacted = redact_text(f"https://proxy.example.com/?next={encoded}&page=2")
        assert "Zq7" not in redacted
        assert redacted.startswith("https://proxy.example.com/?next=")
        assert redacted.endswith("&page=2")


@given(TEXTS)
def test_redacting_text_twice_changes_nothing_and_never_grows_without_bound(text: str) -> None:
    once = redact_text(text)
    assert redact_text(once) == once
    assert len(once) <= 10 * len(text) + len(REDACTED)
    assert redact_url(redact_url(text)) == redact_url(text)


@given(PARAMS, SECRETS, PASSWORDS, TEXTS)
def test_redacting_a_url_twice_changes_nothing(
    name: str, secret: str, password: str, text: str
) -> None:
    once = redact_text(f"{text} https://me:{password}@h.example.com/x?{name}={secret}&b=2 {text}")
    assert redact_text(once) == once


@given(JSON)
def test_any_json_goes_through_and_keeps_its_shape(value: Any) -> None:
    once = redact(value)
    assert redact(once) == once or once != once
    assert type(once) is type(value)
    json.dumps(once)


@given(st.binary() | st.dates() | st.functions() | st.tuples(st.integers(), st.text()))
def test_what_is_not_json_goes_through_as_well(value: Any) -> None:
    json.dumps(redact({"value": value, value if isinstance(value, bytes) else "k": 1}))


@pytest.mark.parametrize(
    "text",
    [
        "Basic authentication is not enabled.",
        "Bearer token missing",
        "The token expired.",
        "invalid token: expected a string",
        "tokens_used=512",
        "The file is an XML file, and holds no audio or video tracks.",
        "https://bucket.example.com/path/film.mp4?version=3&width=640#t=1",
        "http://localhost:8000/@vite/client",
        "GET /accounts/password/reset/key/1-set-password/ 200",
        "https://board.example.com/accounts/password/reset/key/2f-set-password?next=x",
        "https://video.example.com/invitations/7/film.mp4",
        "https://video.example.com/@channel/film",
        "https://video.example.com/film?contact=a@example.com",
        "s3://bucket/path/film.mp4",
        "2026-03-02T09:15:00Z",
        "pass_through=episode 12",
        "http://[::1]:8000/x",
        "",
    ],
)
def test_text_without_a_secret_is_left_alone(text: str) -> None:
    assert redact_text(text) == text
    assert redact({"value": text}) == {"value": text}


def test_names_are_classified_by_their_last_word() -> None:
    for name in ("tokens_used", "token_count", "token_type", "key", "s3_key", "pass_through",
                 "keyframe_interval", "author", "one_pass", "password_required",
                 "public_key", "cache_key", "design", "secretary"):  # fmt: skip
        assert not is_secret_name(name), name
    for name in ("token", "apikey", "API_KEY", "x-zencoder-notification-secret", "secretToken",
                 "Proxy-Authorization", "access_key_id", "dbPassword", "stream_key"):  # fmt: skip
        assert is_secret_name(name), name


def test_counts_switches_and_empty_values_under_such_names_stay() -> None:
    value: dict[str, Any] = {
        "tokens": 512,
        "token": None,
        "password": "",
        "secret": False,
        "credentials": {},
    }
    assert redact(value) == {**value, "credentials": REDACTED}


def test_a_header_written_as_name_and_value_is_blanked() -> None:
    headers = [{"name": "Authorization", "value": "Zq7"}, {"name": "Accept", "value": "any"}]
    assert redact(headers)[0] == {"name": "Authorization", "value": REDACTED}
    assert redact(headers)[1] == headers[1]


def test_json_web_tokens_key_ids_and_private_keys_are_found_in_text() -> None:
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
    key = "-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----"
    text = f"used {token}, AKIAIOSFODNN7EXAMPLE and {key}"
    assert redact_text(text) == f"used {REDACTED}, {REDACTED} and {REDACTED}"


def test_what_is_too_deep_or_too_long_is_cut_and_its_secrets_with_it() -> None:
    deep: Any = "Zq7"
    for _ in range(100_000):
        deep = [deep]
    assert "Zq7" not in json.dumps(redact(deep))
    assert CUT in json.dumps(redact(deep))
    long = "word " * MAX_TEXT + "https://me:Zq7@h/"
    assert len(redact_text(long)) <= MAX_TEXT
    assert redact_text("x" * (MAX_TEXT + 1)) == CUT
    assert redact([1] * 10 + ["Zq7"]) == [1] * 10 + ["Zq7"]


def test_a_hostile_text_is_redacted_in_time_that_grows_with_its_length() -> None:
    for piece in ("eyJ", "//", "a:", "=", "&a", "token", "%3A%2F%2F", '"a":"', "-----BEGIN ", "@"):
        redact_text(piece * (50_000 // len(piece)))


def test_a_url_is_split_only_when_something_was_taken() -> None:
    assert split_url("https://h.example.com/x.mp4") == ("https://h.example.com/x.mp4", None)
    signed = "https://h.example.com/x.mp4?token=Zq7"
    assert split_url(signed) == (f"https://h.example.com/x.mp4?token={REDACTED}", signed)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("AWSAccessKeyId=A&Signature=B&Expires=1772529301", "2026-03-03T09:15:01"),
        (
            "X-Amz-Date=20260302T091501Z&X-Amz-Expires=86400&X-Amz-Signature=B",
            "2026-03-03T09:15:01",
        ),
        ("x-goog-signature=B&x-goog-date=20260302T091501Z&x-goog-expires=60",
         "2026-03-02T09:16:01"),
        ("sv=2024&se=2026-03-03T09%3A15%3A01Z&sp=r&sig=B", "2026-03-03T09:15:01"),
        ("Policy=P&Key-Pair-Id=K&Expires=1772529301", "2026-03-03T09:15:01"),
        ("se=2026-03-03", None),
        ("Expires=soon", None),
        ("Expires=99999999999999999999", None),
        ("X-Amz-Date=20260302T091501Z&X-Amz-Expires=1e99", None),
        ("X-Amz-Date=20260302T091501Z&X-Amz-Expires=99999999999999", None),
        ("", None),
    ],
)  # fmt: skip
def test_the_end_of_a_signed_link_is_read_before_and_after_redaction(
    query: str, expected: str | None
) -> None:
    url = f"https://h.example.com/x.mp4?{query}"
    moment = datetime.fromisoformat(f"{expected}Z") if expected else None
    assert url_expiry(url) == url_expiry(redact_url(url)) == moment


@given(st.text())
def test_no_text_makes_the_readers_of_urls_raise(text: str) -> None:
    url_expiry(text)
    url_expiry(f"https://h/?{text}")
    split_url(text)
