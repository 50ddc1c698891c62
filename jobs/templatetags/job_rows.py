"""Rows of the job list."""

from collections.abc import Mapping

from django import template
from django.utils import timezone

from jobs.display.columns import COLUMNS
from jobs.display.job_row import JobRow
from jobs.display.stuck import TimeLeft
from jobs.models import Job
from jobs.templatetags.statuses import version_mark

register = template.Library()
register.filter("version_mark", version_mark)


@register.simple_tag
def job_row(job: Job, times_left: Mapping[int, TimeLeft] | None = None) -> JobRow:
    return JobRow.of(job, timezone.now(), (times_left or {}).get(job.pk))


@register.filter
def column_label(name: str) -> str:
    return COLUMNS[name]
