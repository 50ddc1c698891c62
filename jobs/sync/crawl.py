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
from django.db.models import Q
from django.utils import timezone

from jobs.accounts.budget import Budget
from jobs.mirror import writer
from jobs.mirror.batch import Applied, write_presets
from jobs.models import EventSource, Job, JobPoll, ProviderAccount
from jobs.models.account import LEASE
from jobs.sync.page_turns import PageTurns
from providers.core.contract import Provider
from providers.core.errors import (
    BadAnswer,
    BudgetExhausted,
    NotFound,
    ProviderError,
    RateLimited,
    Rejected,
)
from providers.core.status import JobStatus
from providers.core.types import Capability, Page, RemoteJob, RemotePreset

log = structlog.get_logger(__name__)

# A later walk that is still among new jobs here becomes an import, which can be resumed.
DISCOVER_PAGES = 40

# So many pages in a row without a job that was not seen yet, and the list is a circle. Jobs that
# are made meanwhile push others down a page; they do not fill ten.
CIRCLE_PAGES = 10

# Sixteen readers reach 94 % of what latency allows, and are what HttpClient has connections
# for; four are polite and enough for a pass.
READERS = 4
MAX_READERS = 16
REFRESH_JOBS = 200

# How long a job whose answer cannot be read is left alone.
UNREADABLE_PAUSE = timedelta(minutes=5)

# One full pass asks for this many missing jobs at the most, newest first.
GONE_CHECKS = 1000

# What is waited where a limit does not say how long it lasts.
LIMIT_WAIT_S = 60.0

# How long the foreground waits for one answer: the longest wait that a provider may ask for. It
# holds the account meanwhile, and at night the accounts after it.
PATIENCE_S = 3600.0

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


class Pages:
    """The pages of a list, one by one; after an error it is opened anew at the cursor asked for."""

    def __init__(self, open_list: Callable[[str | None], Iterator[Page]]) -> None:
        self._open = open_list
        self._pages: Iterator[Page] | None = None

    def read(self, cursor: str = "") -> Page | None:
        """The next page, None after the last. `cursor` is where that one begins."""
        if self._pages is None:
            self._pages = self._open(cursor or None)
        try:
            return next(self._pages, None)
        except ProviderError:
            self._pages = None  # an iterator that raised has ended
            raise


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
    # whether the provider answered anything but errors
    has_read: bool = False
    # whether it said that we ask too often
    is_limited: bool = False
    # in vain so far, since the last answer
    waited_s: float = 0.0
    seen: set[str] = field(default_factory=set)
    active: dict[str, RemoteJob] = field(default_factory=dict)
    # new ones of which the list told a part
    unread: list[str] = field(default_factory=list)

    def run(self, *, full: bool) -> None:
        was_importing = self.account.is_importing
        try:
            self._discover(full=full)
            if self.foreground and self.account.is_importing:
                self._discover(full=False)  # much was missed: the rest of it
        except (BudgetExhausted, RateLimited) as limit:
            self.is_limited = isinstance(limit, RateLimited)
            try:
                self._refresh()  # reading single jobs may have a limit of its own
            except (BudgetExhausted, RateLimited) as other:
                raise max(limit, other, key=limit_wait_s) from None
            raise
        if full or (was_importing and not self.account.is_importing):
            self._read_presets()
        if full:
            self._find_gone()
        self._refresh()

    def _discover(self, *, full: bool) -> None:
        """Walk the list as far as it may hold news; an import from where the last pass stopped."""
        cursor = self.account.import_cursor if self.account.is_importing and not full else ""
        try:
            self._walk(cursor, full=full)
        except (NotFound, Rejected) as error:
            if not cursor or self.account.import_cursor != cursor:
                raise
            # not one page was given: the place is there no more
            log.warning("import begun anew", account=self.account.pk, error=str(error))
            self._walk("", full=full)

    def _walk(self, cursor: str, *, full: bool, is_second: bool = False) -> None:
        account = self.account
        importing = account.is_importing
        source = EventSource.IMPORT if importing else EventSource.POLL
        # an import may take several passes: what is older than its first one is covered by it
        began = {} if cursor else {"last_pass_at": self.started_at}
        is_resumed = bool(cursor)
        listed = Pages(self.adapter.list_jobs)
        turns = PageTurns(account.import_read_cursor if is_resumed else None)
        applied = Applied()
        pages = repeated = 0
        while True:
            place = {"import_cursor": cursor, "import_read_cursor": turns.last_cursor}
            try:
                observed_at = timezone.now()
                page = self._patiently(listed.read, cursor)
                known = len(self.seen)
                if page is not None:
                    turns.add(
                        cursor, page, may_slip=lambda page: importing or self._ends_young(page)
                    )
                    applied = self._take_page(page, observed_at, source)
                    page = self._settle(turns, page, source)
            except ProviderError as error:
                if error.transient and not (importing or full) and self._is_stuck(applied):
                    self._renew(imported_at=None, **place, **began)
                raise
            if page is None:
                break
            pages += 1
            if self.on_progress:
                self.on_progress(account, len(self.seen))
            repeated = repeated + 1 if len(self.seen) == known else 0
            place = {"import_cursor": page.cursor or "", "import_read_cursor": cursor}
            cursor = page.cursor or ""
            if importing:
                self._renew(**place, **began)
            else:
                self._renew()
            if not cursor:
                break
            if repeated >= CIRCLE_PAGES:
                raise BadAnswer("The provider's list of jobs leads round in a circle.")
            if importing or full:
                continue
            has_active = any(job.status.is_active for job in page.jobs)
            if not has_active and self._is_known(applied):
                break
            if pages >= DISCOVER_PAGES:
                # much was missed: the rest is an import again, which later passes go on with
                self._renew(imported_at=None, **place, **began)
                return
        if importing and turns.may_hide_jobs and not (is_resumed or is_second):
            self._walk("", full=full, is_second=True)
            return
        now = timezone.now()
        self._renew(
            imported_at=now if importing else account.imported_at,
            walked_at=now,
            import_cursor="",
            import_read_cursor="",
            **began,
        )

    def _take_page(self, page: Page, observed_at: datetime, source: EventSource) -> Applied:
        applied = self._apply(page.jobs, observed_at, source)
        self.seen.update(remote.remote_id for remote in page.jobs)
        self.active |= {job.remote_id: job for job in page.jobs if job.status.is_active}
        if source is not EventSource.IMPORT:
            self._note_unread(page, applied)
        return applied

    def _settle(self, turns: PageTurns, page: Page, source: EventSource) -> Page | None:
        """Read pages again until none of them hides a job; returns `page` as it was read last.

        A limit that is met by the first page of a resumed import is left to the next page: else
        the import would not get on.
        """
        latest: Page | None = page
        while turns.unsettled is not None:
            observed_at = timezone.now()
            try:
                now = self._patiently(Pages(self.adapter.list_jobs).read, turns.unsettled)
            except (BudgetExhausted, RateLimited):
                if turns.is_at_start:
                    break
                raise
            if turns.is_at_end:
                latest = now
            turns.add_again(now or Page(()))
            if now is not None:
                self._take_page(now, observed_at, source)
            self._renew()
        return latest

    def _ends_young(self, page: Page) -> bool:
        """Whether what is below the page may be new: its last job is."""
        last_ids = [job.remote_id for job in page.jobs[-1:]]
        last = Job.objects.filter(account=self.account, is_newest=True, remote_id__in=last_ids)
        return last.filter(self._is_young()).exists()

    def _apply(
        self,
        remotes: Sequence[RemoteJob],
        observed_at: datetime,
        source: EventSource = EventSource.POLL,
    ) -> Applied:
        applied = writer.apply(self.account, remotes, source=source, observed_at=observed_at)
        self.report.count(applied)
        self.has_read, self.waited_s = True, 0.0
        return applied

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
        return not applied.is_news and not self._holds_young(applied.unchanged)

    def _is_stuck(self, applied: Applied) -> bool:
        """Whether a walk that is cut short below this page was cut short here before.

        It brought no job that was not there, and yet what is below it may be new: from the top, no
        later walk would come further under the same limit. It has to be gone on with from here.
        """
        return not applied.created and self._holds_young([*applied.changed, *applied.unchanged])

    def _holds_young(self, pks: Sequence[int]) -> bool:
        """Whether one of these jobs is younger than the last walk that ended."""
        return Job.objects.filter(self._is_young(), pk__in=pks).exists()

    def _is_young(self) -> Q:
        """Created since the last walk that ended began; or, since the provider's clock may be
        behind, first seen since it ended.
        """
        began_at, ended_at = self.account.last_pass_at, self.account.walked_at
        if began_at is None:
            return Q()
        seen = Q(first_seen_at__gte=ended_at or self.started_at)
        return Q(sort_at__gt=began_at) | seen

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
        unfinished = Pages(lambda _: self.adapter.list_unfinished())
        told = False
        while True:
            observed_at = timezone.now()
            page = self._patiently(unfinished.read)
            if page is None:
                return told
            told = True
            self._apply(page.jobs, observed_at)
            self.active |= {job.remote_id: job for job in page.jobs}
            self._renew()

    def _read_presets(self) -> None:
        if not self.adapter.supports(Capability.PRESETS):
            return
        try:
            presets: list[RemotePreset] = self._patiently(lambda: list(self.adapter.list_presets()))
        except ProviderError as error:
            if error.transient:
                raise
            # a key may read jobs and no presets
            log.warning("presets not read", account=self.account.pk, error=str(error))
            return
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
        if self.is_limited:
            readers = 1  # the limit may be one of all calls
        with ThreadPoolExecutor(readers) as pool:
            for chunk in batched(items, readers * 2):
                waiting = chunk
                while waiting:
                    waiting = self._read_chunk(pool, waiting, call, buckets, jobs or {})
                    self._renew()

    def _read_chunk(
        self,
        pool: ThreadPoolExecutor,
        items: Sequence[Any],
        call: Callable[[Any], RemoteJob],
        buckets: tuple[str, ...],
        jobs: Mapping[str, Job],
    ) -> list[Any]:
        """Read all of `items` at once; those that met a limit are returned after its end."""
        observed_at = timezone.now()
        limit: BudgetExhausted | RateLimited | None = None
        asked, told, failed, limited = [], [], [], []
        for item in items:
            try:
                self._patiently(self.budget.set_aside, buckets)
            except BudgetExhausted as error:
                limit = error  # what has been asked is still to be applied
                break
            asked.append((item, pool.submit(call, item)))
        for item, answer in asked:
            try:
                told.append(answer.result())
            except (BudgetExhausted, RateLimited) as error:
                limit = error
                limited.append(item)
            except ProviderError as error:
                failed.append((item, error))
        if told:
            self._apply(told, observed_at)
        for item, fault in failed:
            self._take_failure(item, fault, jobs, observed_at)
        if limit is not None:
            self._wait_out(limit)
        if failed and not told:
            raise_unless_single(failed)
        return limited

    def _take_failure(
        self,
        item: Any,
        error: ProviderError,
        jobs: Mapping[str, Job],
        observed_at: datetime,
    ) -> None:
        job = jobs.get(item) if isinstance(item, str) else None
        if job is None:
            return
        if isinstance(error, NotFound):
            self.report.gone += writer.mark_gone(
                self.account, job, source=EventSource.POLL, observed_at=observed_at
            )
            return
        log.warning("job not read", account=self.account.pk, job=job.pk, error=str(error))
        # it is not confirmed, and shows so; meanwhile it must not keep the others waiting
        JobPoll.objects.filter(job=job).update(next_at=observed_at + UNREADABLE_PAUSE)

    def _patiently(self, call: Callable[..., T], *args: Any) -> T:
        """Call until no limit is met. `call` must begin anew each time: no iterator's next."""
        while True:
            try:
                return call(*args)
            except (BudgetExhausted, RateLimited) as limit:
                self._wait_out(limit)

    def _wait_out(self, limit: BudgetExhausted | RateLimited) -> None:
        """In the foreground, wait for the provider's limit or ours; else give way."""
        if not self.foreground or self.waited_s >= PATIENCE_S:
            raise limit
        self._renew()
        wait_s = min(limit.wait_s or 5, 60)  # the lease is to be renewed
        time.sleep(wait_s)
        self.waited_s += wait_s

    def _renew(self, **values: Any) -> None:
        """Prolong the lease and keep `values` with it, so that a late pass writes nothing."""
        kept = ProviderAccount.objects.filter(pk=self.account.pk, lease=self.lease).update(
            leased_until=timezone.now() + LEASE, **values
        )
        if not kept:
            raise LeaseLost
        for name, value in values.items():
            setattr(self.account, name, value)


def limit_wait_s(limit: BudgetExhausted | RateLimited) -> float:
    """How long the account is to be left alone."""
    return limit.wait_s or LIMIT_WAIT_S


def raise_unless_single(failed: Sequence[tuple[Any, ProviderError]]) -> None:
    """A chunk in which nothing could be read is the account's trouble, not one job's.

    But for refusals: the list, which was read with the same key, would have met them, too.
    """
    errors = [error for _, error in failed if error.transient]
    if len(errors) > 1:
        raise errors[0]


def batched(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
