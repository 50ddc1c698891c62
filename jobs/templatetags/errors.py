"""What went wrong: with a job, or with a request."""

from django import template
from structlog.contextvars import get_contextvars

from providers.core.errors import CLASSES

register = template.Library()


@register.filter
def error_title(name: str) -> str:
    """What people read in place of an error's class."""
    return CLASSES.get(name, CLASSES["unknown"]).title


@register.simple_tag
def request_id() -> str:
    """The name that the log has for this request; without a request in the context, too."""
    return str(get_contextvars().get("request_id", ""))
