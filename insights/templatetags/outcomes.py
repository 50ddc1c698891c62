"""How jobs ended, as a drawing."""

from collections.abc import Sequence

from django import template

from insights.statistics.tally import Bucket

register = template.Library()

# of the drawing, in pixels
HEIGHT, BASE = 170, 140
# hours between two labels of the axis
LABELLED = 3
# a part of a bar that is there is seen
LEAST = 1.5


@register.inclusion_tag("insights/overview/_outcome_chart.html")
def outcome_chart(buckets: Sequence[Bucket]) -> dict[str, object]:
    """Bars of the hours, failures on the baseline; percentages, so that it fills its room."""
    most = max((bucket.outcomes.total for bucket in buckets), default=0)
    top = round_up(most)
    step = 100 / max(len(buckets), 1)
    return {
        "height": HEIGHT,
        "base": BASE,
        "lines": [(BASE - 120, top), (BASE - 60, top // 2)] if top > 1 else [(BASE - 120, top)],
        "bars": [
            {
                "bucket": bucket,
                "x": f"{number * step + step * 0.08:.2f}",
                "middle": f"{(number + 0.5) * step:.2f}",
                "width": f"{step * 0.84:.2f}",
                "parts": _parts(bucket, top),
                "has_label": number % LABELLED == 0,
            }
            for number, bucket in enumerate(buckets)
        ],
    }


def _parts(bucket: Bucket, top: int) -> list[tuple[str, str, str]]:
    """Class, y and height of each part, from the baseline up, a pixel apart."""
    outcomes, y, parts = bucket.outcomes, float(BASE), []
    for kind, jobs in (
        ("bad", outcomes.failed),
        ("good", outcomes.succeeded),
        ("off", outcomes.cancelled),
    ):
        if jobs:
            height = max(jobs / top * 120 - 1, LEAST)
            y -= height
            parts.append((kind, f"{y:.1f}", f"{height:.1f}"))
            y -= 1
    return parts


def round_up(number: int) -> int:
    """To one digit and zeros, an even one, so that half of it is a whole number."""
    if number <= 2:
        return max(number, 1)
    size = 10 ** (len(str(number)) - 1)
    rounded = -(-number // size) * size
    return rounded if rounded % 2 == 0 else rounded + max(size, 1)
