"""Why a bulk action leaves jobs out: the reasons, and conditions that they are made of."""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import NamedTuple

from django.db.models import Q, Value, When

from jobs.actions.facts import find_unfinished_retries
from jobs.actions.offers import Refusal
from jobs.query.visibility import Visibility
from providers.core import registry
from providers.core.contract import Provider
from providers.core.status import TERMINAL
from providers.core.types import Capability

# Beside the reasons of single actions: a retry would encode what is there already. Who wants that
# retries the one job.
RESOLVED = "resolved"
SAME_ACCOUNT = "same_account"
# followed by the batch's id, after a colon, where it is known: see `base_of`
IN_BATCH = "in_batch"

# What is said of several jobs with one reason
SENTENCES: Mapping[str, str] = {
    Refusal.FINISHED: "Already ended",
    Refusal.NOT_FINISHED: "Not ended yet",
    Refusal.WRONG_STATUS: "In a status in which the provider does not do this",
    Refusal.NOT_SUPPORTED: "The provider does not support this",
    Refusal.NOT_SUBMITTED_HERE: "Not submitted with Reelboard, so the settings are unknown",
    Refusal.BEING_SENT: "Being sent to the provider right now",
    Refusal.NOT_ACCEPTED: "Never accepted by the provider",
    Refusal.NOT_CURRENT: "Replaced by a later attempt",
    Refusal.GONE: "No longer at the provider",
    Refusal.PAUSED: "The account is paused",
    Refusal.RETRY_RUNNING: "A retry has not ended yet",
    RESOLVED: "A later attempt has already succeeded",
    SAME_ACCOUNT: "Ran at this account",
    IN_BATCH: "Already in a batch",
}
# Of the batches that jobs are left out for, so many are named; the others are counted together.
MAX_NAMED = 20

ENDED = f"status:{','.join(sorted(TERMINAL))}"


class AccountFacts(NamedTuple):
    """What an account decides about its jobs."""

    pk: int
    provider: str
    enabled: bool


class Clause(NamedTuple):
    """`found` finds jobs that fit the reason, `others` those that do not; None: no query does.

    `{id}` in `found` is the batch that the reason names.
    """

    reason: str
    found: str | None
    others: str | None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Jobs that are left out for one reason; `key` is that of the count, `reason` for programs."""

    key: str
    reason: str
    sentence: str
    count: int


def base_of(key: str) -> str:
    """The reason of a key such as `in_batch:31`."""
    return key.partition(":")[0]


def add_counts(known: Mapping[str, int], counted: Mapping[str, int]) -> dict[str, int]:
    """Both together; of batches, those beyond MAX_NAMED become one count."""
    total = dict(known)
    for key, count in counted.items():
        if key not in total and sum(map(_is_named, total)) >= MAX_NAMED:
            key = base_of(key)
        total[key] = total.get(key, 0) + count
    return total


def describe_left_out(visible: Visibility, left_out: Mapping[str, int]) -> list[LeftOut]:
    """Most jobs first. One query if any is left out for its batch."""
    counts = add_counts({}, left_out)
    ids = {key: int(key.partition(":")[2]) for key in counts if _is_named(key)}
    names: dict[int, str] = {}
    if ids:
        batches = visible.batches().filter(pk__in=ids.values()).order_by()
        names = dict(batches.values_list("pk", "name"))
    rows = []
    for key, count in counts.items():
        sentence = SENTENCES[base_of(key)]
        if key in ids:
            name = names.get(ids[key])
            sentence = f"Already in the batch {f'“{name}”' if name else ids[key]}"
        elif key == IN_BATCH and ids:
            sentence = "Already in another batch"
        rows.append(LeftOut(key, base_of(key), sentence, count))
    return sorted(rows, key=lambda row: (-row.count, row.key))


def _is_named(key: str) -> bool:
    return ":" in key


def refuse(condition: Q, reason: str) -> When:
    return When(condition, then=Value(str(reason)))


def refuse_out_of_reach(among: Q) -> list[When]:
    """What the provider cannot be asked about."""
    return [
        refuse(among & Q(is_newest=False), Refusal.NOT_CURRENT),
        refuse(among & Q(gone_at__isnull=False), Refusal.GONE),
        refuse(among & Q(remote_id__isnull=True), Refusal.NOT_ACCEPTED),
    ]


def refuse_retried(refusals: Mapping[int, str], but: Set[str]) -> dict[int, str]:
    """`refusals` by job, with those that are being retried, unless they have one of `but`.

    One query for each generation of retries.
    """
    found = dict(refusals)
    for pk in find_unfinished_retries(found):
        if pk in found and found[pk] not in but:
            found[pk] = Refusal.RETRY_RUNNING
    return found


def find_able(accounts: Iterable[AccountFacts], capability: Capability) -> list[int]:
    return [
        pk for ids, adapter in by_adapter(accounts) if adapter.supports(capability) for pk in ids
    ]


def find_lacking(accounts: Sequence[AccountFacts], capability: Capability) -> list[int]:
    able = set(find_able(accounts, capability))
    return [one.pk for one in accounts if one.pk not in able]


def by_adapter(
    accounts: Iterable[AccountFacts],
) -> Iterator[tuple[list[int], type[Provider]]]:
    slugs = dict.fromkeys(one.provider for one in accounts)
    for slug in slugs:
        yield [one.pk for one in accounts if one.provider == slug], registry.get_or_removed(slug)


def by_account(reason: str, ids: Sequence[int]) -> Clause:
    """The clause of a reason that all jobs of some accounts have, and no others."""
    if not ids:
        return Clause(reason, None, None)
    text = f"account:{','.join(map(str, ids))}"
    return Clause(reason, text, f"-{text}")
