"""Rows of the job list."""

from django import template
from django.utils import timezone

from jobs.display.columns import COLUMNS
from jobs.display.job_row import JobRow
from jobs.models import Job
from jobs.templatetags.statuses import version_mark

register = template.Library()
register.filter("version_mark", version_mark)


@register.simple_tag
def job_row(job: Job) -> JobRow:
    return JobRow.of(job, timezone.now())


@register.filter
def column_label(name: str) -> str:
    return COLUMNS[name]
