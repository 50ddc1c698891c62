"""Fills the big tables without their indexes, which are sooner made anew than kept."""

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import groupby
from multiprocessing import Pool
from types import SimpleNamespace
from typing import Any

from django.db import connection
from django.utils import timezone

from benchmarks.seeding import seed_jobs
from benchmarks.world import World
from insights.models import RollupState
from insights.rollups import upkeep
from jobs.mirror.search import SEARCHED_COLUMNS, build_text
from jobs.models import Batch, Job, JobSearch, Output
from jobs.models.search.trigrams import trigrams_of
from organizations.models import Organization

TABLES = ("jobs_job", "jobs_output", "jobs_jobevent", "jobs_jobsearch")
CHUNK = 10_000
PROCESSES = 2
# of the rows of search text, which of so many is compared with what the mirror would write
CHECKED = 997


def fill(world: World, first_id: int, start: int, end: int) -> None:
    """Jobs number `start` to `end` with what belongs to them, as the mirror would store them."""
    with _without_indexes():
        insert(world, first_id, start, end)
    with connection.cursor() as cursor:
        cursor.execute("vacuum analyze" if connection.vendor == "postgresql" else "analyze")
    check_texts(first_id + start, first_id + end)


def insert(world: World, first_id: int, start: int, end: int) -> None:
    """The same beside the indexes that are there, without a check."""
    seed_jobs(world, first_id, start, end)
    chunks = range(first_id + start, first_id + end, CHUNK)
    found = (list(_read_jobs(first, min(first + CHUNK, first_id + end))) for first in chunks)
    if len(chunks) == 1:
        _store(_build_rows(next(found)))
        return
    with Pool(PROCESSES) as pool:  # what takes longest of all is done beside reading and storing
        for rows in pool.imap(_build_rows, found):
            _store(rows)


def sum_up() -> None:
    """The sums of all jobs, from the first one on, as the periodic task makes them."""
    RollupState.objects.all().delete()
    for organization in Organization.objects.all():
        for step in (upkeep.catch_up, upkeep.go_back):
            upkeep.repeat(step, organization, timezone.now(), math.inf)


def check_texts(first: int, end: int) -> None:
    """Compare some search rows with what the mirror would write."""
    jobs = Job.objects.filter(pk__in=range(first, end, CHECKED)).prefetch_related("outputs")
    stored = JobSearch.objects.in_bulk([job.pk for job in jobs])
    for job in jobs:
        text = build_text(job, list(job.outputs.all()))
        if stored[job.pk].text != text:
            raise RuntimeError(f"the search row of job {job.pk} is not as the mirror writes it")
        is_postgresql = connection.vendor == "postgresql"
        if is_postgresql and {*stored[job.pk].trigrams} != trigrams_of(text):
            raise RuntimeError(f"the trigrams of job {job.pk} are not as the mirror writes them")


SearchRow = tuple[int, str, str | None]


def _build_rows(jobs: Iterable[tuple[Any, list[Any]]]) -> list[SearchRow]:
    """The search rows as the mirror builds them."""
    is_postgresql = connection.vendor == "postgresql"
    rows: list[SearchRow] = []
    for job, outputs in jobs:
        text = build_text(job, outputs)
        numbers = f"{{{','.join(map(str, trigrams_of(text)))}}}" if is_postgresql else None
        rows.append((job.id, text, numbers))
    return rows


def _store(rows: list[SearchRow]) -> None:
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            cursor.executemany("insert into jobs_jobsearch values (%s, %s, %s)", rows)
            return
        with cursor.copy("copy jobs_jobsearch (job_id, text, trigrams) from stdin") as copy:
            for row in rows:
                copy.write_row(row)


def _read_jobs(first: int, end: int) -> Iterator[tuple[Any, list[Any]]]:
    """What is searched of each job and of its outputs."""
    outputs = _read(Output, "job_id", first, end, "job_id")
    by_job = {pk: list(found) for pk, found in groupby(outputs, lambda one: one.job_id)}
    batches = {batch.pk: batch for batch in Batch.objects.defer("request")}
    for job in _read(Job, "id", first, end, "id", "organization_id"):
        job.batch = batches.get(job.batch_id)
        yield job, by_job[job.id]


def _read(model: Any, key: str, first: int, end: int, *keys: str) -> Iterator[Any]:
    """The columns alone: to make a model of each would take as long as all else."""
    searched = [f.attname for f in model._meta.concrete_fields if f.name in SEARCHED_COLUMNS]
    names = [*keys, *searched]
    rows = model.objects.filter(**{f"{key}__gte": first, f"{key}__lt": end}).order_by(key, "id")
    for row in rows.values_list(*names):
        yield SimpleNamespace(**dict(zip(names, row, strict=True)))


@contextmanager
def _without_indexes() -> Iterator[None]:
    """Drop the tables' indexes and foreign keys, and make them again."""
    drops, makes = _postgresql() if connection.vendor == "postgresql" else _sqlite()
    with connection.cursor() as cursor:
        for statement in drops:
            cursor.execute(statement)
    yield
    with connection.cursor() as cursor:
        for statement in makes:
            cursor.execute(statement)


def _postgresql() -> tuple[list[str], list[str]]:
    drops, makes = [], ["set maintenance_work_mem = '1GB'"]
    with connection.cursor() as cursor:
        cursor.execute(
            "select conrelid::regclass, quote_ident(conname), pg_get_constraintdef(oid) "
            "from pg_constraint where conrelid = any(%s::regclass[]) and contype in ('f', 'u')",
            [list(TABLES)],
        )
        for table, name, definition in cursor.fetchall():
            drops.append(f"alter table {table} drop constraint {name}")
            makes.append(f"alter table {table} add constraint {name} {definition}")
        cursor.execute(
            "select indexrelid::regclass, pg_get_indexdef(indexrelid) from pg_index "
            "where indrelid = any(%s::regclass[]) and not indisprimary and not exists "
            "(select from pg_constraint where conindid = indexrelid and contype = 'u')",
            [list(TABLES)],
        )
        for name, definition in cursor.fetchall():
            drops.append(f"drop index {name}")
            makes.insert(1, definition)
        cursor.execute("set synchronous_commit = off")
    # keys are sooner compared once there are indexes
    return drops, makes


def _sqlite() -> tuple[list[str], list[str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "select name, sql from sqlite_master where type = 'index' and sql is not null "
            f"and tbl_name in {TABLES}"
        )
        found = cursor.fetchall()
    drops = ["pragma foreign_keys = off", *(f'drop index "{name}"' for name, _ in found)]
    return drops, [*(sql for _, sql in found), "pragma foreign_keys = on"]
