"""Confirming unfinished jobs that the list did not bring, and the progress of those it did."""

from django.utils import timezone

from jobs.mirror.payload import Shape
from jobs.models import Job, JobPoll
from jobs.sync.context import PassContext
from jobs.sync.crawl.findings import REFRESH_JOBS, Findings
from jobs.sync.crawl.pages import Pages
from jobs.sync.job_reader import JobReader
from providers.core.types import ListedJob, RemoteJob


def refresh(context: PassContext, findings: Findings, *, is_limited: bool = False) -> None:
    """`is_limited`: the provider has just said that we ask too often."""
    adapter = context.adapter
    if adapter.refresh_buckets:

        def read_progress(listed: RemoteJob | ListedJob) -> RemoteJob:
            return adapter.refresh_job(listed.read())

        progress = JobReader(context, read_progress, adapter.refresh_buckets, Shape.PROGRESS)
        progress.read(list(findings.running.values()), is_limited=is_limited)
    due = _due_jobs(context)
    if due and not context.list_error and _list_unfinished(context):
        due = _due_jobs(context)
    reader = JobReader(context, adapter.get_job, adapter.read_buckets, Shape.DETAIL, due)
    created = [remote_id for remote_id in findings.partial if remote_id not in due]
    reader.read(created, is_limited=is_limited)
    reader.read(list(due), is_limited=is_limited)


def _due_jobs(context: PassContext) -> dict[str, Job]:
    """Unfinished jobs to be confirmed one by one, by remote id, least recently confirmed first.

    Those that a list brought in this pass were confirmed since it began.
    """
    due = (
        JobPoll.objects.filter(
            account=context.account,
            next_at__lte=timezone.now(),
            confirmed_at__lt=context.started_at,
            job__remote_id__isnull=False,
        )
        .select_related("job")
        .order_by("confirmed_at")[:REFRESH_JOBS]
    )
    return {poll.job.remote_id: poll.job for poll in due if poll.job.remote_id}


def _list_unfinished(context: PassContext) -> bool:
    """Confirm many in few requests, where the provider can list them; whether it did."""
    pages = Pages(lambda _: context.adapter.list_unfinished())
    is_listed = False
    while True:
        observed_at = timezone.now()
        page = context.limits.retry_on_limit(pages.read)
        if page is None:
            return is_listed
        is_listed = True
        context.apply(page.listed, observed_at, Shape.UNFINISHED)
