"""A provider's faults and which of our classes they are."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from providers.core.errors import classify
from providers.core.types import RemoteError


@dataclass(frozen=True, slots=True)
class ErrorTable:
    """Exact codes first, then patterns of the message, of which the first that fits decides."""

    codes: Mapping[str, str] = field(default_factory=dict)
    patterns: tuple[tuple[str, str], ...] = ()

    def read(self, code: str | None, message: str | None, origin: str = "job") -> RemoteError:
        """Make the error of a fault; `origin` is `job`, `input` or `output:<remote_id>`."""
        code, message = code or "", message or ""
        name = classify(code, message, self.codes, self.patterns)
        return RemoteError(name, code, message, origin)


def map_codes(by_class: Mapping[str, str]) -> dict[str, str]:
    """Turn `{class: "codes in a row"}` into the class by code."""
    return {code: name for name, codes in by_class.items() for code in codes.split()}
