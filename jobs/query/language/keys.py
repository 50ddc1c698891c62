"""The keys of the query language: a key is one entry here, and a function in `conditions`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from jobs.query.language import choices, conditions
from jobs.query.language.choices import Choice
from jobs.query.language.conditions import Condition
from jobs.query.language.context import Context


@dataclass(frozen=True, slots=True)
class Key:
    """`title` says what it selects, `example` is a filter to show.

    `offer` lists values that begin like a text. `is_range`: its values may be compared, and have
    `..`. `is_indexed`: alone or with other such keys it is found by an index, however many jobs
    there are; one with `*` is not. `is_text`: it looks for text, which the index of the search
    finds unless it is common. `follows_status`: jobs come to fit, and cease to, as their status
    changes.
    """

    title: str
    example: str
    condition: Condition
    offer: Callable[[Context, str], list[Choice]] | None = None
    is_range: bool = False
    is_indexed: bool = False
    is_text: bool = False
    follows_status: bool = False


KEYS: Mapping[str, Key] = {
    "status": Key(
        "Status",
        "status:failed",
        conditions.status,
        choices.statuses,
        is_indexed=True,
        follows_status=True,
    ),
    "provider": Key(
        "Provider", "provider:NAME", conditions.provider, choices.providers, is_indexed=True
    ),
    "account": Key(
        "Account, by name or id",
        "account:main",
        conditions.account,
        choices.accounts,
        is_indexed=True,
    ),
    "error": Key(
        "Error class, or a family such as input.*",
        "error:input.*",
        conditions.error,
        choices.errors,
        is_indexed=True,
        follows_status=True,
    ),
    "error_group": Key(
        "Error group, by id",
        "error_group:12",
        conditions.error_group,
        choices.error_groups,
        is_indexed=True,
        follows_status=True,
    ),
    "code": Key(
        "The provider's error code",
        "code:FileNotFound*",
        conditions.code,
        is_text=True,
        follows_status=True,
    ),
    "name": Key("Text in the job's name", "name:lecture", conditions.name, is_text=True),
    "file": Key("Text in the input's URL", "file:lecture-12.mov", conditions.file, is_text=True),
    "id": Key("Id here or at the provider", "id:101,102", conditions.job_id, is_indexed=True),
    "output": Key(
        "Text in an output's URL or id", "output:1080p.mp4", conditions.output, is_text=True
    ),
    "label": Key("Text in an output's label", "label:720p", conditions.label, is_text=True),
    "meta": Key("Text in the metadata", "meta:order-4711", conditions.metadata, is_text=True),
    "batch": Key(
        "Batch, by its id or exact name",
        'batch:"spring 2026"',
        conditions.batch,
        choices.batches,
        is_indexed=True,
    ),
    "bulk": Key(
        "Acted on by a bulk action, by its id, and with an outcome such as 12/failed",
        "bulk:12",
        conditions.bulk,
        is_indexed=True,
    ),
    "preset": Key(
        "Preset of an output, by name or id",
        "preset:web-720",
        conditions.preset,
        choices.presets,
        is_indexed=True,
    ),
    "by": Key(
        "Who submitted it",
        "by:ann@studio.example",
        conditions.submitter,
        choices.submitters,
        is_indexed=True,
    ),
    "assigned": Key(
        "Who looks after it, by e-mail address or name",
        "assigned:me",
        conditions.assigned,
        choices.assignees,
        is_indexed=True,
    ),
    "created": Key(
        "When it was created",
        "created:>2d",
        conditions.time,
        choices.times,
        is_range=True,
        is_indexed=True,
    ),
    "started": Key(
        "When it started",
        "started:>2h",
        conditions.time,
        choices.times,
        is_range=True,
        is_indexed=True,
    ),
    "finished": Key(
        "When it ended",
        "finished:today",
        conditions.time,
        choices.times,
        is_range=True,
        is_indexed=True,
    ),
    "changed": Key(
        "When it last changed",
        "changed:>1h",
        conditions.time,
        choices.times,
        is_range=True,
        is_indexed=True,
    ),
    "waited": Key(
        "How long it waited", "waited:>10m", conditions.waited, choices.lengths, is_range=True
    ),
    "ran": Key("How long it ran", "ran:>20m", conditions.ran, choices.lengths, is_range=True),
    "is": Key(
        "A mark of the job", "is:unresolved", conditions.flag, choices.flags, follows_status=True
    ),
    "has": Key(
        "What it has", "has:error", conditions.present, choices.present, follows_status=True
    ),
}
