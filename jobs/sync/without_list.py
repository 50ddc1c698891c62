"""Syncing an account whose list of jobs cannot be used: known jobs are read one by one."""

from itertools import chain

from jobs.mirror.payload import Shape
from jobs.models import Job
from jobs.sync.context import PassContext
from jobs.sync.crawl.findings import REFRESH_JOBS, Findings
from jobs.sync.job_reader import JobReader
from jobs.sync.reconcile import find_gone
from jobs.sync.refresh import refresh
from providers.core.errors import (
    AuthRefused,
    BadAnswer,
    NotFound,
    ProviderError,
    Rejected,
    Withdrawn,
)

# How many unfinished jobs, and how many others, are tried for one that the provider still knows.
PROBES = 3


def is_about_list(error: ProviderError) -> bool:
    """Whether an error of the list leaves open that single jobs can be read all the same.

    The list may not exist, not be allowed, or be a web page; an outage concerns all calls.
    """
    if isinstance(error, BadAnswer):
        return not error.transient or error.code.startswith("text/html")
    return isinstance(error, AuthRefused | NotFound | Rejected | Withdrawn) or error.code == "501"


def read_without_list(context: PassContext, list_error: ProviderError, *, full: bool) -> None:
    """Read known jobs alone. Raises `list_error` where none can be read.

    No job counts as gone before the provider was seen to know another one: it may be the service
    that is gone, and then all would be.
    """
    if not _can_read_jobs(context):
        raise list_error
    context.list_error = _describe(list_error)
    if full:
        find_gone(context, Findings())
    refresh(context, Findings())


def _describe(list_error: ProviderError) -> str:
    """The message, but of a service that looked withdrawn: it is there, as was just seen."""
    if not isinstance(list_error, Withdrawn):
        return str(list_error)
    what = "a web page" if "html" in list_error.code else list_error.code
    return f"The provider answers its list with {what}."


def _can_read_jobs(context: PassContext) -> bool:
    jobs = Job.objects.filter(
        account=context.account, is_newest=True, gone_at__isnull=True, remote_id__isnull=False
    )
    seen = jobs.filter(observed_at__isnull=False).order_by("-sort_at", "-pk")
    for job in chain(seen.filter(is_active=True)[:PROBES], seen[:PROBES]):
        _read(context, [job])
        if context.has_read:
            return True
    _read(context, list(jobs.unread().order_by("pk")[:REFRESH_JOBS]))
    return context.has_read


def _read(context: PassContext, jobs: list[Job]) -> None:
    adapter = context.adapter
    by_id = {job.remote_id: job for job in jobs if job.remote_id}
    reader = JobReader(
        context, adapter.get_job, adapter.read_buckets, Shape.DETAIL, by_id, is_proven=False
    )
    reader.read(list(by_id))
