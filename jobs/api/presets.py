"""`/presets`: presets of all accounts, and how often each is used."""

from typing import Any

from django.utils import timezone
from ninja import Query, Router
from pydantic import BaseModel, Field

from jobs.api.auth import ApiRequest, visible_to
from jobs.api.errors import LIST_REFUSALS, READ_REFUSALS, invalid, not_found
from jobs.api.list_parameters import read_filters
from jobs.api.schemas.parameters import Accounts, Cursor, Ids, Limit, Slugs, Text, Time
from jobs.api.schemas.presets import PresetList, PresetWithUse
from jobs.models import Preset
from jobs.query import presets
from jobs.query.parameters import read_time
from jobs.query.presets import MAX_WINDOW, WINDOW, PresetFilter, Usage
from jobs.query.references import find_by_id

router = Router(tags=["presets"], by_alias=True)


class ListParameters(BaseModel):
    """Documents the query string; PresetFilter reads it, for the page as well."""

    provider: Slugs = []
    account: Accounts = []
    preset: Ids = Field([], description="These presets, by id.")
    q: Text = Field("", description="Words of the name, the kind or the provider's id.")
    created_after: Time = Field(
        "",
        description=f"Since when jobs are counted; by default {WINDOW}, at most "
        f"{MAX_WINDOW.days}d.",
    )
    limit: Limit = ""
    cursor: Cursor = ""


@router.get("", response={200: PresetList, **LIST_REFUSALS}, summary="List presets")
def list_presets(request: ApiRequest, parameters: Query[ListParameters]) -> dict[str, Any]:
    """Presets by name, a page at a time, each with the jobs that used it lately.

    Those that a provider keeps for the account, and those that its jobs named.
    """
    filters = read_filters(PresetFilter, request)
    found = filters.apply(visible_to(request).presets())
    try:
        page = presets.page(found, filters.since, filters.limit, filters.cursor, filters.scope)
    except ValueError as error:
        raise invalid({"cursor": str(error)}) from error
    return {"results": [_shape(*row) for row in page.rows], "next": page.next}


@router.get("/{preset_id}", response={200: PresetWithUse, **READ_REFUSALS}, summary="Read a preset")
def read_preset(request: ApiRequest, preset_id: str) -> dict[str, Any]:
    """One preset, with the jobs that used it in the last 30 days."""
    found = find_by_id(visible_to(request).presets(), preset_id)
    if found is None:
        raise not_found()
    since = read_time(WINDOW, timezone.now())
    (row,) = presets.page(Preset.objects.filter(pk=found.pk), since, limit=1).rows
    return _shape(*row)


def _shape(preset: Preset, usage: Usage) -> dict[str, Any]:
    return {
        "id": preset.pk,
        "account": preset.account,
        "remote_id": preset.remote_id,
        "name": str(preset),
        "kind": preset.kind,
        "settings": preset.settings,
        "jobs": usage.jobs,
        "succeeded": usage.succeeded,
        "failed": usage.failed,
        "cancelled": usage.cancelled,
        "success_rate": usage.success_rate,
        "last_used_at": getattr(preset, "last_used_at", None),
    }
