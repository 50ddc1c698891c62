"""`/jobs`: list and read."""

from typing import Annotated, Any

from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from ninja import Query, Router
from pydantic import BaseModel, Field

from jobs.actions.facts import read_facts
from jobs.actions.offers import list_offers
from jobs.api.auth import ApiRequest, visible_to
from jobs.api.errors import LIST_REFUSALS, READ_REFUSALS, ApiError, invalid, not_found
from jobs.api.list_parameters import read_filters
from jobs.api.schemas.jobs import JobDetail, JobList
from jobs.api.schemas.parameters import (
    TEXT,
    Accounts,
    Cursor,
    Flag,
    Ids,
    Limit,
    Slugs,
    Texts,
    Time,
    documented,
    one_of,
    sorts,
)
from jobs.models import Job, JobBody, JobEvent, Output
from jobs.query.jobs import ERROR_NAMES, JobFilter
from jobs.query.language.grammar import MAX_LENGTH
from jobs.query.paging.orderings import SORT_TIMES
from jobs.query.references import find_by_id
from jobs.submission.waiting import note_waiting
from providers.core.status import JobStatus

router = Router(tags=["jobs"], by_alias=True)


class ListParameters(BaseModel):
    """Documents the query string; JobFilter reads it, for the pages as well."""

    status: Annotated[list[str], one_of(JobStatus)] = Field([], description="In these statuses.")
    provider: Slugs = []
    account: Accounts = []
    error: Annotated[list[str], one_of(ERROR_NAMES)] = Field(
        [], description="Failed with these error classes, or families such as `input.*`."
    )
    error_group: Ids = Field([], description="Failed with an error of these groups, by id.")
    batch: Texts = Field([], description="Of these batches, by id or exact name.")
    preset: Ids = Field([], description="With an output of these presets, by id.")
    gone: Flag = Field(
        "",
        description="`true`: only jobs that the provider no longer has; `false`: none of them. "
        "Without it, they are left out of `submitting`, `queued` and `running` alone.",
    )
    unresolved: Flag = Field(
        "", description="`true`: failed, and no later attempt succeeded; `false`: all others."
    )
    partial: Flag = Field(
        "", description="`true`: ended with usable and with failed outputs; `false`: all others."
    )
    suspect: Flag = Field(
        "", description="`true`: succeeded, but something looks wrong; `false`: all others."
    )
    stuck: Flag = Field(
        "", description="`true`: unfinished, and takes far too long; `false`: all others."
    )
    submitted_by: Texts = Field(
        [], description="Submitted by these, as e-mail addresses or `token:NAME`."
    )
    assigned: Texts = Field(
        [], description="Looked after by these members, as e-mail addresses or names."
    )
    q: Annotated[str, documented(**TEXT | {"maxLength": MAX_LENGTH})] = Field(
        "",
        description="A query, as on the board: words, `key:value` filters such as "
        "`status:failed created:>2d ran:>20m`, `OR`, parentheses, and `-` for not. Dates are in "
        "the organization's time zone.",
    )
    created_after: Time = Field("", description="By `sort_at`: at this time or later.")
    created_before: Time = Field("", description="By `sort_at`: before this time.")
    started_after: Time = Field("", description="Started at this time or later.")
    started_before: Time = Field("", description="Started before this time.")
    finished_after: Time = Field("", description="By `ended_at`: at this time or later.")
    finished_before: Time = Field("", description="By `ended_at`: before this time.")
    changed_after: Time = Field("", description="Changed at this time or later.")
    changed_before: Time = Field("", description="Changed before this time.")
    sort: Annotated[str, sorts(SORT_TIMES)] = Field(
        "", description="By which time; with a minus sign, newest first."
    )
    limit: Limit = ""
    cursor: Cursor = ""


@router.get("", response={200: JobList, **LIST_REFUSALS}, summary="List jobs")
def list_jobs(request: ApiRequest, parameters: Query[ListParameters]) -> dict[str, Any]:
    """A page at a time: pass `next` back as `cursor`, and the rest unchanged.

    Newest first: running jobs by when they started, ended ones by when they ended (if only
    such are asked for), else by the end or the start where a time of it is given, or by
    creation. `sort` chooses another order.
    """
    filters = read_filters(JobFilter, request)
    queryset = _jobs(request).defer(
        "request", "errors", "account__credentials", "account__hook_secret", "account__options"
    )
    try:
        found = filters.page(queryset)
    except ValueError as error:
        raise invalid({"cursor": str(error)}) from error
    add_offers(found.rows)
    return {"results": found.rows, "next": found.next, "searched_to": found.searched_to}


@router.get("/{job_id}", response={200: JobDetail, **READ_REFUSALS}, summary="Read a job")
def read_job(request: ApiRequest, job_id: str) -> Job:
    """One job with its outputs, presets, errors and events."""
    return read_detail(request, job_id)


@router.get(
    "/{job_id}/raw", response={200: Any, **READ_REFUSALS}, summary="Read the provider's body"
)
def read_raw(request: ApiRequest, job_id: str) -> Any:
    """What the provider last answered about the job, with secrets redacted."""
    job = find_job(request, job_id)
    body = JobBody.objects.filter(job=job).first()
    if body is None:
        raise ApiError(404, "no_body", "The provider has not returned this job yet.")
    return body.value


def _jobs(request: ApiRequest) -> QuerySet[Job]:
    """The jobs that the token sees, with what every shape of a job needs."""
    visible = visible_to(request)
    retries = visible.jobs().only("id", "retry_of_id").order_by("id")
    return (
        visible.jobs()
        .select_related("organization", "account", "poll", "submitted_by", "submitted_token")
        .with_template()
        .with_batches()
        .with_assignees()
        .prefetch_related(Prefetch("retries", retries))
    )


def find_job(request: ApiRequest, job_id: str) -> Job:
    """The job with this id, as its own row; 404 for a foreign one as for none."""
    job = find_by_id(visible_to(request).jobs(), job_id)
    if job is None:
        raise not_found()
    return job


def add_offers(jobs: list[Job]) -> None:
    """Note at each job what can be done with it, and why it waits here: no columns, but what
    every shape of a job shows.
    """
    facts = read_facts(jobs)
    for job in jobs:
        job.__dict__["offers"] = list_offers(job, facts[job.pk])
    note_waiting(jobs, timezone.now())


def read_detail(request: ApiRequest, job_id: str) -> Job:
    """The job with all that its detail shows."""
    outputs = Output.objects.defer("secret_url").select_related("preset").order_by("position", "id")
    events = JobEvent.objects.select_related("actor", "token").order_by("id")
    jobs = (
        _jobs(request)
        .select_related("error_group")
        .defer("account__credentials", "account__hook_secret")
        .prefetch_related(Prefetch("outputs", outputs), Prefetch("events", events))
    )
    job = find_by_id(jobs, job_id)
    if job is None:
        raise not_found()
    add_offers([job])
    return job
