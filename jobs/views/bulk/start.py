"""Confirming a bulk action: what will be done, to how many jobs, and what is left out."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil
from typing import Any, Self
from urllib.parse import urlencode
from uuid import uuid4

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_http_methods

from jobs.bulk import service
from jobs.bulk.actions.base import Action
from jobs.bulk.actions.choosing import read_options
from jobs.bulk.counting import Preview, preview
from jobs.bulk.left_out import describe_left_out
from jobs.bulk.left_out_queries import find_queries
from jobs.bulk.pacing import find_pace
from jobs.bulk.selection import Selection
from jobs.bulk.service import BulkRefused, BulkRequest, KeyOfDeletedBulk
from jobs.forms.sending.bulk import MAX_LIMIT, BatchForm, BulkForm, form_of
from jobs.models import BulkAction, BulkKind, ProviderAccount
from jobs.query.references import has_control_characters, read_id
from jobs.query.visibility import Visibility
from jobs.submission.idempotency import KeyRefused, form_key
from jobs.views.shared.layout import render_page
from jobs.views.shared.scope import read_ids, read_scope
from organizations.access import Access, requires
from organizations.permissions import Permission

# More jobs than these are started with their number typed.
TYPED_ABOVE = 1_000
# What is typed in place of a number that is not known
EVERY = "all"
# For how long a page may have been open when it is sent
LONGEST_OPEN = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Shown:
    """How many jobs a page said that there are; None where it did not know.

    The number is sent back with the form and not counted again to check what was typed: it may
    change at any time, and what people type is what they saw.
    """

    count: int | None

    @classmethod
    def of(cls, found: Preview) -> Self:
        return cls(found.count if found.is_complete else None)

    @classmethod
    def read(cls, text: str, found: Preview) -> Self:
        """What the form sent back; where that is no number, what there is now."""
        if text == EVERY:
            return cls(None)
        return cls(int(text)) if re.fullmatch(r"[0-9]{1,9}", text) else cls.of(found)

    @property
    def value(self) -> str:
        """What the form sends back, and what people type."""
        return EVERY if self.count is None else str(self.count)

    def is_typed(self, limit: int | None = None) -> bool:
        counts = [count for count in (self.count, limit) if count is not None]
        return min(counts, default=MAX_LIMIT) > TYPED_ABOVE

    def is_exceeded(self, found: Preview) -> bool:
        """Whether there may be more jobs by now."""
        return self.count is not None and (found.count > self.count or not found.is_complete)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the page is about: as a link names it, then as its own form keeps it."""

    request: BulkRequest
    # why the jobs cannot be found
    error: str = ""

    @classmethod
    def by_link(cls, request: HttpRequest, access: Access) -> Self:
        """The filters of the job list, or some ids of jobs."""
        wanted, scope = _begin(request.GET, access), read_scope(request, access)
        query = scope.filters.text if scope.filters is not None else ""
        return cls(replace(wanted, query=query, ids=scope.ids), scope.error)

    @classmethod
    def by_form(cls, request: HttpRequest, access: Access) -> Self:
        """The query with the times that it was shown with."""
        given, wanted = request.POST, _begin(request.POST, access)
        query = given.get("q", "")
        if has_control_characters(query):
            return cls(wanted, "Remove the control characters.")
        last = read_id(given.get("last", ""))
        wanted = replace(wanted, at=_read_at(given.get("at", "")), last_job_id=last)
        if "id" in given:
            return cls(replace(wanted, ids=read_ids(given.getlist("id"))))
        return cls(replace(wanted, query=query))


@dataclass(frozen=True, slots=True)
class Share:
    """What one account gets: how many jobs, and how many a minute; None where it has no limit."""

    account: ProviderAccount
    jobs: int
    per_minute: int | None

    @property
    def minutes(self) -> int:
        return ceil(self.jobs / self.per_minute) if self.per_minute else 0


def _begin(given: QueryDict, access: Access) -> BulkRequest:
    kind = given.get("action", "")
    return BulkRequest(
        BulkKind(kind) if kind in BulkKind.values else BulkKind.RESUBMIT,
        Visibility(access.organization, member_id=access.member_id),
        zone=timezone.get_current_timezone(),
        at=timezone.now(),
    )


def _read_at(text: str) -> datetime:
    now = timezone.now()
    try:
        at = parse_datetime(text)
    except ValueError:
        at = None
    is_recent = at is not None and timezone.is_aware(at) and now - LONGEST_OPEN <= at <= now
    return at if at is not None and is_recent else now


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.ACT)
def bulk_new(request: HttpRequest, access: Access) -> HttpResponse:
    """Asks first: shows what will be done, and does it when that is sent back."""
    if request.method != "POST":
        asked = Asked.by_link(request, access)
        form = form_of(asked.request.kind)()
        return _show(request, access, asked, form, 422 if asked.error else 200)
    asked = Asked.by_form(request, access)
    form = form_of(asked.request.kind)(request.POST)
    if asked.error or not form.is_valid():
        return _show(request, access, asked, form, 422)
    wanted = replace(
        asked.request, limit=form.cleaned_data["limit"], reason=form.cleaned_data["reason"].strip()
    )
    try:
        made = _start(request, access, wanted, form)
    except BulkRefused as error:
        asked = replace(asked, error=form.add_errors(error.fields))
    except (KeyRefused, KeyOfDeletedBulk) as error:
        asked = replace(asked, error=str(error))
    else:
        if made is not None:
            return redirect("jobs:bulk", access.organization.slug, made.pk)
        asked = replace(asked, request=wanted)
    return _show(request, access, asked, form, 422)


def _start(
    request: HttpRequest, access: Access, wanted: BulkRequest, form: BulkForm
) -> BulkAction | None:
    """The started action; None where the form has errors now.

    Raises BulkRefused, KeyRefused, KeyOfDeletedBulk.
    """
    chosen = form.chosen()
    body = [wanted.kind, wanted.query, wanted.ids, wanted.limit, wanted.reason, *chosen.values()]
    key = form_key(request.POST.get("key", ""), "bulk", body, access.user)
    # first: where it was carried out, the name of a new batch is taken
    if (made := service.find_made(wanted.visible, key)) is not None:
        return made
    wanted = replace(wanted, options=read_options(wanted.kind, wanted.visible, chosen))
    found = preview(wanted.select(), wanted.action, wanted.limit)
    shown = Shown.read(request.POST.get("shown", ""), found)
    if shown.is_typed(wanted.limit):
        form.check_typed(shown.value)
    if form.errors:
        return None
    if shown.is_exceeded(found):
        wanted = _hold_to(shown, wanted, request)
    return service.start(wanted, user=access.user, key=key, found=found)


def _hold_to(shown: Shown, wanted: BulkRequest, request: HttpRequest) -> BulkRequest:
    """`wanted` for no more jobs than were confirmed."""
    limit = min(one for one in (shown.count, wanted.limit) if one is not None)
    if wanted.limit is None:
        messages.warning(
            request,
            f"More jobs may match by now. At most {limit:,} are acted on, as you confirmed.",
        )
    return replace(wanted, limit=limit)


def _show(
    request: HttpRequest, access: Access, asked: Asked, form: BulkForm, status: int
) -> HttpResponse:
    action = asked.request.action
    context: dict[str, Any] = {
        "form": form,
        "asked": asked.request,
        "error": asked.error,
        "verb": asked.request.kind.label,
        "words": action.WORDS,
        "asks_provider": action.ASKS_PROVIDER,
    }
    if not asked.error:
        try:
            context |= _preview(access, asked.request)
        except BulkRefused as error:
            context["error"], status = str(error), 422
    context["suggested"] = form.suggest(access.organization) if isinstance(form, BatchForm) else []
    context |= {"key": request.POST.get("key") or uuid4().hex}
    return render_page(
        request, access, "jobs/bulk/bulk_new.html", context, section="jobs", status=status
    )


def _preview(access: Access, wanted: BulkRequest) -> Mapping[str, Any]:
    selection = wanted.select()
    found: Preview = preview(selection, wanted.action, wanted.limit)
    shares = _share_out(access, wanted.action, found)
    urls = _left_out_urls(access, wanted, selection, found)
    words, total = wanted.action.WORDS, f"{found.matched:,}{'' if found.is_complete else '+'}"
    noun = "job" if found.matched == 1 else "jobs"
    jobs = f"{_count(found)} job{'' if found.count == 1 else 's'}"
    return {
        "question": words.question.format(jobs=f"{_count(found)} of {total} {noun}"),
        "button": words.button.format(jobs=jobs if found.count else "what is further down"),
        "found": found,
        "last": selection.last_job_id,
        "left_out": [
            (row.sentence, row.count, urls.get(row.key))
            for row in describe_left_out(wanted.visible, found.left_out)
        ],
        "left_out_total": found.left_out.total(),
        "shares": shares,
        "minutes": max((share.minutes for share in shares), default=0),
        "shown": (shown := Shown.of(found)),
        "is_typed": shown.is_typed(),
    }


def _count(found: Preview) -> str:
    return f"{found.count:,}{'' if found.is_complete else ' or more'}"


def _share_out(access: Access, action: Action, found: Preview) -> list[Share]:
    accounts = ProviderAccount.objects.for_organization(access.organization)
    rows = accounts.filter(pk__in=found.accounts).only("name", "provider", "options")
    return [
        Share(account, found.accounts[account.pk], find_pace(action, account))
        for account in rows.order_by("name")
    ]


def _left_out_urls(
    access: Access, wanted: BulkRequest, selection: Selection, found: Preview
) -> dict[str, str]:
    """By reason: the list of just the jobs that are left out, where it can say that."""
    if wanted.ids is not None or wanted.limit is not None or not found.is_complete:
        return {}
    queries = find_queries(wanted.query, wanted.action, selection.accounts, found.left_out)
    path = reverse("jobs:list", args=[access.organization.slug])
    return {reason: f"{path}?{urlencode({'q': query})}" for reason, query in queries.items()}
