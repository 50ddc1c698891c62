"""How a browser shows an output, and which URLs a page may load for it."""

from collections.abc import Iterable
from dataclasses import dataclass

from csp.constants import SELF
from django.utils import timezone

from jobs.models import Job, Output
from providers.core.types import Capability, OutputKind
from providers.parsing.urls import WEB_SCHEMES, parse_url

# One or two are usual. Proxies refuse an answer whose headers take more than a few kilobytes.
MAX_ORIGINS = 10

NEWEST_ALONE = "The provider only returns links for the latest attempt."

PLAYED = (OutputKind.VIDEO, OutputKind.AUDIO, OutputKind.PLAYLIST)


@dataclass(frozen=True, slots=True)
class Playable:
    """`how` is `native`, `hls` or `image`; empty when the browser cannot, with the reason."""

    how: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Opening:
    """Whether a way to open an output is offered; if not, the reason, where there is one to say.

    `is_renewed`: its link has expired, and opening it asks the provider for a new one.
    """

    is_offered: bool
    is_renewed: bool = False
    reason: str = ""


def opening(output: Output) -> Opening:
    """How `output` opens; its job and account are loaded."""
    if not output.was_made:
        return Opening(False)
    makes_links = output.account.adapter_class.supports(Capability.OUTPUT_LINKS)
    if makes_links or not output.is_expired(timezone.now()):
        return Opening(True)
    reason = find_refusal(output)
    if not reason and not output.job.is_newest:
        reason = NEWEST_ALONE
    return Opening(not reason, is_renewed=True, reason=f"The link has expired. {reason}")


def find_refusal(output: Output) -> str:
    """Why the provider cannot be asked for a link to `output` now; empty where it can."""
    account, job = output.account, output.job
    if is_lost(job):
        return "The provider no longer has the job."
    if not account.enabled:
        return f"The account {account} is paused, so no new link can be requested."
    if account.refused_at:
        return (
            f"The provider refuses the credentials of {account}, so no new link can be requested."
        )
    return ""


def is_lost(job: Job) -> bool:
    return job.remote_id is None or job.gone_at is not None


def playable(output: Output) -> Playable:
    """How a browser shows `output`, as far as is known without asking its server.

    One whose link has expired plays where a new link can be had: see `link_origins`.
    """
    if output.url and not output.was_made:
        return Playable("", "There is no file.")
    if not output.opens_at:
        return Playable("", "URL not reported.")
    if origin(output.opens_at) is None:
        return Playable("", _why_not_opened(output.opens_at))
    opens = opening(output)
    if opens.is_renewed and not opens.is_offered:
        return Playable("", opens.reason)
    if output.kind == OutputKind.IMAGE:
        return Playable("image")
    if output.kind not in PLAYED:
        return Playable("", f"Cannot be played here: {output.get_kind_display().lower()}.")
    path = parse_url(output.opens_at).path.lower()
    if path.endswith((".mpd", ".ism/manifest")):
        return Playable("", "The player supports HLS, not this kind of manifest.")
    is_hls = path.endswith((".m3u8", ".m3u")) or output.kind == OutputKind.PLAYLIST
    return Playable("hls" if is_hls else "native")


def origin(url: str) -> str | None:
    """`https://host:port` of a URL that a browser can open; None for all others.

    Safe in a policy: a host there may not be a pattern, end the list of sources, or contain what
    no header may, since the entire header would then be encoded and so have no effect.
    """
    return parse_url(url).origin


def _why_not_opened(url: str) -> str:
    scheme = parse_url(url).scheme
    if not scheme or scheme in WEB_SCHEMES:
        return "Browsers cannot open its URL."
    return f"Stored at {scheme}://, where browsers cannot open it."


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
