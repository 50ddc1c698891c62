"""How many jobs a bulk action finds: those that it acts on by account, and the others by reason."""

from collections import Counter
from collections.abc import Iterable, Set
from dataclasses import dataclass, field

from jobs.bulk.actions.base import Action
from jobs.bulk.actions.sampling import Sample
from jobs.bulk.selection import FoundJob, Selection

# A confirmation counts no further.
COUNT_CAP = 10_000
# Of so many jobs it says what becomes of their requests, where these change: milliseconds for each.
SAMPLE = 50


@dataclass
class Tally:
    """`limit`: how many jobs are acted on at most. Those behind the last of them are not counted.

    `chosen` are the jobs that are acted on.
    """

    limit: int | None = None
    matched: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    accounts: Counter[int] = field(default_factory=Counter)
    chosen: list[FoundJob] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        return self.limit is not None and len(self.chosen) >= self.limit

    def add(self, jobs: Iterable[FoundJob], known: Set[int] = frozenset()) -> None:
        """Count `jobs`, of which some may be `known`: acted on already."""
        for job in jobs:
            if self.is_full:
                return
            self.matched += 1
            if job.pk in known:
                continue
            if job.refusal:
                self.left_out[job.refusal] += 1
            else:
                self.accounts[job.account_id] += 1
                self.chosen.append(job)


@dataclass(frozen=True, slots=True)
class Preview:
    """What an action would do. `is_complete` is False where there are more jobs than were counted.

    `left_out` is by reason, `accounts` by id. `sample`: what becomes of the requests of the first
    jobs; None where requests stay as they are.
    """

    matched: int
    left_out: Counter[str]
    accounts: Counter[int]
    is_complete: bool
    sample: Sample | None = None

    @property
    def is_refused(self) -> bool:
        """Whether all jobs are in the sample, and none of them can be sent."""
        sample = self.sample
        return sample is not None and sample.jobs == self.count and sample.is_refused

    @property
    def count(self) -> int:
        """How many jobs are acted on."""
        return self.accounts.total()

    @property
    def can_start(self) -> bool:
        """Whether there is something to do, or may be behind what was counted."""
        return (self.count > 0 and not self.is_refused) or not self.is_complete


def preview(selection: Selection, action: Action, limit: int | None = None) -> Preview:
    """Count the first COUNT_CAP jobs, in about two seconds at most; writes nothing."""
    found = selection.read(action, COUNT_CAP)
    tally = Tally(limit)
    tally.add(found.jobs)
    is_complete = found.next is None or tally.is_full
    sample = action.sample([job.pk for job in tally.chosen[:SAMPLE]])
    return Preview(tally.matched, tally.left_out, tally.accounts, is_complete, sample)
