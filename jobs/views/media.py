"""The way to a job's media.

A page never contains the URL itself, which may carry a signature: it links to the views here, which
check membership and redirect.
"""

from typing import Any

from django.core.exceptions import DisallowedRedirect
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_safe

from jobs.media.links import NoLink, find_link
from jobs.media.playback import origin
from jobs.models import Job, JobSecret, Output
from jobs.views.shared.layout import layout_context
from organizations.access import Access, requires
from organizations.permissions import Permission
from providers.parsing.urls import WEB_SCHEMES, parse_url


@require_safe
@requires(Permission.READ)
def output_open(request: HttpRequest, access: Access, pk: int, output_pk: int) -> HttpResponse:
    outputs = Output.objects.for_organization(access.organization)
    output = get_object_or_404(outputs.select_related("job", "account"), pk=output_pk, job_id=pk)
    try:
        return _send_on(request, access, output.job, find_link(output).url, output.url)
    except NoLink as refusal:
        context = layout_context(access, "files") | {"output": output, "job": output.job}
        return _say_why_not(request, context, refusal)


def _say_why_not(request: HttpRequest, context: dict[str, Any], refusal: NoLink) -> HttpResponse:
    status = 410 if refusal.is_final else 503
    context = context | {"refusal": refusal}
    response = render(request, "jobs/media/no_link.html", context, status=status)
    add_never_cache_headers(response)
    return response


@require_safe
@requires(Permission.READ)
def input_open(request: HttpRequest, access: Access, pk: int) -> HttpResponse:
    job = get_object_or_404(Job.objects.for_organization(access.organization), pk=pk)
    secret = JobSecret.objects.filter(pk=job.pk).first()
    url = (secret and secret.input_url) or job.input_url
    try:
        return _send_on(request, access, job, url, job.input_url)
    except NoLink as refusal:
        return _say_why_not(request, layout_context(access, "jobs") | {"job": job}, refusal)


def _send_on(request: HttpRequest, access: Access, job: Job, url: str, shown: str) -> HttpResponse:
    """Redirect to a web URL; for any other, say where the file is. Never stored by a cache.

    `origin` decides what a browser may be sent to: only what all parsers read as the same host.
    Raises NoLink for a URL that Django does not redirect to.
    """
    if not url:
        raise Http404("There is no URL.")
    response: HttpResponse
    if origin(url) is None:
        is_malformed = parse_url(url).scheme in WEB_SCHEMES
        context = layout_context(access, "jobs") | {
            "job": job,
            "shown_url": shown,
            "is_malformed": is_malformed,
        }
        response = render(request, "jobs/media/open_elsewhere.html", context)
    else:
        try:
            response = HttpResponseRedirect(url)
        except DisallowedRedirect:
            raise NoLink("Its URL is too long for browsers.", is_final=True) from None
        # the place it leads to must not learn where from
        response.headers["Referrer-Policy"] = "no-referrer"
    add_never_cache_headers(response)
    return response
