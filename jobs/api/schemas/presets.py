"""Presets, and how often each is used."""

from datetime import datetime
from typing import Any

from ninja import Field, Schema

from jobs.api.schemas.fields import AccountReference, Id, Text


class PresetShape(Schema):
    id: Id = Field(description="Our id of the preset.")
    remote_id: str = Field(description="The provider's id.")
    name: str = Field(description="Its name at the provider; the id, if it has none.")
    kind: Text = Field(description="The provider's own kind, such as `hls`.")
    settings: Any = Field(description="The provider's own settings, with secrets redacted.")


class PresetWithUse(PresetShape):
    """A preset, and the jobs created since `created_after` that it made an output of."""

    account: AccountReference = Field(description="The account that it belongs to.")
    jobs: int = Field(description="Jobs that used it, each counted once.")
    succeeded: int = Field(description="Those of them that succeeded.")
    failed: int = Field(description="Those of them that failed.")
    cancelled: int = Field(description="Those of them that were cancelled.")
    success_rate: float | None = Field(
        description="The part of the ended jobs that succeeded, 0 to 1; null: none has ended."
    )
    last_used_at: datetime | None = Field(
        description="Creation of the newest job that used it, however long ago."
    )


class PresetList(Schema):
    results: list[PresetWithUse] = Field(description="The presets of this page.")
    next: str | None = Field(description="The cursor of the next page; null on the last one.")
