"""All actions, by their kind."""

from collections.abc import Mapping

from jobs.bulk.actions.add_to_batch import AddToBatch
from jobs.bulk.actions.base import Action, Options
from jobs.bulk.actions.cancel import Cancel
from jobs.bulk.actions.retry import Retry
from jobs.models import BulkAction, BulkKind

ACTIONS: Mapping[BulkKind, type[Action]] = {one.KIND: one for one in (Cancel, Retry, AddToBatch)}


def build_action(kind: BulkKind, options: Options | None = None) -> Action:
    return ACTIONS[kind](options or Options())


def action_of(bulk: BulkAction) -> Action:
    """That of a stored bulk action. No query where its batch was loaded with it."""
    return build_action(bulk.kind_value, Options(batch=bulk.batch))
