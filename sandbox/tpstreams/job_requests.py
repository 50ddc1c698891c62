"""TPStreams' create request to a core job; errors are by field, as Django REST framework's."""

import json
import re
import secrets
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from sandbox.jobs.model import Job, Media, MediaState, OutputSpec

RESOLUTIONS = ("240p", "360p", "480p", "720p", "1080p")
MAX_METADATA_BYTES = 10_240
REQUIRED = "This field is required."
BLANK = "This field may not be blank."


class RequestRefused(Exception):
    """What is wrong, in sentences by field."""

    def __init__(self, errors: dict[str, list[str]]) -> None:
        super().__init__(str(errors))
        self.errors = errors


def read_job_request(
    payload: Mapping[str, Any], account: str, now: float, link_life_s: float
) -> Job:
    """Raises RequestRefused with everything that is wrong, not only the first thing."""
    errors: dict[str, list[str]] = {}

    def check(name: str, problem: str | None) -> None:
        if problem:
            errors.setdefault(name, []).append(problem)

    source = "input_path" if payload.get("input_path") else "input_url"
    check(source, _find_source_problem(payload, source))
    check("output_path", _find_path_problem(payload, "output_path"))
    check("resolutions", _find_resolutions_problem(payload))
    check("enable_drm", _find_flag_problem(payload.get("enable_drm", False)))
    check("client_metadata", _find_metadata_problem(payload.get("client_metadata")))
    if errors:
        raise RequestRefused(errors)
    token = secrets.token_urlsafe(24)
    outputs = make_outputs(payload["resolutions"], payload["output_path"], token, now)
    return Job(
        provider="tpstreams",
        account=account,
        token=token,
        input=Media(
            state=MediaState.QUEUED, url=payload[source].strip(), created_at=now, updated_at=now
        ),
        outputs=outputs,
        created_at=now,
        submitted_at=now,
        updated_at=now,
        expires_at=now + link_life_s,
        own=make_own(payload.get("enable_drm", False), payload.get("client_metadata")),
    )


def make_outputs(
    resolutions: Iterable[str], output_path: str, token: str, now: float
) -> list[Media]:
    """An HLS rendition for each resolution, and the playlist of all. All go to the same path."""
    labels = list(dict.fromkeys(resolutions))
    specs = {label: OutputSpec("hls", "ts", height=int(label[:-1])) for label in labels}
    streams = [{"source": label} for label in labels]
    specs["video"] = OutputSpec("playlist", "ts", streams=streams)
    return [
        Media(
            url=output_path,
            path=f"out/{token}/{label}/video.m3u8",
            label=label,
            spec=spec,
            created_at=now,
            updated_at=now,
        )
        for label, spec in specs.items()
    ]


def make_own(enable_drm: bool, client_metadata: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "enable_drm": enable_drm,
        "drm_content_id": secrets.token_hex(16) if enable_drm else None,
        "client_metadata": client_metadata or {},
    }


def _find_source_problem(payload: Mapping[str, Any], name: str) -> str | None:
    if name == "input_path":
        return _find_path_problem(payload, name)
    if name not in payload:
        return REQUIRED
    source_url = payload[name]
    if not source_url:
        return BLANK
    return None if _has_scheme(source_url, "http", "https") else "Enter a valid URL."


def _find_path_problem(payload: Mapping[str, Any], name: str) -> str | None:
    if name not in payload:
        return REQUIRED
    path = payload[name]
    if not path:
        return BLANK
    return None if _has_scheme(path, "s3") else "Enter a valid path, like s3://bucket/folder/."


def _has_scheme(source_url: Any, *schemes: str) -> bool:
    if not isinstance(source_url, str) or re.search(r"[\x00-\x1f]", source_url):
        return False
    try:
        parts = urlsplit(source_url.strip())
    except ValueError:
        return False
    return parts.scheme in schemes and bool(parts.netloc)


def _find_resolutions_problem(payload: Mapping[str, Any]) -> str | None:
    if "resolutions" not in payload:
        return REQUIRED
    resolutions = payload["resolutions"]
    if not isinstance(resolutions, list):
        return f'Expected a list of items but got type "{type(resolutions).__name__}".'
    if not resolutions:
        return "This list may not be empty."
    odd = next((each for each in resolutions if each not in RESOLUTIONS), None)
    return None if odd is None else f'"{odd}" is not a valid choice.'


def _find_flag_problem(value: Any) -> str | None:
    return None if isinstance(value, bool) else "Must be a valid boolean."


def _find_metadata_problem(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        return f'Expected a dictionary of items but got type "{type(value).__name__}".'
    size = len(json.dumps(value))
    return "The metadata may have up to 10 KB." if size > MAX_METADATA_BYTES else None
