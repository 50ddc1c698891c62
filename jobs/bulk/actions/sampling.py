"""What becomes of the requests of some jobs at another account, summed up before all are sent."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from jobs.actions.elsewhere.service import Elsewhere, translate_job
from jobs.actions.elsewhere.translation import Line
from jobs.actions.offers import ActionRefused
from jobs.models import Job


@dataclass(frozen=True, slots=True)
class Change:
    """What is the same for several jobs: the reason, how many jobs, and one of them as an example.

    `after` is empty where the setting is left out, and both are where a job is refused.
    """

    reason: str
    jobs: int
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """Of `jobs` jobs: how many are sent as they were, and what changes, most jobs first."""

    jobs: int
    unchanged: int
    approximated: list[Change]
    dropped: list[Change]
    refused: list[Change]

    @property
    def is_refused(self) -> bool:
        """Whether none of the jobs can be sent."""
        return bool(self.jobs) and sum(change.jobs for change in self.refused) == self.jobs


@dataclass
class _Sum:
    """Lines by their reason, each job once."""

    jobs: dict[str, set[int]] = field(default_factory=dict)
    examples: dict[str, Line] = field(default_factory=dict)

    def add(self, job: Job, lines: Iterable[Line]) -> None:
        for line in lines:
            self.jobs.setdefault(line.reason, set()).add(job.pk)
            self.examples.setdefault(line.reason, line)

    def list(self) -> list[Change]:
        found = [
            Change(reason, len(jobs), self.examples[reason].before, self.examples[reason].after)
            for reason, jobs in self.jobs.items()
        ]
        return sorted(found, key=lambda change: -change.jobs)


def take_sample(target: Elsewhere, job_ids: Sequence[int]) -> Sample:
    """Translate the requests of these jobs; sends and writes nothing.

    A query for the jobs, and one for the request of each.
    """
    found = Job.objects.select_related("account").in_bulk(list(job_ids))
    unchanged = 0
    approximated, dropped, refused = _Sum(), _Sum(), _Sum()
    for job in found.values():
        try:
            translation = translate_job(job, target)
        except ActionRefused as error:
            refused.add(job, [Line("", str(error))])
            continue
        if translation.refusals:
            refused.add(job, [Line("", " ".join(one.message for one in translation.refusals))])
            continue
        approximated.add(job, translation.approximated)
        dropped.add(job, translation.dropped)
        unchanged += not (translation.approximated or translation.dropped)
    return Sample(len(found), unchanged, approximated.list(), dropped.list(), refused.list())
