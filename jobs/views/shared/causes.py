"""Why jobs failed, each reason with how many and the list of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from providers.core.errors import CLASSES


@dataclass(frozen=True, slots=True)
class Cause:
    title: str
    jobs: int
    url: str


def list_causes(counts: Iterable[tuple[str, int]], url: str) -> list[Cause]:
    """By error class, in the order of `counts`; `url` is the list of all that failed."""
    return [
        Cause(
            CLASSES.get(name, CLASSES["unknown"]).title, jobs, f"{url}&{urlencode({'error': name})}"
        )
        for name, jobs in counts
    ]
