"""One job: its page, the poll that keeps the changing part true, and its raw body."""

import json
from typing import Any

from csp.decorators import csp_update
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from jobs.actions import AvailableAction, available_actions
from jobs.models import ActionState, Job, JobBody, Output, Submission
from jobs.phases import phases
from jobs.playback import media_policy, origins_of, playable
from jobs.views.page import HtmxRequest, frame
from organizations.access import Access, authorize
from providers.errors import CLASSES
from providers.types import Capability, OutputKind

EVENTS_SHOWN = 200
THUMBNAILS_SHOWN = 60


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
    job = find_job(access, pk)
    outputs = list(job.outputs.select_related("preset").order_by("position", "pk"))
    origins = origins_of(outputs)
    media = [output for output in outputs if output.kind != OutputKind.IMAGE]
    thumbnails = [output for output in outputs if output.kind == OutputKind.IMAGE]
    if request.htmx and "play" in request.GET:
        return render(request, "jobs/_player.html", _player(access, job, media, request))
    if request.htmx and "thumbnails" in request.GET:
        return render(request, "jobs/_thumbnails.html", _gallery(access, job, thumbnails))
    context = {
        "access": access,
        "job": job,
        "media": media,
        "live_state": _state(job),
        "thumbnail_count": len(thumbnails),
        "gallery": None,
        "origins": " ".join(origins),
        # a page that was opened before an output had its address may not load from there
        "plays_here": set(origins) <= set(request.GET.get("origins", " ".join(origins)).split()),
    }
    if request.htmx:
        if request.GET.get("state") == context["live_state"]:
            return HttpResponse(status=204)
        return render(request, "jobs/_job_update.html", context | _changing(access, job, media))
    context |= frame(access, "jobs") | _changing(access, job, media)
    context["player"] = None
    if "play" in request.GET:
        context["player"] = _player(access, job, media, request)
    if "thumbnails" in request.GET:
        context["gallery"] = _gallery(access, job, thumbnails)

    @csp_update(media_policy(origins))
    def show(request: HttpRequest) -> HttpResponseBase:
        return render(request, "jobs/job_detail.html", context)

    return show(request)


def _state(job: Job) -> str:
    """What the poll compares: it moves with each change of what the changing part shows."""
    asked = sorted(f"{action.pk}{action.state}{action.note}" for action in job.actions.all())
    confirmed = job.synced_at.timestamp() if job.synced_at else 0
    return f"{job.version}-{confirmed:.0f}-{len(asked)}-{sum(map(len, asked))}"


def _changing(access: Access, job: Job, media: list[Output]) -> dict[str, Any]:
    """What may differ between two looks at an unfinished job."""
    return {
        "actions": _worth_showing(job, available_actions(job)),
        "pending": [one for one in job.actions.all() if one.state == ActionState.DUE],
        "submission": Submission.objects.filter(pk=job.pk).first() if job.request else None,
        "faults": _faults(job, media),
        "phases": phases(job, timezone.now()),
        "attempts": _attempts(job),
        "has_body": JobBody.objects.filter(pk=job.pk).exists(),
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


def _attempts(job: Job) -> list[Job]:
    """The chain that `job` belongs to, oldest first; empty when it is alone."""
    found = {job.pk: job}
    ancestor = job.retry_of
    while ancestor is not None and ancestor.pk not in found:
        found[ancestor.pk] = ancestor
        ancestor = ancestor.retry_of
    edge = list(found)
    while edge:
        retries = Job.objects.filter(retry_of__in=edge, organization=job.organization_id)
        edge = [retry.pk for retry in retries if retry.pk not in found]
        found |= {retry.pk: retry for retry in retries if retry.pk in edge}
    return sorted(found.values(), key=lambda one: one.pk) if len(found) > 1 else []


def _player(access: Access, job: Job, media: list[Output], request: HttpRequest) -> dict[str, Any]:
    wanted = request.GET.get("play", "")
    output = next((one for one in media if str(one.pk) == wanted), None)
    return {"access": access, "job": job, "output": output, "play": output and playable(output)}


def _gallery(access: Access, job: Job, thumbnails: list[Output]) -> dict[str, Any]:
    return {
        "access": access,
        "job": job,
        "thumbnails": [one for one in thumbnails if playable(one).how == "image"][
            :THUMBNAILS_SHOWN
        ],
        "thumbnail_count": len(thumbnails),
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
