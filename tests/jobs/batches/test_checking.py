"""Every input is checked before anything is sent."""

from datetime import timedelta

import pytest
from django.utils import timezone

from jobs.batches.checking import Problem, check_lines
from jobs.batches.lines import Line
from jobs.models import Job, ProviderAccount, Submission
from jobs.submission.service import submit
from providers.core.types import JobRequest, Rendition
from tests.jobs.batches.conftest import SHARED

pytestmark = pytest.mark.django_db

GOOD = Line("s3://rushes/one.mov")
BAD_HEIGHTS = {"thumbnails": {"count": 2, "formats": ["webp"]}}


def test_says_what_is_wrong_with_which_line_and_of_it(account: ProviderAccount) -> None:
    lines = [
        GOOD,
        Line("s3://rushes/two.mov?token=REDACTED"),
        Line("s3://rushes/three.mov", overrides=BAD_HEIGHTS),
        Line("s3://rushes/four.mov", metadata={"key": "REDACTED"}),
    ]
    found = check_lines(account, SHARED, lines)
    assert [(one.index, one.field) for one in found.problems] == [
        (1, "input"), (2, "overrides.thumbnails.formats"), (3, "metadata")
    ]  # fmt: skip
    assert "jpg and png" in found.problems[1].message
    assert not found.common


def test_what_is_wrong_with_all_is_said_once(account: ProviderAccount) -> None:
    found = check_lines(account, JobRequest(""), [GOOD, Line("s3://rushes/two.mov")])
    assert (list(found.common), list(found.problems)) == (["renditions"], [])
    # nothing is wrong with a line that says itself what to make
    own = {"renditions": [{"packaging": "mp4", "heights": [360]}]}
    assert not check_lines(account, JobRequest(""), [Line(GOOD.input, overrides=own)]).common
    ProviderAccount.objects.filter(pk=account.pk).update(provider="removed")
    account.refresh_from_db()
    assert list(check_lines(account, SHARED, [GOOD]).common) == ["account"]


def test_duplicates_are_found_in_the_batch_and_among_the_jobs_of_a_day(
    account: ProviderAccount,
) -> None:
    heights = Rendition("mp4", (720,))
    request = JobRequest("s3://rushes/early.mov", renditions=(heights,))
    early = submit(organization=account.organization, account=account, request=request).job
    other = {"renditions": [{"packaging": "mp4", "heights": [360]}]}
    lines = [GOOD, Line(early.input_url), GOOD, Line(GOOD.input, overrides=other)]
    found = check_lines(account, SHARED, lines)
    same_day = f"The same job was submitted within 24 hours: job {early.pk}."
    assert found.problems == [
        Problem(1, "input", same_day, is_duplicate=True),
        Problem(2, "input", "The same input and settings as line 1.", True, same_as=0),
    ]
    assert not check_lines(account, SHARED, lines, allow_duplicates=True).problems
    Job.objects.update(status="failed")
    assert [one.index for one in check_lines(account, SHARED, lines).problems] == [2]
    Job.objects.update(status="queued")
    Submission.objects.update(created_at=timezone.now() - timedelta(days=2))
    assert [one.index for one in check_lines(account, SHARED, lines).problems] == [2]


def test_a_thousand_lines_are_checked_with_as_many_queries_as_one(
    account: ProviderAccount, django_assert_max_num_queries: object
) -> None:
    lines = [Line(f"s3://rushes/{number}.mov") for number in range(1_000)]
    with django_assert_max_num_queries(4):  # type: ignore[operator]
        assert not check_lines(account, SHARED, lines).problems
