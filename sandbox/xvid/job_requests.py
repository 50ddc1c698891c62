"""A request for a job to a core job, with the provider's own refusals."""

import re
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from sandbox.jobs.model import ImageSet, Job, Media
from sandbox.xvid.presets import Preset, find_preset

THUMBNAIL_PRESETS = {"thumbnails_small": 160, "thumbnails_medium": 320, "thumbnails_large": 640}


class InvalidInput(Exception):
    """The request is refused; Xvid does not say why."""


def read_job_request(
    body: Any, account: str, pipeline_id: str, uploads_url: str, now: float, keep_s: float
) -> Job:
    """`uploads_url` is the base URL of inputs given as a path in the pipeline's storage."""
    request = _object(_object(body).get("job"))
    if _object(request.get("pipeline")).get("id") != pipeline_id:
        raise InvalidInput
    name = _text(_object(request.get("input")).get("input_name"))
    user_data = request.get("user_data")
    if user_data is not None and not isinstance(user_data, str):
        raise InvalidInput
    asked = request.get("outputs")
    if not isinstance(asked, list) or not asked:
        raise InvalidInput
    token = secrets.token_urlsafe(24)
    outputs = [_read_output(each, index, account, token) for index, each in enumerate(asked)]
    for media in outputs:
        media.created_at = media.updated_at = now
    is_url = bool(urlsplit(name).scheme)
    url = name if is_url else uploads_url + quote(name.rsplit("/", 1)[-1])
    return Job(
        provider="xvid",
        account=account,
        token=token,
        input=Media(state="queued", url=url, created_at=now, updated_at=now),
        outputs=outputs,
        metadata=user_data,
        created_at=now,
        submitted_at=now,
        updated_at=now,
        expires_at=now + keep_s,
        own={
            "input_name": name,
            "user_data": user_data,
            "output_prefix": request.get("output_prefix"),
            "autograph": request.get("autograph"),
            "outputs": [_keep(each) for each in asked],
        },
    )


def make_output(preset: Preset, name: str, index: int, token: str, thumbnails: list[Any]) -> Media:
    safe = re.sub(r"[^\w.-]+", "-", name).strip(".-") or "output"
    spec = preset.spec()
    spec.image_sets = [
        ImageSet(
            number=1,
            format="jpg",
            width=THUMBNAIL_PRESETS.get(str(each.get("thumbnail_preset")), 160),
            prefix=f"thumb-{number}",
        )
        for number, each in enumerate(thumbnails)
    ]
    path = f"out/{token}/{index}/{safe[:80]}.{preset.extension}"
    return Media(path=path, label=name, spec=spec)


def _read_output(raw: Any, index: int, account: str, token: str) -> Media:
    request = _object(raw)
    preset = find_preset(str(_object(request.get("preset")).get("id")), account)
    if preset is None:
        raise InvalidInput
    thumbnails = request.get("thumbnails") or []
    if not isinstance(thumbnails, list) or not all(isinstance(each, dict) for each in thumbnails):
        raise InvalidInput
    name = request.get("output_name")
    return make_output(preset, str(name or f"output{index}"), index, token, thumbnails)


def _keep(request: Mapping[str, Any]) -> dict[str, Any]:
    """What is returned as it was given."""
    kept = {name: request.get(name) for name in ("output_name", "thumbnails", "logos", "settings")}
    return {**kept, "preset": _object(request.get("preset")).get("id")}


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise InvalidInput
    return value
