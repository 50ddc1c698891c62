"""All scenarios, in the order in which they run."""

from fnmatch import fnmatchcase
from functools import partial

from tests.browser.stack import ACCOUNTS
from tests.faults import batch, broker, bulk, dead_providers, kills
from tests.faults.scenario import Scenario

SCENARIOS = (
    Scenario(
        tuple(f"real-kills-{provider}" for provider in ACCOUNTS),
        partial(kills.run, kills=10, patience_s=900),
        in_background=True,
        limit_s=2400,
    ),
    Scenario(
        tuple(f"kills-{provider}" for provider in ACCOUNTS),
        partial(kills.run, kills=50, patience_s=300),
        settings="tests.faults.settings",
        limit_s=2400,
    ),
    Scenario(("broker",), broker.run, limit_s=1200),
    Scenario(("batch",), batch.run, limit_s=1500),
    Scenario(("bulk-cancel",), bulk.run, limit_s=1200),
    Scenario(("bulk-retry",), bulk.run, limit_s=1200),
    Scenario(("dead-providers",), dead_providers.run, limit_s=1200),
)


def choose(patterns: list[str]) -> list[tuple[Scenario, list[str]]]:
    """Scenarios, each with those of its rows that match a pattern such as `kills-*`; all if none.

    Raises ValueError for a pattern that no row matches.
    """
    names = [name for scenario in SCENARIOS for name in scenario.rows]
    if unknown := [one for one in patterns if not any(fnmatchcase(name, one) for name in names)]:
        raise ValueError(f"There is no row {unknown[0]}. Rows: {', '.join(names)}.")
    chosen = []
    for scenario in SCENARIOS:
        matching = [
            name
            for name in scenario.rows
            if not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)
        ]
        if matching:
            chosen.append((scenario, matching))
    return chosen
