"""Input that cannot be used: what is wrong with it is said in our words."""

from typing import Any

import pytest

from jobs.models import ProviderAccount
from tests.jobs.api.conftest import ApiClient

pytestmark = pytest.mark.django_db

SUBMISSION = {
    "account": "main",
    "input": "https://media.example.com/in.mov",
    "renditions": [{"packaging": "mp4", "heights": [360]}],
}


def rendition(heights: list[Any]) -> dict[str, Any]:
    return {"renditions": [{"packaging": "mp4", "heights": heights}]}


def test_a_query_with_too_many_parameters_is_refused(reader: ApiClient) -> None:
    answer = reader.get(f"/jobs?{'a&' * 1001}")
    assert (answer.status, answer.body["error"]["code"]) == (400, "bad_request")


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"account": None}, "account", "Use a string."),
        ({"account": ""}, "account", "Too short: the minimum length is 1."),
        ({"account": "x" * 101}, "account", "Too long: the maximum length is 100."),
        ({"input": 5}, "input", "Use a string."),
        ({"test": 1}, "test", "Use true or false."),
        ({"colour": 1}, "colour", "Unknown field."),
        ({"extra": []}, "extra", "Use an object."),
        ({"renditions": {}}, "renditions", "Use a list."),
        ({"renditions": [5]}, "renditions.0", "Use an object."),
        ({"renditions": [{}]}, "renditions.0.heights", "This field is required."),
        ({"renditions": [{"packaging": "dash"}]}, "renditions.0.packaging", "Use 'hls' or 'mp4'."),
        (rendition([]), "renditions.0.heights", "Too short: the minimum length is 1."),
        (rendition([1.5]), "renditions.0.heights.0", "Use a whole number."),
        (rendition([0]), "renditions.0.heights.0", "Use at least 1."),
        (rendition([5000]), "renditions.0.heights.0", "Use at most 4320."),
        ({"thumbnails": {"interval_s": "x"}}, "thumbnails.interval_s", "Use a number."),
        ({"thumbnails": {"interval_s": 0}}, "thumbnails.interval_s", "Use a number above 0."),
        ({"input": "s3://bucket:70000/a.mov"}, "input", "Use a port of at most 65535."),
        ({"input": "https://h:65536"}, "input", "Use a port of at most 65535."),
        ({"account": "\ud800"}, "account", "Remove the unpaired surrogates."),
    ],
)
def test_what_is_wrong_with_a_field_is_said_in_our_words(
    operator: ApiClient,
    account: ProviderAccount,
    changes: dict[str, Any],
    field: str,
    sentence: str,
) -> None:
    assert operator.post("/jobs", SUBMISSION | changes).fields[field] == sentence


def test_of_many_wrong_fields_fifty_are_named(operator: ApiClient) -> None:
    answer = operator.post("/jobs", SUBMISSION | {f"x{n}{'y' * 5000}": n for n in range(400)})
    assert len(answer.fields) == 50
    assert max(map(len, answer.fields)) == 200
    assert answer.body["error"]["message"].endswith("`fields`, which has 50 of 400.")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"a": 1,}', "see line 1, column 9."),
        (b'{"a":\n nul}', "see line 2, column 2."),
        (b'{"a": NaN}', "NaN is not JSON."),
        (b'{"\xff": 1}', "it is not UTF-8."),
        (b'{"a": %s}' % (b"1" * 5000), "it has a number with too many digits."),
        (b'{"a": [{"b": 1, "c": 2, "b": 3}]}', 'an object has the key "b" more than once.'),
        (b"[" * 100_000, "it is nested too deeply."),
    ],
)
def test_what_is_wrong_with_json_is_said_in_our_words(
    operator: ApiClient, body: bytes, reason: str
) -> None:
    answer = operator.post("/jobs", body)
    assert (answer.status, answer.body["error"]["code"]) == (400, "broken_json")
    assert answer.body["error"]["message"] == f"The body is not valid JSON: {reason}"
