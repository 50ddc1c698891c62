"""Secrets behind escapes, and texts made to keep a pattern busy."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.http.redaction import MAX_TEXT, REDACTED, redact, redact_text, redact_url

SECRETS = st.text("abcXYZ019+-_.~", min_size=1, max_size=30).map(lambda text: f"Zq7{text}Zq7")


def escape(value: object, times: int = 1) -> str:
    """JSON as PHP and Go write it: `\\/` for a slash, `\\u0026` for an ampersand."""
    text = json.dumps(value).replace("/", r"\/").replace("&", r"\u0026")
    return text if times == 1 else escape(text, times - 1)


@given(SECRETS, st.integers(1, 3))
def test_secrets_in_escaped_json_never_survive(secret: str, times: int) -> None:
    for url in (
        f"sftp://bob:{secret}@host.example.com/film.mp4",
        f"https://host.example.com/film.mp4?a=1&key={secret}",
        f"https://host.example.com/film.mp4?key={secret}&Policy={secret}&a=1",
        f"https://host.example.com/hooks/zencoder/1/{secret}/",
    ):
        text = escape({"url": url}, times)
        for redacted in (redact_text(text), redact_url(text), json.dumps(redact({"a": [text]}))):
            assert "Zq7" not in redacted
            assert "host.example.com" in redacted
        assert redact_text(redact_text(text)) == redact_text(text)
        value = json.loads(redact_text(escape({"url": url, "state": "finished"})))
        assert value == {"url": redact_url(url), "state": "finished"}


@given(st.text("ab/Z&+", min_size=4, max_size=30).filter(lambda text: "Z" in text))
def test_a_literal_secret_never_survives_in_escaped_json(text: str) -> None:
    secret = f"Zq7{text}Zq7"
    assert "Zq7" not in redact_text(f"refused {escape(secret)} here", [secret])


@pytest.mark.parametrize(
    "text",
    [
        escape({"url": "https://host.example.com/film.mp4?a=1&b=2", "state": "finished"}),
        r"C:\/films\/one.mp4",
        r"\\server\share",
        "100%=all",
    ],
)
def test_escaped_text_without_a_secret_is_left_alone(text: str) -> None:
    assert redact_text(text) == text
    assert redact_url(text) == text


@given(SECRETS)
def test_a_parameter_whose_name_is_percent_encoded_is_redacted(secret: str) -> None:
    for name in ("%74oken", "%74%6f%6b%65%6e", "api%5Fkey", "%61pi_key"):
        url = f"https://host.example.com/?a=1&{name}={secret}&b=2"
        expected = f"https://host.example.com/?a=1&{name}={REDACTED}&b=2"
        assert redact_url(url) == redact_text(url) == expected


@pytest.mark.parametrize(
    ("start", "piece", "end"),
    [
        ("=", "\\", ""),
        ('"token"=', "\\", ""),
        ("//", ".", ":x/@"),
        ("//[", "]", ":x/@"),
        ("//", ":", "/@"),
        ("s3:", r"\/", "@"),
        ("=", "%25", "3a"),
        ("?", "%74", "="),
    ],
)
def test_a_long_run_of_one_character_is_searched(start: str, piece: str, end: str) -> None:
    """A pattern that tries each beginning with each end takes minutes for these."""
    room = MAX_TEXT - len(start) - len(end)
    redact_text(start + piece * (room // len(piece)) + end)
