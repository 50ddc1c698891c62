"""What went wrong: with a job, or with a request."""

from django import template
from structlog.contextvars import get_contextvars

from jobs.display.errors import first_error

register = template.Library()
register.filter("first_error", first_error)


@register.simple_tag
def request_id() -> str:
    """The name that the log has for this request; without a request in the context, too."""
    return str(get_contextvars().get("request_id", ""))
