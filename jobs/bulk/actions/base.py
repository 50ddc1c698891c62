"""A bulk action as an object: its words, the jobs that it leaves out, and how one job is done."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django.db.models import When

from jobs.bulk.actions.sampling import Sample
from jobs.bulk.left_out import AccountFacts, Clause
from jobs.models import Batch, BulkAction, BulkKind, Job, ProviderAccount
from providers.core.contract import Provider


@dataclass(frozen=True, slots=True)
class Options:
    """What somebody chose beside the jobs.

    `account`: where they are retried, with `presets` if its provider needs some. `new_batch`: the
    name of a batch that is made for them, in place of `batch`.
    """

    account: ProviderAccount | None = None
    presets: tuple[str, ...] = ()
    batch: Batch | None = None
    new_batch: str = ""


@dataclass(frozen=True, slots=True)
class Words:
    """What people read. `{jobs}` is how many, with the noun: `3 of 4 jobs`, `1 job`."""

    question: str
    button: str
    # `None of 4 jobs can be …`
    participle: str
    # of the one that was started: `Retry of 3 jobs`
    title: str
    # below the question
    explanation: str
    # what it may cost; empty where it costs nothing
    cost: str = ""


class Action(ABC):
    """One subclass for each BulkKind; an instance knows what was chosen beside the jobs."""

    KIND: ClassVar[BulkKind]
    WORDS: ClassVar[Words]
    # whether each job takes a request to a provider, whose limit sets the pace
    ASKS_PROVIDER: ClassVar[bool] = True
    # whether each job becomes another one, which its result leads to
    MAKES_JOBS: ClassVar[bool] = False

    def __init__(self, options: Options) -> None:
        self.options = options

    @classmethod
    def find_asked(cls, bulk: BulkAction) -> list[int]:
        """The accounts that it sends requests to, as far as they are known; no query."""
        return [int(pk) for pk in bulk.accounts] if cls.ASKS_PROVIDER else []

    def find_asked_for(self, account_id: int) -> int:
        """The account that a job of this one is requested at."""
        return account_id

    @abstractmethod
    def refuse(self, accounts: Sequence[AccountFacts]) -> list[When]:
        """Why jobs of these accounts are left out: the first that fits a job is its reason."""

    def refuse_more(self, refusals: Mapping[int, str]) -> dict[int, str]:
        """`refusals` by job, empty where there is none, with those that its own row does not say.

        No query, unless a subclass says otherwise.
        """
        return dict(refusals)

    @abstractmethod
    def find_clauses(self, accounts: Sequence[AccountFacts]) -> Iterator[Clause]:
        """What finds the jobs of each reason in the list, in the order of `refuse`."""

    @abstractmethod
    def bucket_of(self, adapter: type[Provider]) -> str:
        """The kind of call that one job takes, by which its account limits it; empty for none."""

    def why_impossible(self) -> str:
        """Why none of the jobs can be done any more; empty where they can."""
        return ""

    def sample(self, job_ids: Sequence[int]) -> Sample | None:
        """What becomes of the requests of some jobs; None where requests stay as they are."""
        return None

    def title(self, jobs: str) -> str:
        """What was started, for people: `Retry of 3 jobs`."""
        return self.WORDS.title.format(jobs=jobs)

    @abstractmethod
    def request(self, bulk: BulkAction, job: Job) -> Mapping[str, Any]:
        """Ask for it, inside a transaction; the values of the target's row, `outcome` among them.

        Raises ActionRefused, SubmissionRefused.
        """
