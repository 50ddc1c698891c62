"""What the form for a new job is filled in with."""

import json
from typing import Any

from django.http import QueryDict

from jobs.forms.job_fields import PACKAGINGS
from jobs.forms.thumbnail_fields import thumbnail_values
from jobs.models import Preset, ProviderAccount
from providers.core.types import JobRequest

PRESETS_SHOWN = 300
MULTIPLE = ("hls", "mp4", "presets", "thumbnails_formats", "thumbnails_filters")


def typed_values(data: QueryDict) -> dict[str, Any]:
    """What was typed into a form so far, as the initial values of one for another account."""
    lists = {name: data.getlist(name) for name in MULTIPLE if name in data}
    return {**data.dict(), **lists}


def neutral_values(request: JobRequest) -> dict[str, Any]:
    """The values of a form that makes `request` at any account, but for `extra`."""
    metadata = request.metadata
    return {
        "input": request.input,
        "destination": request.destination or "",
        **{name: _heights(request, name) for name in PACKAGINGS},
        **thumbnail_values(request.thumbnails),
        "metadata": metadata if isinstance(metadata, str) else write_json(metadata, indent=None),
        "test": request.test,
        "priority": request.priority,
    }


def request_values(request: JobRequest, account: ProviderAccount) -> dict[str, Any]:
    """The values of a form that makes `request` at `account`."""
    presets, extra = _split_presets(request, account)
    values = neutral_values(request) | {"presets": presets, "extra": write_json(extra or None)}
    if not account.adapter_class.packagings:
        heights = (height for one in request.renditions for height in one.heights)
        values |= {"hls": list(heights), "mp4": []}
    return values


def write_json(value: Any, indent: int | None = 2) -> str:
    """JSON as a field of a form holds it; empty for None."""
    return "" if value is None else json.dumps(value, indent=indent, ensure_ascii=False)


def _heights(request: JobRequest, packaging: str) -> list[int]:
    return [
        height for one in request.renditions if one.packaging == packaging for height in one.heights
    ]


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


def preset_choices(account: ProviderAccount) -> list[tuple[str, str]]:
    named = Preset.objects.filter(account=account).exclude(name="")
    return [(one.remote_id, one.name) for one in named.order_by("name", "pk")[:PRESETS_SHOWN]]
