"""The provider that fares worst, apart from the others."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from insights.statistics.reading import Statistics
from jobs.models import ProviderAccount
from providers.core.status import JobStatus

# Where so few jobs succeed, somebody should look.
LOW_RATE = 0.9


@dataclass(frozen=True, slots=True)
class Split:
    """Success rates by the beginning of an hour or day: of the provider `label`, of the others."""

    label: str
    own: Mapping[datetime, float]
    others: Mapping[datetime, float]


def find_worst(found: Statistics, accounts: Mapping[int, ProviderAccount]) -> Split | None:
    """None where one provider has all the jobs, or none has a low success rate."""
    judged: Counter[tuple[str, int]] = Counter()
    succeeded: Counter[tuple[str, int]] = Counter()
    for (number, account, status), jobs in found.by_account.items():
        if account in accounts and status != JobStatus.CANCELLED:
            place = (accounts[account].provider_label, number)
            judged[place] += jobs
            succeeded[place] += jobs if status == JobStatus.SUCCEEDED else 0
    labels = sorted({label for label, _ in judged})
    rates = {
        label: sum(n for (one, _), n in succeeded.items() if one == label)
        / sum(n for (one, _), n in judged.items() if one == label)
        for label in labels
    }
    if len(rates) < 2 or min(rates.values()) >= LOW_RATE:
        return None
    worst = min(labels, key=lambda label: rates[label])

    def by_time(chosen: Iterable[str]) -> dict[datetime, float]:
        chosen = set(chosen)
        found_rates = {}
        for number, bucket in enumerate(found.buckets):
            places = [(label, number) for label in chosen]
            number_judged = sum(judged[place] for place in places)
            if number_judged:
                found_rates[bucket.at] = sum(succeeded[place] for place in places) / number_judged
        return found_rates

    return Split(worst, by_time([worst]), by_time(label for label in labels if label != worst))
