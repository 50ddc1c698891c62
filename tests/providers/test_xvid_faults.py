"""Xvid's two vocabularies of errors, and what they become."""

from collections.abc import Callable
from typing import Any

import pytest
import responses

from providers.core.errors import NotFound, Outage, Rejected, Withdrawn
from providers.core.status import OutputStatus
from providers.core.types import RemoteError, RemoteJob
from providers.http.client import HttpClient
from providers.http.redaction import REDACTED
from providers.xvid.adapter import Xvid
from tests.providers.cases.xvid import BASE_URL as BASE
from tests.providers.cases.xvid import make_adapter, make_job

Load = Callable[[str], Any]
Read = Callable[[Any], RemoteJob]


@pytest.fixture
def xvid(http: HttpClient) -> Xvid:
    return make_adapter(http)


@pytest.fixture
def read(xvid: Xvid, wire: responses.RequestsMock) -> Read:
    """Read one job body the way a list gives it."""

    def read_body(body: Any) -> RemoteJob:
        wire.get(f"{BASE}/jobs/", json={"jobs": [body]})
        (job,) = next(xvid.list_jobs()).jobs
        wire.reset()
        return job

    return read_body


def test_a_failed_job_reports_its_error_at_each_output_that_was_not_made(
    read: Read, load: Load
) -> None:
    job = read(load("xvid/job_failure.json"))
    message = f"The conversion of https://{REDACTED}@media.example.com/a81.mov failed."
    error = RemoteError("encode.failed", "0x0020007", message)
    assert job.errors == (error,)
    assert [(output.status, output.error) for output in job.outputs] == [
        (OutputStatus.SUCCEEDED, None),  # whole, with a time at which it was finished
        (OutputStatus.FAILED, error),
    ]
    assert (job.progress, [output.progress for output in job.outputs]) == (65, [100, 31])


def test_a_complete_percentage_alone_makes_no_output_of_a_failed_job_usable(read: Read) -> None:
    parts = [
        {"percentage_completed": 100, "file": {"id": "f"}},
        {"percentage_completed": 99, "file": {"id": "g", "finished_at": 1772442000500}},
    ]
    job = read(make_job(1, "FAILURE", outputs=parts))
    assert [output.status for output in job.outputs] == [OutputStatus.FAILED] * 2


@pytest.mark.parametrize("label", ["FAILURE", "CANCELED"])
def test_a_percentage_that_a_bad_end_set_back_reports_nothing(read: Read, label: str) -> None:
    """What was seen of the job before is not overwritten; any other percentage is news."""
    parts = [{"percentage_completed": 0}, {"percentage_completed": 12}]
    job = read(make_job(1, label, percentage_completed=0, outputs=parts))
    assert (job.progress, [output.progress for output in job.outputs]) == (None, [None, 12])
    begun = read(make_job(1, "PROCESSING", percentage_completed=0, outputs=parts))
    assert (begun.progress, [output.progress for output in begun.outputs]) == (0, [0, 12])


def test_a_failed_job_without_a_reason_says_so(read: Read) -> None:
    assert read(make_job(1, "FAILURE")).errors == (RemoteError("unknown"),)
    assert read(make_job(1, "FAILURE", error_code="0x0000000")).errors == (RemoteError("unknown"),)
    assert read(make_job(1, "CANCELED")).errors == ()
    assert read(make_job(1, error_code=0)).errors == ()


@pytest.mark.parametrize(
    ("code", "message", "expected"),
    [
        ("0x0050001", "It rained.", "settings.invalid"),
        ("0050001", "It rained.", "settings.invalid"),
        ("0X0000001", None, "provider.outage"),
        ("0x0099999", "It rained.", "unknown"),
        (None, "Input file was not found.", "input.not_found"),
        (None, "Access denied to the source (403).", "input.access_denied"),
        (None, "The input timed out.", "input.timeout"),
        (None, "The stream is corrupt.", "input.corrupt"),
        (None, "No video track.", "input.no_media"),
        (None, "Unsupported codec.", "input.unsupported"),
        (None, "Upload failed: permission denied.", "output.access_denied"),
        (None, "Upload failed: no such bucket.", "output.not_found"),
        (None, "Upload failed.", "output.failed"),
        (None, "Invalid preset.", "settings.invalid"),
        (None, "Transcoding failed.", "encode.failed"),
        (None, "Your credit is used up.", "quota.plan"),
        (7, ["x"], "unknown"),
    ],
)
def test_faults_by_code_with_and_without_0x_then_by_message(
    read: Read, code: Any, message: Any, expected: str
) -> None:
    (error,) = read(make_job(1, "FAILURE", error_code=code, error_msg=message)).errors
    assert error.error_class == expected
    assert error.code == (str(code) if code else "")


def test_the_other_vocabulary_is_read_as_well(read: Read) -> None:
    (error,) = read(make_job(1, "FAILURE", error_message="Transcoding failed.")).errors
    assert error == RemoteError("encode.failed", "", "Transcoding failed.")


@pytest.mark.parametrize(
    ("name", "status", "error", "code"),
    [
        ("bad_input", 400, Rejected, "0050001"),
        ("no_job", 404, NotFound, "0x0050005"),
        ("broken", 500, Outage, "0x0000001"),
    ],
)
def test_refusals_carry_the_code_and_the_message(
    xvid: Xvid,
    wire: responses.RequestsMock,
    load: Load,
    name: str,
    status: int,
    error: type[Exception],
    code: str,
) -> None:
    body = load(f"xvid/{name}.json")
    wire.get(f"{BASE}/jobs/77", json=body, status=status)
    with pytest.raises(error, match=body["error"]["error_message"]) as caught:
        xvid.get_job("77")
    assert getattr(caught.value, "code", None) == code


@pytest.mark.parametrize("status", [404, 410])
def test_a_web_page_does_not_mean_that_a_job_is_gone(
    xvid: Xvid, wire: responses.RequestsMock, status: int
) -> None:
    page = "<!DOCTYPE html><title>Nothing here</title>"
    for path in ("/jobs/77", "/jobs/"):
        wire.get(f"{BASE}{path}", body=page, status=status, content_type="text/html; charset=utf-8")
    for call in (lambda: xvid.get_job("77"), lambda: xvid.cancel("77"), xvid.check_credentials):
        with pytest.raises(Withdrawn) as caught:
            call()
        assert caught.value.code == str(status)
