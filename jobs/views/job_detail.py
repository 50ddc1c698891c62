"""One job: its page, the poll that keeps the changing part true, and its raw body."""

import json
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any
from uuid import uuid4

from csp.decorators import csp_update
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from jobs.actions.attempts import retries_of, unfinished_of
from jobs.actions.offers import AvailableAction, available_actions
from jobs.display.phases import phases
from jobs.display.settings_diff import Change, changes
from jobs.forms.job import FoundJobForm, SendAgainForm
from jobs.media.links import NoLink, link_origins
from jobs.media.playback import Playable, media_policy, origins_of, playable
from jobs.models import ActionState, Job, JobBody, Output, Submission, SubmissionState
from jobs.views.page import HtmxRequest, frame, list_url
from organizations.access import Access, authorize
from providers.core.errors import CLASSES
from providers.core.types import Capability, OutputKind
from providers.http.redaction import url_expiry

EVENTS_SHOWN = 200
THUMBNAILS_SHOWN = 60
LINKED_THUMBNAILS_SHOWN = 12


def find_job(access: Access, pk: int) -> Job:
    """The job of the member's organization, else Http404."""
    jobs = Job.objects.for_organization(access.organization)
    return get_object_or_404(
        jobs.select_related("account", "poll", "submitted_by", "retry_of"), pk=pk
    )


@require_safe
def job_detail(request: HtmxRequest, org: str, pk: int) -> HttpResponseBase:
    """The page. Asked by its own poll, the changing part alone, or 204 while that is as it was."""
    access = authorize(request, org)
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
    """The job's page, or the part of it that is asked for; 204 to a poll that missed nothing.

    The forms are given as they were sent, where the page is shown again with what was wrong; so is
    the reason why an action was refused, and the job that is in its way.
    """
    submission = Submission.objects.filter(pk=job.pk).first() if job.request else None
    retries = retries_of(job)
    live_state = _state(job, submission, retries)
    if _is_poll(request) and request.GET.get("state") == live_state:
        # most polls end here, before the outputs are read and their addresses decrypted
        return HttpResponse(status=204)
    outputs = list(job.outputs.select_related("preset").order_by("position", "pk"))
    for output in outputs:
        output.account = job.account
    media = [output for output in outputs if output.kind != OutputKind.IMAGE]
    thumbnails = [output for output in outputs if output.kind == OutputKind.IMAGE]
    makes_links = job.account.adapter_class.supports(Capability.OUTPUT_LINKS)
    origins = [] if makes_links else origins_of(outputs)
    expires_at = url_expiry(job.input_url)
    context: dict[str, Any] = {
        "access": access,
        "job": job,
        "media": media,
        "submission": submission,
        "live_state": live_state,
        "expired_at": expires_at if expires_at and expires_at <= timezone.now() else None,
        "retries": retries,
        "retry": retries[-1] if retries else None,
        "form_key": uuid4().hex,
        "refusal": refusal,
        "refusal_job": refusal_job,
        "thumbnail_count": len(thumbnails),
        "gallery": None,
        "origins": " ".join(origins),
        # A page that was opened before an output had its address may not load from there. Where
        # links are made for the moment, none is known before one is asked for.
        "plays_here": not makes_links
        and set(origins) <= set(request.GET.get("origins", " ".join(origins)).split()),
        "found_form": found_form or FoundJobForm(job),
        "again_form": again_form or SendAgainForm(job),
    }
    if request.htmx:
        return _part(request, context, media, thumbnails, status)
    context |= frame(access, "jobs") | _changing(context)
    context["jobs_url"] = list_url(request, access)
    context["player"] = None
    if "play" in request.GET:
        context["player"] = player = _player(access, job, media, request)
        origins = [*origins, *player["origins"]]
    if "thumbnails" in request.GET:
        context["gallery"] = gallery = _gallery(access, job, thumbnails)
        origins = [*origins, *gallery["origins"]]

    @csp_update(media_policy(origins))
    def show(request: HttpRequest) -> HttpResponseBase:
        return render(request, "jobs/job_detail.html", context, status=status)

    return show(request)


def _is_poll(request: HtmxRequest) -> bool:
    return bool(request.htmx) and "play" not in request.GET and "thumbnails" not in request.GET


def _part(
    request: HtmxRequest,
    context: dict[str, Any],
    media: list[Output],
    thumbnails: list[Output],
    status: int,
) -> HttpResponse:
    """What htmx asks for: the player, the thumbnails, or what changed."""
    access, job = context["access"], context["job"]
    if "play" in request.GET:
        return render(request, "jobs/_player.html", _player(access, job, media, request))
    if "thumbnails" in request.GET:
        return render(request, "jobs/_thumbnails.html", _gallery(access, job, thumbnails))
    changing = context | _changing(context)
    return render(request, "jobs/_job_update.html", changing, status=status)


def _state(job: Job, submission: Submission | None, retries: list[Job]) -> str:
    """What the poll compares: it moves with each change of what the changing part shows."""
    asked = [(action.pk, action.state, action.note) for action in job.actions.all()]
    sending = submission and (submission.state, submission.note, submission.next_at)
    retried = [(retry.pk, retry.status, retry.gone_at) for retry in retries]
    # each pass confirms what has ended, which is no news
    confirmed = not job.is_terminal and job.synced_at and int(job.synced_at.timestamp())
    parts = (job.version, confirmed, sorted(asked), sending, retried, job.account.health)
    return blake2b(repr(parts).encode(), digest_size=8).hexdigest()


def _changing(context: Mapping[str, Any]) -> dict[str, Any]:
    """What may differ between two looks at an unfinished job."""
    access: Access = context["access"]
    job: Job = context["job"]
    submission: Submission | None = context["submission"]
    # what can be done then stands in a panel of its own
    is_unsure = submission is not None and submission.state == SubmissionState.UNSURE
    retries: list[Job] = context["retries"]
    pending = [one for one in job.actions.all() if one.state == ActionState.DUE]
    return {
        "actions": [] if is_unsure else _worth_showing(job, available_actions(job, retries)),
        "pending": pending,
        "is_moving": job.is_active or bool(pending or unfinished_of(retries)),
        "faults": _faults(job, context["media"]),
        "phases": phases(job, timezone.now()),
        "attempts": _attempts(job, retries),
        "changes": _changes(job),
        "has_body": JobBody.objects.filter(pk=job.pk).exists(),
        "can_copy": access.can_operate and (not job.is_active or job.gone_at is not None),
        "can_submit": access.can_operate and job.account.adapter_class.supports(Capability.SUBMIT),
        "events": list(job.events.select_related("actor").order_by("-pk")[:EVENTS_SHOWN]),
    }


def _worth_showing(job: Job, actions: list[AvailableAction]) -> list[AvailableAction]:
    """Nobody looks for a way to cancel what is over; any other refusal is shown with its reason."""
    return [one for one in actions if one.allowed or one.name != "cancel" or not job.is_terminal]


def _faults(job: Job, media: list[Output]) -> list[dict[str, Any]]:
    """Every fault in full; the first is the job's own. Outputs' names in place of their ids."""
    names = {f"output:{output.remote_id}": str(output) for output in media}
    faults = []
    for fault in job.errors or []:
        known = CLASSES.get(fault.get("class", ""), CLASSES["unknown"])
        origin = fault.get("origin", "job")
        faults.append(
            {
                "class": known,
                "code": fault.get("code", ""),
                "message": fault.get("message", ""),
                "origin": names.get(origin, origin),
            }
        )
    return faults


def _attempts(job: Job, retries: list[Job]) -> list[Job]:
    """The chain that `job` belongs to, oldest first; empty when it is alone."""
    root, seen = job, {job.pk}
    while root.retry_of is not None and root.retry_of.pk not in seen:
        root = root.retry_of
        seen.add(root.pk)
    below = retries if root is job else retries_of(root)
    return sorted([root, *below], key=lambda one: one.pk) if below else []


def _changes(job: Job) -> list[Change]:
    """How it was set otherwise than the job that it retries, where both were submitted here."""
    before = job.retry_of
    return changes(before.request, job.request) if before and before.request and job.request else []


def _player(access: Access, job: Job, media: list[Output], request: HttpRequest) -> dict[str, Any]:
    wanted = request.GET.get("play", "")
    output = next((one for one in media if str(one.pk) == wanted), None)
    play = output and playable(output)
    origins: list[str] = []
    if output and play and play.how:
        try:
            origins = link_origins(output)
        except NoLink as refusal:
            play = Playable("", str(refusal))
    return {"access": access, "job": job, "output": output, "play": play, "origins": origins}


def _gallery(access: Access, job: Job, thumbnails: list[Output]) -> dict[str, Any]:
    shown = [one for one in thumbnails if playable(one).how == "image"]
    origins: list[str] = []
    reason = ""
    if shown and job.account.adapter_class.supports(Capability.OUTPUT_LINKS):
        # each costs a request to the provider
        shown = shown[:LINKED_THUMBNAILS_SHOWN]
        try:
            origins = link_origins(shown[0])
        except NoLink as refusal:
            shown, reason = [], str(refusal)
    return {
        "access": access,
        "job": job,
        "thumbnails": shown[:THUMBNAILS_SHOWN],
        "thumbnail_count": len(thumbnails),
        "origins": origins,
        "reason": reason,
    }


@require_safe
def raw(request: HtmxRequest, org: str, pk: int) -> HttpResponse:
    """The provider's last body, redacted: as a page, as a part of one, or as a file."""
    access = authorize(request, org)
    job = find_job(access, pk)
    body = get_object_or_404(JobBody, pk=job.pk)
    text = json.dumps(body.value, indent=2, ensure_ascii=False)
    if "download" in request.GET:
        disposition = content_disposition_header(True, f"job-{job.pk}.json")
        return HttpResponse(
            text,
            content_type="application/json",
            headers={"Content-Disposition": disposition or "attachment"},
        )
    context: dict[str, Any] = {"access": access, "job": job, "body": body, "text": text}
    if request.htmx:
        return render(request, "jobs/_raw.html", context)
    return render(request, "jobs/job_raw.html", context | frame(access, "jobs"))
