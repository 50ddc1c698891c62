"""Whether passkeys can be used here: browsers bind them to the host name of BASE_URL."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from django.conf import settings


def relying_party() -> str:
    return urlsplit(settings.BASE_URL).hostname or ""


def obstacle() -> str:
    """Why browsers refuse passkeys: `address` (no host name), `insecure` (no https), or empty."""
    host = relying_party()
    try:
        ip_address(host)
    except ValueError:
        is_local = host == "localhost" or host.endswith(".localhost")
        return "" if is_local or settings.BASE_URL.startswith("https://") else "insecure"
    return "address"
