"""How a browser shows an output, and which addresses a page may load for it."""

from collections.abc import Iterable
from dataclasses import dataclass

from csp.constants import SELF
from django.utils import timezone

from jobs.models import Output
from providers.types import OutputKind
from providers.urls import WEB_SCHEMES, parse_url

# One or two are usual. Proxies refuse an answer whose headers take more than a few kilobytes.
MAX_ORIGINS = 10

PLAYED = (OutputKind.VIDEO, OutputKind.AUDIO, OutputKind.PLAYLIST)


@dataclass(frozen=True, slots=True)
class Playable:
    """`how` is `native`, `hls` or `image`; empty when the browser cannot, with the reason."""

    how: str
    reason: str = ""


def playable(output: Output) -> Playable:
    """How a browser shows `output`, as far as can be told without asking its server."""
    if not output.opens_at:
        return Playable("", "It has no address yet.")
    if origin(output.opens_at) is None:
        return Playable("", _why_not_opened(output.opens_at))
    if output.expires_at and output.expires_at <= timezone.now():
        return Playable("", "Its link has expired.")
    if output.kind == OutputKind.IMAGE:
        return Playable("image")
    if output.kind not in PLAYED:
        return Playable("", f"Not played here: {output.get_kind_display().lower()}.")
    path = parse_url(output.opens_at).path.lower()
    if path.endswith((".mpd", ".ism/manifest")):
        return Playable("", "The player here reads HLS, not this kind of manifest.")
    is_hls = path.endswith((".m3u8", ".m3u")) or output.kind == OutputKind.PLAYLIST
    return Playable("hls" if is_hls else "native")


def origin(url: str) -> str | None:
    """`https://host:port` of an address that a browser can open; None for all others.

    Fit to stand in a policy: a host there may not be a pattern, end the list of sources, or hold
    what no header may, for which the whole header would be encoded and so be without effect.
    """
    return parse_url(url).origin


def _why_not_opened(url: str) -> str:
    scheme = parse_url(url).scheme
    if not scheme or scheme in WEB_SCHEMES:
        return "A browser cannot open its address."
    return f"It lies at a {scheme}:// address: its storage's own tools open it, no browser does."


def origins_of(outputs: Iterable[Output]) -> list[str]:
    found = (origin(output.opens_at) for output in outputs)
    return sorted({one for one in found if one is not None})[:MAX_ORIGINS]


def media_policy(origins: list[str]) -> dict[str, list[str]]:
    """What the job page may load beyond all others: that job's own outputs, and nothing else.

    `blob:` is where hls.js hands the video to the browser; its worker is a file of ours.
    """
    return {
        "connect-src": origins,
        "media-src": [*origins, "blob:"],
        "img-src": origins,
        "worker-src": [SELF],
    }
