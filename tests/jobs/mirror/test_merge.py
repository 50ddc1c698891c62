"""What one answer changes of one job: the rules of `jobs.mirror.rules`, seen through the mirror."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from jobs.mirror.storable import clean_json
from jobs.models import Job, ProviderAccount
from providers.core.status import JobStatus, OutputStatus
from providers.core.types import OutputKind, RemoteError, RemoteInput, RemoteJob
from tests.jobs.answers import FINISHED, after, apply, failed, newest, output, reported
from tests.jobs.factories import make_job
from tests.jobs.written_rows import written_rows

pytestmark = pytest.mark.django_db


def test_what_is_not_reported_keeps_what_is_known(account: ProviderAccount) -> None:
    apply(
        account,
        reported(
            metadata={"reel": 4}, priority=3, is_test=True, console_url="https://c.example/71"
        ),
    )
    bare = RemoteJob("71", JobStatus.RUNNING, "processing", outputs=(output("a"),))
    apply(account, bare, at=5)
    job = newest(account)
    assert (job.name, job.input_url, job.input_duration_ms) == (
        "reel-71.mov",
        "s3://rushes/reel-71.mov",
        60_000,
    )
    assert (job.metadata, job.priority, job.is_test) == ({"reel": 4}, 3, True)
    assert job.outputs.count() == 2
    assert job.outputs.get(remote_id="a").duration_ms == 60_000


def test_metadata_that_was_sent_from_here_keeps_its_types(account: ProviderAccount) -> None:
    for sent in ({"order": 7, "rush": True}, [1, 2.5], 0, False, "", {}):
        job = make_job(
            account, status="queued", metadata=sent, request={"metadata": sent}, finished_at=None
        )
        for at, status in zip((0, 200, 400), ("running", "failed", "running"), strict=True):
            answer = reported(
                job.remote_id or "", JobStatus(status), metadata=str(sent), started_at=after(at)
            )
            apply(account, answer, at=at)
            # the last one runs again at the provider, as another attempt
            row = Job.objects.get(remote_id=job.remote_id, is_newest=True)
            assert (row.status, row.metadata) == (status, sent)
        assert row.attempt == 2


def test_metadata_that_was_not_sent_from_here_is_the_providers(account: ProviderAccount) -> None:
    job = make_job(account, status="queued", request={"metadata": None}, finished_at=None)
    apply(account, reported(job.remote_id or "", metadata="order 7"))
    job.refresh_from_db()
    assert job.metadata == "order 7"


def test_false_and_zero_are_reported_values(account: ProviderAccount) -> None:
    apply(account, reported(is_test=True, priority=2, progress=30.0))
    apply(account, reported(is_test=False, priority=0, progress=0.0), at=5)
    job = newest(account)
    assert (job.is_test, job.priority, job.progress) == (False, 0, 0.0)


@pytest.mark.parametrize(
    ("before", "answer", "expected"),
    [
        (None, reported(), None),
        (reported(progress=40.0), reported(), 40.0),
        (reported(progress=40.0), reported(progress=20.0), 20.0),
        (reported(status=JobStatus.QUEUED, progress=40.0), reported(), None),
        (reported(progress=40.0), reported(status=JobStatus.SUCCEEDED), 100.0),
        (reported(progress=40.0), reported(status=JobStatus.SUCCEEDED, progress=97.0), 100.0),
        (reported(progress=40.0), failed(), 40.0),
        (None, failed(), None),
        (None, reported(progress=float("nan")), None),
        (None, reported(progress=-5.0), 0.0),
        (None, reported(progress=float("inf")), 100.0),
    ],
)
def test_progress_is_what_was_reported(
    account: ProviderAccount, before: RemoteJob | None, answer: RemoteJob, expected: float | None
) -> None:
    if before:
        apply(account, before)
    apply(account, answer, at=5)
    assert newest(account).progress == expected


def test_the_phase_ends_with_the_job(account: ProviderAccount) -> None:
    apply(account, reported(phase="Transcoding"))
    apply(account, reported(progress=3.0), at=5)
    assert newest(account).phase == "Transcoding"
    apply(account, failed(), at=9)
    assert newest(account).phase == ""


def test_a_failure_without_a_reason_has_the_error_unknown(account: ProviderAccount) -> None:
    apply(account, failed(errors=()))
    job = newest(account)
    assert job.error_class == "unknown"


def test_a_later_answer_without_the_reason_keeps_it(account: ProviderAccount) -> None:
    apply(account, failed())
    apply(account, failed(errors=(), name="renamed.mov"), at=5)
    job = newest(account)
    assert (job.name, job.error_class) == ("renamed.mov", "input.not_found")
    assert [error["code"] for error in job.errors] == ["FileNotFoundError"]


def test_the_faults_of_a_success_are_listed_but_are_no_error(account: ProviderAccount) -> None:
    fault = RemoteError("output.failed", "Fallback", "Kept elsewhere.", "output:a")
    apply(account, reported(status=JobStatus.SUCCEEDED, errors=(fault,)))
    job = newest(account)
    assert job.error_class == ""
    assert [error["origin"] for error in job.errors] == ["output:a"]


def test_an_error_class_outside_of_the_tree_is_unknown(account: ProviderAccount) -> None:
    apply(account, failed(errors=(RemoteError("x" * 99, "X-9", "Odd."),)))
    job = newest(account)
    assert (job.error_class, job.error_code) == ("unknown", "X-9")


def test_a_failed_output_keeps_its_error_until_it_runs_again(account: ProviderAccount) -> None:
    lost = RemoteError("output.failed", "UploadFailureError", "The bucket is full.", "output:a")
    failed = replace(output("a", OutputStatus.FAILED), error=lost)
    apply(account, reported(outputs=(failed, output("b", OutputStatus.FAILED))))
    first, second = newest(account).outputs.order_by("remote_id")
    assert (first.error_class, second.error_class) == ("output.failed", "")
    apply(account, reported(outputs=(output("a", OutputStatus.RUNNING), output("b"))), at=5)
    assert newest(account).outputs.get(remote_id="a").error_class == ""


DONE, LOST = output("a", size_bytes=9_000), output("b", OutputStatus.FAILED)


@pytest.mark.parametrize(
    ("status", "outputs", "partial", "suspect"),
    [
        (JobStatus.FAILED, (DONE, LOST), True, False),
        (JobStatus.SUCCEEDED, (DONE, LOST), True, False),
        (JobStatus.RUNNING, (DONE, LOST), False, False),
        (JobStatus.SUCCEEDED, (DONE, output("b", OutputStatus.SKIPPED)), False, False),
        (JobStatus.SUCCEEDED, (DONE, replace(LOST, kind=OutputKind.IMAGE)), False, False),
        (JobStatus.SUCCEEDED, (LOST, output("c", OutputStatus.UNKNOWN)), False, True),
        (JobStatus.SUCCEEDED, (DONE, output("b", size_bytes=0)), False, True),
        (
            JobStatus.SUCCEEDED,
            (DONE, output("b", kind=OutputKind.PLAYLIST, size_bytes=0)),
            False,
            False,
        ),
        (JobStatus.SUCCEEDED, (DONE, output("b", duration_ms=61_200)), False, False),
        (JobStatus.SUCCEEDED, (DONE, output("b", duration_ms=61_201)), False, True),
        (JobStatus.SUCCEEDED, (), False, False),
    ],
)
def test_partial_and_suspect_follow_from_the_outputs(
    account: ProviderAccount, status: JobStatus, outputs: Any, *, partial: bool, suspect: bool
) -> None:
    apply(account, reported(status=status, outputs=outputs))
    job = newest(account)
    assert (job.is_partial, job.is_suspect) == (partial, suspect)


def test_a_short_clip_may_be_off_by_the_padding_of_its_codec(account: ProviderAccount) -> None:
    short = RemoteInput(duration_ms=2_000)
    for off, suspect in ((999, False), (1_000, True)):
        outputs = (output("a", duration_ms=2_000 + off), output("b"))
        apply(
            account,
            reported(str(off), JobStatus.SUCCEEDED, input=short, outputs=outputs, is_test=None),
        )
        assert newest(account, str(off)).is_suspect is suspect


def test_a_test_job_is_cut_short_without_suspicion(account: ProviderAccount) -> None:
    cut = (output("a", duration_ms=5_000), output("b"))
    apply(account, reported(status=JobStatus.SUCCEEDED, outputs=cut, is_test=True))
    assert newest(account).is_suspect is False


def test_a_success_with_fewer_outputs_than_asked_is_suspect(account: ProviderAccount) -> None:
    apply(account, reported())
    job = newest(account)
    job.request = {"renditions": [{"packaging": "mp4", "heights": [240, 360, 720]}], "extra": {}}
    job.save(update_fields=["request"])
    apply(account, reported(status=JobStatus.SUCCEEDED), at=5)
    assert newest(account).is_suspect is True


def test_an_unknown_status_is_kept_and_is_neither_success_nor_failure(
    account: ProviderAccount,
) -> None:
    apply(account, reported())
    apply(account, reported(status=JobStatus.UNKNOWN, provider_status="quarantined"), at=5)
    job = newest(account)
    assert (job.status, job.provider_status, job.error_class) == ("unknown", "quarantined", "")
    assert job.events.filter(message__contains="quarantined").exists()


def test_an_unknown_status_does_not_reopen_a_finished_job(account: ProviderAccount) -> None:
    apply(account, reported(status=JobStatus.SUCCEEDED))
    apply(account, reported(status=JobStatus.UNKNOWN, provider_status="archived"), at=5)
    assert newest(account).status == JobStatus.SUCCEEDED


def test_a_new_signature_alone_is_no_change(account: ProviderAccount) -> None:
    def signed(signature: str) -> RemoteJob:
        url = f"https://b.example/a.mp4?Expires={signature}&Signature="
        parts = (
            output("a", url=f"{url}REDACTED", secret_url=f"{url}{signature}"),
            output("b"),
        )
        return reported(status=JobStatus.SUCCEEDED, outputs=parts)

    apply(account, signed("1"))
    with written_rows() as rows:
        assert not apply(account, signed("2"), at=5).is_news
    assert not rows


def test_a_plain_url_replaces_a_signed_one(account: ProviderAccount) -> None:
    signed = output(
        "a", url="https://b.example/a?sig=REDACTED", secret_url="https://b.example/a?sig=1"
    )
    apply(account, reported(outputs=(signed, output("b")), provider_status="x"))
    plain = output("a", url="https://cdn.example/a.mp4")
    apply(account, reported(outputs=(plain, output("b"))), at=5)
    kept = newest(account).outputs.get(remote_id="a")
    assert (kept.opens_at, kept.secret_url) == ("https://cdn.example/a.mp4", None)


def test_json_is_cleaned_of_what_a_database_refuses() -> None:
    deep: Any = "x"
    for _ in range(2_000):
        deep = [deep]
    value = {"a\x00": ["\ud800", float("nan"), -0.5, 2**80], "deep": deep}
    cleaned = clean_json(value)
    assert cleaned[r"a\u0000"] == [r"\ud800", None, -0.5, 2**80]
    assert "[cut]" in str(cleaned["deep"])


def test_the_time_of_ending_is_the_providers(account: ProviderAccount) -> None:
    apply(account, reported(status=JobStatus.CANCELLED, finished_at=None))
    assert newest(account).finished_at is None
    apply(account, reported(status=JobStatus.CANCELLED), at=5)
    assert newest(account).finished_at == FINISHED


def test_an_output_that_has_begun_does_not_wait_again(account: ProviderAccount) -> None:
    """The list of some providers lags behind the call that reports progress."""
    began = output("a", OutputStatus.RUNNING, progress=40.0)
    waits = output("b", OutputStatus.QUEUED)
    apply(account, reported(outputs=(began, waits)))
    lagging = replace(began, status=OutputStatus.QUEUED, provider_status="ready", progress=None)
    assert not apply(account, reported(outputs=(lagging, waits)), at=5).is_news
    found = newest(account).outputs.get(remote_id="a")
    assert (found.status, found.provider_status, found.progress) == ("running", "running", 40.0)
    assert newest(account).outputs.get(remote_id="b").status == "queued"


def test_a_new_signed_url_does_not_inherit_the_expiry_of_the_one_before(
    account: ProviderAccount,
) -> None:
    def signed(signature: str, expires_at: datetime | None, label: str) -> RemoteJob:
        url = "https://b.example/a?sig="
        one = output(
            "a",
            url=f"{url}REDACTED",
            secret_url=f"{url}{signature}",
            expires_at=expires_at,
            label=label,
        )
        return reported(outputs=(one, output("b")))

    def end() -> datetime | None:
        return newest(account).outputs.get(remote_id="a").expires_at

    apply(account, signed("1", FINISHED, "one"))
    apply(account, signed("1", None, "two"), at=5)
    assert end() == FINISHED  # the same URL, of which the answer reports less
    apply(account, signed("2", None, "three"), at=9)
    assert end() is None


def attempts(account: ProviderAccount) -> list[str]:
    return list(account.jobs.order_by("attempt").values_list("status", flat=True))


@pytest.mark.parametrize("name", ["created_at", "started_at"])
def test_a_jobs_own_times_are_no_evidence_of_another_attempt(
    account: ProviderAccount, name: str
) -> None:
    """Some clocks have a job end before it began."""
    times: dict[str, Any] = {name: FINISHED + timedelta(seconds=1)}
    apply(account, failed(**times), at=300)
    apply(account, reported(**times), at=310)
    assert attempts(account) == ["failed"]
    times = {name: after(900)}
    apply(account, reported(**times), at=910)
    assert attempts(account) == ["failed", "running"]


def test_the_same_end_reported_more_exactly_is_no_other_attempt(account: ProviderAccount) -> None:
    apply(account, failed(), at=300)
    apply(account, failed(finished_at=FINISHED + timedelta(milliseconds=400)), at=310)
    assert attempts(account) == ["failed"]
    apply(account, failed(finished_at=FINISHED + timedelta(seconds=9)), at=320)
    assert attempts(account) == ["failed", "failed"]


def test_another_end_a_moment_later_is_another_attempt(account: ProviderAccount) -> None:
    apply(account, failed(), at=300)
    again = reported(status=JobStatus.SUCCEEDED, finished_at=FINISHED + timedelta(milliseconds=400))
    apply(account, again, at=310)
    assert attempts(account) == ["failed", "succeeded"]
