"""Times are stored in UTC and shown in the person's time zone."""

from collections.abc import Callable
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from organizations.models import User

# other names of the same zones, kept for old programs
OLD_NAMES = ("Etc/", "SystemV/", "US/", "posix/", "right/")


@cache
def known_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def zone_choices(*also: str) -> list[tuple[str, str]]:
    """What a form offers: regions and UTC, and what is chosen already."""
    usual = {zone for zone in known_zones() if "/" in zone and not zone.startswith(OLD_NAMES)}
    return [(zone, zone.replace("_", " ")) for zone in sorted({"UTC", *usual, *filter(None, also)})]


def zone_of(user: object) -> ZoneInfo:
    """UTC for nobody, and for who has not reported or chosen a zone that is known here."""
    return zone_named(user.time_zone if isinstance(user, User) else "")


def zone_named(name: str) -> ZoneInfo:
    """The zone of this name; UTC for one that is not known here."""
    return ZoneInfo(name if name in known_zones() else "UTC")


def local_times(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware. The API, which speaks UTC, does not have to find out who is signed in."""

    def middleware(request: HttpRequest) -> HttpResponse:
        is_page = not request.path.startswith("/api/")
        if not is_page or settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return get_response(request)
        with timezone.override(zone_of(request.user)):
            return get_response(request)

    return middleware
