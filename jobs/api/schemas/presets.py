"""Presets, and how often each is used."""

from datetime import datetime
from typing import Any

from ninja import Field, Schema

from jobs.api.schemas.fields import AccountReference, Id, Text


class PresetShape(Schema):
    id: Id
    remote_id: str
    name: str
    kind: Text
    settings: Any


class PresetWithUse(PresetShape):
    """A preset, and the jobs created since `created_after` that it made an output of."""

    account: AccountReference
    jobs: int
    succeeded: int
    failed: int
    cancelled: int
    success_rate: float | None = Field(
        description="The part of the ended jobs that succeeded, 0 to 1; null: none has ended."
    )
    last_used_at: datetime | None = Field(
        description="Creation of the newest job that used it, however long ago."
    )


class PresetList(Schema):
    results: list[PresetWithUse]
    next: str | None = Field(description="The cursor of the next page; null on the last one.")
