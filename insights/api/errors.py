"""`/errors`: failed jobs grouped by cause."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from django.conf import settings
from django.utils import timezone
from ninja import Query, Router
from pydantic import BaseModel, Field

from insights.api.schemas import ErrorGroupList, ErrorGroupShape, MuteRequest
from insights.errors import actions
from insights.errors.actions import GroupRefused
from insights.errors.counts import Totals, failures, members_of, read_totals
from insights.errors.listing import FIXERS, ErrorFilter, read_page, with_jobs
from jobs.actions.assignment import AssignmentRefused
from jobs.api.actions.jobs import read_member
from jobs.api.auth import ApiRequest, TokenAuth, visible_to
from jobs.api.errors import (
    ACTION_REFUSALS,
    LIST_REFUSALS,
    READ_REFUSALS,
    ApiError,
    ErrorBody,
    invalid,
    not_found,
)
from jobs.api.list_parameters import read_filters
from jobs.api.requests import AssignRequest
from jobs.api.schemas.parameters import Accounts, Cursor, Limit, Slugs, Texts, documented, one_of
from jobs.models import GroupMark, GroupState, JobErrorGroup, ProviderAccount
from jobs.query.references import find_by_id, has_control_characters
from jobs.query.visibility import Visibility
from organizations.permissions import Permission

router = Router(tags=["errors"], by_alias=True)


class ListParameters(BaseModel):
    """Documents the query string; ErrorFilter reads it, for the page as well."""

    state: Annotated[list[str], one_of(GroupState)] = Field([], description="In these states.")
    mark: Annotated[str, documented(type="string", enum=["new", "returned"])] = Field(
        "", description="Only new ones, or only those that returned."
    )
    fixer: Annotated[str, documented(type="string", enum=list(FIXERS))] = Field(
        "", description="By who can fix it: who submits, the owner of the source, the provider."
    )
    assigned: Texts = Field(
        [], description="Looked after by these members, as e-mail addresses or names."
    )
    provider: Slugs = []
    account: Accounts = []
    limit: Limit = ""
    cursor: Cursor = ""


@router.get("", response={200: ErrorGroupList, **LIST_REFUSALS}, summary="List error groups")
def list_errors(request: ApiRequest, parameters: Query[ListParameters]) -> dict[str, Any]:
    """New and returned ones first, then those with most unresolved failures, a page at a time.

    With `provider` or `account`, the jobs of these are counted alone.
    """
    filters, now = read_filters(ErrorFilter, request), timezone.now()
    seen = filters.narrow(visible_to(request))
    page = read_page(seen, filters, now)
    following = None if page.next is None else str(page.next)
    return {"results": _shapes(page.groups, page.totals, seen), "next": following}


@router.get(
    "/{group_id}", response={200: ErrorGroupShape, **READ_REFUSALS}, summary="Read an error group"
)
def read_error(request: ApiRequest, group_id: str) -> dict[str, Any]:
    """One group of failed jobs; `GET /api/v1/jobs` with its id as `error_group` lists them."""
    return _read(request, find_group(request, group_id))


@router.post(
    "/{group_id}/mute",
    auth=TokenAuth(Permission.TRIAGE),
    response={200: ErrorGroupShape, 422: ErrorBody, **ACTION_REFUSALS},
    summary="Mute an error group",
)
def mute_error(request: ApiRequest, group_id: str, body: MuteRequest) -> dict[str, Any]:
    """Until a time, a number of failures or a rate; without any of these, until it is reopened."""
    group = find_to_change(request, group_id)
    limits = {"until": body.until, "count": body.count, "rate_per_hour": body.rate_per_hour}
    given = [name for name, value in limits.items() if value is not None]
    wrong = dict.fromkeys(given[1:], "Use one of until, count and rate_per_hour.")
    if body.until is not None and body.until <= timezone.now():
        wrong["until"] = "Enter a time that is to come."
    reason = body.reason.strip()
    if not reason or has_control_characters(reason):
        wrong["reason"] = "Enter a reason, without control characters."
    if wrong:
        raise invalid(wrong)
    try:
        group = actions.mute(group, actor=request.auth, reason=reason, **limits)  # type: ignore[arg-type]
    except GroupRefused as error:
        raise ApiError(409, error.code, str(error)) from error
    return _read(request, group)


@router.post(
    "/{group_id}/resolve",
    auth=TokenAuth(Permission.TRIAGE),
    response={200: ErrorGroupShape, **ACTION_REFUSALS},
    summary="Resolve an error group",
)
def resolve_error(request: ApiRequest, group_id: str) -> dict[str, Any]:
    """A job that fails with the error after this opens the group again."""
    return _read(request, actions.resolve(find_to_change(request, group_id), actor=request.auth))


@router.post(
    "/{group_id}/reopen",
    auth=TokenAuth(Permission.TRIAGE),
    response={200: ErrorGroupShape, **ACTION_REFUSALS},
    summary="Reopen an error group",
)
def reopen_error(request: ApiRequest, group_id: str) -> dict[str, Any]:
    """End a mute or a resolution."""
    return _read(request, actions.reopen(find_to_change(request, group_id), actor=request.auth))


@router.post(
    "/{group_id}/assign",
    auth=TokenAuth(Permission.TRIAGE),
    response={200: ErrorGroupShape, 422: ErrorBody, **ACTION_REFUSALS},
    summary="Assign an error group",
)
def assign_error(request: ApiRequest, group_id: str, body: AssignRequest) -> dict[str, Any]:
    """Have a member look after it, or nobody."""
    group = find_to_change(request, group_id)
    try:
        group = actions.assign(group, read_member(request, body), actor=request.auth)
    except AssignmentRefused as error:
        raise ApiError(409, error.code, str(error)) from error
    return _read(request, group)


def find_group(request: ApiRequest, group_id: str) -> JobErrorGroup:
    visible = visible_to(request)
    groups = with_jobs(visible.organization.error_groups.all(), visible)
    group = find_by_id(groups.with_assignees(), group_id)
    if group is None:
        raise not_found()
    return group


def find_to_change(request: ApiRequest, group_id: str) -> JobErrorGroup:
    """A token of some accounts changes no group that others have jobs in, too."""
    group, visible = find_group(request, group_id), visible_to(request)
    if visible.account_ids is not None:
        everybody = Visibility(visible.organization)
        jobs = failures(everybody, members_of([group.pk]))
        if jobs.exclude(account__in=visible.account_ids).exists():
            message = "The error also has jobs of accounts that this token may not use."
            raise ApiError(403, "forbidden", message)
    return group


def _read(request: ApiRequest, group: JobErrorGroup) -> dict[str, Any]:
    visible = visible_to(request)
    (shape,) = _shapes([group], read_totals(visible, members_of([group.pk])), visible)
    return shape


def _shapes(
    groups: Iterable[JobErrorGroup], totals: Mapping[int, Totals], visible: Visibility
) -> list[dict[str, Any]]:
    accounts = {
        account.pk: account for account in visible.accounts().only("pk", "name", "provider")
    }
    return [_shape(group, totals[group.pk], accounts, visible) for group in groups]


def _shape(
    group: JobErrorGroup,
    totals: Totals,
    accounts: Mapping[int, ProviderAccount],
    visible: Visibility,
) -> dict[str, Any]:
    known, mark = group.known, group.current_mark(timezone.now())
    seen = [accounts[pk] for pk in totals.accounts if pk in accounts]
    path = f"/o/{visible.organization.slug}/errors/{group.pk}/"
    return {
        "id": group.pk,
        "class": known.name,
        "title": known.title,
        "message": group.message or known.sentence,
        "state": group.state,
        "new": mark == GroupMark.NEW,
        "returned": mark == GroupMark.RETURNED,
        "jobs": totals.jobs,
        "unresolved": totals.unresolved,
        "providers": list(dict.fromkeys(account.provider for account in seen)),
        "accounts": seen,
        "first_seen_at": totals.first_at,
        "last_seen_at": totals.last_at,
        "hint": known.hint,
        "transient": known.is_transient,
        "mute_reason": group.mute_reason,
        "muted_until": group.muted_until,
        "assignee": group.assignee_name,
        "html_url": f"{settings.BASE_URL}{path}",
    }
