"""The field of a request that a provider keeps for its customer: metadata and our key."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


class Format(Protocol):
    """How the customer's value and our key share a field: `customer_text`, `customer_object`."""

    UNIT: str  # what `measure` counts

    def write(self, metadata: Any, key: str | None) -> Any: ...

    def read(self, value: Any) -> tuple[Any, str | None]: ...

    def measure(self, value: Any) -> int: ...


@dataclass(frozen=True, slots=True)
class CustomerField:
    """The field's name in requests and jobs, and how much of it the provider keeps."""

    name: str
    format: Format
    max_length: int | None = None

    def fill(self, body: dict[str, Any], metadata: Any, key: str | None) -> None:
        """Write metadata and key into `body`, whose own value in the field wins over `metadata`."""
        value = self.format.write(body.pop(self.name, None) or metadata, key)
        if value:
            body[self.name] = value

    def is_too_long(self, body: Mapping[str, Any]) -> bool:
        if self.max_length is None:
            return False
        return self.format.measure(body.get(self.name)) > self.max_length
