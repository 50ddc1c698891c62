"""Pictures of an input, taken at the times and in the sizes that an output asks for."""

from pathlib import Path

from sandbox.encoding.bench import Bench
from sandbox.encoding.downloads import InputProblem
from sandbox.encoding.packaging import open_at, picture_filter
from sandbox.encoding.renditions import frame_size, image_size, image_times
from sandbox.jobs.model import Image, Media, MediaInfo, ProblemKind


def take_images(
    bench: Bench, path: Path, output: Media, source: MediaInfo, length: float
) -> list[Image]:
    """Take all pictures of an output of this length, and put them beside it.

    Raises InputProblem where there is none, FFmpegFailed, Stopped.
    """
    images: list[Image] = []
    if not (output.spec.image_sets and source.video_codec):
        return images
    folder = (bench.media.root / (output.path or "")).parent
    width, height = frame_size(output.spec, source)
    picture = MediaInfo(width=width, height=height)
    if source.video_ms:
        length = min(length, source.video_ms / 1000 - output.spec.start_s)
    for image_set in output.spec.image_sets:
        size = image_size(image_set, picture)
        for number, at in enumerate(image_times(image_set, length)):
            name = f"{image_set.prefix}_{number:04}.{image_set.format}"
            bench.runner.run(
                [*open_at(path, output.spec.start_s + at, source), "-map", "0:V:0"]
                + ["-frames:v", "1", "-vf", picture_filter(image_set, size, source)]
                + ["-update", "1", "-threads", "1", name],
                folder=folder,
            )
            if not (folder / name).exists():
                raise InputProblem(
                    ProblemKind.THUMBNAILS_FAILED, f"There is no picture at {at:.1f} s."
                )
            images.append(
                Image(
                    id=bench.store.new_file_id(),
                    label=image_set.label,
                    path=str((folder / name).relative_to(bench.media.root)),
                    format=image_set.format,
                    width=size[0],
                    height=size[1],
                    size_bytes=(folder / name).stat().st_size,
                    created_at=bench.clock.now(),
                )
            )
    return images
