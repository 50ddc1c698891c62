"""The status of a job or an output."""

from typing import Any

from django import template

from jobs.display.phases import live_version
from jobs.models import Job, Output

register = template.Library()


@register.inclusion_tag("jobs/shared/_pill.html")
def pill(status: str, provider_status: str = "") -> dict[str, Any]:
    """A status as icon, label and color; beside an unknown one the provider's own status."""
    return {"status": status, "provider_status": provider_status}


@register.inclusion_tag("jobs/shared/_job_pill.html")
def job_pill(job: Job) -> dict[str, Any]:
    """The status of `job`; of one that was active and is gone, that this is what it was last."""
    return {"item": job, "was_active": is_lost(job)}


@register.inclusion_tag("jobs/shared/_job_pill.html")
def output_pill(output: Output) -> dict[str, Any]:
    """The status of `output`; of an unfinished one whose job is gone, what it was last."""
    return {"item": output, "was_active": output.is_unfinished and is_lost(output.job)}


@register.filter
def version_mark(job: Job) -> str:
    return live_version(job.version, job.is_active, job.account)


@register.filter
def is_lost(job: Job) -> bool:
    """Whether the provider no longer knows the job, and never reported how it ended."""
    return job.gone_at is not None and job.status_value.is_active
