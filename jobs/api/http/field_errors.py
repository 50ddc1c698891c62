"""What is wrong with which field, in our own sentences."""

from collections.abc import Mapping, Sequence
from typing import Any

from jobs.api.errors import ApiError, invalid

MAX_NAME = 200
OTHER = "This value cannot be used."
# By pydantic's type of error; the names in braces are of its context.
SENTENCES: Mapping[str, str] = {
    "missing": "This field is required.",
    "extra_forbidden": "Unknown field.",
    "string_type": "Use a string.",
    "string_unicode": "Remove the unpaired surrogates.",
    **dict.fromkeys(
        ("string_too_short", "too_short"), "Too short: the minimum length is {min_length}."
    ),
    **dict.fromkeys(
        ("string_too_long", "too_long"), "Too long: the maximum length is {max_length:,}."
    ),
    **dict.fromkeys(("int_type", "int_from_float", "int_parsing"), "Use a whole number."),
    **dict.fromkeys(("float_type", "float_parsing", "finite_number"), "Use a number."),
    **dict.fromkeys(("bool_type", "bool_parsing"), "Use true or false."),
    "list_type": "Use a list.",
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type"), "Use an object."),
    "greater_than": "Use a number above {gt:g}.",
    "greater_than_equal": "Use at least {ge}.",
    "less_than": "Use a number below {lt:g}.",
    "less_than_equal": "Use at most {le}.",
    "literal_error": "Use {expected}.",
    "enum": "Use {expected}.",
}


def refuse_fields(issues: Sequence[Mapping[str, Any]]) -> ApiError:
    """A 422 from the errors of a pydantic model."""
    fields: dict[str, str] = {}
    for issue in issues:
        fields.setdefault(_name(issue["loc"]), _explain(issue))
    return invalid(fields)


def _name(loc: Sequence[int | str]) -> str:
    # where it was sent, then (in a body) the parameter's name, then the path to the field
    source, *path = loc
    inner = path[1:] if source == "body" else path
    return ".".join(map(str, inner))[:MAX_NAME] or str(source)


def _explain(issue: Mapping[str, Any]) -> str:
    context = issue.get("ctx", {})
    if issue["type"] == "value_error":  # raised by a validator of ours
        return str(context["error"])
    return SENTENCES.get(issue["type"], OTHER).format_map(context)
