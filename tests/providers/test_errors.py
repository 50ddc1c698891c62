"""The closed catalogue of faults, and the exceptions that calls end in."""

import re
from pathlib import Path

import pytest

from providers.core import errors
from providers.core.errors import CLASSES, ProviderError, Rejected, classify
from providers.http.answers import Answer, read_error

NAMES = {
    "input.not_found", "input.access_denied", "input.timeout", "input.corrupt",
    "input.unsupported", "input.no_media", "settings.invalid", "encode.failed",
    "output.access_denied", "output.not_found", "output.failed", "quota.rate", "quota.plan",
    "auth.refused", "provider.outage", "provider.timeout", "provider.withdrawn", "unknown",
}  # fmt: skip
TREE = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, ProviderError) and kind is not ProviderError
]


def test_the_catalogue_is_closed_and_each_class_is_reported_in_sentences() -> None:
    assert set(CLASSES) == NAMES
    for name, known in CLASSES.items():
        assert known.name == name
        assert known.fixer in {"you", "owner", "provider"}
        assert known.sentence[0].isupper()
        assert known.sentence.endswith(".")
        assert known.hint.endswith(".")
    assert len({known.sentence for known in CLASSES.values()}) == len(CLASSES)


def test_what_goes_away_by_itself_is_worth_a_retry() -> None:
    assert all(known.retry_helps for known in CLASSES.values() if known.is_transient)


def test_the_tree_in_the_docstring_is_the_tree_in_the_code() -> None:
    drawn = re.findall(r"[├└]── (\w+)", errors.__doc__ or "")
    assert sorted(drawn) == sorted(kind.__name__ for kind in TREE)


@pytest.mark.parametrize("kind", TREE, ids=lambda kind: kind.__name__)
def test_an_error_is_a_sentence_without_secrets(kind: type[ProviderError]) -> None:
    error = kind("Sent https://me:canary@h/?token=canary with canary-key.", secrets=["canary-key"])
    assert "canary" not in str(error)
    assert error.message == str(error)
    assert error.error_class in CLASSES
    assert len(str(kind("word " * 10_000))) <= errors.MESSAGE_LENGTH


@pytest.mark.parametrize(
    ("status", "kind", "error_class", "transient", "ambiguous"),
    [
        (304, "BadAnswer", "provider.outage", False, False),
        (400, "Rejected", "settings.invalid", False, False),
        (401, "AuthRefused", "auth.refused", False, False),
        (402, "Rejected", "quota.plan", False, False),
        (403, "AuthRefused", "auth.refused", False, False),
        (404, "NotFound", "unknown", False, False),
        (408, "TimedOut", "provider.timeout", True, True),
        (409, "Conflict", "unknown", False, False),
        (410, "NotFound", "unknown", False, False),
        (422, "Rejected", "settings.invalid", False, False),
        (429, "RateLimited", "quota.rate", True, False),
        (500, "Outage", "provider.outage", True, True),
        (503, "Outage", "provider.outage", True, True),
        (504, "TimedOut", "provider.timeout", True, True),
        (999, "Outage", "provider.outage", True, True),
    ],
)
def test_each_status_has_its_standard_meaning(
    status: int, kind: str, error_class: str, transient: bool, ambiguous: bool
) -> None:
    error = read_error(Answer(status, {}, data={"message": "So it is."}), "GET h/x")
    assert type(error).__name__ == kind
    assert (error.error_class, error.transient, error.ambiguous) == (
        error_class,
        transient,
        ambiguous,
    )
    assert error.code == str(status)


def test_a_rejection_keeps_the_sentences_and_their_fields() -> None:
    body = {"errors": {"url": ["is bad", "has canary-key"]}, "detail": "No."}
    error = read_error(Answer(422, {}, data=body), "POST h/x", ["canary-key"])
    assert isinstance(error, Rejected)
    assert error.messages[-1] == "No."
    assert error.fields["url"][0] == "is bad"
    assert "canary" not in str((error.messages, error.fields, str(error)))


def test_a_fault_is_named_by_its_code_before_its_message() -> None:
    codes, patterns = {"E1": "input.corrupt"}, [("no such file", "input.not_found")]
    assert classify("E1", "no such file", codes, patterns) == "input.corrupt"
    assert classify("E2", "There is No Such File.", codes, patterns) == "input.not_found"
    assert classify("E2", "", codes, patterns) == "unknown"


def test_the_provider_layer_knows_nothing_of_django() -> None:
    folder = Path(errors.__file__).parents[1]
    for module in folder.rglob("*.py"):
        assert not re.search(r"^\s*(import|from) django", module.read_text(), re.MULTILINE), module
