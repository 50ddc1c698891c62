"""What only an import or a full pass reads: presets, and jobs that the whole list did not bring."""

from itertools import islice

import structlog
from django.utils import timezone

from jobs.mirror.payload import Shape
from jobs.mirror.presets import write_presets
from jobs.models import Job
from jobs.sync.context import PassContext
from jobs.sync.crawl.findings import Findings
from jobs.sync.job_reader import JobReader
from providers.core.errors import ProviderError
from providers.core.types import Capability, RemotePreset

log = structlog.get_logger(__name__)

# One full pass asks for this many missing jobs at the most, newest first.
GONE_CHECKS = 1000


def read_presets(context: PassContext) -> None:
    adapter, account = context.adapter, context.account
    if not adapter.supports(Capability.PRESETS):
        return
    try:
        presets: list[RemotePreset] = context.limits.retry_on_limit(
            lambda: list(adapter.list_presets())
        )
    except ProviderError as error:
        if error.transient:
            raise
        # a key may read jobs and no presets
        log.warning("presets not read", account=account.pk, error=str(error))
        return
    context.renew()
    write_presets(account, presets, timezone.now())


def find_gone(context: PassContext, findings: Findings) -> None:
    """Ask for jobs that the whole list did not bring; what is not found is gone."""
    held = (
        Job.objects.filter(
            account=context.account,
            is_newest=True,
            gone_at__isnull=True,
            remote_id__isnull=False,
            first_seen_at__lt=context.started_at,
        )
        .only("pk", "remote_id", "status", "account")
        .order_by("-sort_at")
    )
    named = ((job.remote_id, job) for job in held.iterator() if job.remote_id)
    missing = (pair for pair in named if pair[0] not in findings.seen)
    jobs = dict(islice(missing, GONE_CHECKS))
    adapter = context.adapter
    reader = JobReader(context, adapter.get_job, adapter.read_buckets, Shape.DETAIL, jobs)
    reader.read(list(jobs))
