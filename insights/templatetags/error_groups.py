"""Messages with what was replaced in them, and trends as drawings."""

import re
from collections.abc import Sequence

from django import template
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString

from insights.errors.bars import Bar
from insights.templatetags.outcomes import round_up
from jobs.mirror.rules.fingerprint import KINDS, Part
from jobs.models import JobErrorGroup
from providers.parsing.text import make_visible

register = template.Library()

_PLACEHOLDER = re.compile(rf"<({'|'.join(sorted(KINDS))})>")
# of the drawing in a row, in pixels
WIDTH, HEIGHT, GAP = 140, 28, 3


@register.simple_tag
def group_message(group: JobErrorGroup) -> SafeString:
    """The normalized message, its placeholders as chips; the class's sentence without one."""
    if not group.message:
        return SafeString(escape(group.known.sentence))
    pieces = _PLACEHOLDER.split(make_visible(group.message))
    html = [
        format_html('<code class="slot">{}</code>' if number % 2 else "<bdi>{}</bdi>", piece)
        for number, piece in enumerate(pieces)
        if piece
    ]
    return SafeString("".join(html))


@register.simple_tag
def original_message(parts: Sequence[Part]) -> SafeString:
    """A message as the provider wrote it, what differs between jobs marked."""
    html = [
        format_html(
            "<mark><bdi>{}</bdi></mark>" if part.kind else "<bdi>{}</bdi>", make_visible(part.text)
        )
        for part in parts
    ]
    return SafeString("".join(html))


@register.simple_tag
def trend(bars: Sequence[Bar]) -> SafeString:
    """The failures of the days as small bars, each at least one pixel high if there are any."""
    top = max((bar.jobs for bar in bars), default=0) or 1
    width = WIDTH / max(len(bars), 1)
    drawn = []
    for number, bar in enumerate(bars):
        height = max(bar.jobs / top * HEIGHT, 2) if bar.jobs else 1
        kind = "none" if not bar.jobs else "marked" if bar.is_marked else "usual"
        x = f"{number * width:.1f}"
        drawn.append((x, f"{HEIGHT - height:.1f}", f"{width - GAP:.1f}", f"{height:.1f}", kind))
    return format_html(
        '<svg class="trend" width="{}" height="{}" role="img" aria-label="{}">{}</svg>',
        *(WIDTH, HEIGHT, "Failures by day, today last: " + ", ".join(str(b.jobs) for b in bars)),
        format_html_join(
            "", '<rect x="{}" y="{}" width="{}" height="{}" class="trend-{}"/>', drawn
        ),
    )


@register.inclusion_tag("insights/errors/_chart.html")
def trend_chart(bars: Sequence[Bar], by_hour: bool) -> dict[str, object]:
    """The same, large, with a scale; percentages, so that it is as wide as there is room."""
    top = round_up(max((bar.jobs for bar in bars), default=0))
    step = 100 / max(len(bars), 1)
    return {
        "bars": [
            {
                "bar": bar,
                "x": f"{number * step + step * 0.08:.2f}",
                "middle": f"{(number + 0.5) * step:.2f}",
                "width": f"{step * 0.84:.2f}",
                "y": round(130 - bar.jobs / top * 110, 1),
                "height": round(bar.jobs / top * 110, 1),
                "has_label": number % (4 if by_hour else 2)
                == (len(bars) - 1) % (4 if by_hour else 2),
            }
            for number, bar in enumerate(bars)
        ],
        "lines": [(20, top), (75, top // 2)] if top > 1 else [(20, top)],
        "by_hour": by_hour,
    }


@register.filter
def share(part: int, whole: int) -> str:
    """Percent, for the length of a bar."""
    return f"{part / whole * 100:.1f}" if whole else "0"
