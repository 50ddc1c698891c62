"""Translates a request into the job of POST /jobs/.

https://mediahub.xvid.com/manual/api/jobs/POST.html
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from providers.core.errors import Rejected
from providers.core.types import JobRequest, RemotePreset
from providers.parsing.object_ids import is_object_id
from providers.parsing.values import read_dict, read_list

# Xvid fills in the id, so that no job overwrites the files of another one.
DEFAULT_PREFIX = "{job_id}/"

# The one thumbnail preset that the manual names.
THUMBNAIL_PRESET = "thumbnails_small"


def build(request: JobRequest, pipeline_id: str, presets: list[str]) -> dict[str, Any]:
    """Build the job; each of `presets`, ids or names, makes one output."""
    destination = request.destination
    body: dict[str, Any] = {
        "input": {"input_name": request.input},
        "output_prefix": f"{destination.rstrip('/')}/" if destination else DEFAULT_PREFIX,
    }
    if pipeline_id:
        body["pipeline"] = {"id": pipeline_id}
    if presets:
        body["outputs"] = _build_outputs(request, presets)
    return body


def read_presets(value: Any) -> list[str] | None:
    """Read `presets` of a request's `extra`: ids or names; None when it is something else."""
    presets = [value] if isinstance(value, str) else value
    if not isinstance(presets, list | tuple):
        return None
    if not all(isinstance(preset, str) and preset.strip() for preset in presets):
        return None
    return [preset.strip() for preset in presets]


def replace_names(
    body: Mapping[str, Any], list_presets: Callable[[], Iterable[RemotePreset]]
) -> dict[str, Any]:
    """Replace the names of presets by ids; the presets are listed when there is a name.

    Raises Rejected for a name that no preset has, or several have.
    """
    outputs = read_list(body.get("outputs"))
    if not any(_read_preset_name(output) for output in outputs):
        return dict(body)
    ids: dict[str, list[str]] = {}
    for preset in list_presets():
        ids.setdefault(preset.name, []).append(preset.remote_id)
    replaced = [
        {**output, "preset": {"id": _find_preset(name, ids.get(name, []))}}
        if (name := _read_preset_name(output))
        else output
        for output in outputs
    ]
    return {**body, "outputs": replaced}


def _find_preset(name: str, ids: list[str]) -> str:
    if len(ids) == 1:
        return ids[0]
    how_many = f"{len(ids)} presets" if ids else "no preset"
    sentence = f"Xvid has {how_many} called {name}."
    raise Rejected(sentence, messages=[sentence], fields={"renditions": [sentence]})


def _build_outputs(request: JobRequest, presets: list[str]) -> list[dict[str, Any]]:
    """Build one output per preset, named after the renditions where they are as many."""
    names = [
        f"{rendition.packaging}-{height}p"
        for rendition in request.renditions
        for height in rendition.heights
    ]
    if len(names) != len(presets):
        names = [f"output-{number}" for number in range(1, len(presets) + 1)]
    outputs: list[dict[str, Any]] = [
        {"preset": _refer_to(preset), "output_name": name}
        for preset, name in zip(presets, names, strict=True)
    ]
    if request.thumbnails:
        thumbnails = {
            "thumbnail_names": "thumb_{resolution}",
            "thumbnail_preset": THUMBNAIL_PRESET,
        }
        outputs[0]["thumbnails"] = [thumbnails]
    return outputs


def _refer_to(preset: str) -> dict[str, str]:
    return {"id" if is_object_id(preset) else "name": preset}


def _read_preset_name(output: Any) -> str:
    """Read the name by which an output calls its preset; empty when it has the id."""
    reference = read_dict(read_dict(output).get("preset"))
    name = reference.get("name")
    return name if isinstance(name, str) and not reference.get("id") else ""
