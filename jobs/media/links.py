"""The URL at which a browser opens an output now, asked for again where that is needed."""

from functools import partial

from django.utils import timezone

from jobs.accounts.interactive import ask
from jobs.media.playback import NEWEST_ALONE, find_refusal, is_lost, origin
from jobs.mirror import writer
from jobs.models import EventSource, Output
from jobs.sync.runner import apply_read
from providers.core.contract import Provider
from providers.core.errors import NotFound, ProviderError
from providers.core.types import Capability, OutputLink, RemoteJob


class NoLink(Exception):
    """Nothing opens; the message says why. `is_final`: asking again will not help."""

    def __init__(self, sentence: str, *, is_final: bool = False) -> None:
        super().__init__(sentence)
        self.is_final = is_final


def find_link(output: Output) -> OutputLink:
    """The original URL of `output`, whose job and account are loaded. Raises NoLink.

    The provider is asked only where it makes URLs on demand, or where the one that we have has
    expired.
    """
    if output.url and not output.was_made:
        raise NoLink("There is no file: the output was not created.", is_final=True)
    if output.account.adapter_class.supports(Capability.OUTPUT_LINKS):
        return _make_link(output)
    if not output.opens_at:
        raise NoLink(
            "The provider reported no URL for it, or it can no longer be decrypted.",
            is_final=True,
        )
    if output.is_expired(timezone.now()):
        _renew_link(output)
    return OutputLink(output.opens_at, output.expires_at)


def link_origins(output: Output) -> list[str]:
    """Where else than at its stored URL a page must be let load `output` from. Raises NoLink.

    Empty where the stored URL itself opens. Renews one that has expired.
    """
    makes_links = output.account.adapter_class.supports(Capability.OUTPUT_LINKS)
    if not makes_links and not output.is_expired(timezone.now()):
        return []
    found = origin(find_link(output).url)
    return [found] if found else []


def _make_link(output: Output) -> OutputLink:
    remote_id = _askable_id(output)
    try:
        return ask(
            output.account, lambda adapter: adapter.resolve_output_url(remote_id, output.remote_id)
        )
    except NotFound as error:
        raise NoLink(str(error), is_final=True) from error
    except ProviderError as error:
        raise NoLink(str(error)) from error


def _renew_link(output: Output) -> None:
    """Read the job again, for providers that sign its URLs with each answer."""
    remote_id = _askable_id(output)
    if not output.job.is_newest:
        raise NoLink(f"The link has expired. {NEWEST_ALONE}", is_final=True)

    def get_job(adapter: Provider) -> RemoteJob:
        return adapter.get_job(remote_id)

    writer.invalidate_digest(output.job)
    try:
        read = partial(ask, output.account, get_job)
        apply_read(output.account, remote_id, read, source=EventSource.POLL)
    except ProviderError as error:
        raise NoLink(
            f"The link has expired, and a new one could not be requested. {error}"
        ) from error
    output.refresh_from_db(fields=["url", "secret_url", "expires_at"])
    if output.is_expired(timezone.now()):
        raise NoLink("The link has expired, and the provider returned no new one.", is_final=True)


def _askable_id(output: Output) -> str:
    """The id of its job at the provider. Raises NoLink where the provider cannot be asked."""
    if refusal := find_refusal(output):
        raise NoLink(refusal, is_final=is_lost(output.job))
    return output.job.remote_id or ""
