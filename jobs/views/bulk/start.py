"""Confirming a bulk action: what will be done, to how many jobs, and what is left out."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil
from typing import Any, Self
from urllib.parse import urlencode
from uuid import uuid4

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from jobs.bulk import service
from jobs.bulk.actions.base import Action, Options
from jobs.bulk.actions.choosing import Chosen, read_options
from jobs.bulk.counting import Preview, preview
from jobs.bulk.left_out import describe_left_out
from jobs.bulk.left_out_queries import find_queries
from jobs.bulk.pacing import find_pace
from jobs.bulk.selection import Selection
from jobs.bulk.service import BulkRefused, BulkRequest, KeyOfDeletedBulk
from jobs.forms.sending.bulk import MAX_LIMIT, BatchForm, BulkForm, ElsewhereForm, build_form
from jobs.models import BulkAction, ProviderAccount
from jobs.submission.idempotency import KeyRefused, form_key
from jobs.views.bulk.asked import Asked
from jobs.views.shared.layout import render_page
from organizations.access import Access, requires
from organizations.permissions import Permission

# More jobs than these are started with their number typed.
TYPED_ABOVE = 1_000
# What is typed in place of a number that is not known
EVERY = "all"


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
class Share:
    """What one account gets: how many jobs, and how many a minute; None where it has no limit."""

    account: ProviderAccount
    jobs: int
    per_minute: int | None

    @property
    def minutes(self) -> int:
        return ceil(self.jobs / self.per_minute) if self.per_minute else 0


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.ACT)
def bulk_new(request: HttpRequest, access: Access) -> HttpResponse:
    """Asks first: shows what will be done, and does it when that is sent back."""
    if request.method != "POST":
        asked = Asked.by_link(request, access)
        form = build_form(asked.request.kind, access.organization)
        return _show(request, access, asked, form, 422 if asked.error else 200)
    asked = Asked.by_form(request, access)
    form = build_form(asked.request.kind, access.organization, request.POST)
    if asked.error or not form.is_valid():
        return _show(request, access, asked, form, 422)
    if "show" in request.POST:
        return _show(request, access, asked, form, 200)
    if not form.is_shown:
        messages.warning(request, "Nothing has been started: check what changes there first.")
        return _show(request, access, asked, form, 200)
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
    body = [wanted.kind, wanted.query, wanted.ids, wanted.limit, wanted.reason, chosen]
    key = form_key(request.POST.get("key", ""), "bulk", body, access.user)
    # first: where it was carried out, the name of a new batch is taken
    if (made := service.find_made(wanted.visible, key)) is not None:
        return made
    wanted = replace(wanted, options=read_options(wanted.kind, wanted.visible, Chosen(**chosen)))
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
            context |= _preview(access, _aim(asked.request, form))
            if isinstance(form, ElsewhereForm):
                context["shown_presets"] = form.chosen_presets
        except BulkRefused as error:
            context["error"], status = str(error), 422
    context["suggested"] = form.suggest() if isinstance(form, BatchForm) else []
    context |= {"key": request.POST.get("key") or uuid4().hex}
    return render_page(
        request, access, "jobs/bulk/bulk_new.html", context, section="jobs", status=status
    )


def _aim(wanted: BulkRequest, form: BulkForm) -> BulkRequest:
    """With the account that was chosen, or else the first one at which fewest of the jobs ran.

    Raises BulkRefused.
    """
    if not isinstance(form, ElsewhereForm):
        return wanted
    if not form.targets:
        message = "No account can be chosen: none takes jobs, or they are paused."
        raise BulkRefused({"account": message})
    if form.target is None:
        ran_at = preview(wanted.select(), wanted.action, wanted.limit).accounts
        form.choose(min(form.targets.values(), key=lambda one: ran_at[one.pk]))
    return replace(wanted, options=Options(form.target, tuple(form.chosen_presets)))


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
        "destination": _share_of(wanted, found),
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


def _share_of(wanted: BulkRequest, found: Preview) -> Share | None:
    """What the account gets that all jobs go to; None where each stays at its own."""
    account = wanted.options.account
    if account is None:
        return None
    return Share(account, found.count, find_pace(wanted.action, account))


def _left_out_urls(
    access: Access, wanted: BulkRequest, selection: Selection, found: Preview
) -> dict[str, str]:
    """By reason: the list of just the jobs that are left out, where it can say that."""
    if wanted.ids is not None or wanted.limit is not None or not found.is_complete:
        return {}
    queries = find_queries(wanted.query, wanted.action, selection.accounts, found.left_out)
    path = reverse("jobs:list", args=[access.organization.slug])
    return {reason: f"{path}?{urlencode({'q': query})}" for reason, query in queries.items()}
