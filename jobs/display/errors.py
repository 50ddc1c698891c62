"""Errors in full: what the provider reported, and what it means."""

from typing import Any

from jobs.models import Job
from providers.core.errors import CLASSES


def describe_error(error_class: str, code: str, message: str) -> dict[str, Any]:
    """`message` is the provider's, or the class's own sentence where it gave none."""
    known = CLASSES.get(error_class, CLASSES["unknown"])
    return {
        "class": known.name,
        "code": code,
        "message": message or known.sentence,
        "sentence": known.sentence,
        "hint": known.hint,
        "transient": known.is_transient,
    }


def first_error(job: Job) -> dict[str, Any] | None:
    if not job.error_class:
        return None
    return describe_error(job.error_class, job.error_code, job.error_message)
