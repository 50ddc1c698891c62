"""What a provider's thumbnails can be."""

from dataclasses import dataclass

# The filter that changes nothing, which every provider has.
NO_FILTER = "none"


@dataclass(frozen=True, slots=True)
class ThumbnailSupport:
    """What a request may say about its thumbnails; what is empty the provider decides by itself.

    `placements` and `sizes` are names of fields of Thumbnails; `heights` is empty where any height
    can be made.
    """

    placements: tuple[str, ...] = ("count", "interval_s", "timestamps")
    formats: tuple[str, ...] = ()
    filters: tuple[str, ...] = (NO_FILTER,)
    sizes: tuple[str, ...] = ()
    heights: tuple[int, ...] = ()
    max_count: int | None = None
    whole_seconds: bool = False
