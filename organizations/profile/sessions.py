"""Where a person is signed in. allauth keeps the rows; what is here keeps them current."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from allauth.usersessions.models import UserSession
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from organizations.models import AuditEntry, User

SEEN_AT = "session_seen_at"
# exactly would cost two writes per request
SEEN_STEP = timedelta(minutes=10)

# the first that is in the text a browser sends of itself: most claim to be others as well
BROWSERS = (
    *(("Edg", "Edge"), ("OPR", "Opera"), ("SamsungBrowser", "Samsung Internet")),
    *(("Firefox", "Firefox"), ("FxiOS", "Firefox"), ("CriOS", "Chrome"), ("Chrome", "Chrome")),
    *(("Safari", "Safari"), ("curl", "curl")),
)
SYSTEMS = (
    *(("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("CrOS", "ChromeOS")),
    *(("Windows", "Windows"), ("Mac OS X", "macOS"), ("Linux", "Linux")),
)


@dataclass(frozen=True, slots=True)
class Device:
    """One session as the page lists it."""

    pk: int
    name: str
    user_agent: str
    address: str
    began_at: datetime
    seen_at: datetime
    is_current: bool


def describe(user_agent: str) -> str:
    """`Firefox on Linux`, as far as the browser says."""

    def find(known: Iterable[tuple[str, str]]) -> str:
        return next((name for mark, name in known if mark in user_agent), "")

    parts = [part for part in (find(BROWSERS), find(SYSTEMS)) if part]
    return " on ".join(parts) or "Unknown device"


def devices_of(user: User, current_key: str | None) -> list[Device]:
    """Where the user is signed in, the current session first, then the one seen last.

    Rows of sessions that ended in another way, such as by expiry, are deleted.
    """
    devices = [
        Device(
            row.pk,
            describe(row.user_agent),
            row.user_agent,
            row.ip,
            row.created_at,
            row.last_seen_at,
            row.session_key == current_key,
        )
        for row in UserSession.objects.purge_and_list(user)
    ]
    return sorted(devices, key=lambda one: (one.is_current, one.seen_at), reverse=True)


@transaction.atomic
def end(rows: Iterable[UserSession], user: User) -> int:
    """Sign the user out there; returns in how many places.

    The entries are of the board itself: a person's devices are no organization's business.
    """
    ended = 0
    for row in rows:
        row.end()
        details = {"device": describe(row.user_agent), "address": row.ip}
        AuditEntry.record(None, "session.ended", user, actor=user, details=details)
        ended += 1
    return ended


def track_sessions(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: note when and from where each session was last seen, to SEEN_STEP."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        # who did not ask for the session is not signed in, or is a program
        if request.session.accessed and isinstance(request.user, User):
            _note_seen(request)
        return response

    return middleware


def _note_seen(request: HttpRequest) -> None:
    now = timezone.now()
    try:
        seen_at = datetime.fromisoformat(request.session[SEEN_AT])
    except (KeyError, ValueError):
        seen_at = None
    if seen_at and now - seen_at < SEEN_STEP:
        return
    request.session[SEEN_AT] = now.isoformat()
    try:
        UserSession.objects.create_from_request(request)
    except PermissionDenied:
        return  # an address that cannot be known, on a socket
