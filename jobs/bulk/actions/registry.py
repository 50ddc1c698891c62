"""All actions, by their kind."""

from collections.abc import Mapping

from jobs.bulk.actions.add_to_batch import AddToBatch
from jobs.bulk.actions.base import Action, Options
from jobs.bulk.actions.cancel import Cancel
from jobs.bulk.actions.elsewhere import RetryElsewhere
from jobs.bulk.actions.retry import Retry
from jobs.models import BulkAction, BulkKind

ACTIONS: Mapping[BulkKind, type[Action]] = {
    one.KIND: one for one in (Cancel, Retry, RetryElsewhere, AddToBatch)
}

# what `action_of` needs beside the row, and columns that it does not
RELATED = ("target_account", "batch")
UNUSED = ("target_account__credentials", "target_account__hook_secret", "batch__request")


def build_action(kind: BulkKind, options: Options | None = None) -> Action:
    return ACTIONS[kind](options or Options())


def action_of(bulk: BulkAction) -> Action:
    """That of a stored bulk action. No query where it was loaded with RELATED."""
    options = Options(bulk.target_account, tuple(bulk.presets), bulk.batch)
    return build_action(bulk.kind_value, options)
