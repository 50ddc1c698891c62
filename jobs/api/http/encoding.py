"""Values as the API writes them."""

from datetime import UTC, datetime
from typing import Any

from ninja.renderers import JSONRenderer
from ninja.responses import NinjaJSONEncoder


class ApiEncoder(NinjaJSONEncoder):
    """Times always have milliseconds, and `Z`: as text they sort by time, and one pattern fits."""

    def default(self, o: Any) -> Any:
        if isinstance(o, datetime):
            text = o.astimezone(UTC).isoformat(timespec="milliseconds")
            return text.replace("+00:00", "Z")
        return super().default(o)


class ApiRenderer(JSONRenderer):
    encoder_class = ApiEncoder
