"""Structured logs, redacted, a record a line.

Every record of every library, ours and the standard library's, passes `redact_event` just before
it is rendered, its traceback too: a provider's answer in an exception's text is no safer than one
in a message.
"""

import logging.config
import sys
from typing import Any

import sentry_sdk
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from providers.http.redaction import redact
from providers.parsing.text import make_visible


def redact_event(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    redacted: EventDict = redact(dict(event))
    return redacted


def drop_client_traceback(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """A request that was refused or found nothing is a line: Django logs how it came to that."""
    status = getattr(event.get("_record"), "status_code", None)
    if isinstance(status, int) and status < 500:
        event.pop("exc_info", None)
    return event


def escape_event(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Keep each record to its own lines, whatever a path, a header or a provider wrote into it.

    Control and direction characters are spelled out. Tracebacks keep their lines,
    indented, so that none of them reads as a record.
    """
    return {str(_escape("", key)): _escape(key, value) for key, value in event.items()}


def _escape(key: str, value: object) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    text = make_visible(value if isinstance(value, str) else repr(value))
    return text.replace("\n", "\n    " if key in ("exception", "stack") else "\\n")


def logging_config(log_format: str, level: str) -> dict[str, Any]:
    """What `logging.config.dictConfig` takes. Gunicorn is given the same."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": SHARED_PROCESSORS,
                "processors": [
                    drop_client_traceback,
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.format_exc_info,
                    redact_event,
                    *_renderers(log_format),
                ],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Each of these would otherwise have a handler of its own, and no redaction.
            **{
                name: {"handlers": [], "level": level, "propagate": True}
                for name in ("django", "django.server", "gunicorn.error", "gunicorn.access")
            },
            # At DEBUG it prints paths with their query, signatures included.
            "urllib3": {"level": "WARNING"},
            # At DEBUG it prints, for each name that a template looks up in vain, all that the page
            # was given, and a traceback.
            "django.template": {"level": "INFO"},
            # A line for each task every two seconds says nothing.
            "celery.app.trace": {"level": "WARNING"},
            "celery.beat": {"level": "WARNING"},
            "celery.worker.strategy": {"level": "WARNING"},
        },
    }


def configure_logging(log_format: str, level: str) -> None:
    logging.config.dictConfig(logging_config(log_format, level))
    structlog.configure(
        processors=[*SHARED_PROCESSORS, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def start_error_reports(dsn: str) -> None:
    """Send unexpected exceptions to Sentry, redacted as logs are and without local variables.

    Raises sentry_sdk.utils.BadDsn where `dsn` is none.
    """
    sentry_sdk.init(
        dsn,
        before_send=lambda event, hint: redact(event),
        include_local_variables=False,
        max_request_body_size="never",
    )


SHARED_PROCESSORS: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]


def _renderers(log_format: str) -> list[Processor]:
    if log_format == "json":
        return [structlog.processors.JSONRenderer()]  # escapes all but ASCII by itself
    console = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
    )
    return [escape_event, console]
