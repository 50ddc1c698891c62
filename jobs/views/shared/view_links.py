"""The saved views in the navigation, and the one that a page of the job list shows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.urls import reverse

from jobs.display.columns import read_columns
from jobs.models import DefaultView, SavedView
from jobs.query.counts import Count
from jobs.query.jobs import JobFilter
from jobs.query.view_counts import CAP, request_counts
from organizations.access import Access
from organizations.models import Organization, User
from organizations.permissions import Permission


@dataclass(frozen=True, slots=True)
class ViewLink:
    """A view in the navigation and its list. The URL carries the query itself: whoever gets the
    link and does not see the view sees its jobs."""

    view: SavedView
    url: str
    # None where it is not known
    count: Count | None
    is_default: bool
    is_current: bool
    may_change: bool


def view_links(access: Access, current: str = "") -> list[ViewLink]:
    """The views that the member sees, shared ones first. One query where there are none."""
    views = list(SavedView.objects.visible_to(access.organization, access.user))
    if not views:
        return []
    request_counts(access.organization)
    default = default_id(access)
    return [
        ViewLink(
            view,
            view_url(view, access.organization.slug),
            None if view.count is None else Count(min(view.count, CAP), view.count > CAP),
            view.pk == default,
            str(view.pk) == current,
            may_change(access, view),
        )
        for view in views
    ]


@dataclass(frozen=True, slots=True)
class ShownView:
    """The view that a page of the job list shows; `is_changed` where its filters or columns are
    others by now. `kept` are the fields of a form that saves the list as it is shown."""

    link: ViewLink | None
    is_changed: bool
    kept: dict[str, str]

    @property
    def new_query(self) -> str:
        return urlencode({name: value for name, value in self.kept.items() if value})


def shown_view(links: Iterable[ViewLink], filters: JobFilter, columns: Sequence[str]) -> ShownView:
    kept = {"q": filters.text, "sort": str(filters.sort or ""), "columns": ",".join(columns)}
    link = next((link for link in links if link.is_current), None)
    if link is None:
        return ShownView(None, False, kept)
    saved = {"q": link.view.query, "sort": link.view.sort, "columns": _columns(link.view)}
    return ShownView(link, kept != saved, kept)


def view_url(view: SavedView, slug: str) -> str:
    params = {"view": view.pk, "q": view.query, "sort": view.sort, "columns": _columns(view)}
    query = urlencode({name: value for name, value in params.items() if value})
    return f"{reverse('jobs:list', args=[slug])}?{query}"


def _columns(view: SavedView) -> str:
    """As the URL has them, without those that are no columns any more."""
    return ",".join(read_columns(",".join(map(str, view.columns))))


def default_url(user: User, organization: Organization) -> str | None:
    """The list that the member begins with, where one was chosen."""
    chosen = _defaults(user, organization).select_related("view").first()
    if chosen is None or chosen.view.owner_id not in (None, user.pk):
        return None
    return view_url(chosen.view, organization.slug)


def default_id(access: Access) -> int | None:
    """The id of the view that the member begins with."""
    found = _defaults(access.user, access.organization)
    return found.values_list("view", flat=True).first()


def _defaults(user: User, organization: Organization) -> QuerySet[DefaultView]:
    return DefaultView.objects.filter(membership__user=user, membership__organization=organization)


def may_change(access: Access, view: SavedView) -> bool:
    return not view.is_shared or access.allows(Permission.SHARE_VIEWS)
