"""What the lists of one pass brought, for what is read after them."""

from dataclasses import dataclass, field

from jobs.mirror.batch import Applied
from jobs.models import Job
from providers.core.status import JobStatus
from providers.core.types import Page, RemoteJob


@dataclass
class Findings:
    seen: set[str] = field(default_factory=set)
    active: dict[str, RemoteJob] = field(default_factory=dict)
    # new jobs of which the list reported a part
    partial: list[str] = field(default_factory=list)

    @property
    def running(self) -> list[RemoteJob]:
        return [job for job in self.active.values() if job.status is JobStatus.RUNNING]

    def note_page(self, page: Page) -> None:
        self.seen.update(job.remote_id for job in page.jobs)
        self.active |= {job.remote_id: job for job in page.jobs if job.status.is_active}

    def note_partial(self, page: Page, applied: Applied) -> None:
        partial = [job.remote_id for job in page.jobs if job.is_partial]
        if partial and applied.created:
            created = Job.objects.filter(pk__in=applied.created, remote_id__in=partial)
            self.partial += [job.remote_id for job in created.only("remote_id") if job.remote_id]
