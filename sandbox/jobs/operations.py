"""What every provider's API may do to jobs."""

from dataclasses import dataclass

from sandbox.clock import Clock
from sandbox.encoding.encoder import Encoder
from sandbox.http.media import MediaLibrary
from sandbox.jobs.model import Job, Mode
from sandbox.jobs.simulation import script_for
from sandbox.jobs.store import Store


@dataclass(frozen=True, slots=True)
class JobOperations:
    """`encodes` is False where time alone moves all jobs."""

    store: Store
    media: MediaLibrary
    clock: Clock
    encoder: Encoder
    encodes: bool

    def submit(self, job: Job) -> None:
        """Take a new job; it has ids afterwards."""
        job.mode = Mode.ENCODE if self.encodes else Mode.CLOCK
        self.store.add([job])
        self.encoder.wake()

    def cancel(self, job_id: int) -> bool:
        """False when the job has ended already."""
        with self.store.edit(job_id) as job:
            if not job.is_active:
                return False
            job.cancel(self.clock.now())
        self.encoder.cancel(job_id)
        return True

    def resubmit(self, job_id: int, link_life_s: float) -> None:
        """Start an ended job over under its id. One that only the clock moved is given a script
        of its own again, so that it need not fail as it did."""
        with self.store.edit(job_id) as job:
            now = self.clock.now()
            job.attempt += 1
            job.restart(now, now + link_life_s)
            if job.mode == Mode.CLOCK:
                job.script = script_for(job)
        self.encoder.wake()
