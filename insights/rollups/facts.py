"""Summing up jobs in the database: by quarter hour, account and outcome."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import (
    Case,
    Count,
    F,
    Func,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    When,
)
from django.db.models.expressions import Combinable

from insights.rollups.histogram import LAST_BIN, RATIO, Histogram
from insights.rollups.spans import FIRST, QUARTER
from jobs.models import Job, Output
from jobs.query.language.conditions import time_condition
from jobs.query.language.times import Range
from jobs.query.paging.keyset import EPOCH
from providers.core.status import OutputStatus
from providers.core.types import OutputKind

# What counts as made: a package of files has the duration of its playlist.
MADE = (OutputKind.VIDEO, OutputKind.AUDIO, OutputKind.PLAYLIST)


class Quarter(Func):
    """The number of quarter hours since 1970."""

    output_field = IntegerField()
    arity = 1

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "FLOOR(EXTRACT(EPOCH FROM %(expressions)s) / 900)::integer"
        return self.as_sql(compiler, connection, template=template, **context)

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        # without the fraction of a second, which it would round
        template = "(CAST(STRFTIME('%%%%s', SUBSTR(%(expressions)s, 1, 19)) AS INTEGER) / 900)"
        return self.as_sql(compiler, connection, template=template, **context)


class Bin(Func):
    """The bin of a histogram that the time between two is in, as `bin_of` says."""

    output_field = IntegerField()
    arity = 2

    _TEMPLATE = (
        f"CASE WHEN {{ms}} < 1 THEN 0 ELSE LEAST({LAST_BIN}, "
        f"1 + CAST(FLOOR(LN({{ms}}) / LN(CAST({RATIO} AS DOUBLE PRECISION))) AS INTEGER)) END"
    )

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        ms = "(EXTRACT(EPOCH FROM %(expressions)s)::double precision * 1000)"
        template = self._TEMPLATE.format(ms=ms)
        return self.as_sql(compiler, connection, template=template, arg_joiner=" - ", **context)

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        later, earlier = (compiler.compile(one)[0] for one in self.source_expressions)
        # a fraction of a day is exact to a twentieth of a millisecond
        ms = f"((JULIANDAY({later}) - JULIANDAY({earlier})) * 86400000.0)"
        return self._TEMPLATE.format(ms=ms).replace("LEAST(", "MIN("), []


class Key(NamedTuple):
    """What jobs are grouped by; `quarter` is the beginning of it, `error_class` may be empty."""

    account: int
    quarter: datetime
    status: str
    error_class: str


@dataclass(slots=True)
class Sums:
    """Of some jobs: `wait` and `run` are the lanes of a Histogram."""

    jobs: int = 0
    output_ms: int = 0
    wait: int = 0
    run: int = 0

    def add(self, other: "Sums") -> None:
        self.jobs += other.jobs
        self.output_ms += other.output_ms
        self.wait += other.wait
        self.run += other.run


def ended(jobs: QuerySet[Job], start: datetime, end: datetime) -> QuerySet[Job]:
    """Those of `jobs` that ended from `start` up to `end`, as a list of jobs selects them."""
    return jobs.filter(time_condition("finished", Range(max(start, FIRST), end)))


def sum_up(jobs: QuerySet[Job]) -> dict[Key, Sums]:
    """Of jobs that have ended. One query, which gives a row for all jobs that are alike."""
    made = Output.objects.filter(job=OuterRef("pk"), status=OutputStatus.SUCCEEDED, kind__in=MADE)
    total = made.order_by().values("job").annotate(total=Sum("duration_ms")).values("total")
    rows = (
        jobs.order_by()
        .annotate(
            quarter=Quarter("ended_at"),
            wait_bin=_bin_between("created_at", "started_at"),
            run_bin=_bin_between("started_at", "finished_at"),
            made_ms=Subquery(total),
        )
        .values("account_id", "quarter", "status", "error_class", "wait_bin", "run_bin")
        .annotate(number=Count("*"), output_ms=Sum("made_ms"))
        .values_list(
            *("account_id", "quarter", "status", "error_class", "wait_bin", "run_bin"),
            *("number", "output_ms"),
        )
    )
    return _gather(rows)


def _bin_between(begun: str, ended: str) -> Combinable:
    is_known = Q(**{f"{begun}__isnull": False, f"{ended}__gte": F(begun)})
    return Case(When(is_known, then=Bin(F(ended), F(begun))), output_field=IntegerField())


def _gather(rows: Iterable[tuple[Any, ...]]) -> dict[Key, Sums]:
    found: defaultdict[Key, Sums] = defaultdict(Sums)
    for account, quarter, status, error_class, wait_bin, run_bin, number, output_ms in rows:
        sums = found[Key(account, read_quarter(quarter), status, error_class)]
        sums.jobs += number
        sums.output_ms += int(output_ms or 0)
        if wait_bin is not None:
            sums.wait += Histogram.of([(wait_bin, number)]).lanes
        if run_bin is not None:
            sums.run += Histogram.of([(run_bin, number)]).lanes
    return dict(found)


class PresetKey(NamedTuple):
    account: int
    quarter: datetime
    preset: int
    status: str


def count_presets(jobs: QuerySet[Job]) -> dict[PresetKey, int]:
    """How many of some ended jobs each preset made an output of. One query."""
    rows = (
        jobs.order_by()
        .filter(outputs__preset__isnull=False)
        .annotate(quarter=Quarter("ended_at"))
        .values("account_id", "quarter", "outputs__preset_id", "status")
        .annotate(number=Count("pk", distinct=True))
        .values_list("account_id", "quarter", "outputs__preset_id", "status", "number")
    )
    return {
        PresetKey(account, read_quarter(quarter), preset, status): number
        for account, quarter, preset, status, number in rows
    }


def read_quarter(number: int) -> datetime:
    """The beginning of the quarter that `Quarter` numbers so."""
    return EPOCH + number * QUARTER


def regroup(
    sums: dict[Key, Sums], place: Callable[[Key], tuple[Any, ...] | None]
) -> Iterator[tuple[tuple[Any, ...], Sums]]:
    """The sums of all keys that have one place; those of None are left out."""
    found: defaultdict[tuple[Any, ...], Sums] = defaultdict(Sums)
    for key, one in sums.items():
        if (where := place(key)) is not None:
            found[where].add(one)
    yield from found.items()
