"""The tables of the docs, made from what the adapters declare; tests compare them."""

from collections.abc import Iterable
from enum import StrEnum

from providers.core.contract import Provider
from providers.core.types import Capability


def capability_matrix(
    providers: Iterable[type[Provider]], capabilities: Iterable[Capability] = Capability
) -> str:
    """One row per capability, one column per provider."""
    columns = list(providers)
    return _table(
        ["Capability", *(provider.label for provider in columns)],
        [
            [f"`{capability}`", *("yes" if p.supports(capability) else "-" for p in columns)]
            for capability in capabilities
        ],
    )


def offered_capabilities(providers: Iterable[type[Provider]]) -> list[Capability]:
    """Those that some of the providers have."""
    columns = list(providers)
    return [each for each in Capability if any(p.supports(each) for p in columns)]


def status_table(provider: type[Provider]) -> str:
    """One row per status of the provider, for jobs and for outputs."""
    labels = dict.fromkeys([*provider.job_statuses, *provider.output_statuses])
    return _table(
        ["Status", "Job", "Output"],
        [
            [
                f"`{label}`",
                _name(provider.job_statuses.get(label)),
                _name(provider.output_statuses.get(label)),
            ]
            for label in labels
        ],
    )


def error_table(provider: type[Provider]) -> str:
    """One row per class of ours, with the provider's codes that become it."""
    rows = []
    for name in sorted(set(provider.error_classes.values())):
        codes = sorted(code for code, known in provider.error_classes.items() if known == name)
        rows.append([f"`{name}`", ", ".join(f"`{code}`" for code in codes)])
    return _table(["Class", "Codes"], rows)


def describe(provider: type[Provider]) -> str:
    """All tables that the provider's own page holds."""
    parts = [capability_matrix([provider]), status_table(provider), error_table(provider)]
    return "\n".join(parts)


def _name(status: StrEnum | None) -> str:
    return "-" if status is None else f"`{status}`"


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
