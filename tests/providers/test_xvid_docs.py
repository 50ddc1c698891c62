"""What of Xvid's is not mirrored or declared, and that its page says so."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from providers.core.types import Capability
from providers.xvid.adapter import Xvid

Load = Callable[[str], Any]


def names_in(body: Any) -> set[str]:
    """The keys of a body; what a preset consists of is kept whole, and not listed."""
    if isinstance(body, list):
        return {name for item in body for name in names_in(item)}
    if not isinstance(body, dict):
        return set()
    below = (names_in(part) for name, part in body.items() if name != "preset")
    return set(body) | {name for names in below for name in names}


def test_the_page_accounts_for_every_field_of_a_job_and_a_file(load: Load) -> None:
    page = (Path(__file__).parents[2] / "docs" / "providers" / "xvid.md").read_text()
    reported = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`]+)`", page))))
    bodies = [load(f"xvid/job_{name}.json") for name in ("success", "failure", "queued")]
    assert not names_in(bodies) - reported - {"is_root"}


def test_only_what_the_documents_show_is_declared() -> None:
    assert not Xvid.supports(Capability.WEBHOOK)  # nobody has documented what a ping says
    assert not Xvid.supports(Capability.USAGE)  # users carry mail and billing addresses
    assert not Xvid.supports(Capability.RESUBMIT)
    assert not Xvid.supports(Capability.TEST_MODE)
    assert not Xvid.supports(Capability.PRIORITY)
    assert Xvid.echoes_key
