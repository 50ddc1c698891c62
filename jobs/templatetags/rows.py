"""Rows that fail by themselves: one that cannot be rendered does not break the page."""

from contextlib import suppress
from typing import Any

import structlog
from django import template
from django.db import DatabaseError
from django.db.models import Model
from django.template import Context, Engine
from django.utils.safestring import SafeString

from jobs.models import Job, RowFailure

log = structlog.get_logger(__name__)
register = template.Library()


@register.simple_tag(takes_context=True)
def row(
    context: Context,
    template: str,
    item: Model,
    columns: int = 1,
    instead: str = "jobs/shared/_broken_row.html",
    **names: Any,
) -> SafeString:
    """The row of `item`. One that cannot be rendered says so, and the rest of the page works."""
    engine = Engine.get_default()
    try:
        with context.push(**names):
            return engine.get_template(template).render(context)
    except Exception:
        log.exception("row not rendered", template=template, pk=item.pk)
    with suppress(DatabaseError):
        RowFailure.record(template)
    fallback = {
        **names,
        "item": item,
        "columns": columns,
        "kind": template.rpartition("/_")[2].partition(".")[0].removesuffix("_row"),
        "version": getattr(item, "version", None),
        "job_id": item.pk if isinstance(item, Job) else getattr(item, "job_id", None),
    }
    with context.push(**fallback):
        return engine.get_template(instead).render(context)
