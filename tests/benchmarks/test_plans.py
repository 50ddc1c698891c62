"""No list reads a big table from end to end: each that is measured is asked for, and explained.

With few jobs a planner reads whole tables, which is quicker. So it is told not to where it has
a choice, and what each step of a plan really read is limited.
"""

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext

from benchmarks.loading import check_texts, insert, sum_up
from benchmarks.plans import BIG, rows_read
from benchmarks.seeding import FIRST_ID
from benchmarks.variants import BOUNDED, Variant, all_variants
from benchmarks.world import World, make_world
from jobs.models import Job, Output
from jobs.query.counts import tab_counts
from jobs.query.files import FileFilter
from jobs.query.jobs import JobFilter
from jobs.query.visibility import Visibility
from jobs.views.shared.job_filters import PageFilter

JOBS = 6_000
# Of the 4,800 jobs of the large organization. A search looks at the newest 500 of them, and a tab
# is counted to 1,000, of which a page of two rare statuses reads twice as many.
MAX_READ = 2_100

# What is no list is asked for as a page.
PAGES = ("job", "errors", "overview", "statistics")

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def world() -> World:
    world = make_world()
    insert(world, FIRST_ID, 0, JOBS)
    check_texts(FIRST_ID, FIRST_ID + JOBS)
    sum_up()
    with connection.cursor() as cursor:
        cursor.execute("select gin_clean_pending_list('jobs_jobsearch_trigrams')")
        cursor.execute("analyze")
        cursor.execute("set local enable_seqscan = off")
    return world


@pytest.mark.skipif(connection.vendor != "postgresql", reason="the plans of PostgreSQL")
def test_no_list_reads_a_big_table(world: World, client: Client) -> None:
    client.force_login(world.user)
    problems = []
    for one in all_variants(world, JOBS):
        with CaptureQueriesContext(connection) as captured:
            if one.group in PAGES:
                assert client.get(one.url).status_code == 200
            else:
                organization = world.accounts[one.slug][0].organization
                ask(one, Visibility(organization, member_id=world.member.pk))
        for query in captured.captured_queries:
            if not any(table in query["sql"] for table in BIG):
                continue
            problems += [f"{one.group}: {one.name}: {text}" for text in look_at(one, query["sql"])]
    assert not problems, "\n".join(problems)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="about the planner of SQLite")
def test_sqlite_finds_the_retries_of_a_page_by_their_index() -> None:
    # which it would not use if it held the many jobs that are no retries
    insert(make_world(), FIRST_ID, 0, 2_000)
    with connection.cursor() as cursor:
        cursor.execute("analyze")
    page = [FIRST_ID + number for number in range(10)]
    retries = Job.objects.filter(organization=1, retry_of__in=page).order_by("pk")
    assert "USING INDEX job_retries" in retries.explain()


def look_at(one: Variant, statement: str) -> list[str]:
    """What is wrong with the plan of `statement`: with an index in its order, and with several."""
    # what no index serves is searched window by window
    most = 10 * JOBS if f"{one.group}: {one.name}" in BOUNDED else MAX_READ
    problems: list[str] = []
    for is_allowed in ("off", "on"):
        with connection.cursor() as cursor:
            cursor.execute(f"set local enable_bitmapscan = {is_allowed}")
        problems = [
            f"{step} reads {rows} rows"
            for step, rows in rows_read(statement)
            if step.startswith("Seq Scan") or rows > most
        ]
        if not problems:
            break
    return problems


def ask(one: Variant, visible: Visibility) -> None:
    """What the page of the list asks the database about jobs and outputs."""
    path, _, query = one.url.partition("?")
    params = QueryDict(query)
    if path.endswith("/files/"):
        files = Output.objects.for_organization(visible.organization).for_list()
        FileFilter.parse(params, visible).page(files)
        return
    filters: JobFilter = PageFilter.parse(params, visible)
    assert not filters.errors, (one, filters.errors)
    jobs = Job.objects.for_organization(visible.organization)
    filters.page(jobs.for_list())
    if filters.is_served:
        tab_counts(filters.apply_beside_tab(jobs), filters.gone)
