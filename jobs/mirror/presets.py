"""Mirroring an account's presets."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from jobs.mirror.storable import fit_to_column
from jobs.models import Preset, ProviderAccount
from providers.core.types import RemotePreset
from providers.parsing.text import make_storable_id


def write_presets(
    account: ProviderAccount, presets: Iterable[RemotePreset], now: datetime
) -> dict[str, Preset]:
    """Mirror presets by remote id; returns the rows by remote id."""
    remotes = {make_storable_id(preset.remote_id): preset for preset in presets}
    rows = _find_rows(account, remotes)
    fresh = []
    for remote_id, remote in remotes.items():
        columns = _reported_columns(remote)
        row = rows.get(remote_id)
        if row is None:
            new = {"first_seen_at": now, "changed_at": now, **columns}
            fresh.append(Preset(account=account, remote_id=remote_id, **new))
        elif any(getattr(row, column) != value for column, value in columns.items()):
            for column, value in columns.items():
                setattr(row, column, value)
            row.changed_at = now
            row.save(update_fields=[*columns, "changed_at"])
    if fresh:
        Preset.objects.bulk_create(fresh, ignore_conflicts=True)
        rows = _find_rows(account, remotes)
    return rows


def _find_rows(account: ProviderAccount, remote_ids: Iterable[str]) -> dict[str, Preset]:
    rows = Preset.objects.filter(account=account, remote_id__in=list(remote_ids))
    return {row.remote_id: row for row in rows}


def _reported_columns(remote: RemotePreset) -> dict[str, Any]:
    """What is empty was not reported: a mere reference names only the id."""
    return {
        column: fit_to_column(Preset, column, value)
        for column in ("name", "kind", "settings")
        if (value := getattr(remote, column))
    }
