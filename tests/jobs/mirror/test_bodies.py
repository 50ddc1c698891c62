"""The provider's last payload is stored, and an equal one costs nothing."""

from dataclasses import replace

from pytest_django import DjangoAssertNumQueries

from jobs.models import JobBody, ProviderAccount
from providers.core.status import JobStatus
from tests.jobs.answers import after, apply, newest, reported

DONE = reported(status=JobStatus.SUCCEEDED)


def body(account: ProviderAccount) -> object:
    return newest(account).body.value


def test_a_payload_that_changed_is_stored_where_no_column_did(account: ProviderAccount) -> None:
    apply(account, DONE)
    before = newest(account)
    apply(account, replace(DONE, raw={"id": "71", "state": "succeeded", "billed": 3}), at=60)
    assert body(account) == {"id": "71", "state": "succeeded", "billed": 3}
    job = newest(account)
    assert (job.changed_at, job.version) == (before.changed_at, before.version)
    # nor does an older one take its place
    apply(account, replace(DONE, raw={"id": "71", "billed": 1}), at=-30)
    assert body(account) == {"id": "71", "state": "succeeded", "billed": 3}


def test_of_a_running_job_too(account: ProviderAccount) -> None:
    apply(account, reported())
    apply(account, reported(raw={"id": "71", "worker": "b7"}), at=60)
    assert body(account) == {"id": "71", "worker": "b7"}
    assert newest(account).poll.confirmed_at == after(60)


def test_an_equal_payload_is_not_written(
    account: ProviderAccount, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    apply(account, DONE)
    with django_assert_num_queries(1):
        apply(account, DONE, at=60)


def test_a_new_signature_in_a_payload_is_no_other_payload(
    account: ProviderAccount, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    def signed(date: str) -> object:
        return {"url": f"https://b.example/a.mp4?Date={date}&Signature=REDACTED", "id": "71"}

    apply(account, replace(DONE, raw=signed("2026-03-14")))
    with django_assert_num_queries(1):
        apply(account, replace(DONE, raw=signed("2026-03-15")), at=60)


def test_a_partial_payload_replaces_a_partial_one_and_no_complete_one(
    account: ProviderAccount,
) -> None:
    for number, is_partial, expected in ((1, True, 1), (2, True, 2), (3, False, 3), (4, True, 3)):
        answer = replace(DONE, raw={"id": "71", "number": number}, is_partial=is_partial)
        apply(account, answer, at=60 * number)
        assert body(account) == {"id": "71", "number": expected}
    apply(account, replace(DONE, name="b.mov", raw={"id": "71"}, is_partial=True), at=600)
    assert body(account) == {"id": "71", "number": 3}
    assert JobBody.objects.count() == 1
