"""The lists at ten thousand jobs and at very many, beside a plain admin and a plain ListView."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.urls import reverse

from benchmarks import loading
from benchmarks.plans import explain, read_in_full
from benchmarks.seeding import FIRST_ID
from benchmarks.variants import Params, Variant, all_variants, list_url
from benchmarks.work import Work, measure
from benchmarks.world import World, make_world

SMALL = 10_000
# what limit_statements sets for the board
RIVAL_OPTIONS = {"statement_timeout": "0", "enable_seqscan": "on", "jit": "on"}
HEADINGS = (
    *("of it at the database", "queries", "times as much"),
    *("ListView", "times ours", "admin", "times ours"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """What a variant costs, and the plain ListView and the admin's change list for the same."""

    variant: Variant
    ours: Work
    plain: Work | None
    admin: Work | None


def run(jobs: int, folder: Path, *, is_alone: bool) -> None:
    """Measure all of it, print it as a table, and keep it and the plans of each query."""
    folder.mkdir(parents=True, exist_ok=True)
    # what another process works would not be counted
    _set({"max_parallel_workers_per_gather": "0"})
    world = make_world()
    client = Client()
    client.force_login(world.user)
    _fill(world, 0, SMALL)
    few = {_name(row.variant): row.ours for row in _measure(client, world, SMALL, is_alone=True)}
    _fill(world, SMALL, jobs)
    rows = _measure(client, world, jobs, is_alone=is_alone)
    name = f"{connection.vendor}-{jobs}"
    table = "\n".join(_table(rows, few, jobs))
    (folder / f"{name}.md").write_text(f"{table}\n")
    print(table)
    scans = _keep_plans(rows, folder / f"{name}-plans.txt")
    for one, tables in scans:
        print(f"{one}: a plan reads {tables} in the order in which it is stored")
    print(f"The table and the plan of each query are in {folder}/{name}*.")


def _fill(world: World, start: int, end: int) -> None:
    begun = time.monotonic()
    _set({"statement_timeout": "0"})
    loading.fill(world, FIRST_ID, start, end)
    begun_sums = time.monotonic()
    loading.sum_up()
    _set({"statement_timeout": "default"})
    sums_s, all_s = time.monotonic() - begun_sums, time.monotonic() - begun
    print(
        f"seeded {end - start:,} jobs in {all_s:.0f} s, {sums_s:.0f} s of it for sums", flush=True
    )


def _measure(client: Client, world: World, jobs: int, *, is_alone: bool) -> list[Row]:
    rows = []
    for one in [*all_variants(world, jobs), *_others(client, jobs)]:
        ours = measure(partial(_ask, client, one, _headers(one, world)))
        plain = admin = None
        if not is_alone and one.plain is not None:
            plain = _measure_rival(client, _plain_url(one))
        if not is_alone and one.admin is not None:
            admin = _measure_rival(client, _admin_url(one, world))
        rows.append(Row(one, ours, plain, admin))
    return rows


def _ask(client: Client, one: Variant, headers: dict[str, str]) -> None:
    if one.begins_anew:
        cache.clear()
    get(client, one.url, headers)


def _measure_rival(client: Client, url: str) -> Work:
    """With the database as it is set up by itself."""
    _set(RIVAL_OPTIONS)
    try:
        return measure(partial(get, client, url))
    finally:
        _set(dict.fromkeys(RIVAL_OPTIONS, "default"))


def _set(options: Mapping[str, str]) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            for name, value in options.items():
                cursor.execute(f"set {name} = {value}")


def get(client: Client, url: str, headers: dict[str, str] | None = None) -> str:
    """The page. Raises RuntimeError for an answer that is not as it should be."""
    response = client.get(url, headers=headers)
    if response.status_code not in (200, 204):
        raise RuntimeError(f"{url} answered {response.status_code}")
    return str(response.content.decode())


def _headers(one: Variant, world: World) -> dict[str, str]:
    if one.group == "API":
        return {"Authorization": f"Bearer {world.token_text}"}
    return {"HX-Request": "true"} if one.group == "poll" else {}


def _others(client: Client, jobs: int) -> list[Variant]:
    number = jobs // 2 // 100 * 100
    queries = {
        "first page": "",
        "q, one matches": f"?q=order-{number}x",
        "q, many match": "?q=reel-77",
        "q, none matches": "?q=nowhere",
        "q, failed jobs": "?q=status:failed",
    }
    api = [Variant("API", name, f"/api/v1/jobs{query}") for name, query in queries.items()]
    return [Variant("poll", "idle", poll_url(client)), *api]


def poll_url(client: Client) -> str:
    """What the first page of the list asks after some seconds."""
    html = get(client, list_url([]))
    live = re.search(r'hx-get="([^"]+/live/[^"]*)"[^>]*data-live-since="([^"]*)"', html)
    rows = re.findall(r'<tr id="job-(\d+)"[^>]*data-version="([^"]+)"', html)
    health = re.search(r'data-fingerprint="([^"]*)"', html)
    if live is None or health is None or not rows:
        raise RuntimeError("the list has no poll to measure")
    params = {
        "rows": "_".join(f"{pk}.{version}" for pk, version in rows),
        "since": live.group(2),
        "new": "0",
        "health": health.group(1),
    }
    return f"{live.group(1).split('?')[0]}?{urlencode(params)}"


def _plain_url(one: Variant) -> str:
    return f"/plain/{one.slug}/?{urlencode(one.plain or [])}"


def _admin_url(one: Variant, world: World) -> str:
    organization = world.accounts[one.slug][0].organization
    params: Params = [("organization__id__exact", str(organization.pk)), *(one.admin or [])]
    return f"{reverse('plain:jobs_job_changelist')}?{urlencode(params)}"


def _name(variant: Variant) -> str:
    return f"{variant.group}: {variant.name}"


def _table(rows: list[Row], few: dict[str, Work], jobs: int) -> list[str]:
    """Milliseconds of CPU, as a table of Markdown."""
    headings = ["list", f"at {SMALL:,}", f"at {jobs:,}", *HEADINGS]
    lines = [f"| {' | '.join(headings)} |", f"|{'---|' * len(headings)}"]
    for row in rows:
        ours, at_few = row.ours, few[_name(row.variant)]
        cells = [_name(row.variant), f"{at_few.total_ms:.0f}", f"{ours.total_ms:.0f}"]
        cells += [f"{ours.session_ms:.1f}", str(len(ours.statements))]
        cells.append(f"{ours.total_ms / at_few.total_ms:.1f}")
        for rival in (row.plain, row.admin):
            cells += ["", ""] if rival is None else [
                f"{rival.total_ms:.0f}", f"{rival.total_ms / ours.total_ms:.1f}"
            ]  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _keep_plans(rows: list[Row], file: Path) -> list[tuple[str, str]]:
    """Write the plans; return the variants of which one reads a big table from end to end."""
    scans = []
    with file.open("w") as plans:
        for row in rows:
            name = _name(row.variant)
            plans.write(f"== {name}: {row.variant.url}\n")
            for statement in row.ours.statements:
                plan = explain(statement)
                plans.write(f"{statement}\n{plan}\n\n")
                if tables := read_in_full(plan):
                    scans.append((name, ", ".join(tables)))
    return scans
