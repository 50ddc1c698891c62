"""Whose query it is: what they see, their time zone, and what time it is."""

from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any

from jobs.query.visibility import Visibility


@dataclass(frozen=True, slots=True)
class Context:
    """What the same text means something else without.

    `asks_gone`: jobs that are gone are asked for, and so are not left out of the active statuses.
    `is_wordy`: there are more words than an index is asked for.
    """

    visible: Visibility
    zone: tzinfo
    now: datetime
    asks_gone: bool = False
    is_wordy: bool = False
    _known: dict[str, Any] = field(default_factory=dict)

    def accounts(self) -> list[tuple[int, str, str]]:
        """Id, name and provider of each account that is visible; one query for a whole text."""
        if "accounts" not in self._known:
            rows = self.visible.accounts().order_by("name", "pk")
            self._known["accounts"] = list(rows.values_list("pk", "name", "provider"))
        found: list[tuple[int, str, str]] = self._known["accounts"]
        return found
