"""Jobs, outputs and events of a `World`, made by the database itself.

Jobs are numbered from the newest: more of them are older ones, so that a page of the newest is the
same page however many jobs there are.
"""

from collections.abc import Mapping
from itertools import accumulate

from django.db import connection
from django.db.models import Model

from benchmarks.world import ACCOUNTS, BATCHES, CLASSES, GROUPS, LATEST, RARE_GROUP, SHARES, World
from jobs.mirror.statements import JOB_COLUMNS, OUTPUT_COLUMNS
from jobs.models import EventSource, Job, JobEvent, Output, StuckKind
from providers.core.status import JobStatus, OutputStatus
from providers.core.types import OutputKind

# The columns that depend on a job's number. `n` is that number, `k` and `j` are numbers below a
# thousand that follow from it without any order.
_NUMBERS = "(n * 7919 + n / 100 * 31) % 1000 as k, (n * 104729 + n / 1000 * 17) % 1000 as j"
_STATUS = """case
    when n < 1000 and k between 200 and 259 then 'running'
    when n < 1000 and k between 260 and 319 then 'queued'
    when k < 100 then 'failed'
    when k < 120 then 'cancelled'
    when k = 999 then 'running'
    when k = 998 then 'unknown'
    else 'succeeded' end"""
_ERROR_CLASS = " ".join(
    ("case j % 10", *(f"when {digit} then '{name}'" for digit, name in enumerate(CLASSES)), "end")
)
# the place of a failure's error group among those of its organization
_GROUP = f"case when j = 78 then {RARE_GROUP} else j % 10 * {GROUPS} + j / 10 % {GROUPS} end"
_FAILED = "case when state = 'failed' then {} else '' end"
# one in four of what waits or runs, as after an outage
_STUCK = "n < 1000 and k between 200 and 319 and k % 4 = 0"
_ENDED = "state in ('succeeded', 'failed', 'cancelled')"

_METADATA = """'{"order": "order-' || n || 'x", "customer": "customer ' || n % 500 || '"'
    || case when n % 100 < 80 then ', "crew": "nightshift"' else '' end
    || case when n = 7700 then ', "remark": "zq"' else '' end || '}'"""

# A job is created every so many seconds.
EVERY_S = 31
FIRST_ID = 10_000_000


def seed_jobs(world: World, first_id: int, start: int, end: int) -> None:
    """Jobs number `start` to `end`, with two outputs and up to three events each; job n has the id
    `first_id` + n.

    Search rows are not among them: see `benchmarks.loading`.
    """
    job = _model_job(world, first_id - 1)
    output = _model_output(job)
    event = JobEvent.objects.create(job=job, at=LATEST, source=EventSource.POLL)
    _insert(job, JOB_COLUMNS, _job_values(world, first_id), _rows(start, end))
    _insert(output, OUTPUT_COLUMNS, _output_values(world), _pairs(first_id, start, end))
    _insert(event, ["source", "message"], _EVENT_VALUES, _changes(first_id, start, end))
    with connection.cursor() as cursor:
        for model in (event, output, job):
            cursor.execute(f"delete from {model._meta.db_table} where id = {model.pk}")


def at(seconds: str) -> str:
    """SQL for the time so many seconds before the newest job's creation."""
    if connection.vendor == "postgresql":
        return f"timestamptz '{LATEST:%Y-%m-%d %H:%M}Z' - ({seconds}) * interval '1 s'"
    return f"datetime('{LATEST:%Y-%m-%d %H:%M:%S}', (-({seconds})) || ' seconds')"


def _rows(start: int, end: int) -> str:
    """`n`, `k`, `j` and `state` of each job."""
    if connection.vendor == "postgresql":
        numbers = f"select n::bigint as n from generate_series({start}, {end - 1}) as n"
    else:
        numbers = (
            f"with recursive numbers (n) as (select {start} union all select n + 1 from numbers "
            f"where n < {end - 1}) select n from numbers"
        )
    keyed = f"select n, {_NUMBERS} from ({numbers}) numbers"
    return f"(select n, k, j, {_STATUS} as state from ({keyed}) keyed) of_job"


def _job_values(world: World, first_id: int) -> dict[str, str]:
    """SQL by column, where it is not that of the model row."""
    json = "::jsonb" if connection.vendor == "postgresql" else ""
    created, started = f"n * {EVERY_S}", f"n * {EVERY_S} - 5 - k % 60"
    ended = f"{started} - 60 - j * 2"
    return {
        "id": f"{first_id} + n",
        "organization_id": _by_organization(
            {slug: str(accounts[0].organization_id) for slug, accounts in world.accounts.items()}
        ),
        "account_id": _by_organization({slug: _by_account(world, slug) for slug in SHARES}),
        "remote_id": "'' || (90000000 + n)",
        "name": "'reel-' || n || '.mov'",
        "status": "state",
        "provider_status": "case state when 'succeeded' then 'finished' else status end",
        "progress": "case state when 'succeeded' then 100.0 when 'running' then 40.0 end",
        "input_url": "'s3://footage/customers/' || n % 500 || '/reel-' || n || '.mov'",
        "metadata": f"({_METADATA}){json}",
        "error_class": _FAILED.format(_ERROR_CLASS),
        "error_group_id": f"case when state = 'failed' then {_by_group(world)} end",
        "error_code": _FAILED.format("case when j = 77 then 'E4711' else 'FileNotFoundError' end"),
        "error_message": _FAILED.format("'The file could not be downloaded from the server.'"),
        "batch_id": f"case when j % 5 = 0 then {_by_batch(world)} end",
        "is_partial": "k between 120 and 124",
        "is_suspect": "k between 125 and 127",
        "is_test": "k between 128 and 137",
        "stuck_status": f"case when {_STUCK} then state else '' end",
        "stuck_kind": f"case when {_STUCK} then '{StuckKind.SLOW}' else '' end",
        "stuck_at": f"case when {_STUCK} then {at(created)} end",
        "stuck_limit_ms": f"case when {_STUCK} then 1320000 end",
        "stuck_count": f"case when {_STUCK} then 412 end",
        "outputs_succeeded": "case state when 'succeeded' then 2 else 0 end",
        "outputs_failed": "case state when 'failed' then 2 else 0 end",
        "submitted_by_id": f"case when j % 50 = 7 then {world.user.pk} end",
        "assignee_id": f"case when state = 'failed' and n % 1000 < 20 then {world.member.pk} end",
        "submitted_token_id": f"case when j % 50 = 8 then {world.token.pk} end",
        "resolved_by_id": f"case when k < 20 and n > 1000 then {first_id} + n - 1 end",
        **dict.fromkeys(("created_at", "sort_at", "first_seen_at"), at(created)),
        **dict.fromkeys(
            ("started_at", "sort_started_at"),
            f"case when state not in ('queued', 'unknown') then {at(started)} end",
        ),
        **dict.fromkeys(("finished_at", "ended_at"), f"case when {_ENDED} then {at(ended)} end"),
        "ended_at_source": f"case when {_ENDED} then 'provider' else '' end",
        "changed_at": f"case when {_ENDED} then {at(ended)} else {at(created)} end",
        "gone_at": f"case when k = 999 then {at(ended)} end",
    }


def _by_organization(values: Mapping[str, str]) -> str:
    limits = accumulate(SHARES.values())
    cases = (
        f"when n % 100 < {limit} then {values[slug]}"
        for slug, limit in zip(SHARES, limits, strict=True)
    )
    return f"case {' '.join(cases)} end"


def _by_group(world: World) -> str:
    """Groups that were made one after the other have ids that follow each other."""
    return _by_organization(
        {slug: f"{groups[0].pk} + {_GROUP}" for slug, groups in world.groups.items()}
    )


def _by_batch(world: World) -> str:
    """Of as many jobs one after the other; their ids are consecutive."""
    return _by_organization(
        {slug: f"{rows[0].pk} + n / 2000 % {BATCHES}" for slug, rows in world.batches.items()}
    )


def _by_account(world: World, slug: str) -> str:
    limits = accumulate(share for _, _, share in ACCOUNTS[slug])
    cases = (
        f"when j < {limit} then {account.pk}"
        for account, limit in zip(world.accounts[slug], limits, strict=True)
    )
    return f"case {' '.join(cases)} end"


def _pairs(first_id: int, start: int, end: int) -> str:
    """Each of the jobs with each of two heights; with `n`, `k` and `j` once more."""
    jobs = (
        f"select id - {first_id} as n, id, organization_id, account_id, sort_at, name, status "
        f"from jobs_job where id >= {first_id + start} and id < {first_id + end}"
    )
    return (
        f"(select jobs.*, {_NUMBERS} from ({jobs}) jobs) of_job "
        "cross join (select 720 as h union all select 1080) heights"
    )


def _output_values(world: World) -> dict[str, str]:
    common, rare = (preset.pk for preset in world.presets)
    account = world.accounts["large"][0].pk
    return {
        "job_id": "of_job.id",
        **{name: f"of_job.{name}" for name in ("organization_id", "account_id", "sort_at")},
        "remote_id": "'' || (n * 10 + h / 1000)",
        "position": "h / 1000",
        "kind": "case when h = 1080 and j % 200 = 5 then 'captions' else 'video' end",
        "label": "'mp4-' || h",
        "preset_id": f"case when h = 1080 or of_job.account_id <> {account} then null "
        f"when j % 10 = 1 then {common} when j = 78 and k % 10 = 3 then {rare} end",
        "height": "h",
        "width": "h * 16 / 9",
        "url": "'https://cdn.example.com/vod/' || of_job.name || '_' || h || 'p.mp4'",
        "status": "case of_job.status when 'unknown' then 'queued' else of_job.status end",
    }


# By number: from and to which status, and when. A job has those that its times say.
_EVENT_VALUES = {
    "job_id": "of_job.id",
    "at": "case c when 1 then created_at when 2 then started_at else ended_at end",
    "from_status": "case c when 1 then '' when 2 then 'queued' else 'running' end",
    "to_status": "case c when 1 then 'queued' when 2 then 'running' else status end",
}


def _changes(first_id: int, start: int, end: int) -> str:
    """Each of the jobs with the numbers of its changes."""
    jobs = (
        "select id, status, created_at, started_at, ended_at from jobs_job "
        f"where id >= {first_id + start} and id < {first_id + end}"
    )
    return (
        f"(select * from ({jobs}) jobs cross join (select 1 as c union all select 2 union all "
        "select 3) numbers where c = 1 or (c = 2 and started_at is not null) "
        "or (c = 3 and ended_at is not null)) of_job"
    )


def _insert(model: Model, names: list[str], values: Mapping[str, str], source: str) -> None:
    """A row for each of `source`; what `values` do not say is as in `model`."""
    columns = [
        str(field.column)
        for field in model._meta.concrete_fields
        if field.name in names or field.column in values
    ]
    table, listed = (
        model._meta.db_table,
        ", ".join(values.get(one, f"model.{one}") for one in columns),
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"insert into {table} ({', '.join(columns)}) select {listed} from {source} "
            f"cross join (select * from {table} where id = {model.pk}) model"
        )


def _model_job(world: World, pk: int) -> Job:
    account = world.accounts["minor"][0]
    names = ("ended_at", "sort_at", "first_seen_at", "changed_at", "observed_at")
    return Job.objects.create(
        pk=pk,
        account=account,
        organization=account.organization,
        status=JobStatus.SUCCEEDED,
        outputs_total=2,
        has_listed_outputs=True,
        ended_at_source="provider",
        input_duration_ms=60_000,
        **dict.fromkeys(names, LATEST),
    )


def _model_output(job: Job) -> Output:
    return Output.objects.create(
        job=job,
        organization=job.organization,
        account=job.account,
        sort_at=LATEST,
        remote_id="model",
        kind=OutputKind.VIDEO,
        status=OutputStatus.SUCCEEDED,
        format="mp4",
        video_codec="h264",
        audio_codec="aac",
        duration_ms=60_000,
        size_bytes=19_000_000,
    )
