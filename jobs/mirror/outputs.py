"""Which of our outputs a payload is about, and what it changes of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jobs.mirror.rules import merge
from jobs.models import Job, Output, Preset
from providers.core.types import RemoteOutput


@dataclass
class OutputChanges:
    """The outputs to be written, and the names of the columns that changed."""

    rows: list[Output] = field(default_factory=list)
    columns: set[str] = field(default_factory=set)


def draft_output(
    row: Job, remote: RemoteOutput, position: int, presets: Mapping[str, Preset]
) -> Output:
    output = Output(
        job=row,
        organization_id=row.organization_id,
        account_id=row.account_id,
        sort_at=row.sort_at,
        remote_id=remote.remote_id,
        status="",
        kind="",
        position=-1,
    )
    merge.assign(output, merge.output_changes(output, remote, position))
    output.preset = presets.get(remote.preset_id or "")
    return output


def change_outputs(
    row: Job,
    remotes: Iterable[RemoteOutput],
    known: dict[str, Output],
    presets: Mapping[str, Preset],
) -> OutputChanges:
    """Bring `known`, the job's outputs by remote id, up to date; new ones are added to it."""
    changed = OutputChanges()
    remotes = list(remotes)
    matched = match_outputs(remotes, known.values())
    for position, remote in enumerate(remotes):
        output = matched.get(remote.remote_id)
        if output is None:
            output = known[remote.remote_id] = draft_output(row, remote, position, presets)
            changed.columns.add("remote_id")
            changed.rows.append(output)
        elif changes := _find_changes(output, remote, position, presets):
            merge.assign(output, changes)
            changed.columns |= changes.keys()
            changed.rows.append(output)
    _move_with_job(row, known.values(), changed)
    return changed


def _move_with_job(row: Job, outputs: Iterable[Output], changed: OutputChanges) -> None:
    """Reported or not, outputs are sorted by their job's time."""
    for output in outputs:
        if output.sort_at != row.sort_at:
            output.sort_at = row.sort_at
            changed.columns.add("sort_at")
            if not any(other is output for other in changed.rows):
                changed.rows.append(output)


def _find_changes(
    output: Output, remote: RemoteOutput, position: int, presets: Mapping[str, Preset]
) -> dict[str, Any]:
    if remote.slot and remote.remote_id == remote.slot != output.remote_id:
        return {}  # it is a file by now, which this payload leaves out
    changes = merge.output_changes(output, remote, position)
    preset = presets.get(remote.preset_id or "")
    if preset is not None and output.preset_id != preset.pk:
        changes["preset"] = preset
    return changes


def match_outputs(remotes: list[RemoteOutput], known: Iterable[Output]) -> dict[str, Output]:
    """Our row of each output, by the id that the payload gives it.

    By its id, else by its slot: the row was made before the provider gave the file an id, or the
    payload is one that leaves it out.
    """
    by_id = {row.remote_id: row for row in known}
    matched = {one.remote_id: by_id.pop(one.remote_id) for one in remotes if one.remote_id in by_id}
    # those of this job that no payload with their slot names by their id
    slots = {one.slot for one in remotes if one.slot}
    spare = {row.slot: row for row in by_id.values() if row.slot in slots}
    rest = [one for one in remotes if one.slot and one.remote_id not in matched]
    for one in rest:
        if one.slot in spare:
            matched[one.remote_id] = spare.pop(one.slot)
    for one in rest:
        if one.remote_id not in matched and spare:
            matched[one.remote_id] = spare.pop(next(iter(spare)))
    return matched
