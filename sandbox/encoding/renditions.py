"""What an output will be, from its settings and the input: sizes, lengths, thumbnail times."""

from sandbox.jobs.model import ImageSet, MediaInfo, OutputSpec

TEST_CLIP_S = 5  # outputs of test jobs are cut to this
USUAL_SIDE = 1920  # unless a size is asked for
MAX_SIDE = 3840
MAX_IMAGES = 100


def frame_size(spec: OutputSpec, source: MediaInfo) -> tuple[int, int]:
    """Inside the asked box, keeping the shape of the picture, in even numbers."""
    width, height = shown_size(source)
    scale = fit(width, height, *_box(spec, width, height), spec.upscale)
    return _even(width * scale), _even(height * scale)


def shown_size(source: MediaInfo) -> tuple[int, int]:
    """The size of the picture in square pixels, which no pixel of it is larger than."""
    width, height, aspect = source.width or 640, source.height or 360, source.pixel_aspect or 1
    return (round(width * aspect), height) if aspect > 1 else (width, round(height / aspect))


def image_size(images: ImageSet, source: MediaInfo) -> tuple[int, int]:
    width, height = shown_size(source)
    scale = fit(width, height, *_box(images, width, height), upscale=False)
    return _even(width * scale), _even(height * scale)


def _box(spec: OutputSpec | ImageSet, width: int, height: int) -> tuple[int | None, int | None]:
    """A short side bounds the width of an upright picture, and the height of any other."""
    if spec.short_side is None:
        return spec.width, spec.height
    return (spec.short_side, None) if width < height else (None, spec.short_side)


def fit(
    width: int, height: int, box_width: int | None, box_height: int | None, upscale: bool
) -> float:
    is_asked = box_width or box_height
    limit = MAX_SIDE if is_asked else USUAL_SIDE
    scales = [(box_width or limit) / width, (box_height or limit) / height]
    if not is_asked:
        scales.append(1.0)
    return min(*scales, *([] if upscale else [1.0]))


def length_s(spec: OutputSpec, source: MediaInfo, test: bool) -> float:
    """How long the output will be."""
    length = max(0.0, (source.duration_ms or 0) / 1000 - spec.start_s)
    limits = [spec.clip_s or length, TEST_CLIP_S if test else length]
    return min(length, *limits)


def image_times(images: ImageSet, length: float) -> list[float]:
    """Seconds into the output at which thumbnails are taken."""
    times: list[float] = [0.0] if images.at_start else []
    if images.times:
        times += [at for at in images.times if at < length]
    elif images.interval_s:
        steps = int(min(length / images.interval_s, MAX_IMAGES))
        times += [step * images.interval_s for step in range(1 if times else 0, steps + 1)]
    elif images.number:
        times += [length * (k + 1) / (images.number + 1) for k in range(images.number)]
    latest = max(0.0, length - 0.1)
    return [min(at, latest) for at in times][:MAX_IMAGES]


def skip_reason(spec: OutputSpec, source: MediaInfo) -> str | None:
    """Why the customer's own rule leaves this output out, if it does."""
    values = {
        "duration": (source.duration_ms or 0) / 1000,
        "width": source.width or 0,
        "height": source.height or 0,
    }
    for rule, limit in spec.skip.items():
        bound, _, name = rule.partition("_")
        if (values[name] < limit) if bound == "min" else (values[name] > limit):
            return rule
    return None


def _even(number: float) -> int:
    return max(2, round(number / 2) * 2)
