"""Stopping bulk actions and batches, and having the rest of them run."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from jobs.models.work import LongWork
from jobs.workqueue.long_work import WorkEnded
from organizations.access import Access


def act_on(
    request: HttpRequest,
    access: Access,
    work: LongWork,
    act: Callable[..., None],
    text: str,
    page: str,
) -> HttpResponse:
    """Do it, and say `text`, or why there is nothing left to do, on the `page` of the work."""
    try:
        act(work, actor=access.user)
    except WorkEnded as error:
        messages.info(request, str(error))
    else:
        messages.success(request, text)
    return redirect(page, access.organization.slug, work.pk)
