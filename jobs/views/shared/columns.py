"""The columns that a page of the job list shows, and the menu that chooses them."""

from dataclasses import dataclass
from typing import Any

from jobs.display.columns import COLUMNS, USUAL
from jobs.models.mirror.job import JobQuerySet
from jobs.views.shared.job_filters import PageFilter


@dataclass(frozen=True, slots=True)
class Choice:
    name: str
    label: str
    is_shown: bool


def columns_context(filters: PageFilter) -> dict[str, Any]:
    """`cells` are the columns of each row beside Status and Job, by name."""
    chosen = filters.columns or USUAL
    # the time that sorts has a column already
    cells = [name for name in chosen if name != filters.ordering.name]
    return {
        "cells": cells,
        "width": 2 + len(cells),
        "time_shown": filters.ordering.name,
        "column_choices": [
            Choice(name, label, name in chosen) for name, label in COLUMNS.items() if name != "time"
        ],
        "column_kept": [pair for pair in filters.params() if pair[0] != "columns"],
        "usual_columns": filters.columns and f"?{filters.query(columns=None)}",
    }


def load_rows(jobs: JobQuerySet, filters: PageFilter) -> JobQuerySet:
    """The rows with what their columns show; one query."""
    rows = jobs.for_list()
    return rows.with_submitters() if "submitted_by" in filters.columns else rows
