"""The providers this installation knows: one line each, in the order people are shown them."""

from collections.abc import Iterable

from providers.core.contract import Provider
from providers.core.removed import removed_provider
from providers.tpstreams.adapter import TPStreams
from providers.videosdk.adapter import VideoSDK
from providers.xvid.adapter import Xvid
from providers.zencoder.adapter import Zencoder

_PROVIDERS: dict[str, type[Provider]] = {
    provider.slug: provider
    for provider in (
        Zencoder,
        VideoSDK,
        TPStreams,
        Xvid,
    )
}


class UnknownProvider(KeyError):
    """No provider has this slug."""

    def __init__(self, slug: str) -> None:
        super().__init__(slug)
        self.slug = slug

    def __str__(self) -> str:
        return f"There is no provider {self.slug!r}. Use one of: {', '.join(_PROVIDERS)}."


def get(slug: str) -> type[Provider]:
    """Return the adapter of this slug. Raises UnknownProvider."""
    try:
        return _PROVIDERS[slug]
    except KeyError:
        raise UnknownProvider(slug) from None


def get_or_removed(slug: str) -> type[Provider]:
    """The adapter of a stored slug, whose provider may have been removed since."""
    return _PROVIDERS.get(slug) or removed_provider(slug)


def all_providers() -> Iterable[type[Provider]]:
    return _PROVIDERS.values()


def choices() -> list[tuple[str, str]]:
    """Return (slug, label) pairs for a form field or a filter."""
    return [(provider.slug, provider.label) for provider in _PROVIDERS.values()]
