"""The indexes of text: what they find is what the text contains, and no table is read for it."""

import re

import pytest
from django.core import checks
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from jobs.mirror.search import write_search
from jobs.mirror.statements import JOB_COLUMNS
from jobs.models import Job, JobSearch, ProviderAccount
from jobs.models.search.indexes import MISSING, TABLE, are_missing
from jobs.models.search.normalization import normalize
from jobs.models.search.sections import Section, Term
from jobs.query.search.indexes import ask_index
from jobs.query.search.matches import contains
from jobs.query.search.sections import Pattern, section_condition
from jobs.query.search.words import words_condition
from tests.factories import make_organization
from tests.jobs.factories import make_account, make_job
from tests.jobs.query.search.conftest import Search

LETTERS = st.text("ab0é 東%_'\"-\\", max_size=12)


@pytest.mark.django_db
@given(st.lists(LETTERS, min_size=1, max_size=3), st.lists(LETTERS, min_size=1, max_size=2))
def test_the_index_finds_what_contains_all_terms(names: list[str], typed: list[str]) -> None:
    account = make_account(make_organization())
    jobs = [make_job(account, name=name, input_url="", remote_id=None) for name in names]
    terms = [Term(term) for term in map(normalize, typed) if term]
    if not terms:
        return
    texts = dict(JobSearch.objects.filter(job__in=jobs).values_list("pk", "text"))
    expected = [job.pk for job in jobs if all(term.text in texts[job.pk] for term in terms)]
    found = ask_index(terms, account.organization_id, 100)
    assert found is None or sorted(found) == expected
    assert sorted(account.jobs.filter(contains(terms)).values_list("pk", flat=True)) == expected


def test_what_many_texts_have_in_another_section_is_searched_in_the_order_of_the_list(
    account: ProviderAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, *_ = (make_job(account, name=name, batch="spring") for name in ("spring", *"abcd"))
    term = Term("spring", Section.NAME)
    assert ask_index([term], account.organization_id, 100) == [job.pk]
    monkeypatch.setattr("jobs.query.search.indexes.MAX_LOOKED_AT", 4)
    assert ask_index([term], account.organization_id, 100) is None
    condition = section_condition(Pattern("spring"), Section.NAME, account.organization_id)
    assert account.jobs.get(condition) == job


def test_no_table_is_read_for_a_search(account: ProviderAccount) -> None:
    one = make_job(account, name="needle zq 夜")
    fields = {name: getattr(one, name) for name in JOB_COLUMNS} | {"account": account}
    # as many as make a planner prefer an index
    jobs = [Job(**fields | {"remote_id": str(n), "name": f"reel {n}"}) for n in range(3_000)]
    write_search((job, []) for job in Job.objects.bulk_create(jobs))
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":  # as a vacuum does
            cursor.execute(f"select gin_clean_pending_list('{TABLE}_trigrams')")
        cursor.execute("analyze")
    # for two characters it asks for 128 trigrams, which pays with larger tables: see benchmarks/
    conditions = {
        **{
            term: words_condition([term], account.organization_id)
            for term in ("needle", "needle zq", "夜", "absent", "reel", "9")
        },
        **{
            str(pattern): section_condition(pattern, Section.NAME, account.organization_id)
            for pattern in (Pattern("needle"), Pattern.beginning("needle"), Pattern.all_of("夜"))
        },
    }
    for term, condition in conditions.items():
        with CaptureQueriesContext(connection) as captured:
            account.jobs.filter(condition)
        plans = "\n".join(explain(query["sql"]) for query in captured.captured_queries)
        for table in ("jobs_job", TABLE):
            assert not re.search(rf"Seq Scan on {table}\b|SCAN {table}\b(?! USING)", plans), term


def explain(sql: str) -> str:
    prefix = "explain" if connection.vendor == "postgresql" else "explain query plan"
    with connection.cursor() as cursor:
        cursor.execute(f"{prefix} {sql}")
        return "\n".join(str(row[-1]) for row in cursor.fetchall())


def test_a_missing_index_is_reported_and_made_by_migrate(
    client: Client, account: ProviderAccount, search: Search
) -> None:
    with connection.cursor() as cursor:
        is_postgresql = connection.vendor == "postgresql"
        # on SQLite as when Django changes the table
        cursor.execute(
            f"drop index {TABLE}_trigrams" if is_postgresql else f"drop trigger {TABLE}_insert"
        )
    job = make_job(account, name="needle")
    answer = client.get("/readyz")
    assert (answer.status_code, answer.content.decode()) == (503, f"{MISSING}\n")
    assert [issue.id for issue in checks.run_checks(tags=["database"], databases=["default"])] == [
        "reelboard.E003"
    ]
    connection.check_constraints()  # which PostgreSQL else leaves to the commit, after the index
    call_command("migrate", verbosity=0)
    assert not are_missing()
    assert search("needle") == {job}
