"""Which jobs contain some terms: their ids where they are few, else a condition to read them by."""

from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.models import (
    BooleanField,
    Count,
    Expression,
    ExpressionWrapper,
    Func,
    OuterRef,
    Q,
    Subquery,
    Value,
)
from django.db.models.functions import Coalesce, StrIndex, Substr
from django.db.models.lookups import GreaterThan

from jobs.models import Job, JobSearch
from jobs.models.search.sections import Section, Term
from jobs.query.search.indexes import ask_index

# More jobs than these are not listed by their ids. At a million jobs, so many cost 35 ms to find,
# 20 ms for a page of them and 50 ms for its counts; to search for those that are old, 2 s.
MAX_FOUND = 10_000

# Where of the newest jobs of an organization so many contain the terms, a page of such jobs is
# sooner read in the order of the list than picked from all of them.
SAMPLE = 500
COMMON = 10


def find_jobs(terms: Sequence[Term], organization_id: int) -> list[int] | None:
    """The ids of the organization's jobs that contain all `terms`; at most two queries.

    None where they are common: then `contains` is the condition for a list that is read from one
    end until a page of it is full.
    """
    return None if _are_common(terms, organization_id) else find_rare(terms, organization_id)


def find_rare(terms: Sequence[Term], organization_id: int) -> list[int] | None:
    """The same of terms that are rare as a rule; one query."""
    found = ask_index(terms, organization_id, MAX_FOUND + 1)
    return None if found is None or len(found) > MAX_FOUND else found


def contains(terms: Sequence[Term]) -> Q:
    """The same as a condition on jobs, which no index serves."""
    # A subquery for one value cannot be turned into a join: the planner keeps the list's order.
    row = Subquery(JobSearch.objects.filter(pk=OuterRef("pk")).values("text"))
    # never NULL, so that a negation finds what this leaves out
    text = Coalesce(row, Value(""))
    found = Q()
    for term in terms:
        within = text if term.section is None else _section(text, term.section)
        found &= Q(GreaterThan(StrIndex(within, Value(term.text)), 0))
    return found


def _section(text: Expression, section: Section) -> Expression:
    start, end = (StrIndex(text, Value(mark.value)) for mark in (section, section.following))
    return Substr(text, start, end - start)


def are_among(pks: Sequence[int], column: str = "pk") -> Q:
    """The rows with these ids, as one parameter: a thousand would cost more than their rows."""
    return Q(_AreAmong(column, Value(list_ids(pks)))) if pks else Q(pk__in=[])


def list_ids(pks: Sequence[int]) -> str:
    """The parameter."""
    listed = ",".join(map(str, pks))
    return f"{{{listed}}}" if connection.vendor == "postgresql" else f"[{listed}]"


class _AreAmong(Func):
    output_field = BooleanField()
    arg_joiner = " = ANY("
    template = "%(expressions)s::bigint[])"

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(
            compiler,
            connection,
            arg_joiner=" IN (SELECT value FROM json_each(",
            template="%(expressions)s))",
            **context,
        )


def _are_common(terms: Sequence[Term], organization_id: int) -> bool:
    newest = Job.objects.filter(organization=organization_id).order_by("-sort_at", "-id")[:SAMPLE]
    has_terms = ExpressionWrapper(contains(terms), output_field=BooleanField())
    found = newest.annotate(has_terms=has_terms).aggregate(
        count=Count("pk", filter=Q(has_terms=True))
    )
    return bool(found["count"] >= COMMON)
