"""How far a provider's clock may be ahead of ours before its times are not believed."""

from datetime import datetime, timedelta

# Clocks that are set by the network agree to a second; more than this is a wrong clock or zone.
CLOCK_SKEW = timedelta(minutes=1)


def is_ahead(at: datetime, now: datetime) -> bool:
    """Whether a time that a provider reports is in the future of our clock."""
    return at > now + CLOCK_SKEW
