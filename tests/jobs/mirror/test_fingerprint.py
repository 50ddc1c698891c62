"""Which failures have one cause, as far as their messages show."""

from collections import defaultdict
from time import thread_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.mirror.rules import fingerprint as rule
from jobs.mirror.rules.fingerprint import fingerprint, normalize_message, split_message
from tests.jobs.mirror.failure_messages import MESSAGES

HOSTILE = (
    *('"', "'a ", "„", "/", "\\", "a:\\", "/a ", "x://", "arn:a:", "1 ", "1.", "1:11", "0:"),
    *("a@a", "a.b-", "a_", "aA", "AAAAAAA1a", "aA1", "<n>, ", "Jan 1 ", "f" * 8 + "-", "bucket a"),
)


def group(error_class: str, message: str) -> str:
    return fingerprint(error_class, normalize_message(message))


def test_of_forty_causes_at_most_two_are_split_or_merged() -> None:
    causes = [cause for of_provider in MESSAGES.values() for cause in of_provider]
    messages = {message for _, five in causes for message in five}
    assert (len(MESSAGES), len(causes), len(messages)) == (4, 40, 200)
    of_group, of_cause = defaultdict(set), defaultdict(set)
    for number, (error_class, five) in enumerate(causes):
        for message in five:
            digest = group(error_class, message)
            of_group[digest].add(number)
            of_cause[number].add(digest)
    wrong = {number for numbers in of_group.values() if len(numbers) > 1 for number in numbers}
    wrong |= {number for number, digests in of_cause.items() if len(digests) > 1}
    assert len(wrong) <= 2, [causes[number] for number in sorted(wrong)]


def test_classes_words_and_short_names_tell_causes_apart() -> None:
    messages = [
        *("The codec 'prores' is not supported.", "The codec 'hevc' is not supported."),
        *("S3BucketNotFoundError", "S3ResponseError", "The input is text/html", "Not readable"),
    ]
    assert len({group("input.unsupported", message) for message in messages}) == len(messages)
    assert group("input.corrupt", "Not readable") != group("input.unsupported", "Not readable")
    assert group("unknown", "2 files failed!") == group("unknown", "1 file FAILED")


def test_another_version_of_the_rule_makes_other_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    before = group("unknown", "No.")
    monkeypatch.setattr(rule, "VERSION", rule.VERSION + 1)
    assert group("unknown", "No.") != before


@pytest.mark.parametrize("piece", HOSTILE)
def test_a_message_of_ten_megabytes_costs_little(piece: str) -> None:
    message = piece * (10_000_000 // len(piece))
    started = thread_time()
    normalized = normalize_message(message)
    fingerprint("unknown", normalized)
    assert thread_time() - started < 1  # CPU seconds; it takes some thousandths
    assert len(normalized) <= rule.MAX_NORMALIZED


@given(st.text(max_size=300) | st.text(alphabet="aA1 .:/-_'\"<>@«», ", max_size=300))
def test_parts_are_the_message_and_numbers_do_not_matter(message: str) -> None:
    assert "".join(part.text for part in split_message(message)) == message
    assert group("unknown", f"{message} 71") == group("unknown", f"{message} 1,204")
