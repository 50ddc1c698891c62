"""One pass over one account: the list first, then what has to be read besides."""

from jobs.sync.context import PassContext
from jobs.sync.crawl.discovery import discover
from jobs.sync.crawl.findings import Findings
from jobs.sync.rate_limits import limit_wait_s
from jobs.sync.reconcile import find_gone, read_presets
from jobs.sync.refresh import refresh
from jobs.sync.report import Progress
from jobs.sync.without_list import is_about_list, read_without_list
from providers.core.errors import BudgetExhausted, ProviderError, RateLimited


def read_account(context: PassContext, *, full: bool, on_progress: Progress | None) -> None:
    """Raises ProviderError, limits included, and LeaseLost."""
    account, findings = context.account, Findings()
    was_importing = account.is_importing
    try:
        discover(context, findings, full=full, on_progress=on_progress)
        if context.limits.foreground and account.is_importing:
            # much was missed: the rest of it
            discover(context, findings, full=False, on_progress=on_progress)
    except (BudgetExhausted, RateLimited) as limit:
        try:
            # reading single jobs may have a limit of its own
            refresh(context, findings, is_limited=isinstance(limit, RateLimited))
        except (BudgetExhausted, RateLimited) as other:
            raise max(limit, other, key=limit_wait_s) from None
        raise
    except ProviderError as error:
        if context.has_read or not is_about_list(error):
            raise
        read_without_list(context, error, full=full)
        return
    if full or (was_importing and not account.is_importing):
        read_presets(context)
    if full:
        find_gone(context, findings)
    refresh(context, findings)
