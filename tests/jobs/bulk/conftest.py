"""What the tests of bulk actions share: starting them, and workers that take turns."""

from collections.abc import Callable
from typing import Any

import pytest

from jobs.bulk.actions.choosing import FIELDS, Chosen, read_options
from jobs.bulk.service import BulkRequest, start
from jobs.bulk.worker import run_bulk
from jobs.models import BulkAction, BulkKind, Job, ProviderAccount, Submission
from jobs.query.visibility import Visibility
from jobs.submission.service import submit
from organizations.models import Organization, User
from providers.core.types import JobRequest, Rendition
from tests.jobs.factories import make_account
from tests.jobs.taking_turns import finish

Start = Callable[..., BulkAction]


REQUEST = JobRequest(
    input="https://rushes.example/harbour.mov?Signature=abcdef0123",
    destination="s3://site/harbour/",
    renditions=(Rendition("mp4", (360, 540)),),
    priority=3,
)


def fail(account: ProviderAccount, request: JobRequest = REQUEST) -> Job:
    """A job that was submitted here, and has failed."""
    job = submit(
        organization=account.organization, account=account, request=request, allow_duplicate=True
    ).job
    Submission.objects.filter(pk=job.pk).update(state="done")
    Job.objects.filter(pk=job.pk).update(
        status="failed", error_class="unknown", remote_id=f"r{job.pk}"
    )
    job.refresh_from_db()
    return job


def make_backup(organization: Organization) -> ProviderAccount:
    """Another account with the key of `main`, without a limit either."""
    return make_account(
        organization,
        name="backup",
        credentials={"api_key": "key-of-main"},
        options={"requests_per_minute": "100000"},
    )


@pytest.fixture
def begin(account: ProviderAccount, operator: User) -> Start:
    def begin(kind: str, query: str = "", **options: Any) -> BulkAction:
        key = options.pop("key", None)
        visible = options.pop("visible", Visibility(account.organization))
        chosen = Chosen(**{name: options.pop(name) for name in FIELDS if name in options})
        options["options"] = read_options(BulkKind(kind), visible, chosen)
        request = BulkRequest(BulkKind(kind), visible, query, **options)
        return start(request, user=operator, key=key)

    return begin


def work(bulk: BulkAction, rounds: int = 30) -> BulkAction:
    return finish(bulk, run_bulk, rounds)


def outcomes(bulk: BulkAction) -> dict[int, str]:
    return dict(bulk.targets.values_list("job", "outcome"))
