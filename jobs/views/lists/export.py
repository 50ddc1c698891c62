"""What a list of jobs shows, as a file: all of it, streamed, one file at a time."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from jobs.display.csv_text import write_csv
from jobs.display.job_record import COLUMNS, job_record
from jobs.models import ExportSlot, Job
from jobs.query.jobs import JobFilter
from jobs.query.search.matches import are_among
from jobs.query.visibility import Visibility
from jobs.views.shared.scope import Scope, read_scope
from jobs.workqueue import leases
from organizations.access import Access, requires
from organizations.permissions import Permission

CHUNK = 500
# A process that is killed leaves the slot taken for so long; a chunk reaches a slow reader sooner.
SLOT_LEASE = timedelta(minutes=2)
KINDS = {"csv": "text/csv", "json": "application/json"}


@require_GET
@requires(Permission.READ)
def job_export(request: HttpRequest, access: Access, kind: str) -> HttpResponseBase:
    """The jobs that the filters find, or that were selected, in the order of the list.

    The last line of the CSV and the last value of the JSON say that the file is complete, and how
    many jobs it has: a download that broke off has none.
    """
    scope = read_scope(request, access)
    if error := scope.error or _name_unknown(scope, access):
        return HttpResponse(error, status=422, content_type="text/plain; charset=utf-8")
    ExportSlot.objects.get_or_create(organization=access.organization)
    slot = leases.take(ExportSlot.objects.all(), access.organization.pk, SLOT_LEASE)
    if slot is None:
        return render(request, "jobs/export/busy.html", {"access": access}, status=429)
    write = _write_csv if kind == "csv" else _write_json
    name = f"jobs-{access.organization.slug}-{timezone.now():%Y-%m-%d}.{kind}"
    return StreamingHttpResponse(
        write(_read(scope, access, slot)),
        content_type=f"{KINDS[kind]}; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _name_unknown(scope: Scope, access: Access) -> str:
    ids = scope.ids or ()
    jobs = Job.objects.for_organization(access.organization).filter(are_among(ids))
    known = set(jobs.values_list("pk", flat=True)) if ids else set()
    unknown = ", ".join(str(pk) for pk in ids if pk not in known)
    return f"No job has one of these ids: {unknown}." if unknown else ""


def _read(scope: Scope, access: Access, slot: ExportSlot) -> Iterator[Job]:
    """Chunk by chunk: no query runs, and no transaction is open, for as long as somebody reads."""
    listed = Job.objects.for_organization(access.organization).for_list()
    jobs = listed.with_batches().select_related("account", "submitted_by", "submitted_token")
    filters = scope.filters or JobFilter.parse({}, Visibility(access.organization))
    if scope.ids is not None:
        jobs = jobs.filter(are_among(scope.ids))
    cursor: str | None = ""
    try:
        while cursor is not None:
            # as the list does: what no index serves is searched on from where the time ran out
            page = replace(filters, limit=CHUNK, cursor=cursor).page(jobs)
            yield from page.rows
            cursor = page.next
            leases.renew(slot, SLOT_LEASE)
    finally:
        leases.release(slot)


def _write_csv(jobs: Iterable[Job]) -> Iterator[str]:
    count = 0

    def rows() -> Iterator[Iterable[object]]:
        nonlocal count
        yield COLUMNS
        for count, job in enumerate(jobs, 1):  # noqa: B007
            yield job_record(job).values()
        yield ["#complete", count]

    return write_csv(rows())


def _write_json(jobs: Iterable[Job]) -> Iterator[str]:
    count = 0
    yield '{"jobs": ['
    for count, job in enumerate(jobs, 1):
        yield ("," if count > 1 else "") + "\n" + json.dumps(job_record(job))
    yield f'\n], "complete": true, "count": {count}}}\n'
