"""A job's page, and the poll that keeps the changing part of it current."""

from hashlib import blake2b
from typing import Any
from uuid import uuid4

from csp.decorators import csp_update
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from jobs.actions.attempts import retries_of, unfinished_of
from jobs.actions.end_notices import is_requested
from jobs.actions.offers import AvailableAction, available_actions
from jobs.display.phases import phases
from jobs.display.provider.keeping import keeping_of
from jobs.display.provider.warnings import read_warnings
from jobs.display.stuck import stuck_sentence
from jobs.forms.sending.unconfirmed import FoundJobForm, SendAgainForm
from jobs.media.playback import media_policy
from jobs.models import (
    ActionState,
    AutomaticRetry,
    Job,
    JobAction,
    JobBody,
    Output,
    Submission,
    SubmissionState,
)
from jobs.query import arrivals
from jobs.query.comparable import compare_settings
from jobs.query.counts import count_like
from jobs.retry_rules import service as retry_rules
from jobs.stuck.time_left import find_usual, read_time_left
from jobs.submission.waiting import Waiting, describe_waiting
from jobs.views.notes.panel import notes_context
from jobs.views.player import JobFiles, gallery_context, player_context, read_files
from jobs.views.shared.audit_rows import AuditRow, list_rows
from jobs.views.shared.layout import HtmxRequest, layout_context, list_query
from jobs.views.shared.list_place import list_place
from organizations.access import Access, requires
from organizations.models import AuditEntry
from organizations.permissions import Permission
from providers.core.errors import CLASSES
from providers.core.types import Capability
from providers.http.redaction import url_expiry

EVENTS_SHOWN = 200
AUDIT_SHOWN = 20


def find_job(access: Access, pk: int) -> Job:
    """The job of the member's organization, else Http404."""
    jobs = Job.objects.for_organization(access.organization)
    return get_object_or_404(
        jobs.with_template().select_related(
            *("account", "poll", "submitted_by", "submitted_token", "retry_of", "error_group"),
            "assignee__user",
        ),
        pk=pk,
    )


@require_safe
@requires(Permission.READ)
def job_detail(request: HtmxRequest, access: Access, pk: int) -> HttpResponseBase:
    return show_job(request, access, find_job(access, pk))


def show_job(
    request: HtmxRequest,
    access: Access,
    job: Job,
    *,
    found_form: FoundJobForm | None = None,
    again_form: SendAgainForm | None = None,
    refusal: str = "",
    refusal_job: Job | None = None,
    status: int = 200,
) -> HttpResponseBase:
    """The job's page, or the part of it that htmx asks for; 204 to a poll that missed nothing.

    `found_form` and `again_form` are forms that were sent with errors; `refusal` says why an
    action was refused, `refusal_job` is the job that is in its way.
    """
    submission = Submission.objects.filter(pk=job.pk).first() if job.request else None
    retries = retries_of(job)
    waiting = describe_waiting(job, timezone.now())
    waiting_retry = retry_rules.find_waiting(job)
    live_state = _live_state(job, submission, retries, waiting, waiting_retry)
    if _is_poll(request) and request.GET.get("state") == live_state:
        # most polls end here, before the outputs are read and their URLs decrypted
        return HttpResponse(status=204)
    files = read_files(job)
    context = {
        "access": access,
        "job": job,
        "submission": submission,
        "waiting": waiting,
        "waiting_retry": waiting_retry,
        "live_state": live_state,
        "retries": retries,
        "retry": retries[-1] if retries else None,
        "form_key": uuid4().hex,
        "refusal": refusal,
        "refusal_job": refusal_job,
        "found_form": found_form or FoundJobForm(job),
        "again_form": again_form or SendAgainForm(job),
        "expired_at": _input_expired_at(job),
        "list_query": list_query(request, access),
        **_files_context(request, files),
    }
    if request.htmx:
        return _render_part(request, context, files, status)
    return _render_page(request, context, files, status)


def _is_poll(request: HtmxRequest) -> bool:
    return bool(request.htmx) and "play" not in request.GET and "thumbnails" not in request.GET


def _live_state(
    job: Job,
    submission: Submission | None,
    retries: list[Job],
    waiting: Waiting | None,
    waiting_retry: AutomaticRetry | None,
) -> str:
    """What the poll compares: it differs after each change of what the changing part shows."""
    asked = [(action.pk, action.state, action.note) for action in job.actions.all()]
    sending = submission and (submission.state, submission.note, submission.next_at)
    retried = [(retry.pk, retry.status, retry.gone_at) for retry in retries]
    # each pass confirms a job that has ended, which is no news
    confirmed = not job.is_terminal and job.synced_at and int(job.synced_at.timestamp())
    automatic = waiting_retry and (waiting_retry.pk, waiting_retry.wait)
    parts = (
        job.version,
        confirmed,
        sorted(asked),
        sending,
        retried,
        waiting,
        job.account.health,
        automatic,
    )
    return blake2b(repr(parts).encode(), digest_size=8).hexdigest()


def _input_expired_at(job: Job) -> Any:
    expires_at = url_expiry(job.input_url)
    return expires_at if expires_at and expires_at <= timezone.now() else None


def _files_context(request: HtmxRequest, files: JobFiles) -> dict[str, Any]:
    origins = files.origins
    known = request.GET.get("origins", " ".join(origins)).split()
    return {
        "media": files.media,
        "thumbnail_count": len(files.thumbnails),
        "gallery": None,
        "player": None,
        "origins": " ".join(origins),
        # A page that was opened before an output had its URL may not load from there. Where links
        # are made on demand, none is known before somebody asks for one.
        "plays_here": not files.makes_links and set(origins) <= set(known),
    }


def _render_part(
    request: HtmxRequest, context: dict[str, Any], files: JobFiles, status: int
) -> HttpResponse:
    access = context["access"]
    if "play" in request.GET:
        player = player_context(access, files, request.GET["play"])
        return render(request, "jobs/player/_player.html", player)
    if "thumbnails" in request.GET:
        return render(request, "jobs/player/_gallery.html", gallery_context(access, files))
    changing = context | _changing_context(context)
    return render(request, "jobs/job_detail/_update.html", changing, status=status)


def _render_page(
    request: HtmxRequest, context: dict[str, Any], files: JobFiles, status: int
) -> HttpResponseBase:
    access = context["access"]
    origins = files.origins
    # before the layout, which counts what is unread
    notes = notes_context(access, context["job"])
    context = context | notes | layout_context(access, "jobs") | _changing_context(context)
    accounts = [state.account for state in context["health"]]
    revision = arrivals.fingerprint(arrivals.mark(accounts))
    place = list_place(request, access, context["job"], context["views"], revision)
    if place is not None:
        context |= {"place": place, "jobs_url": place.url}
    if "play" in request.GET:
        context["player"] = player = player_context(access, files, request.GET["play"])
        origins = [*origins, *player["origins"]]
    if "thumbnails" in request.GET:
        context["gallery"] = gallery = gallery_context(access, files)
        origins = [*origins, *gallery["origins"]]

    @csp_update(media_policy(origins))
    def render_with_policy(request: HttpRequest) -> HttpResponseBase:
        return render(request, "jobs/job_detail/detail.html", context, status=status)

    return render_with_policy(request)


def _changing_context(context: dict[str, Any]) -> dict[str, Any]:
    """What a poll brings: all that may differ between two reads of an unfinished job."""
    access: Access = context["access"]
    may_submit = access.allows(Permission.SUBMIT)
    job: Job = context["job"]
    submission: Submission | None = context["submission"]
    retries: list[Job] = context["retries"]
    # what can be done then is in a panel of its own
    is_unconfirmed = submission is not None and submission.state == SubmissionState.UNCONFIRMED
    usual = find_usual(job) if job.created_at or job.started_at else None
    pending = [one for one in job.actions.all() if one.state == ActionState.DUE]
    return {
        "actions": [] if is_unconfirmed else _worth_showing(job, available_actions(job, retries)),
        "pending": pending,
        "is_notified": not job.is_terminal and is_requested(job, access.member_id),
        "is_moving": _is_moving(job, pending, retries) or context["waiting_retry"] is not None,
        "made_by_rule": retry_rules.find_origin(job),
        "like_this": count_like(job.error_group) if job.error_group else None,
        "job_errors": _job_errors(job, context["media"]),
        "phases": phases(job, timezone.now()),
        "stuck_sentence": stuck_sentence(job, timezone.now()),
        "usual": usual,
        "time_left": read_time_left(job, usual, timezone.now()),
        "attempts": _attempts(job, retries),
        "comparisons": compare_settings(job),
        "keeping": keeping_of(job, context["media"], timezone.now()),
        **_body_context(job),
        "can_copy": may_submit and (not job.is_active or job.gone_at is not None),
        "can_go_elsewhere": job.is_terminal and job.request is not None,
        "can_submit": may_submit and job.account.adapter_class.supports(Capability.SUBMIT),
        "audit_rows": _audit_rows(access, job),
        "events": list(job.events.select_related("actor", "token").order_by("-pk")[:EVENTS_SHOWN]),
    }


def _audit_rows(access: Access, job: Job) -> list[AuditRow]:
    if not access.allows(Permission.AUDIT):
        return []
    return list_rows(access, AuditEntry.objects.about(job)[:AUDIT_SHOWN])


def _is_moving(job: Job, pending: list[JobAction], retries: list[Job]) -> bool:
    is_awaited = job.is_unread and job.gone_at is None
    return job.is_active or is_awaited or bool(pending or unfinished_of(retries))


def _worth_showing(job: Job, actions: list[AvailableAction]) -> list[AvailableAction]:
    """A job that has ended offers no cancel; any other refusal is shown with its reason."""
    return [one for one in actions if one.allowed or one.name != "cancel" or not job.is_terminal]


def _body_context(job: Job) -> dict[str, Any]:
    """Whether there is a body, and the warnings in it where the provider has such. One query."""
    bodies = JobBody.objects.filter(pk=job.pk)
    field = job.account.adapter_class.warnings_field
    if field is None:
        return {"has_body": bodies.exists(), "warnings": []}
    body = bodies.first()
    found = read_warnings(body.value, field) if body else []
    return {"has_body": body is not None, "warnings": found}


def _job_errors(job: Job, media: list[Output]) -> list[dict[str, Any]]:
    """Every error in full; the first is the job's own. Outputs' names in place of their ids."""
    names = {f"output:{output.remote_id}": str(output) for output in media}
    errors = []
    for error in job.errors or []:
        origin = error.get("origin", "job")
        errors.append(
            {
                "class": CLASSES.get(error.get("class", ""), CLASSES["unknown"]),
                "code": error.get("code", ""),
                "message": error.get("message", ""),
                "origin": names.get(origin, origin),
            }
        )
    return errors


def _attempts(job: Job, retries: list[Job]) -> list[Job]:
    """The chain that `job` belongs to, oldest first; empty when it is alone."""
    root, seen = job, {job.pk}
    while root.retry_of is not None and root.retry_of.pk not in seen:
        root = root.retry_of
        seen.add(root.pk)
    below = retries if root is job else retries_of(root)
    return sorted([root, *below], key=lambda one: one.pk) if below else []
