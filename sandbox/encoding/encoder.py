"""The worker that does the jobs for real: one at a time, with FFmpeg at a low priority."""

import logging
import shutil
import threading
from pathlib import Path

from sandbox.clock import Clock
from sandbox.encoding.bench import Bench
from sandbox.encoding.ffmpeg import Runner, Stopped
from sandbox.encoding.job_run import JobRun
from sandbox.http.media import MediaLibrary
from sandbox.jobs.model import Job, JobState, MediaState, Mode, Problem, ProblemKind
from sandbox.jobs.store import Store

logger = logging.getLogger("sandbox.encoding.encoder")

POLL_S = 0.1


class Encoder(threading.Thread):
    """Takes waiting jobs in order of their ids. `wake` after one was added, `cancel` to drop one
    that may be under way."""

    def __init__(
        self, store: Store, media: MediaLibrary, clock: Clock, work: Path, speed: float
    ) -> None:
        super().__init__(name="encoder", daemon=True)
        self._store, self._clock = store, clock
        self._work = work
        self._runner = Runner()
        self._bench = Bench(store, media, clock, self._runner, speed, lambda: self._stopped)
        self._awake = threading.Event()
        self._stopped = False
        self._current: int | None = None

    def wake(self) -> None:
        self._awake.set()

    def cancel(self, job_id: int) -> None:
        """Call after the job was marked cancelled."""
        if self._current == job_id:
            self._runner.kill()

    def stop(self) -> None:
        self._stopped = True
        self._runner.kill()
        self._awake.set()

    def run(self) -> None:
        self._recover()
        while not self._stopped:
            waiting = [] if self._clock.held else self._queue()
            if waiting:
                self._do(waiting[0])
            self._awake.wait(POLL_S if waiting or self._clock.held else 1.0)
            self._awake.clear()

    def _recover(self) -> None:
        """Jobs that a killed sandbox left half-way begin again."""
        for left in self._store.active(Mode.ENCODE):
            if left.state == JobState.PROCESSING:
                with self._store.edit(left.id) as job:
                    job.restart(self._clock.now(), job.expires_at)

    def _queue(self) -> list[Job]:
        """All waiting jobs; those that were pending are now in the queue."""
        waiting = self._store.active(Mode.ENCODE)
        for each in waiting:
            if each.state == JobState.PENDING:
                with self._store.edit(each.id) as job:
                    if job.state == JobState.PENDING:
                        job.state, job.updated_at = JobState.WAITING, self._clock.now()
                        job.input.state = MediaState.QUEUED
        return waiting

    def _do(self, job: Job) -> None:
        self._current = job.id
        self._runner.revive()
        folder = self._work / job.token
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        try:
            JobRun(self._bench, job, folder).run()
        except Stopped:
            logger.info("job %s was stopped", job.id)
        except Exception as error:
            # The worker goes on: the job has the error, the log the traceback.
            logger.exception("job %s broke the encoder", job.id)
            self._give_up(job.id, Problem(ProblemKind.UNEXPECTED, str(error)))
        finally:
            self._current = None
            shutil.rmtree(folder, ignore_errors=True)

    def _give_up(self, job_id: int, problem: Problem) -> None:
        with self._store.edit(job_id) as job:
            if not job.is_active:
                return
            now = self._clock.now()
            if not job.input.is_terminal:
                job.fail_input(problem, now)
                return
            for output in job.outputs:
                if not output.is_terminal:
                    output.end(MediaState.FAILED, now, problem)
            job.conclude(now)
