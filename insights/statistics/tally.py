"""What is counted of jobs, by hour or day, by error and by preset."""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from insights.rollups.facts import Key, PresetKey, Sums, read_quarter
from insights.rollups.histogram import Histogram, read_lanes
from insights.rollups.spans import Window
from providers.core.status import JobStatus

# what Histogram.pack made
Packed = bytes | memoryview
# its first is a Quarter: a date takes longer to read than to count
Row = tuple[int, str, int, int, int, Packed, Packed]


@dataclass(frozen=True, slots=True)
class Outcomes:
    """How many jobs ended how, and how long they waited, ran and what they made."""

    succeeded: int = 0
    failed: int = 0
    cancelled: int = 0
    output_ms: int = 0
    wait: Histogram = Histogram()
    run: Histogram = Histogram()

    @property
    def total(self) -> int:
        return self.succeeded + self.failed + self.cancelled

    @property
    def success_rate(self) -> float | None:
        """Of those that succeeded or failed the part that succeeded, 0 to 1; None without any."""
        judged = self.succeeded + self.failed
        return self.succeeded / judged if judged else None

    def __add__(self, other: "Outcomes") -> "Outcomes":
        return Outcomes(
            self.succeeded + other.succeeded,
            self.failed + other.failed,
            self.cancelled + other.cancelled,
            self.output_ms + other.output_ms,
            self.wait + other.wait,
            self.run + other.run,
        )


@dataclass(frozen=True, slots=True)
class Bucket:
    """What ended in an hour, or a day, from `at` up to `end`."""

    at: datetime
    end: datetime
    outcomes: Outcomes


@dataclass(slots=True)
class Tally:
    """Filled by what reads sums and jobs, in any order."""

    windows: list[Window]
    # by the number of the window and the outcome
    sums: defaultdict[tuple[int, str], Sums] = field(default_factory=lambda: defaultdict(Sums))
    # failed jobs by error class and account
    errors: Counter[tuple[str, int]] = field(default_factory=Counter)
    # jobs by preset and outcome
    presets: Counter[tuple[int, str]] = field(default_factory=Counter)

    # jobs by the number of the window, account and outcome
    by_account: Counter[tuple[int, int, str]] = field(default_factory=Counter)
    # the number of the window that each time is in, of those that were asked for
    _numbers: dict[datetime, int] = field(default_factory=dict)

    def add_rows(self, rows: Iterable[Row]) -> None:
        """What ended in the quarter hours, or in the days that begin with them: status, account,
        jobs, milliseconds of output, and the histograms of waiting and running.
        """
        numbers: dict[int, int] = {}
        for quarter, status, account, jobs, output_ms, wait, run in rows:
            number = numbers.get(quarter, -1)
            if number < 0:
                number = numbers[quarter] = self._number_of(read_quarter(quarter))
            self.by_account[number, account, status] += jobs
            sums = self.sums[number, status]
            sums.jobs += jobs
            sums.output_ms += output_ms
            sums.wait += read_lanes(wait)
            sums.run += read_lanes(run)

    def _number_of(self, at: datetime) -> int:
        number = self._numbers.get(at)
        if number is None:
            found = bisect_right(self.windows, at, key=lambda window: window[0]) - 1
            number = self._numbers[at] = max(found, 0)
        return number

    def add_jobs(self, found: dict[Key, Sums]) -> None:
        for key, sums in found.items():
            number = self._number_of(key.quarter)
            self.by_account[number, key.account, key.status] += sums.jobs
            self.sums[number, key.status].add(sums)
            if key.error_class:
                self.errors[key.error_class, key.account] += sums.jobs

    def add_presets(self, found: dict[PresetKey, int]) -> None:
        for key, jobs in found.items():
            self.presets[key.preset, key.status] += jobs

    def buckets(self) -> list[Bucket]:
        return [
            Bucket(start, end, self._outcomes(number))
            for number, (start, end) in enumerate(self.windows)
        ]

    def _outcomes(self, number: int) -> Outcomes:
        total, counts = Sums(), {}
        for status in (JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED):
            if (sums := self.sums.get((number, status.value))) is not None:
                total.add(sums)
                counts[status.value] = sums.jobs
        return Outcomes(
            **counts,
            output_ms=total.output_ms,
            wait=Histogram(total.wait),
            run=Histogram(total.run),
        )
