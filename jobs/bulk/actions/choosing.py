"""Reading what somebody chose beside the jobs, from a page or the API."""

from collections.abc import Mapping

from jobs.batches.service import BatchRefused, check_name
from jobs.bulk.actions.base import Options
from jobs.bulk.service import BulkRefused
from jobs.models import Batch, BulkKind
from jobs.models.batch.batch import MAX_NAME
from jobs.query.references import find_batches, has_control_characters
from jobs.query.visibility import Visibility

# Whose each field is; a field of another action is refused.
FIELDS: Mapping[str, BulkKind] = {
    "batch": BulkKind.ADD_TO_BATCH,
    "new_batch": BulkKind.ADD_TO_BATCH,
}


def read_options(kind: BulkKind, visible: Visibility, given: Mapping[str, str]) -> Options:
    """What `given`, by field, names; empty fields count as missing.

    Raises BulkRefused by field: for what is unknown or missing, and what belongs to another action.
    """
    given = {name: text.strip() for name, text in given.items()}
    for name, text in given.items():
        if text and FIELDS[name] != kind:
            raise BulkRefused({name: f"Only for the action {FIELDS[name]}."})
    if kind == BulkKind.ADD_TO_BATCH:
        return _read_batch(visible, given.get("batch", ""), given.get("new_batch", ""))
    return Options()


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
