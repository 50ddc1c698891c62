"""One pass over one account: discover, refresh, and what a full one reads besides."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, TypeVar
from uuid import UUID

import structlog
from django.utils import timezone

from jobs import mirror
from jobs.batch import Applied, write_presets
from jobs.budget import Budget
from jobs.models import EventSource, Job, JobPoll, ProviderAccount
from jobs.models.account import LEASE
from providers.base import Provider
from providers.errors import BudgetExhausted, NotFound, ProviderError, RateLimited
from providers.status import JobStatus
from providers.types import Capability, Page, RemoteJob, RemotePreset

log = structlog.get_logger(__name__)

# A later walk that is still among new jobs here becomes an import, which can be resumed.
DISCOVER_PAGES = 40

# Sixteen readers reach 94 % of what latency allows, and are what HttpClient has connections
# for; four are polite and enough for a pass.
READERS = 4
MAX_READERS = 16
REFRESH_JOBS = 200

# How long a job whose answer cannot be read is left alone.
UNREADABLE_PAUSE = timedelta(minutes=5)

# One full pass asks for this many missing jobs at the most, newest first.
GONE_CHECKS = 1000

T = TypeVar("T")
Progress = Callable[[ProviderAccount, int], None]


@dataclass
class Report:
    """What one pass did, as `manage.py sync --json` prints it."""

    id: str
    ok: bool = True
    error: str | None = None
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    gone: int = 0
    requests: int = 0
    duration_ms: int = 0

    def count(self, applied: Applied) -> None:
        self.created += len(applied.created)
        self.changed += len(applied.changed)
        self.unchanged += len(applied.unchanged)


class LeaseLost(Exception):
    """Another pass took the account over: this one was too slow to renew."""


@dataclass
class SyncPass:
    """One walk over one account."""

    account: ProviderAccount
    adapter: Provider
    budget: Budget
    lease: UUID
    report: Report
    foreground: bool
    on_progress: Progress | None
    started_at: datetime = field(default_factory=timezone.now)
    pages: Iterator[Page] | None = None
    seen: set[str] = field(default_factory=set)
    active: dict[str, RemoteJob] = field(default_factory=dict)
    # new ones of which the list told a part
    unread: list[str] = field(default_factory=list)

    def run(self, *, full: bool) -> None:
        was_importing = self.account.is_importing
        try:
            self._discover(full=full)
        except BudgetExhausted:
            self._refresh()  # reading single jobs may have a budget of its own
            raise
        if full or (was_importing and not self.account.is_importing):
            self._read_presets()
        if full:
            self._find_gone()
        self._refresh()

    def _discover(self, *, full: bool) -> None:
        account = self.account
        importing = account.is_importing
        source = EventSource.IMPORT if importing else EventSource.POLL
        cursor = account.import_cursor if importing and not full else ""
        # an import may take several passes: what is older than its first one is covered by it
        began = {} if cursor else {"last_pass_at": self.started_at}
        pages = 0
        while True:
            observed_at = timezone.now()
            page = self._patiently(self._next_page, cursor)
            if page is None:
                break
            pages += 1
            applied = mirror.apply(account, page.jobs, source=source, observed_at=observed_at)
            self.report.count(applied)
            self.seen.update(remote.remote_id for remote in page.jobs)
            active = {job.remote_id: job for job in page.jobs if job.status.is_active}
            self.active |= active
            if not importing:
                self._note_unread(page, applied)
            if self.on_progress:
                self.on_progress(account, len(self.seen))
            cursor = page.cursor or ""
            if importing:
                self._renew(import_cursor=cursor, **began)
            else:
                self._renew()
            if not cursor:
                break
            if importing or full:
                continue
            if not active and self._is_known(applied):
                break
            if pages >= DISCOVER_PAGES:
                # much was missed: the rest is an import again, which later passes go on with
                self._renew(imported_at=None, import_cursor=cursor, **began)
                return
        self._renew(
            imported_at=timezone.now() if importing else account.imported_at,
            import_cursor="",
            **began,
        )

    def _note_unread(self, page: Page, applied: Applied) -> None:
        partial = [job.remote_id for job in page.jobs if job.is_partial]
        if partial and applied.created:
            created = Job.objects.filter(pk__in=applied.created, remote_id__in=partial)
            self.unread += [job.remote_id for job in created.only("remote_id") if job.remote_id]

    def _is_known(self, applied: Applied) -> bool:
        """Whether nothing deeper in the list can be new: the walk may stop here.

        A page that an interrupted walk (or webhooks, or submissions) brought is unchanged but
        proves nothing about what is below it; its jobs are younger than the last walk that ended.
        """
        if applied.is_news or self.account.last_pass_at is None:
            return False
        return not Job.objects.filter(
            pk__in=applied.unchanged, sort_at__gt=self.account.last_pass_at
        ).exists()

    def _refresh(self) -> None:
        """Confirm the unfinished jobs that the list did not bring, and progress of those it did."""
        running = [job for job in self.active.values() if job.status is JobStatus.RUNNING]
        if self.adapter.refresh_buckets:
            self._read(
                running[:REFRESH_JOBS], self.adapter.refresh_job, self.adapter.refresh_buckets
            )
        jobs = self._due()
        if jobs and self._list_unfinished():
            jobs = self._due()
        created = [remote_id for remote_id in self.unread if remote_id not in jobs]
        self._read(created[:REFRESH_JOBS], self.adapter.get_job, self.adapter.read_buckets)
        self._read(list(jobs), self.adapter.get_job, self.adapter.read_buckets, jobs)

    def _due(self) -> dict[str, Job]:
        """Unfinished jobs to be confirmed one by one, by remote id, least recently confirmed first.

        Those that a list brought in this pass are confirmed already.
        """
        due = (
            JobPoll.objects.filter(
                account=self.account, next_at__lte=timezone.now(), job__remote_id__isnull=False
            )
            .exclude(job__remote_id__in=list(self.active))
            .select_related("job")
            .order_by("confirmed_at")[:REFRESH_JOBS]
        )
        return {poll.job.remote_id: poll.job for poll in due if poll.job.remote_id}

    def _list_unfinished(self) -> bool:
        """Confirm many in few requests, where the provider can list them; whether it did."""
        pages = self.adapter.list_unfinished()
        told = False
        while True:
            observed_at = timezone.now()
            page = self._patiently(next, pages, None)
            if page is None:
                return told
            told = True
            self.report.count(
                mirror.apply(
                    self.account, page.jobs, source=EventSource.POLL, observed_at=observed_at
                )
            )
            self.active |= {job.remote_id: job for job in page.jobs}
            self._renew()

    def _read_presets(self) -> None:
        if self.adapter.supports(Capability.PRESETS):
            presets: list[RemotePreset] = self._patiently(list, self.adapter.list_presets())
            write_presets(self.account, presets, timezone.now())
            self._renew()

    def _find_gone(self) -> None:
        """Ask for jobs that the whole list did not bring; what is not found is gone."""
        held = (
            Job.objects.filter(
                account=self.account,
                is_newest=True,
                gone_at__isnull=True,
                remote_id__isnull=False,
                first_seen_at__lt=self.started_at,
            )
            .only("pk", "remote_id", "status", "account")
            .order_by("-sort_at")
        )
        missing = (job for job in held.iterator() if job.remote_id not in self.seen)
        jobs = {job.remote_id: job for job in islice(missing, GONE_CHECKS) if job.remote_id}
        self._read(list(jobs), self.adapter.get_job, self.adapter.read_buckets, jobs)

    def _read(
        self,
        items: Sequence[Any],
        call: Callable[[Any], RemoteJob],
        buckets: tuple[str, ...],
        jobs: Mapping[str, Job] | None = None,
    ) -> None:
        """Read several jobs at a time and apply what came; one bad job never stops the rest.

        `jobs` are the rows behind the ids in `items`, for marking what is gone.
        """
        readers = min(max(self.account.option_int("concurrency", READERS), 1), MAX_READERS)
        exhausted: BudgetExhausted | None = None
        with ThreadPoolExecutor(readers) as pool:
            for chunk in batched(items, readers * 2):
                observed_at = timezone.now()
                asked = []
                for item in chunk:
                    try:
                        self._patiently(self.budget.set_aside, buckets)
                    except BudgetExhausted as error:
                        exhausted = error  # what has been asked is still to be applied
                        break
                    asked.append((item, pool.submit(call, item)))
                told, failed = [], []
                for item, answer in asked:
                    try:
                        told.append(answer.result())
                    except ProviderError as failure:
                        failed.append((item, failure))
                self.report.count(
                    mirror.apply(
                        self.account, told, source=EventSource.POLL, observed_at=observed_at
                    )
                )
                for item, fault in failed:
                    self._take_failure(item, fault, jobs or {}, observed_at)
                if exhausted is not None:
                    raise exhausted
                if failed and not told:
                    raise_unless_single(failed)
                self._renew()

    def _take_failure(
        self,
        item: Any,
        error: ProviderError,
        jobs: Mapping[str, Job],
        observed_at: datetime,
    ) -> None:
        job = jobs.get(item) if isinstance(item, str) else None
        if isinstance(error, BudgetExhausted | RateLimited):
            raise error
        if job is None:
            return
        if isinstance(error, NotFound):
            self.report.gone += mirror.mark_gone(
                self.account, job, source=EventSource.POLL, observed_at=observed_at
            )
            return
        log.warning("job not read", account=self.account.pk, job=job.pk, error=str(error))
        # it is not confirmed, and shows so; meanwhile it must not keep the others waiting
        JobPoll.objects.filter(job=job).update(next_at=observed_at + UNREADABLE_PAUSE)

    def _next_page(self, cursor: str) -> Page | None:
        if self.pages is None:
            self.pages = self.adapter.list_jobs(cursor or None)
        try:
            return next(self.pages, None)
        except ProviderError:
            self.pages = None  # an iterator that raised has ended: the next try begins anew
            raise

    def _patiently(self, call: Callable[..., T], *args: Any) -> T:
        """In the foreground, wait for the provider's limit and ours; else give way."""
        while True:
            try:
                return call(*args)
            except (BudgetExhausted, RateLimited) as error:
                if not self.foreground:
                    raise
                self._renew()
                time.sleep(min(error.wait_s or 5, 60))

    def _renew(self, **values: Any) -> None:
        """Prolong the lease and keep `values` with it, so that a late pass writes nothing."""
        kept = ProviderAccount.objects.filter(pk=self.account.pk, lease=self.lease).update(
            leased_until=timezone.now() + LEASE, **values
        )
        if not kept:
            raise LeaseLost
        for name, value in values.items():
            setattr(self.account, name, value)


def raise_unless_single(failed: Sequence[tuple[Any, ProviderError]]) -> None:
    """A chunk in which nothing could be read is the account's trouble, not one job's."""
    errors = [error for _, error in failed if not isinstance(error, NotFound)]
    if len(errors) > 1:
        raise errors[0]


def batched(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
