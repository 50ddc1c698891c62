"""Reading what somebody chose beside the jobs, from a page or the API."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jobs.batches.service import BatchRefused, check_name
from jobs.bulk.actions.base import Options
from jobs.bulk.service import BulkRefused
from jobs.models import Batch, BulkKind
from jobs.models.batch.batch import MAX_NAME
from jobs.query.references import find_accounts, find_batches, has_control_characters
from jobs.query.visibility import Visibility
from providers.core.types import Capability

# Whose each field is; a field of another action is refused.
FIELDS: Mapping[str, BulkKind] = {
    "account": BulkKind.RESUBMIT_ELSEWHERE,
    "presets": BulkKind.RESUBMIT_ELSEWHERE,
    "batch": BulkKind.ADD_TO_BATCH,
    "new_batch": BulkKind.ADD_TO_BATCH,
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """What was entered, by field of the API and the page; what is empty counts as missing."""

    account: str = ""
    presets: Sequence[str] = ()
    batch: str = ""
    new_batch: str = ""


def read_options(kind: BulkKind, visible: Visibility, chosen: Chosen) -> Options:
    """Raises BulkRefused by field: for what is unknown, missing, or of another action."""
    for name, owner in FIELDS.items():
        if getattr(chosen, name) and owner != kind:
            raise BulkRefused({name: f"Only for the action {owner}."})
    if kind == BulkKind.RESUBMIT_ELSEWHERE:
        return _read_account(visible, chosen)
    if kind == BulkKind.ADD_TO_BATCH:
        return _read_batch(visible, chosen.batch.strip(), chosen.new_batch.strip())
    return Options()


def _read_account(visible: Visibility, chosen: Chosen) -> Options:
    if not chosen.account:
        raise BulkRefused({"account": "Choose the account that the jobs are retried at."})
    account = find_accounts(visible.accounts(), [chosen.account]).get(chosen.account)
    if account is None:
        raise BulkRefused({"account": "No account has this id or name."})
    adapter = account.adapter_class
    if not adapter.supports(Capability.SUBMIT):
        raise BulkRefused({"account": f"Jobs cannot be submitted to {adapter.label}."})
    if not account.enabled:
        raise BulkRefused({"account": f"{account.name} is paused. Resume it first."})
    if chosen.presets and adapter.preset_field is None:
        raise BulkRefused({"presets": f"{adapter.label} takes no presets."})
    return Options(account=account, presets=tuple(dict.fromkeys(chosen.presets)))


def _read_batch(visible: Visibility, reference: str, name: str) -> Options:
    if bool(reference) == bool(name):
        raise BulkRefused({"batch": "Choose a batch, or enter the name of a new one."})
    if reference:
        pk = find_batches(visible, [reference]).get(reference)
        if pk is None:
            raise BulkRefused({"batch": "No batch has this id or name."})
        return Options(batch=Batch.objects.defer("request").get(pk=pk))
    _check_new(visible, name)
    return Options(new_batch=name)


def _check_new(visible: Visibility, name: str) -> None:
    if has_control_characters(name):
        raise BulkRefused({"new_batch": "Remove the control characters."})
    if len(name) > MAX_NAME:
        raise BulkRefused({"new_batch": f"Use at most {MAX_NAME} characters."})
    if visible.account_ids is not None:
        # it would belong to no account, so that the token could not see it
        message = "A token of some accounts can only add jobs to a batch that is there."
        raise BulkRefused({"new_batch": message})
    try:
        check_name(visible, name)
    except BatchRefused as error:
        raise BulkRefused({"new_batch": str(error)}) from error
