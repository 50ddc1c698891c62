"""The columns that a page of the job list shows, and the menu that chooses them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from jobs.display.columns import COLUMNS, USUAL
from jobs.models import Job, ProviderAccount
from jobs.models.mirror.job import JobQuerySet
from jobs.views.shared.job_filters import PageFilter


@dataclass(frozen=True, slots=True)
class Choice:
    name: str
    label: str
    is_shown: bool


def columns_context(filters: PageFilter) -> dict[str, Any]:
    """`cells` are the columns of each row beside Status and Job, by name; `shows` says so of each
    column there is.
    """
    chosen = filters.columns or USUAL
    # the time that sorts has a column already
    cells = [name for name in chosen if name != filters.ordering.name]
    return {
        "cells": cells,
        "shows": {name: name in cells for name in COLUMNS},
        "width": 2 + len(cells),
        "time_shown": filters.ordering.name,
        "column_choices": [
            Choice(name, label, name in chosen) for name, label in COLUMNS.items() if name != "time"
        ],
        "column_kept": [pair for pair in filters.params() if pair[0] != "columns"],
        "usual_columns": filters.columns and f"?{filters.query(columns=None)}",
    }


def load_rows(jobs: JobQuerySet, filters: PageFilter) -> JobQuerySet:
    """The rows with what their columns show, but for their accounts; one query."""
    rows = jobs.for_rows()
    if "batch" in filters.columns:
        rows = rows.with_batches()
    return rows.with_submitters() if "submitted_by" in filters.columns else rows


def add_accounts(jobs: Iterable[Job], accounts: Iterable[ProviderAccount]) -> None:
    """Give each job its account. One that is not among `accounts` is read once it is needed."""
    by_id = {account.pk: account for account in accounts}
    for job in jobs:
        if job.account_id in by_id:
            job.account = by_id[job.account_id]
