"""A believable past at Xvid: files made with presets, and what went wrong with some."""

from sandbox.jobs.model import Job
from sandbox.jobs.seeding import History
from sandbox.xvid.job_requests import make_output
from sandbox.xvid.presets import presets_of

# The codes are made up, as the provider documents none for jobs; a message may be missing.
PROBLEMS: tuple[tuple[str, str, str | None], ...] = (
    ("input", "0x0020001", "Input file not found on media.example.com"),
    ("input", "0x0020002", "Access denied to input file"),
    ("input", "0020003", "Download of input file timed out"),
    ("input", "0x0020008", "Input contains no video track"),
    ("input", "0x0020009", "Input file is corrupt at 00:12:07"),
    ("input", "0x002000a", "Input file is truncated"),
    ("input", "0x0020014", "Unsupported codec: Cinepak"),
    ("input", "0x0000001", "Internal Error"),
    ("output", "0x002000b", "Conversion failed at frame 4711"),
    ("output", "0x002000b", None),
    ("output", "0x002000e", "Upload failed: access denied to sftp.example.com"),
    ("output", "0x002000f", "Upload failed: no such bucket reels-old"),
    ("output", "0050001", "Invalid Input"),
)
LADDERS = (
    ("MP4-H264-AAC-360p", "MP4-H264-AAC-720p"),
    ("MP4-H264-AAC-240p", "MP4-H264-AAC-480p", "MP4-H264-AAC-1080p"),
    ("House web 360p", "House archive 720p"),
    ("MP4-H264-AAC-720p",),
    ("MP4-H264-AAC-480p", "WEBM-VP8-VORBIS-480p", "M4A-AAC"),
)


class XvidHistory(History):
    def __init__(self, account: str, seed: int) -> None:
        super().__init__("xvid", account, PROBLEMS, seed)

    def _job(self, index: int, created_at: float, odd_input: str | None) -> Job:
        job = super()._job(index, created_at, odd_input)
        rng = self._random
        by_name = {preset.name: preset for preset in presets_of(self._account)}
        presets = [by_name[name] for name in rng.choice(LADDERS)]
        thumbnails = [{"thumbnail_names": "t_{resolution}", "thumbnail_preset": "thumbnails_small"}]
        images_of = [
            thumbnails if n == 0 and rng.random() < 0.7 else [] for n in range(len(presets))
        ]
        names = [f"{index:05}-{preset.height or 'audio'}" for preset in presets]
        job.outputs = [
            make_output(preset, name, n, job.token, images)
            for n, (preset, name, images) in enumerate(zip(presets, names, images_of, strict=True))
        ]
        for media in job.outputs:
            media.created_at = media.updated_at = created_at
        job.test = False  # there is no such mode
        job.own = {
            "input_name": job.input.url,
            "user_data": job.metadata,
            "outputs": [
                {"preset": preset.id, "output_name": name, "thumbnails": images}
                for preset, name, images in zip(presets, names, images_of, strict=True)
            ],
        }
        return job
