"""How many jobs each saved view of an organization has, counted together and not too often."""

from datetime import timedelta

from django.utils import timezone

from jobs.models import Job, SavedView, ViewCounting
from jobs.query.jobs import JobFilter
from jobs.query.visibility import Visibility
from jobs.workqueue.enqueue import enqueue_on_commit
from organizations.models import Membership, Organization

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
    members = Membership.objects.filter(organization=organization_id)
    ids = dict(members.values_list("user", "pk"))
    for view in views:
        # `me` of a shared view is somebody else for each reader, so that it has no count
        count = _count(view, ids.get(view.owner_id) if view.owner_id else None)
        if count != view.count:
            SavedView.objects.filter(pk=view.pk).update(count=count)


def _count(view: SavedView, member_id: int | None) -> int | None:
    visible = Visibility(view.organization, member_id=member_id)
    filters = JobFilter.parse({"q": [view.query]}, visible)
    if filters.errors or not filters.is_indexed:
        return None
    jobs = Job.objects.for_organization(view.organization)
    return filters.apply(jobs).order_by()[: CAP + 1].count()
