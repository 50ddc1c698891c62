"""The filters of the job list as a page's URL has them."""

from django.http import HttpRequest
from django.utils import timezone

from jobs.query.jobs import JobFilter
from jobs.query.visibility import Visibility
from organizations.access import Access


def read_job_filters(request: HttpRequest, access: Access) -> JobFilter:
    """The query string; dates in it are days of the person who asks."""
    zone = timezone.get_current_timezone()
    return JobFilter.parse(request.GET, Visibility(access.organization), zone)
