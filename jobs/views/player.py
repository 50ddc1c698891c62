"""The player and the thumbnails on a job's page: nothing is loaded before somebody asks for it."""

from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from jobs.media.links import NoLink, link_origins
from jobs.media.playback import Playable, origins_of, playable
from jobs.models import Job, Output
from organizations.access import Access
from providers.core.types import Capability, OutputKind

THUMBNAILS_SHOWN = 60
# where each costs a request to the provider
LINKED_THUMBNAILS_SHOWN = 12


@dataclass(frozen=True, slots=True)
class JobFiles:
    """A job's outputs. `origins`: where they can be loaded from, as far as is known beforehand."""

    job: Job
    media: list[Output]
    thumbnails: list[Output]
    makes_links: bool
    origins: list[str]


def read_files(job: Job) -> JobFiles:
    """The outputs of `job` with their presets, in one query."""
    outputs = list(job.outputs.select_related("preset").order_by("position", "pk"))
    for output in outputs:
        output.account = job.account
    makes_links = job.account.adapter_class.supports(Capability.OUTPUT_LINKS)
    return JobFiles(
        job,
        media=[output for output in outputs if output.kind != OutputKind.IMAGE],
        thumbnails=[output for output in outputs if output.kind == OutputKind.IMAGE],
        makes_links=makes_links,
        origins=[] if makes_links else origins_of(outputs),
    )


def player_context(access: Access, files: JobFiles, output_id: str) -> dict[str, Any]:
    """The output to play, and from where else the page may then load it."""
    output = next((one for one in files.media if str(one.pk) == output_id), None)
    play = output and playable(output)
    origins: list[str] = []
    if output and play and play.how:
        try:
            origins = link_origins(output)
        except NoLink as refusal:
            play = Playable("", str(refusal))
    return {"access": access, "job": files.job, "output": output, "play": play, "origins": origins}


def gallery_context(access: Access, files: JobFiles) -> dict[str, Any]:
    """The thumbnails that a browser can show, or the reason why there are none."""
    shown = _shown(files)
    asked = shown[:1] if files.makes_links else [one for one in shown if _is_expired(one)][:1]
    origins: list[str] = []
    reason = ""
    try:
        for output in asked:
            # one answer is enough: all of a job's links are renewed with it
            origins = link_origins(output)
            shown = shown if files.makes_links else _shown(read_files(files.job))
    except NoLink as refusal:
        reason = str(refusal)
        shown = [] if files.makes_links else [one for one in shown if not _is_expired(one)]
    limit = LINKED_THUMBNAILS_SHOWN if files.makes_links else THUMBNAILS_SHOWN
    return {
        "access": access,
        "job": files.job,
        "thumbnails": shown[:limit],
        "thumbnail_count": len(files.thumbnails),
        "origins": origins,
        "reason": reason,
    }


def _shown(files: JobFiles) -> list[Output]:
    return [one for one in files.thumbnails if playable(one).how == "image"]


def _is_expired(output: Output) -> bool:
    return output.is_expired(timezone.now())
