"""Builds the job of POST /jobs/, and says beforehand what Xvid would not take.

https://mediahub.xvid.com/manual/api/jobs/POST.html
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from providers.core.errors import Rejected
from providers.core.types import JobRequest, RemotePreset, RequestIssue
from providers.parsing import customer_text
from providers.parsing.values import read_dict

# Xvid fills in the id, so that no job overwrites the files of another one.
DEFAULT_PREFIX = "{job_id}/"

# The one thumbnail preset that the manual names.
THUMBNAILS = {"thumbnail_names": "thumb_{resolution}", "thumbnail_preset": "thumbnails_small"}

_PRESET_ID = re.compile(r"[0-9a-f]{24}", re.IGNORECASE | re.ASCII)


def build(request: JobRequest, pipeline_id: str, key: str | None) -> dict[str, Any]:
    """Build the job. A `user_data` in `extra` is the customer's value, and keeps our key.

    `presets` in `extra` is ours: ids or names, one output each.
    """
    extra = dict(request.extra)
    presets = _read_presets(extra.pop("presets", None)) or []
    body: dict[str, Any] = {
        "input": {"input_name": request.input},
        "output_prefix": _build_prefix(request.destination),
    }
    if pipeline_id:
        body["pipeline"] = {"id": pipeline_id}
    if presets:
        body["outputs"] = _build_outputs(request, presets)
    body |= extra
    if kept := customer_text.write(body.pop("user_data", None) or request.metadata, key):
        body["user_data"] = kept
    return body


def name_presets(
    body: Mapping[str, Any], list_presets: Callable[[], Iterable[RemotePreset]]
) -> dict[str, Any]:
    """Put ids in the place of the names of presets; the presets are asked for when there are any.

    Raises Rejected for a name that no preset has, or several have.
    """
    outputs = body.get("outputs")
    if not isinstance(outputs, list) or not any(_preset_name(output) for output in outputs):
        return dict(body)
    ids: dict[str, list[str]] = {}
    for preset in list_presets():
        ids.setdefault(preset.name, []).append(preset.remote_id)
    named = []
    for output in outputs:
        if name := _preset_name(output):
            found = ids.get(name, [])
            if len(found) != 1:
                how_many = "no preset" if not found else f"{len(found)} presets"
                sentence = f"Xvid has {how_many} called {name}."
                raise Rejected(sentence, messages=[sentence], fields={"renditions": [sentence]})
            output = {**output, "preset": {"id": found[0]}}
        named.append(output)
    return {**body, "outputs": named}


def find_issues(request: JobRequest, pipeline_id: str) -> Iterator[RequestIssue]:
    extra = request.extra
    if not (pipeline_id or extra.get("pipeline") or extra.get("pipeline_id")):
        yield RequestIssue(
            "account", "Xvid runs jobs in a pipeline: set the account's option pipeline_id."
        )
    yield from _find_output_issues(request)
    if "://" in (request.destination or ""):
        yield RequestIssue(
            "destination",
            "Xvid writes into its pipeline's storage: the destination can only be a folder there.",
        )
    if request.test:
        yield RequestIssue("test", "Xvid has no test mode: the job would run and count in full.")
    if request.priority is not None:
        yield RequestIssue("priority", "Xvid knows no priority; it is left out.", blocking=False)


def _find_output_issues(request: JobRequest) -> Iterator[RequestIssue]:
    presets, outputs = request.extra.get("presets"), request.extra.get("outputs")
    if not presets and not outputs:
        yield RequestIssue(
            "renditions",
            "At Xvid renditions need a preset by id or name, or extra.outputs. Put one preset an "
            "output into extra.presets.",
        )
        return
    if presets and _read_presets(presets) is None:
        yield RequestIssue("extra", "The presets are a list of ids or names.")
    if presets and outputs:
        yield RequestIssue("extra", "The outputs in extra replace its presets.", blocking=False)
    if request.renditions:
        yield RequestIssue(
            "renditions",
            "The presets decide packaging and size; these are left out.",
            blocking=False,
        )
    if request.thumbnails:
        told = (
            "The outputs in extra say themselves whether there are thumbnails; this is left out."
            if outputs
            else "Xvid's preset thumbnails_small decides how many there are, their size and format."
        )
        yield RequestIssue("thumbnails", told, blocking=False)


def _read_presets(told: Any) -> list[str] | None:
    """Read one or more ids or names; None when it is something else."""
    presets = [told] if isinstance(told, str) else told
    if not isinstance(presets, list | tuple):
        return None
    if not all(isinstance(preset, str) and preset.strip() for preset in presets):
        return None
    return [preset.strip() for preset in presets]


def _build_outputs(request: JobRequest, presets: list[str]) -> list[dict[str, Any]]:
    asked = [
        f"{rendition.packaging}-{height}p"
        for rendition in request.renditions
        for height in rendition.heights
    ]
    names = (
        asked if len(asked) == len(presets) else [f"output-{n + 1}" for n in range(len(presets))]
    )
    outputs: list[dict[str, Any]] = [
        {"preset": _refer(preset), "output_name": name}
        for preset, name in zip(presets, names, strict=True)
    ]
    if request.thumbnails and outputs:
        outputs[0]["thumbnails"] = [dict(THUMBNAILS)]
    return outputs


def _refer(preset: str) -> dict[str, str]:
    return {"id" if _PRESET_ID.fullmatch(preset) else "name": preset}


def _preset_name(output: Any) -> str:
    """The name by which an output calls its preset; empty when it has the id."""
    reference = read_dict(read_dict(output).get("preset"))
    name = reference.get("name")
    return name if isinstance(name, str) and not reference.get("id") else ""


def _build_prefix(destination: str | None) -> str:
    return f"{destination.rstrip('/')}/" if destination else DEFAULT_PREFIX
