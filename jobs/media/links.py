"""The address at which a browser opens an output now, asked for anew where that is needed."""

from django.utils import timezone

from jobs.accounts.clients import open_provider
from jobs.media.playback import NEWEST_ALONE, find_refusal, is_lost, origin
from jobs.mirror import writer
from jobs.models import EventSource, Output
from jobs.sync.runner import refresh_one
from providers.core.errors import NotFound, ProviderError
from providers.core.types import Capability

# A person waits for it, and a thread of the web server with them.
DEADLINE_S = 15.0


class NoLink(Exception):
    """Nothing opens; the message says why. `is_final`: asking again will not help."""

    def __init__(self, sentence: str, *, is_final: bool = False) -> None:
        super().__init__(sentence)
        self.is_final = is_final


def find_link(output: Output) -> str:
    """The whole address of `output`, whose job and account are loaded. Raises NoLink.

    The provider is asked only where it makes addresses for the moment, or where the one that we
    hold has expired.
    """
    if output.url and not output.was_made:
        raise NoLink("There is no file of it: the output was not made.", is_final=True)
    if output.account.adapter_class.supports(Capability.OUTPUT_LINKS):
        return _make_link(output)
    if not output.opens_at:
        raise NoLink(
            "The provider has told no address of it, or the key that seals it is lost.",
            is_final=True,
        )
    return _renew_link(output) if output.is_expired(timezone.now()) else output.opens_at


def link_origins(output: Output) -> list[str]:
    """Where else than at its stored address a page must be let load `output` from. Raises NoLink.

    Empty where the address itself is what opens.
    """
    if not output.account.adapter_class.supports(Capability.OUTPUT_LINKS):
        return []
    found = origin(find_link(output))
    return [found] if found else []


def _make_link(output: Output) -> str:
    remote_id = _askable_id(output)
    try:
        with open_provider(output.account, deadline_s=DEADLINE_S) as adapter:
            return adapter.resolve_output_url(remote_id, output.remote_id).url
    except NotFound as error:
        raise NoLink(str(error), is_final=True) from error
    except ProviderError as error:
        raise NoLink(str(error)) from error


def _renew_link(output: Output) -> str:
    """Read the job again, for providers that sign its addresses with each answer."""
    remote_id = _askable_id(output)
    if not output.job.is_newest:
        raise NoLink(f"Its link has expired. {NEWEST_ALONE}", is_final=True)
    writer.invalidate_digest(output.job)
    try:
        refresh_one(output.account, remote_id, source=EventSource.POLL, deadline_s=DEADLINE_S)
    except ProviderError as error:
        raise NoLink(f"Its link has expired, and no newer one could be read. {error}") from error
    output.refresh_from_db(fields=["url", "secret_url", "expires_at"])
    if output.is_expired(timezone.now()):
        raise NoLink("Its link has expired, and the provider gave no newer one.", is_final=True)
    return output.opens_at


def _askable_id(output: Output) -> str:
    """The id of its job at the provider, where the provider may be asked at all."""
    if refusal := find_refusal(output):
        raise NoLink(refusal, is_final=is_lost(output.job))
    return output.job.remote_id or ""
