"""What makes jobs comparable: kind and number of their outputs, and how long their input is."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Case, CharField, Exists, OuterRef, QuerySet, Value, When

from jobs.models import Job, Output
from providers.core.types import OutputKind

# stands for all values of a part
ANY = "*"
# of an account's jobs, whatever they are
ALL = f"{ANY}/{ANY}"


def with_output_kind(jobs: QuerySet[Job]) -> QuerySet[Any, Any]:
    """`jobs` with `output_kind`: that of the outputs that take longest to make; '' without any."""
    outputs = Output.objects.filter(job=OuterRef("pk"))
    kinds = (OutputKind.PLAYLIST, OutputKind.VIDEO, OutputKind.AUDIO)
    return jobs.annotate(
        output_kind=Case(
            *(When(Exists(outputs.filter(kind=kind)), then=Value(kind.value)) for kind in kinds),
            default=Value(""),
            output_field=CharField(),
        )
    )


def shape_of(output_kind: str, outputs: int, input_ms: int | None) -> str:
    """`video 4/6`; a part that is not known yet is as in jobs of any kind."""
    made = f"{output_kind} {outputs.bit_length()}" if outputs and output_kind else ANY
    # 30 to 60 s, 1 to 2 min, 2 to 4 min
    length = str((input_ms // 30_000).bit_length()) if input_ms is not None else ANY
    return f"{made}/{length}"


def wider(shape: str) -> Iterator[str]:
    """The shapes that a job counts in: its own, and those with one part or both left open."""
    made, _, length = shape.partition("/")
    yield from dict.fromkeys((shape, f"{ANY}/{length}", f"{made}/{ANY}", ALL))
