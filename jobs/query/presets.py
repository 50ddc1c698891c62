"""Presets: which there are, how often each is used, and how that ends."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median
from typing import Any, ClassVar, Self

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from jobs.models import Output, Preset
from jobs.models.mirror.preset import PresetQuerySet
from jobs.query.list_filter import ListFilter
from jobs.query.paging.cursors import seal, unseal
from jobs.query.parameters import Parameters, Params, read_time
from jobs.query.visibility import Visibility
from providers.core.status import TERMINAL, JobStatus

# How far back use is counted unless another time is asked for. Counting looks up the job of each
# output that the page's presets made since then, so no time may be older than MAX_WINDOW.
WINDOW = "30d"
MAX_WINDOW = timedelta(days=90)


@dataclass(frozen=True)
class PresetFilter(ListFilter):
    """Which presets a list shows, and since when their use is counted. Made by `parse`."""

    REPEATED: ClassVar[tuple[str, ...]] = ("provider", "account", "preset")
    CONDITIONS: ClassVar[tuple[str, ...]] = (*REPEATED, "q")
    # the time does not narrow the list: it says which jobs are counted
    OTHERS: ClassVar[tuple[str, ...]] = ("created_after", "limit", "cursor")

    # None: every account; what `provider` and `account` together come to
    account_ids: frozenset[int] | None = None
    presets: tuple[Preset, ...] = ()
    q: str = ""
    # `created_after` of the jobs that are counted, as given and as a time
    window: str = WINDOW
    since: datetime = field(default_factory=timezone.now)

    @classmethod
    def parse(cls, params: Params, visible: Visibility) -> Self:
        """Read the query string of a list of presets.

        One query when accounts or providers are named, one when presets are, else none.
        """
        read = cls.read(params, visible)
        window, since = _read_window(read)
        return cls(
            account_ids=read.account_ids(),
            presets=read.presets(),
            q=read.one("q"),
            window=window,
            since=since,
            limit=read.limit(),
            cursor=read.one("cursor"),
            given=read.given,
            errors=read.errors,
            unknown=read.unknown,
            organization_id=visible.organization.pk,
        )

    def apply(self, queryset: PresetQuerySet) -> QuerySet[Preset]:
        """The presets of `queryset` that fit, not sorted."""
        if self.is_unreadable:
            return queryset.none()
        found: QuerySet[Preset] = queryset
        if self.account_ids is not None:
            found = found.filter(account_id__in=sorted(self.account_ids))
        if self.presets:
            found = found.filter(pk__in=[preset.pk for preset in self.presets])
        for word in self.q.split():
            found = found.filter(
                Q(name__icontains=word) | Q(remote_id__icontains=word) | Q(kind__icontains=word)
            )
        return found


def _read_window(read: Parameters) -> tuple[str, datetime]:
    now = timezone.now()
    since = read.time("created_after")
    if since is None:
        return WINDOW, read_time(WINDOW, now)
    if since < now - MAX_WINDOW - timedelta(minutes=1):
        read.errors["created_after"] = f"Usage is counted over at most {MAX_WINDOW.days} days."
        return WINDOW, read_time(WINDOW, now)
    return read.one("created_after"), since


@dataclass(frozen=True, slots=True)
class Usage:
    """The jobs that a preset made an output of, since a time; each counts once."""

    jobs: int = 0
    succeeded: int = 0
    failed: int = 0
    cancelled: int = 0

    @property
    def success_rate(self) -> float | None:
        """The part of the ended jobs that succeeded, 0 to 1; None when none has ended."""
        ended = self.succeeded + self.failed + self.cancelled
        return self.succeeded / ended if ended else None


@dataclass(frozen=True, slots=True)
class PresetPage:
    """Presets by name, each with its use; `next` is a cursor, None on the last page."""

    rows: list[tuple[Preset, Usage]]
    next: str | None


def page(
    queryset: QuerySet[Preset], since: datetime, limit: int, cursor: str = "", scope: str = ""
) -> PresetPage:
    """One page in two queries: the presets with when each was last used, and their use.

    Keyset paging by name and id. Raises ValueError with a sentence for a cursor that is not ours,
    or was made for another scope.
    """
    if cursor:
        name, pk = json.loads(unseal(cursor, scope))
        queryset = queryset.filter(Q(name__gt=name) | Q(name=name, pk__gt=pk))
    # one read at the end of an index for each preset of the page, however much it was used
    uses = Output.objects.filter(preset=OuterRef("pk")).order_by("-sort_at").values("sort_at")[:1]
    found = list(
        queryset.annotate(last_used_at=Subquery(uses))
        .select_related("account")
        .defer("account__credentials", "account__hook_secret", "account__options")
        .order_by("name", "pk")[: limit + 1]
    )
    rows = found[:limit]
    usage = count_usage([preset.pk for preset in rows], since)
    return PresetPage(
        [(preset, usage.get(preset.pk, Usage())) for preset in rows],
        _write_cursor(rows[-1], scope) if len(found) > limit else None,
    )


def count_usage(preset_ids: Iterable[int], since: datetime) -> dict[int, Usage]:
    """The use of each of these presets by jobs created at or after `since`; unused ones are absent.

    One query. It reads the index entries of these presets in that time, and of each one's job
    the status: its cost grows with the outputs that they made since, not with the table.
    """
    rows = (
        Output.objects.filter(preset__in=list(preset_ids), sort_at__gte=since)
        .values("preset_id")
        .annotate(
            jobs=Count("job", distinct=True),
            **{
                status.value: Count("job", distinct=True, filter=Q(job__status=status))
                for status in sorted(TERMINAL)
            },
        )
    )
    counts: dict[int, Usage] = {}
    for row in rows:
        values: dict[str, Any] = dict(row)
        preset_id = values.pop("preset_id")
        counts[preset_id] = Usage(**values)
    return counts


# Of a preset's outputs, the newest that its page looks at
LATEST = 200


@dataclass(frozen=True, slots=True)
class Latest:
    """The newest outputs of a preset, `looked_at` of them: their jobs, and what is usual."""

    job_ids: list[int]
    looked_at: int
    run: timedelta | None
    size_bytes: float | None
    bitrate_kbps: float | None


def read_latest(preset: Preset) -> Latest:
    """In one query, which reads the end of the preset's part of an index."""
    rows = list(
        Output.objects.filter(preset=preset)
        .order_by("-sort_at", "job")
        .values_list(
            "job", "size_bytes", "video_bitrate_kbps", "job__started_at", "job__finished_at"
        )[:LATEST]
    )
    runs = {
        job: (finished - started).total_seconds()
        for job, _, _, started, finished in rows
        if started and finished and finished >= started
    }
    run_s = _median(runs.values())
    return Latest(
        list(dict.fromkeys(row[0] for row in rows)),
        len(rows),
        None if run_s is None else timedelta(seconds=run_s),
        _median(row[1] for row in rows if row[1] is not None),
        _median(row[2] for row in rows if row[2] is not None),
    )


def _median(values: Iterable[float]) -> float | None:
    found = list(values)
    return median(found) if found else None


def count_causes(preset: Preset, since: datetime) -> list[tuple[str, int]]:
    """Why jobs with this preset failed since then: error classes, the most frequent first.

    One query, which costs what `count_usage` does.
    """
    rows = Output.objects.filter(
        preset=preset, sort_at__gte=since, job__status=JobStatus.FAILED
    ).values_list("job__error_class")
    counts = rows.annotate(jobs=Count("job", distinct=True))
    return sorted(counts, key=lambda row: (-row[1], row[0]))


def _write_cursor(preset: Preset, scope: str) -> str:
    return seal(json.dumps([preset.name, preset.pk], ensure_ascii=False), scope)
