"""The mark of a stuck job."""

from django import template
from django.utils import timezone

from jobs.display import stuck
from jobs.models import Job

register = template.Library()

register.filter("stuck_mark", stuck.stuck_mark)


@register.simple_tag
def why_stuck(job: Job) -> str:
    return stuck.stuck_sentence(job, timezone.now())
