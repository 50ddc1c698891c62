"""A seeded past of one organization at TPStreams."""

import random
from urllib.parse import urlsplit

from sandbox.jobs.model import Job
from sandbox.jobs.seeding import History
from sandbox.tpstreams.job_requests import make_outputs, make_own

OUTPUT_PATH = (
    "s3://objects.example.com/lectures/{folder}/?access_key=SANDBOXACCESSKEYID"
    "&secret_key=sand/box+secret/{folder}&region=eu-west-1"
)
LADDERS = (
    ("240p", "480p"),
    ("240p", "360p", "720p"),
    ("360p", "720p", "1080p"),
    ("240p", "360p", "480p", "720p", "1080p"),
)
# (input or output, no code, the sentence): not all reasons are reported.
PROBLEMS: tuple[tuple[str, str, str | None], ...] = (
    ("input", "", "The specified input URL does not exist or cannot be accessed"),
    ("input", "", "Access denied while reading the input"),
    ("input", "", "The download of the input timed out"),
    ("input", "", "Invalid data found when decoding the input"),
    ("input", "", "The input has no video or audio stream"),
    ("input", "", "Unsupported codec prores_raw"),
    ("input", "", None),
    ("output", "", "FFmpeg exited with code 187"),
    ("output", "", "FFmpeg exited with code 1"),
    ("output", "", "Access denied while writing to the output path"),
    ("output", "", "The bucket of the output path does not exist"),
    ("output", "", "Upload of segment 41 failed"),
    ("output", "", "Transcoding timed out"),
    ("output", "", None),
)


class TPStreamsHistory(History):
    """Lectures and films, each in a ladder of resolutions."""

    def __init__(self, account: str, seed: int) -> None:
        super().__init__("tpstreams", account, PROBLEMS, seed)
        self._choices = random.Random(f"tpstreams:{account}:{seed}")  # noqa: S311 (repeatable)

    def _job(self, index: int, created_at: float, odd_input: str | None) -> Job:
        job = super()._job(index, created_at, odd_input)
        rng = self._choices
        source_url = job.input.url or ""
        if urlsplit(source_url).scheme not in ("http", "https", "s3"):
            # This API reads no FTP: the same file from a web server, without the sign-in.
            source_url = "https://files.example.com/" + source_url.rsplit("/", 1)[-1]
        job.input.url = source_url
        path = OUTPUT_PATH.format(folder=f"{rng.getrandbits(32):08x}")
        job.outputs = make_outputs(rng.choice(LADDERS), path, job.token, created_at)
        metadata = {"course": rng.choice(("optics", "law", "anthropology")), "lesson": index}
        job.own = make_own(rng.random() < 0.1, metadata if rng.random() < 0.6 else None)
        job.metadata, job.grouping, job.test = None, None, False
        return job
