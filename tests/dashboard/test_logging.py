"""What reaches a log line, whoever wrote it."""

import io
import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import structlog
from django.template import engines

from dashboard.logging import logging_config, redact_event
from tests.secret_outputs import whole_log

CANARY = "canary4f1b9c"
SIGNED = f"https://media.example.com/out/1.mp4?X-Amz-Signature={CANARY}&part=2"


@contextmanager
def log_lines(log_format: str) -> Iterator[io.StringIO]:
    """The lines that a handler configured as the product's writes."""
    config = logging_config(log_format, "INFO")
    formatter = logging.config.DictConfigurator(config).configure_formatter(
        config["formatters"]["structured"]
    )
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    level, root.level = root.level, logging.INFO
    root.addHandler(handler)
    try:
        yield stream
    finally:
        root.removeHandler(handler)
        root.level = level


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_no_secret_reaches_a_line(log_format: str) -> None:
    library = logging.getLogger("some.library")
    with log_lines(log_format) as lines:
        structlog.get_logger("ours").info("fetched", url=SIGNED, headers={"Api-Key": CANARY})
        library.info("GET %s answered %d", SIGNED, 200)
        library.warning("POST /hooks/zencoder/12/%s/ refused", CANARY)
        library.info("GET /accounts/password/reset/key/1-%s/ 302", CANARY)
        try:
            raise ValueError(f"cannot read {SIGNED}")
        except ValueError:
            library.exception("failed with Authorization: Bearer %s", CANARY)

    text = lines.getvalue()
    assert CANARY not in text
    for kept in ("fetched", "media.example.com/out/1.mp4", "answered 200", "ValueError", "part=2"):
        assert kept in text


def test_json_lines_are_one_object_each() -> None:
    with log_lines("json") as lines:
        logging.getLogger("some.library").info("page %d of %d", 2, 3)
        structlog.get_logger("ours").warning("pass ended", jobs=4)

    first, second = map(json.loads, lines.getvalue().splitlines())
    assert (first["event"], first["level"], first["logger"]) == (
        "page 2 of 3",
        "info",
        "some.library",
    )
    assert (second["event"], second["jobs"], second["level"]) == ("pass ended", 4, "warning")
    assert second["timestamp"].endswith("Z")


def test_gunicorn_and_django_have_no_way_past_the_redaction() -> None:
    config = logging_config("json", "INFO")

    for name in ("django.server", "gunicorn.access", "gunicorn.error"):
        assert config["loggers"][name] == {"handlers": [], "level": "INFO", "propagate": True}
    assert [handler["formatter"] for handler in config["handlers"].values()] == ["structured"]


def test_a_name_that_a_template_lacks_prints_nothing_of_the_page() -> None:
    page = engines["django"].from_string("{% if lacking.part %}{% endif %}")
    with whole_log() as log:
        logging.getLogger("some.library").debug("is heard")
        page.render({"given": CANARY})

    assert "is heard" in log.getvalue()
    assert not {"lacking", CANARY} & set(re.findall(r"\w+", log.getvalue()))


def test_values_that_are_not_text_stay_readable() -> None:
    event = redact_event(None, "info", {"event": "done", "took_ms": 12, "ok": True, "id": None})

    assert event == {"event": "done", "took_ms": 12, "ok": True, "id": None}


FORGED = "2026-03-14T12:00:00Z [info     ] signed in as root"
HOSTILE = [
    *(chr(code) for code in (0, 7, 8, *range(10, 14), *range(0x1B, 0x20), 0x7F, 0x85, 0x9B)),
    "\u2028", "\u2029", "\u202e", "\u2066", "\ud800", "\r\n",
]  # fmt: skip


@pytest.mark.parametrize("log_format", ["console", "json"])
@pytest.mark.parametrize("char", HOSTILE, ids=ascii)
def test_no_value_forges_a_line_or_reaches_the_terminal(log_format: str, char: str) -> None:
    text = f"harbour{char}{FORGED}"
    library, ours = logging.getLogger("gunicorn.access"), structlog.get_logger("ours")
    with log_lines(log_format) as lines:
        library.warning("%(h)s %(m)s %(U)s %(s)s", {"h": "::1", "m": "GET", "U": text, "s": 404})
        library.warning(text)
        ours.info(
            "read", agent=text, headers={"Referer": [text]}, key=text.encode("utf-8", "replace")
        )
        ours.info(text, **{text: 1})
        try:
            raise ValueError(text)
        except ValueError as error:
            ours.exception("failed", error=error)

    written = lines.getvalue()
    written.encode()
    assert not [one for one in written if one not in "\n" and not one.isprintable()]
    records = [line for line in written.split("\n") if line and not line.startswith(" ")]
    assert len([line for line in records if not line.startswith("Traceback")]) == 5
    assert not [line for line in written.split("\n") if line.startswith(FORGED)]
