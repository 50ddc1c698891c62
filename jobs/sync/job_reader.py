"""Reading jobs one by one, several at a time."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

import structlog
from django.utils import timezone

from jobs.mirror.endings import mark_gone
from jobs.mirror.payload import Shape
from jobs.models import EventSource, Job, JobPoll
from jobs.sync.context import PassContext
from providers.core.errors import (
    AnswersTooLarge,
    BudgetExhausted,
    NotFound,
    NotFoundOrWithdrawn,
    ProviderError,
    RateLimited,
)
from providers.core.types import RemoteJob
from providers.parsing.text import make_storable_id

log = structlog.get_logger(__name__)

# Sixteen readers reach 94 % of what latency allows, and are what HttpClient has connections
# for; four are polite and enough for a pass.
READERS = 4
MAX_READERS = 16

# How long a job whose answer cannot be read is left alone.
UNREADABLE_PAUSE = timedelta(minutes=5)

T = TypeVar("T")


@dataclass
class _Answers:
    """How the requests of one chunk ended."""

    jobs: list[RemoteJob] = field(default_factory=list)
    failed: list[tuple[Any, ProviderError]] = field(default_factory=list)
    # items whose answers were too large to be held together with the others
    oversized: list[Any] = field(default_factory=list)
    # items that met a limit, and the last such limit
    limited: list[Any] = field(default_factory=list)
    # ids that were answered with a job of another id
    renamed: dict[str, str] = field(default_factory=dict)
    limit: BudgetExhausted | RateLimited | None = None

    def add(self, item: Any, answer: "Future[RemoteJob]") -> None:
        try:
            job = answer.result()
            self.jobs.append(job)
            if isinstance(item, str) and item != make_storable_id(job.remote_id):
                self.renamed[item] = job.remote_id
        except (BudgetExhausted, RateLimited) as error:
            self.limit = error
            self.limited.append(item)
        except AnswersTooLarge:
            self.oversized.append(item)
        except ProviderError as error:
            self.failed.append((item, error))

    def raise_common_failure(self) -> None:
        """A chunk in which nothing could be read is the account's trouble, not one job's.

        But for refusals: the list, which was read with the same key, would have met them, too.
        """
        errors = [error for _, error in self.failed if error.transient]
        if not self.jobs and len(errors) > 1:
            raise errors[0]


@dataclass
class JobReader:
    """Reads jobs with `call` and applies what came; one bad job never stops the rest.

    `call` sends at most one request for each of `buckets`. `rows` are the jobs behind the ids that
    it is given, for marking what is gone. Unless `is_proven`, the provider was not seen to know any
    job so far, and may not be there at all.
    """

    context: PassContext
    call: Callable[[Any], RemoteJob]
    buckets: tuple[str, ...]
    shape: Shape
    rows: Mapping[str, Job] = field(default_factory=dict)
    is_proven: bool = True

    def read(self, items: Sequence[Any], *, is_limited: bool = False) -> None:
        """`is_limited`: a limit was met that may be one of all calls."""
        concurrency = self.context.account.option_int("concurrency", READERS)
        readers = 1 if is_limited else min(max(concurrency, 1), MAX_READERS)
        with ThreadPoolExecutor(readers) as pool:
            for chunk in _chunks(items, readers * 2):
                self._read_all(pool, chunk)

    def _read_all(self, pool: ThreadPoolExecutor, items: Sequence[Any]) -> None:
        """Read `items` at once; those that met a limit again after its end."""
        while items:
            answers = self._read_chunk(pool, items)
            for item in answers.oversized:
                self._read_all(pool, [item])
            items = answers.limited

    def _read_chunk(self, pool: ThreadPoolExecutor, items: Sequence[Any]) -> _Answers:
        observed_at = timezone.now()
        if len(items) > 1:
            with self.context.adapter.http.share_size_limit():
                answers = self._ask(pool, items)
        else:
            answers = self._ask(pool, items)
        if answers.jobs:
            self.context.apply(answers.jobs, observed_at, self.shape)
        else:
            self.context.renew()
        for item, error in answers.failed:
            self._note_failure(item, error, observed_at)
        for item, remote_id in answers.renamed.items():
            self._note_other_id(item, remote_id, observed_at)
        if answers.limit is not None:
            self.context.limits.wait_out(answers.limit)
        answers.raise_common_failure()
        return answers

    def _ask(self, pool: ThreadPoolExecutor, items: Sequence[Any]) -> _Answers:
        answers, asked = _Answers(), []
        for item in items:
            try:
                self.context.limits.retry_on_limit(self.context.budget.reserve_ahead, self.buckets)
            except BudgetExhausted as error:
                answers.limit = error  # what has been asked is still to be applied
                break
            asked.append((item, pool.submit(self.call, item)))
        for item, answer in asked:
            answers.add(item, answer)
        return answers

    def _note_failure(self, item: Any, error: ProviderError, observed_at: datetime) -> None:
        job = self.rows.get(item) if isinstance(item, str) else None
        if job is None:
            return
        if self._shows_gone(job, error):
            self._mark_gone(job, observed_at)
            return
        log.warning("job not read", account=job.account_id, job=job.pk, error=str(error))
        if not self.is_proven:
            return
        # it is not confirmed, and shows so; meanwhile it must not keep the others waiting
        JobPoll.objects.filter(job=job).update(next_at=observed_at + UNREADABLE_PAUSE)

    def _shows_gone(self, job: Job, error: ProviderError) -> bool:
        """An id that was entered and never read is nothing to lose: any such answer settles it."""
        if job.is_unread:
            return isinstance(error, NotFound | NotFoundOrWithdrawn)
        return self.is_proven and isinstance(error, NotFound)

    def _note_other_id(self, item: str, remote_id: str, observed_at: datetime) -> None:
        """The answer is about a job of its own: an id that was entered is none of the provider's.

        As where `12.json` is answered like `12`.
        """
        job = self.rows.get(item)
        if job is not None and job.is_unread:
            reason = f"The provider calls this job {remote_id}, which is listed under that id"
            self._mark_gone(job, observed_at, reason)

    def _mark_gone(self, job: Job, observed_at: datetime, reason: str = "") -> None:
        self.context.report.gone += mark_gone(
            self.context.account,
            job,
            source=EventSource.POLL,
            observed_at=observed_at,
            reason=reason,
        )


def _chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
