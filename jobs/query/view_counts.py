"""How many jobs each saved view of an organization has, counted together and not too often."""

from datetime import timedelta

from django.utils import timezone

from jobs.models import Job, SavedView, ViewCounting
from jobs.query.jobs import JobFilter
from jobs.query.visibility import Visibility
from jobs.workqueue.enqueue import enqueue_on_commit
from organizations.models import Organization

# A view that has more shows "1,000+"
CAP = 1_000
EVERY = timedelta(minutes=1)


def request_counts(organization: Organization) -> None:
    """Have the views counted, unless that was asked for within the last minute."""
    now = timezone.now()
    due = ViewCounting.objects.filter(organization=organization, due_at__lte=now)
    if due.update(due_at=now + EVERY):
        enqueue_on_commit("count_views", organization.pk)


def count_views(organization_id: int) -> None:
    """Write the count of each view; none where no index serves its query, or it cannot be read."""
    views = SavedView.objects.filter(organization=organization_id).select_related("organization")
    for view in views:
        count = _count(view)
        if count != view.count:
            SavedView.objects.filter(pk=view.pk).update(count=count)


def _count(view: SavedView) -> int | None:
    filters = JobFilter.parse({"q": [view.query]}, Visibility(view.organization))
    if filters.errors or not filters.is_indexed:
        return None
    jobs = Job.objects.for_organization(view.organization)
    return filters.apply(jobs).order_by()[: CAP + 1].count()
