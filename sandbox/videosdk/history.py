"""A seeded past of one account at Video SDK."""

import random
from typing import Any
from urllib.parse import urlsplit

from sandbox.jobs.model import Job, JobState
from sandbox.jobs.seeding import History
from sandbox.videosdk import ids
from sandbox.videosdk.job_requests import LINK_LIFE_S, make_outputs

LADDERS: tuple[tuple[dict[str, Any], ...], ...] = (
    (
        {"resolutions": ["240", "480", "720"], "format": "hls"},
        {"resolutions": ["480"], "format": "mp4"},
    ),
    ({"resolutions": ["360", "720", "1080"], "format": "hls"},),
    ({"resolutions": ["480", "1080"], "format": "mp4"},),
    ({"resolutions": ["720"], "format": "mp4"},),
)
STILLS = {"timestamp": "00:00:05", "resolutions": ["360"], "formats": ["jpg", "webp"]}
# The reason of a failure is not reported, so one of each kind is enough.
PROBLEMS: tuple[tuple[str, str, str | None], ...] = (("input", "", None), ("output", "", None))


class VideoSDKHistory(History):
    """Half of the sources are URLs, half are files of the storage."""

    def __init__(self, account: str, seed: int) -> None:
        super().__init__("videosdk", account, PROBLEMS, seed)
        self._choices = random.Random(f"videosdk:{account}:{seed}")  # noqa: S311 (repeatable)

    def unknown(self, now: float) -> Job:
        """In the core it is a cancelled job, and those are not listed here."""
        job = super().unknown(now)
        job.state = JobState.FAILED  # ended, and without files
        return job

    def _job(self, index: int, created_at: float, odd_input: str | None) -> Job:
        job = super()._job(index, created_at, odd_input)
        rng = self._choices
        presets = [{**each, "id": self._id(created_at)} for each in rng.choice(LADDERS)]
        filters = {"filters": rng.choice((["none"], ["none", "blur"]))}
        stills = [{**STILLS, **filters, "id": self._id(created_at)}] if rng.random() < 0.6 else []
        source_url = job.input.url or ""
        job.own = {"presets": presets, "thumbnails": stills, "webhookUrl": None}
        if urlsplit(source_url).scheme not in ("http", "https") or rng.random() < 0.3:
            job.own["videoId"] = self._id(created_at - 600)
        job.outputs = make_outputs(presets, stills, job.token, created_at)
        job.expires_at = created_at + LINK_LIFE_S
        job.metadata, job.grouping, job.test = None, None, False
        return job

    def _id(self, at: float) -> str:
        return ids.to_public(self._choices.getrandbits(40), at)
