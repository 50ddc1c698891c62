"""The one writer: idempotence, order, attempts, and rows that belong to somebody."""

from datetime import timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from jobs.mirror import writer
from jobs.mirror.attempts import confirm_attempt, open_attempt
from jobs.mirror.endings import mark_gone
from jobs.models import EventSource, Job, JobEvent, JobPoll, Output, Preset, ProviderAccount
from organizations.models import Organization
from providers.core.status import JobStatus
from providers.core.types import OutputKind, RemoteInput, RemoteJob, RemotePreset
from tests.factories import make_user
from tests.jobs.answers import FINISHED, after, apply, failed, newest, output, reported
from tests.jobs.factories import NOON, make_account

pytestmark = pytest.mark.django_db


def snapshot() -> list[object]:
    return [
        *({**row, "digests": None} for row in Job.objects.order_by("pk").values()),
        *Output.objects.order_by("pk").values(),
        *JobEvent.objects.order_by("pk").values(),
        *ProviderAccount.objects.order_by("pk").values_list("revision", flat=True),
    ]


def test_the_same_answers_again_write_nothing_but_the_confirmation(
    account: ProviderAccount, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    answers = [reported("71"), reported("72", JobStatus.SUCCEEDED), failed("73")]
    assert len(apply(account, *answers).created) == 3
    before = snapshot()
    with django_assert_num_queries(2):  # the known rows, and one batch of confirmations
        applied = apply(account, *answers, at=60)
    assert (applied.created, applied.changed, len(applied.unchanged)) == ([], [], 3)
    assert snapshot() == before
    assert JobPoll.objects.get().confirmed_at == after(60)


def test_a_list_of_ended_jobs_costs_one_query_when_nothing_changed(
    account: ProviderAccount, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    answers = [reported(str(number), JobStatus.SUCCEEDED) for number in range(50)]
    apply(account, *answers)
    with django_assert_num_queries(1):
        apply(account, *answers, at=60)


def test_the_writes_of_a_batch_do_not_grow_with_it(
    account: ProviderAccount, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(42):  # SQLite takes fewer than 1,000 values a statement
        apply(account, *(reported(str(number)) for number in range(150)))


def test_an_answer_that_differs_without_news_writes_no_event(account: ProviderAccount) -> None:
    apply(account, reported(progress=40.0, phase="Encoding"))
    before = snapshot()
    apply(account, reported(), at=5)  # the list leaves progress out
    assert snapshot() == before
    assert JobPoll.objects.get().confirmed_at == after(5)


def test_of_an_ended_job_the_body_that_was_asked_for_last_is_kept(
    account: ProviderAccount, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    apply(account, reported(status=JobStatus.SUCCEEDED, raw={"read": 0}))
    before = newest(account)
    apply(account, reported(status=JobStatus.SUCCEEDED, raw={"read": 2}), at=20)
    apply(account, reported(status=JobStatus.SUCCEEDED, raw={"read": 1}), at=10)
    job = newest(account)
    assert job.body.value == {"read": 2}
    assert (job.version, job.changed_at) == (before.version, before.changed_at)
    # one that differs where we keep nothing, the time of its last change, is compared once
    answer = reported(status=JobStatus.SUCCEEDED, raw={"read": 2}, updated_at=after(25))
    apply(account, answer, at=30)
    with django_assert_num_queries(1):
        apply(account, answer, at=40)


def test_a_change_moves_version_revision_and_history(account: ProviderAccount) -> None:
    apply(account, reported(status=JobStatus.QUEUED))
    apply(account, reported(), at=5)
    apply(account, reported(progress=30.0), at=6)
    job = newest(account)
    account.refresh_from_db()
    assert (job.version, account.revision) == (3, 3)
    assert list(job.events.order_by("pk").values_list("from_status", "to_status")) == [
        ("", "queued"),
        ("queued", "running"),
    ]


def test_an_older_answer_that_arrives_later_is_ignored(account: ProviderAccount) -> None:
    apply(account, reported(progress=80.0), at=30)
    before = snapshot()
    applied = apply(account, reported(status=JobStatus.QUEUED), at=20)
    assert applied.unchanged
    assert snapshot() == before


def test_an_answer_older_than_the_last_confirmation_is_ignored(account: ProviderAccount) -> None:
    apply(account, reported(progress=80.0), at=10)
    apply(account, reported(progress=80.0), at=30)
    apply(account, reported(progress=20.0), at=20)
    assert newest(account).progress == 80.0


def test_a_confirmation_that_arrives_late_moves_nothing_back(account: ProviderAccount) -> None:
    for at in (10, 30, 20):
        apply(account, reported(), at=at)
    assert JobPoll.objects.get().confirmed_at == after(30)


@pytest.mark.parametrize("status", [JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED])
def test_a_late_poll_does_not_reopen_a_finished_job(
    account: ProviderAccount, status: JobStatus
) -> None:
    apply(account, reported(status=status), at=300)
    before = snapshot()
    apply(account, reported(updated_at=FINISHED - timedelta(seconds=1)), at=310)
    apply(account, reported(updated_at=FINISHED), at=311)
    apply(account, reported(), at=312)
    assert snapshot() == before


@pytest.mark.parametrize("ended_at", [FINISHED, None])
def test_newer_evidence_opens_the_next_attempt(account: ProviderAccount, ended_at: object) -> None:
    apply(account, failed(finished_at=ended_at), at=300)
    applied = apply(account, reported(updated_at=after(900)), at=910)
    first, second = Job.objects.order_by("attempt")
    assert (first.status, first.error_class, first.is_newest) == (
        "failed",
        "input.not_found",
        False,
    )
    assert (second.status, second.attempt, second.retry_of) == ("running", 2, first)
    assert first.outputs.count() == second.outputs.count() == 2
    assert (applied.created, applied.changed) == ([second.pk], [first.pk])
    assert not apply(account, reported(updated_at=after(900)), at=920).is_news


def test_a_job_that_ran_again_unseen_does_not_overwrite_its_failure(
    account: ProviderAccount,
) -> None:
    apply(account, failed(), at=300)
    again = reported(status=JobStatus.SUCCEEDED, finished_at=after(900))
    apply(account, again, at=910)
    statuses = Job.objects.order_by("attempt").values_list("status", flat=True)
    assert list(statuses) == ["failed", "succeeded"]


def test_a_lagging_list_does_not_end_the_new_attempt(account: ProviderAccount) -> None:
    apply(account, failed(), at=300)
    attempt = open_attempt(newest(account), source=EventSource.ACTION, actor=None)
    confirm_attempt(attempt, source=EventSource.ACTION, actor=None)
    writer.apply(account, [failed()], source=EventSource.POLL, observed_at=attempt.first_seen_at)
    assert newest(account).status == JobStatus.QUEUED


def test_an_attempt_is_opened_once(account: ProviderAccount) -> None:
    apply(account, failed())
    user, job = make_user(), newest(account)
    first, second = (open_attempt(job, source=EventSource.ACTION, actor=user) for _ in range(2))
    assert first == second
    assert (first.attempt, first.retry_of, first.submitted_by) == (2, job, user)
    assert (first.status, JobPoll.objects.count()) == (JobStatus.SUBMITTING, 0)
    with pytest.raises(Job.DoesNotExist):
        Job.objects.get(remote_id="71", attempt=3)


def test_one_job_twice_on_a_page_is_one_row_as_first_reported(
    account: ProviderAccount,
) -> None:
    apply(account, reported(progress=9.0), reported("72"), reported(progress=4.0))
    assert Job.objects.count() == 2
    assert newest(account).progress == 9.0


def test_an_output_twice_in_a_job_is_one_row(account: ProviderAccount) -> None:
    apply(
        account, reported(outputs=(output("a", label="one"), output("b"), output("a", label="two")))
    )
    assert list(newest(account).outputs.order_by("pk").values_list("remote_id", "label")) == [
        ("a", "one"),
        ("b", ""),
    ]


def test_two_accounts_with_the_same_remote_ids_stay_apart(
    account: ProviderAccount, organization: Organization
) -> None:
    other = make_account(organization)
    apply(account, reported())
    apply(other, failed())
    assert (newest(account).status, newest(other).status) == ("running", "failed")
    mark_gone(other, newest(other), source=EventSource.POLL, observed_at=after(9))
    assert newest(account).gone_at is None


def test_a_job_goes_and_comes_back(account: ProviderAccount) -> None:
    apply(account, reported())
    job = newest(account)
    for is_news in (True, False):
        reported_gone = mark_gone(account, job, source=EventSource.POLL, observed_at=after(60))
        assert reported_gone is is_news
    job = newest(account)
    assert (job.status, job.gone_at) == ("running", after(60))
    assert not JobPoll.objects.exists()
    apply(account, reported(), at=30)
    assert newest(account).gone_at == after(60)
    apply(account, reported(), at=90)
    assert newest(account).gone_at is None
    assert JobPoll.objects.get().job == job
    assert job.events.filter(message="At the provider again").count() == 1


def test_a_job_confirmed_meanwhile_is_not_gone(account: ProviderAccount) -> None:
    apply(account, reported())
    apply(account, reported(), at=60)
    assert not mark_gone(account, newest(account), source=EventSource.POLL, observed_at=after(30))


def test_exactly_the_unfinished_jobs_have_a_poll_row(account: ProviderAccount) -> None:
    for at, status in enumerate((*JobStatus, *reversed(JobStatus))):
        if status != JobStatus.SUBMITTING:
            apply(
                account, reported(str(at), status), reported("moving", status, updated_at=after(at))
            )
    expected = {job.pk for job in Job.objects.filter(is_newest=True) if not job.is_terminal}
    assert set(JobPoll.objects.values_list("pk", flat=True)) == expected


def test_counts_leave_images_out(account: ProviderAccount) -> None:
    parts = (output("a"), output("b"), output("thumbnail:1", kind=OutputKind.IMAGE))
    apply(account, reported(outputs=parts))
    job = newest(account)
    assert (job.outputs_total, job.outputs_succeeded, job.outputs_failed) == (2, 2, 0)
    assert job.outputs.count() == 3


def test_presets_are_mirrored_once_and_follow_the_provider(account: ProviderAccount) -> None:
    def with_preset(**settings: int) -> RemoteJob:
        preset = RemotePreset("p1", "Web", "video", settings)
        outputs = (output("a", preset_id="p1"), output("b", preset_id="p2"))
        return reported(presets=(preset,), outputs=outputs, progress=float(settings["height"] % 97))

    apply(account, with_preset(height=240))
    apply(account, with_preset(height=360), at=5)
    preset = account.presets.get()
    assert preset.settings == {"height": 360}
    assert [output.preset for output in newest(account).outputs.order_by("pk")] == [preset, None]


def test_secrets_are_kept_apart_and_the_body_beside(account: ProviderAccount) -> None:
    source = RemoteInput(url="s3://REDACTED@b/a.mov", secret_url="s3://user:word@b/a.mov")
    apply(account, reported(input=source))
    job = newest(account)
    assert job.secret.input_url == "s3://user:word@b/a.mov"
    assert job.body.value == {"id": "71", "state": "running"}
    assert "word" not in str(Job.objects.values().get())


def test_the_list_is_sorted_by_the_providers_creation_where_it_is_reported(
    account: ProviderAccount,
) -> None:
    unsaid = reported("72", created_at=None, status=JobStatus.QUEUED, finished_at=None)
    apply(account, reported("71"), unsaid)
    assert newest(account, "71").sort_at == NOON
    assert newest(account, "72").sort_at == newest(account, "72").first_seen_at


def test_history_without_a_creation_is_sorted_by_what_is_known_of_it(
    account: ProviderAccount,
) -> None:
    ended = NOON - timedelta(days=40)
    apply(account, reported("71", created_at=None, finished_at=ended))
    assert newest(account, "71").sort_at == ended
    apply(account, reported("71", created_at=None, started_at=ended - timedelta(minutes=2)), at=5)
    assert newest(account, "71").sort_at == ended - timedelta(minutes=2)


def test_outputs_are_found_under_their_jobs_organization_account_and_time(
    account: ProviderAccount,
) -> None:
    apply(account, reported("71", created_at=None))
    assert set(Output.objects.values_list("organization", "account")) == {
        (account.organization_id, account.pk)
    }
    # reported later, in an answer that leaves one of the outputs out: both move with their job
    apply(account, reported("71", created_at=NOON, outputs=(output("a"),)), at=60)
    job = newest(account)
    assert job.sort_at == NOON
    assert [one.sort_at for one in job.outputs.all()] == [NOON, NOON]


def test_a_mere_reference_to_a_preset_keeps_what_is_known(
    account: ProviderAccount,
) -> None:
    apply(account, reported("71", presets=(RemotePreset("p1", "Web", "video", {"height": 720}),)))
    apply(account, reported("72", presets=(RemotePreset("p1", ""), RemotePreset("p2", ""))), at=60)
    rows = Preset.objects.order_by("remote_id").values_list("name", "kind", "settings")
    assert list(rows) == [("Web", "video", {"height": 720}), ("", "", {})]
