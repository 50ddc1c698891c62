"""What the form for a new job is filled in with."""

import json
from typing import Any

from django.http import QueryDict

from jobs.forms.job import preset_choices
from jobs.forms.thumbnail_fields import thumbnail_values
from jobs.models import ProviderAccount
from providers.core.types import JobRequest

MULTIPLE = ("hls", "mp4", "presets", "thumbnails_formats", "thumbnails_filters")


def typed_values(data: QueryDict) -> dict[str, Any]:
    """What was typed into a form so far, as the initial values of one for another account."""
    lists = {name: data.getlist(name) for name in MULTIPLE if name in data}
    return {**data.dict(), **lists}


def request_values(request: JobRequest, account: ProviderAccount) -> dict[str, Any]:
    """The values of a form that makes `request` at `account`."""
    heights = _heights(request, account)
    presets, extra = _split_presets(request, account)
    metadata = request.metadata
    return {
        "input": request.input,
        "destination": request.destination or "",
        "hls": heights.get("hls", []),
        "mp4": heights.get("mp4", []),
        "presets": presets,
        **thumbnail_values(request.thumbnails),
        "metadata": metadata if isinstance(metadata, str) else _as_text(metadata),
        "test": request.test,
        "priority": request.priority,
        "extra": json.dumps(extra, indent=2) if extra else "",
    }


def _heights(request: JobRequest, account: ProviderAccount) -> dict[str, list[int]]:
    heights: dict[str, list[int]] = {}
    for one in request.renditions:
        packaging = one.packaging if account.adapter_class.packagings else "hls"
        heights.setdefault(packaging, []).extend(one.heights)
    return heights


def _split_presets(
    request: JobRequest, account: ProviderAccount
) -> tuple[list[str], dict[str, Any]]:
    """The presets to tick in their own field, so that they can be changed there, and the rest."""
    extra = dict(request.extra)
    field = account.adapter_class.preset_field or ""
    presets = extra.get(field)
    offered = {value for value, _ in preset_choices(account)} if presets else set()
    if not isinstance(presets, list) or not offered.issuperset(presets):
        return [], extra
    del extra[field]
    return presets, extra


def _as_text(metadata: Any) -> str:
    return "" if metadata is None else json.dumps(metadata)
