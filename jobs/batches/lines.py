"""An input of a batch, and what it differs in from the others."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from jobs.models import BatchInput
from jobs.submission.stored_request import load_request
from providers.core.types import JobRequest

MAX_INPUTS = 10_000
MAX_NAME = 255


@dataclass(frozen=True, slots=True)
class Line:
    """`overrides` are fields of a JobRequest by name, as `dump_request` writes them.

    `name` is what the job is called; empty for the name of its file.
    """

    input: str = field(repr=False)
    name: str = ""
    metadata: Any = None
    overrides: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, stored: BatchInput) -> Self:
        """The line of an input that was not submitted. Raises Undecryptable."""
        return cls(name=stored.name, **stored.line)

    def dump(self) -> dict[str, Any]:
        """What `of` reads, beside the name."""
        values = asdict(self)
        del values["name"]
        return values

    def fill(self, request: JobRequest) -> JobRequest:
        """The request of this line: `request` with its input, and with what it overrides.

        Of metadata and extra settings that are objects, keys of the line win, and others stay.
        """
        own = load_request({"input": self.input, "metadata": self.metadata, **self.overrides})
        changed = {name: getattr(own, name) for name in self.overrides}
        if "extra" in changed:
            changed["extra"] = {**request.extra, **changed["extra"]}
        if self.metadata is not None:
            changed["metadata"] = _merge(request.metadata, self.metadata)
        return replace(request, input=self.input, **changed)


def _merge(common: Any, own: Any) -> Any:
    return {**common, **own} if isinstance(common, dict) and isinstance(own, dict) else own
