"""Why a call that fits its schema may be refused, for the OpenAPI document.

A status has its reasons by `code`, or at 422 by the field that is not valid.
"""

from collections.abc import Mapping

from jobs.query.presets import MAX_WINDOW
from jobs.submission.limits import MAX_JSON_BYTES, MAX_JSON_DEPTH

Reasons = Mapping[str, str]
INVALID = 422

# Of every call, and of those with a body
OF_ALL: Mapping[int, Reasons] = {
    400: {"bad_request": "it cannot be read", "bad_host": "the board has another host name"},
    401: {"not_authenticated": "no token, or one that is unknown, expired or revoked"},
    429: {"too_many_requests": "wait as long as `Retry-After` says"},
    500: {"failure": "an internal error, which has been logged"},
    503: {"unavailable": "the database does not answer; try again after `Retry-After`"},
}
OF_BODIES: Mapping[int, Reasons] = {
    400: {
        "broken_json": "the body is no JSON, or an object in it has a key more than once",
        "unfinished_body": "the body ended early",
    },
    408: {"unfinished_body": "the body did not arrive in time"},
    413: {"too_large": "the body is too large"},
    415: {"not_json": "the body was not sent as `application/json`"},
}
OF_IDS: Mapping[int, Reasons] = {404: {"not_found": "nothing with this id that the token sees"}}
OF_SCOPES: Mapping[int, Reasons] = {403: {"forbidden": "the token's scope does not allow it"}}

_JSON_LIMITS = (
    f"more than {MAX_JSON_DEPTH} levels or {MAX_JSON_BYTES:,} bytes, or NUL or an unpaired "
    "surrogate in a text"
)
_NO_ACCOUNT = "no account has this id or name"
_PROVIDER = "the provider cannot do this"
_PROVIDER_UNAVAILABLE = {
    "provider_unavailable": "the provider does not answer; try again after `Retry-After`"
}
_TIME = "a leap second, or not in the years 1 to 9999 of UTC"
_LIST = {
    "provider": "no provider has this slug",
    "account": _NO_ACCOUNT,
    "cursor": "not `next` of this list with these parameters",
}
_PRESET = {"preset": "no preset has this id"}
_KEY = {"Idempotency-Key": "it was used for another call, or with another body"}
_KEY_OF_DELETED = {"job_deleted": "the job that was made with this key has been deleted"}
_SUBMISSION = {
    "account": f"{_NO_ACCOUNT}, or its provider accepts no jobs",
    "input": "no valid host name or port, nothing that the provider reads, or no stored source",
    "destination": "no valid host name or port, nothing that the provider writes to, or no stored "
    "destination",
    "renditions": f"{_PROVIDER}, or neither these nor `extra` say what to make",
    "thumbnails": f"{_PROVIDER}, or the same time is given twice",
    "metadata": f"{_JSON_LIMITS}; or the provider stores less",
    "extra": f"{_JSON_LIMITS}; or the provider does not accept it",
    "test": "the provider has no test mode",
}
_SETTINGS_OF_JOBS = {
    name: text for name, text in _SUBMISSION.items() if name not in ("account", "input")
}
_ACTION = {
    "finished": "it has succeeded or failed",
    "wrong_status": "the provider does this in other statuses only",
    "not_supported": _PROVIDER,
    "being_sent": "it is on its way to the provider",
    "not_accepted": "the provider never accepted it",
    "not_current": "another attempt is the current one",
    "gone": "the provider no longer has it",
    "paused": "its account is paused",
}
_SETTINGS = {
    "base_url": "no host name or path that can be used, or a private address",
    "credentials": "the provider refuses them, needs others, or has none of this name",
    "options": "there is none of this name, or it has other values",
}

_LEFT = "the member has just left"
_NOTE = {"text": "it is blank, too long, or has control characters"}
_ASSIGNEE = {"assignee": "no member has this e-mail address"}

# By operation
OF_CALLS: Mapping[str, Mapping[int, Reasons]] = {
    "list_jobs": {
        INVALID: {
            **_LIST,
            **_PRESET,
            "batch": "no batch has this id or name",
            "error_group": "no error group has this id",
            "q": "no query, such as `OR` without words",
            "assigned": "no member has this e-mail address or name; `me` is for people",
            "submitted_by": "no member has this e-mail address, no token this name",
            **{
                f"{name}_{side}": _TIME
                for name in ("created", "started", "finished", "changed")
                for side in ("after", "before")
            },
        }
    },
    "assign_job": {
        409: {"not_failed": "it has not failed", "no_member": _LEFT},
        INVALID: _ASSIGNEE,
    },
    "list_errors": {
        INVALID: {**_LIST, "assigned": "no member has this e-mail address or name"},
    },
    **dict.fromkeys(("list_job_notes", "list_error_notes"), {INVALID: {"cursor": _LIST["cursor"]}}),
    **dict.fromkeys(("write_job_note", "write_error_note"), {INVALID: _NOTE}),
    "assign_error": {409: {"no_member": _LEFT}, INVALID: _ASSIGNEE},
    "read_stats": {
        INVALID: {
            "from": "no time, after `to`, before 2000, or further back than `group` allows",
            "to": "no time, or more than a year ahead",
            "group": "neither hour nor day",
            "q": "no query, such as `OR` without words",
        }
    },
    "mute_error": {
        409: {"resolved": "it is resolved: reopen it first"},
        INVALID: {
            "until": "it has passed, or another limit is given as well",
            "count": "another limit is given as well",
            "rate_per_hour": "another limit is given as well",
            "reason": "it is blank, or has control characters",
        },
    },
    "list_files": {
        INVALID: {
            **_LIST,
            **_PRESET,
            "job": "no job has this id",
            "created_after": _TIME,
            "created_before": _TIME,
        }
    },
    "list_presets": {
        INVALID: {
            **_LIST,
            **_PRESET,
            "created_after": f"{_TIME}, or more than {MAX_WINDOW.days} days ago",
        }
    },
    "list_accounts": {INVALID: {"provider": _LIST["provider"]}},
    "read_raw": {404: {"no_body": "the provider has not returned this job yet"}},
    "read_link": {404: {"no_link": "no file, or no way to one"}, 503: _PROVIDER_UNAVAILABLE},
    "submit_job": {
        409: {"duplicate": "the same job ran within 24 hours: see `job`", **_KEY_OF_DELETED},
        INVALID: {
            **_SUBMISSION,
            "template": "no template has this id or name, or its key is gone",
            **_KEY,
        },
    },
    "cancel_job": {409: _ACTION},
    "resubmit_job": {
        409: {
            **_ACTION,
            "not_finished": "it has not ended",
            "not_submitted_here": "its settings are unknown, and the provider runs no job again",
            "retry_running": "a retry of it has not ended: see `job`",
            "request_unreadable": "the key of its encrypted request is gone",
            **_KEY_OF_DELETED,
        },
        INVALID: {**_SUBMISSION, **_KEY},
    },
    "start_bulk": {
        409: {"bulk_deleted": "the bulk action that was made with this key has been deleted"},
        INVALID: {
            "q": "no query, such as `OR` without words, or nothing to do for what it finds",
            "ids": "an id is of no job, or nothing can be done for any of them",
            "body": "both `q` and `ids`, or neither; or a blank `q`",
            "account": f"{_NO_ACCOUNT}, it takes no jobs or none of these, or is paused",
            "presets": "the account takes none",
            "batch": "no batch has this id or name, both it and `new_batch`, or neither of them",
            "new_batch": "another batch has it, it has control characters, or the token is one of "
            "some accounts",
            "reason": "it has control characters",
            **_KEY,
        },
    },
    "submit_batch": {
        409: {"batch_deleted": "the batch that was made with this key has been deleted"},
        INVALID: {
            "account": _SUBMISSION["account"],
            "name": "another batch has it, it is blank, or it has control characters",
            **{f"request.{name}": text for name, text in _SETTINGS_OF_JOBS.items()},
            "template": "no template has this id or name, or its key is gone",
            "inputs": "none, or too many",
            "inputs.0.input": "what no job can be made of, the same job within 24 hours, or twice "
            "the same in the batch; counted from 0",
            "inputs.0.name": "it has control characters",
            "inputs.0.metadata": _SUBMISSION["metadata"],
            "inputs.0.overrides": "as the fields of `request`, such as `overrides.renditions`",
            "inputs_from": "an object at this place of the list, as `inputs.0.input`",
            "inputs_from.source": "no stored source that is a bucket has this name, or the storage "
            "does not list it",
            "inputs_from.prefix": "nothing begins so, it is more than a batch can hold, or has "
            "control characters",
            "inputs_from.pattern": "the names of some objects can be no input, or it has control "
            "characters",
            **_KEY,
        },
    },
    "list_batches": {INVALID: {"cursor": _LIST["cursor"]}},
    "list_bulk_results": {INVALID: {"cursor": _LIST["cursor"]}},
    "stop_bulk": {409: {"finished": "it has ended"}},
    "resume_bulk": {
        409: {"finished": "it has ended, or its results have been deleted"},
        INVALID: _KEY,
    },
    "watch_job": {INVALID: {"account": _NO_ACCOUNT, "remote_id": "no id of a job"}},
    "create_account": {
        INVALID: {"name": "another account has it", **_SETTINGS},
    },
    "update_account": {INVALID: _SETTINGS},
    "sync_account": {409: {"paused": "the account is paused"}},
    "check_account_credentials": {409: {"not_supported": _PROVIDER}},
    "switch_integration": {
        409: {"not_supported": _PROVIDER, "provider_refused": "the provider refuses it"},
        503: _PROVIDER_UNAVAILABLE,
    },
}


def explain(phrase: str, reasons: Reasons) -> str:
    """The description of a response: Markdown, a line for each reason."""
    lines = "".join(f"\n- `{name}`: {text}." for name, text in reasons.items())
    return f"{phrase}.\n{lines}" if lines else f"{phrase}."
