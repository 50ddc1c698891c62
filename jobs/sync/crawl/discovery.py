"""Reading a provider's list, newest first, as far as it may hold anything new."""

from collections.abc import Sequence
from datetime import datetime

import structlog
from django.db.models import Q
from django.utils import timezone

from jobs.mirror.batch import Applied
from jobs.mirror.payload import Shape
from jobs.models import EventSource, Job
from jobs.sync.context import PassContext
from jobs.sync.crawl.findings import Findings
from jobs.sync.crawl.page_turns import PageTurns
from jobs.sync.crawl.pages import Pages
from jobs.sync.crawl.seen_ids import SeenIds
from jobs.sync.report import Progress
from jobs.workqueue.enqueue import enqueue_on_commit
from providers.core.errors import (
    BadAnswer,
    BudgetExhausted,
    NotFound,
    ProviderError,
    RateLimited,
    Rejected,
)
from providers.core.types import Page

log = structlog.get_logger(__name__)

# A later crawl that is still among new jobs here becomes an import, which can be resumed.
DISCOVER_PAGES = 40

# So many pages in a row that begin like an earlier page, and the list is a circle.
CIRCLE_PAGES = 10


def discover(
    context: PassContext, findings: Findings, *, full: bool, on_progress: Progress | None = None
) -> None:
    """Crawl the list as far as it may bring news; an import from where the last pass stopped."""
    account = context.account
    cursor = account.import_cursor if account.is_importing and not full else ""
    try:
        Crawl(context, findings, cursor, full=full, on_progress=on_progress).run()
    except (NotFound, Rejected) as error:
        if not cursor or account.import_cursor != cursor:
            raise
        # not one page was returned: that place no longer exists
        log.warning("import restarted", account=account.pk, error=str(error))
        Crawl(context, findings, "", full=full, on_progress=on_progress).run()


class Crawl:
    """One crawl from `cursor` (empty: the top) to the end of the list, or of what is new in it."""

    def __init__(
        self,
        context: PassContext,
        findings: Findings,
        cursor: str,
        *,
        full: bool,
        on_progress: Progress | None,
    ) -> None:
        account = context.account
        self._context = context
        self._account = account
        self._findings = findings
        self._full = full
        self._on_progress = on_progress
        self._is_importing = account.is_importing
        self._is_resumed = bool(cursor)
        self._source = EventSource.IMPORT if self._is_importing else EventSource.POLL
        self._pages = Pages(context.adapter.list_jobs)
        self._turns = PageTurns(account.import_read_cursor if cursor else None)
        # where the next page begins, and what the last one brought
        self._cursor = cursor
        self._applied = Applied()
        self._pages_read = self._pages_repeated = 0
        self._first_ids = SeenIds()

    def run(self, *, is_second: bool = False) -> None:
        while (page := self._read_page()) is not None:
            self._advance(page)
            if self._is_over(page):
                break
            if self._may_stop_early and self._pages_read >= DISCOVER_PAGES:
                self._become_import(self._cursor, self._turns.last_cursor)
                return
        is_first_whole = self._is_importing and not (self._is_resumed or is_second)
        if is_first_whole and self._turns.may_hide_jobs:
            again = Crawl(
                self._context, self._findings, "", full=self._full, on_progress=self._on_progress
            )
            again.run(is_second=True)
        else:
            self._finish()

    @property
    def _may_stop_early(self) -> bool:
        return not (self._is_importing or self._full)

    @property
    def _start(self) -> dict[str, datetime]:
        """An import may need several passes: what is older than its first one is covered by it."""
        return {} if self._is_resumed else {"last_pass_at": self._context.started_at}

    def _read_page(self) -> Page | None:
        """The next page, applied, with no job hidden above it; None after the last."""
        place = self._cursor, self._turns.last_cursor
        try:
            observed_at = timezone.now()
            page = self._context.limits.retry_on_limit(self._pages.read, self._cursor)
            if page is not None:
                self._turns.add(self._cursor, page, may_slip=self._may_slip)
                self._applied = self._apply(page, observed_at)
                page = self._settle(page)
        except ProviderError as error:
            if error.transient and self._may_stop_early and self._made_no_progress():
                self._become_import(*place)
            raise
        self._count_repeated(page)
        return page

    def _count_repeated(self, page: Page | None) -> None:
        first_id = page.listed[0].remote_id if page and page.listed else ""
        self._pages_repeated = self._pages_repeated + 1 if first_id in self._first_ids else 0
        self._first_ids.add(first_id)

    def _apply(self, page: Page, observed_at: datetime) -> Applied:
        applied = self._context.apply(page.listed, observed_at, Shape.LIST, self._source)
        self._findings.note_page(page)
        if self._source is not EventSource.IMPORT:
            self._findings.note_partial(page, applied)
        return applied

    def _settle(self, page: Page) -> Page | None:
        """Read pages again until none of them hides a job; returns `page` as it was read last.

        A limit that is met by the first page of a resumed import is left to the next page: else
        the import would make no progress.
        """
        latest: Page | None = page
        while self._turns.unsettled is not None:
            observed_at = timezone.now()
            try:
                again = Pages(self._context.adapter.list_jobs)
                now = self._context.limits.retry_on_limit(again.read, self._turns.unsettled)
            except (BudgetExhausted, RateLimited):
                if self._turns.is_at_start:
                    break
                raise
            if self._turns.is_at_end:
                latest = now
            self._turns.add_again(now or Page(()))
            if now is not None:
                self._apply(now, observed_at)
        return latest

    def _advance(self, page: Page) -> None:
        self._cursor = page.cursor or ""
        self._pages_read += 1
        if self._on_progress:
            self._on_progress(self._account, self._findings.seen.count)
        if self._is_importing:
            self._context.renew(
                import_cursor=self._cursor,
                import_read_cursor=self._turns.last_cursor,
                **self._start,
            )

    def _is_over(self, page: Page) -> bool:
        if not self._cursor:
            return True
        if self._pages_repeated >= CIRCLE_PAGES:
            raise BadAnswer("The pages of the provider's list go round in a circle.")
        has_active = any(job.status.is_active for job in page.listed)
        return self._may_stop_early and not has_active and self._has_reached_known()

    def _become_import(self, cursor: str, read_cursor: str) -> None:
        """Leave the rest to later passes, which resume at `cursor`."""
        self._context.renew(
            imported_at=None, import_cursor=cursor, import_read_cursor=read_cursor, **self._start
        )

    def _finish(self) -> None:
        now = timezone.now()
        self._context.renew(
            imported_at=now if self._is_importing else self._account.imported_at,
            crawled_at=now,
            import_cursor="",
            import_read_cursor="",
            **self._start,
        )
        if self._is_importing:
            enqueue_on_commit("learn_usual_times", self._account.pk)

    def _has_reached_known(self) -> bool:
        """Whether nothing deeper in the list can be new: the crawl may stop here.

        A page that an interrupted crawl (or webhooks, or submissions) brought is unchanged but
        proves nothing about what is below it; its jobs are younger than the last complete crawl.
        """
        return not self._applied.is_news and not self._has_recent_jobs(self._applied.unchanged)

    def _made_no_progress(self) -> bool:
        """Whether a crawl that is cut short below this page was cut short here before.

        It brought no job that was not there, and yet what is below it may be new: from the top, no
        later crawl would come further under the same limit. It has to be resumed from here.
        """
        applied = self._applied
        known = [*applied.changed, *applied.unchanged]
        return not applied.created and self._has_recent_jobs(known)

    def _may_slip(self, page: Page) -> bool:
        """Whether jobs just below the page may be unknown to us: its last one is recent."""
        if self._is_importing:
            return True
        last_ids = [job.remote_id for job in page.listed[-1:]]
        last = Job.objects.filter(account=self._account, is_newest=True, remote_id__in=last_ids)
        return last.filter(self._is_recent()).exists()

    def _has_recent_jobs(self, pks: Sequence[int]) -> bool:
        return Job.objects.filter(self._is_recent(), pk__in=pks).exists()

    def _is_recent(self) -> Q:
        """Created since the last complete crawl began; or, since the provider's clock may be
        behind, first seen since it ended.
        """
        began_at, ended_at = self._account.last_pass_at, self._account.crawled_at
        if began_at is None:
            return Q()
        seen = Q(first_seen_at__gte=ended_at or self._context.started_at)
        return Q(sort_at__gt=began_at) | seen
