"""The sentences of an error body, however it is built."""

from typing import Any

import pytest

from providers.core.errors import Rejected
from providers.http.answers import MAX_SENTENCES, Answer, read_error, read_messages


class Sentence(str):
    """A text that counts how often it is read."""

    reads = 0

    def strip(self, chars: str | None = None) -> str:
        self.reads += 1
        return super().strip(chars)


@pytest.mark.parametrize(
    ("body", "messages", "fields"),
    [
        ({"errors": ["a", " b "]}, ["a", "b"], {}),
        ({"errors": "a", "detail": "b"}, ["a", "b"], {}),
        ({"error": {"message": "a"}}, ["a"], {}),
        ({"error": ["a"]}, ["a"], {"error": ["a"]}),
        ({"url": ["bad", "long"]}, ["url: bad", "url: long"], {"url": ["bad", "long"]}),
        ({"errors": {"url": ["bad"]}}, ["url: bad"], {"url": ["bad"]}),
        ({"errors": {"error": {"detail": "a"}}, "url": ["bad"]}, ["a"], {"url": ["bad"]}),
        ({"errors": [{"message": "a"}, {"url": ["bad"]}]}, ["a", "url: bad"], {}),
        ({"errors": "", "url": [""], "page": 2}, [], {}),
        (["a"], [], {}),
        (None, [], {}),
    ],
)
def test_sentences_are_found_in_every_usual_place(
    body: Any, messages: list[str], fields: dict[str, list[str]]
) -> None:
    assert read_messages(body) == (messages, fields)


@pytest.mark.parametrize("key", ["error", "errors", "url"])
@pytest.mark.parametrize("is_listed", [True, False])
def test_what_is_nested_deeply_is_not_read(key: str, is_listed: bool) -> None:
    """Each level that is read twice doubles the work: 60 levels would take for ever."""
    body: Any = {"message": "Deep down."}
    for _ in range(60):
        body = {key: [body] if is_listed else body}
    assert read_messages(body)[0] == []


@pytest.mark.parametrize("is_listed", [True, False])
def test_a_nested_sentence_is_read_as_often_as_one_at_the_top(is_listed: bool) -> None:
    sentence = Sentence("No.")
    body: Any = {"detail": [sentence]}
    read_messages(body)
    once, sentence.reads = sentence.reads, 0
    for key in ("error", "errors", "error", "errors") if is_listed else ("errors",) * 4:
        body = {key: [body] if is_listed else body}
    assert read_messages(body)[0] == ["No."]
    assert sentence.reads <= once


def test_a_rejection_keeps_a_bounded_number_of_sentences() -> None:
    body = {f"field{number}": ["bad"] * 100 for number in range(1000)}
    error = read_error(Answer(422, {}, data=body), "POST h/x")
    assert isinstance(error, Rejected)
    assert len(error.messages) == MAX_SENTENCES
    assert len(error.fields) <= MAX_SENTENCES
