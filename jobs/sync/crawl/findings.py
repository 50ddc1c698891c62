"""What the lists of one pass brought, for what is read after them."""

from dataclasses import dataclass, field

from jobs.mirror.batch import Applied
from jobs.models import Job
from jobs.sync.crawl.seen_ids import SeenIds
from providers.core.status import JobStatus
from providers.core.types import ListedJob, Page, RemoteJob

# One pass reads this many jobs of each kind at the most.
REFRESH_JOBS = 200


@dataclass
class Findings:
    seen: SeenIds = field(default_factory=SeenIds)
    # the first of those that run, as they were listed
    running: dict[str, RemoteJob | ListedJob] = field(default_factory=dict)
    # the first of those that are new and of which the list reported a part
    partial: list[str] = field(default_factory=list)

    def note_page(self, page: Page) -> None:
        for job in page.listed:
            self.seen.add(job.remote_id)
            if job.status is not JobStatus.RUNNING:
                self.running.pop(job.remote_id, None)
            elif job.remote_id in self.running or len(self.running) < REFRESH_JOBS:
                self.running[job.remote_id] = job

    def note_partial(self, page: Page, applied: Applied) -> None:
        partial = [job.remote_id for job in page.listed if job.is_partial]
        left = REFRESH_JOBS - len(self.partial)
        if left > 0 and partial and applied.created:
            created = Job.objects.filter(pk__in=applied.created, remote_id__in=partial)
            self.partial += [
                row.remote_id for row in created.only("remote_id")[:left] if row.remote_id
            ]
