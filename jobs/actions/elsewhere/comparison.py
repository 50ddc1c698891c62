"""Two attempts side by side: how each ended, how long it took, and what it made."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import zip_longest

from jobs.display.formats import duration, size
from jobs.display.phases import phases
from jobs.models import Job, Output
from providers.core.status import OutputStatus
from providers.core.types import OutputKind


@dataclass(frozen=True, slots=True)
class Row:
    """A figure of both; empty where it is not reported. `difference` is of the later attempt."""

    label: str
    before: str
    after: str
    difference: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    times: list[Row]
    outputs: list[Row]

    @property
    def groups(self) -> list[tuple[str, list[Row]]]:
        return [("Time", self.times), ("Outputs", self.outputs)]


def compare(before: Job, after: Job, now: datetime) -> Comparison:
    """`after` compared with `before`. Two queries."""
    made_before, made_after = _outputs(before), _outputs(after)
    counts = Row(
        "Usable outputs", *(f"{job.outputs_succeeded} of {job.outputs_total}"
                            for job in (before, after))
    )  # fmt: skip
    total = _compare_sizes("All files", _sum(made_before), _sum(made_after))
    return Comparison(
        times=list(_compare_times(before, after, now)),
        outputs=[counts, total, *_compare_outputs(made_before, made_after)],
    )


def _outputs(job: Job) -> list[Output]:
    outputs = job.outputs.defer("secret_url").exclude(kind=OutputKind.IMAGE)
    return list(outputs.order_by("position", "pk"))


def _compare_times(before: Job, after: Job, now: datetime) -> Iterable[Row]:
    spans = [_spans(job, now) for job in (before, after)]
    for label in dict.fromkeys([*spans[0], *spans[1]]):
        old, new = (one.get(label) for one in spans)
        difference = ""
        if old is not None and new is not None and old != new:
            difference = f"{duration(abs(new - old))} {'more' if new > old else 'less'}"
        yield Row(label, duration(old), duration(new), difference)


def _spans(job: Job, now: datetime) -> dict[str, timedelta | None]:
    found: dict[str, timedelta | None] = {
        phase.name: phase.length for phase in phases(job, now) if not phase.is_ahead
    }
    lengths = [length for length in found.values() if length is not None]
    found["Total"] = sum(lengths, timedelta()) if len(lengths) == len(found) else None
    return found


def _compare_outputs(before: list[Output], after: list[Output]) -> Iterable[Row]:
    """Outputs of one kind and height are beside each other, whatever each provider calls them."""
    old, new = _by_shape(before), _by_shape(after)
    for shape in dict.fromkeys([*old, *new]):
        for one, other in zip_longest(old.get(shape, []), new.get(shape, [])):
            made = [part for part in (one, other) if part is not None]
            difference = ""
            if one and other:
                difference = _size_difference(one.size_bytes, other.size_bytes)
            yield Row(_label(made[0]), _describe(one), _describe(other), difference)


def _by_shape(outputs: list[Output]) -> dict[tuple[str, int | None], list[Output]]:
    found: dict[tuple[str, int | None], list[Output]] = {}
    for output in outputs:
        found.setdefault((output.kind, output.height), []).append(output)
    return found


def _label(output: Output) -> str:
    kind = OutputKind(output.kind).capitalize()
    return f"{kind} {output.height}p" if output.height else f"{kind} {output.label}".rstrip()


def _describe(output: Output | None) -> str:
    if output is None:
        return "None"
    if output.status != OutputStatus.SUCCEEDED:
        return output.status.capitalize()
    shape = f"{output.width} × {output.height}" if output.width and output.height else ""
    return ", ".join(part for part in (shape, size(output.size_bytes)) if part) or "Succeeded"


def _sum(outputs: list[Output]) -> int | None:
    known = [one.size_bytes for one in outputs if one.size_bytes is not None]
    return sum(known) if known else None


def _compare_sizes(label: str, before: int | None, after: int | None) -> Row:
    return Row(label, size(before), size(after), _size_difference(before, after))


def _size_difference(before: int | None, after: int | None) -> str:
    if before is None or after is None or before == after:
        return ""
    return f"{size(abs(after - before))} {'more' if after > before else 'less'}"
