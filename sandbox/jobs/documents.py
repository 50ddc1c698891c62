"""Jobs to and from the JSON documents that the store keeps."""

import json
from typing import Any

from sandbox.jobs.model import Image, ImageSet, Job, Media, MediaInfo, OutputSpec, Problem, Script


def dump(job: Job) -> str:
    return json.dumps(job, default=vars, separators=(",", ":"))


def load(text: str) -> Job:
    fields = json.loads(text)
    script = fields.pop("script")
    return Job(
        input=_media(fields.pop("input")),
        outputs=[_media(output) for output in fields.pop("outputs")],
        script=_script(script) if script else None,
        **fields,
    )


def _media(fields: dict[str, Any]) -> Media:
    spec = fields.pop("spec")
    image_sets = [ImageSet(**each) for each in spec.pop("image_sets")]
    return Media(
        spec=OutputSpec(image_sets=image_sets, **spec),
        info=MediaInfo(**fields.pop("info")),
        problem=_problem(fields.pop("problem")),
        images=[Image(**image) for image in fields.pop("images")],
        **fields,
    )


def _script(fields: dict[str, Any]) -> Script:
    problems = fields.pop("output_problems")
    return Script(
        input_info=MediaInfo(**fields.pop("input_info")),
        input_problem=_problem(fields.pop("input_problem")),
        output_problems={index: Problem(**each) for index, each in problems.items()},
        **fields,
    )


def _problem(fields: dict[str, Any] | None) -> Problem | None:
    return Problem(**fields) if fields else None
