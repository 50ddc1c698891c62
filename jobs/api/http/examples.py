"""An example of each request and response, for the OpenAPI document. A test holds them to it."""

from typing import Any

from providers.core import registry

Example = dict[str, Any]

ACCOUNT_REFERENCE: Example = {"id": "3", "name": "main", "provider": "acme"}
ACCOUNT: Example = {
    "id": "3",
    "organization": "studio",
    "provider": "acme",
    "name": "main",
    "base_url": "https://api.acme.example/v2",
    "enabled": True,
    "capabilities": ["cancel", "progress", "resubmit", "submit", "thumbnails"],
    "health": {
        "state": "ok",
        "late": False,
        "last_success_at": "2026-05-04T12:05:31.482Z",
        "last_error": None,
        "consecutive_failures": 0,
        "latency_ms": 212,
        "rate_remaining": None,
    },
    "notice": None,
    "next_sync_at": "2026-05-04T12:05:36.482Z",
}
SAVED_ACCOUNT: Example = {
    **ACCOUNT,
    "webhook_url": "https://board.example/hooks/acme/3/…/",
    "warnings": [],
}
_FILE: Example = {
    "id": "9121",
    "remote_id": "2011",
    "kind": "video",
    "label": "720p",
    "format": "mpeg4",
    "width": 1280,
    "height": 720,
    "duration_ms": 61_240,
    "size_bytes": 19_350_611,
    "status": "succeeded",
    "url": "https://cdn.example/out/720p.mp4?Signature=REDACTED",
    "open_url": "https://board.example/o/studio/jobs/374/outputs/9121/open/",
    "expires_at": None,
}
_CODECS: Example = {"video_codec": "h264", "audio_codec": "aac"}
_FACTS: Example = {"frame_rate": 25.0, "video_bitrate_kbps": 2_400, "audio_bitrate_kbps": 128}
OUTPUT: Example = {
    **_FILE,
    **_CODECS,
    **_FACTS,
    "provider_status": "finished",
    "progress": None,
    "error": None,
}
FILE: Example = {
    **_FILE,
    **_CODECS,
    "job": {"id": "374", "name": "in.mov", "status": "succeeded"},
    "account": ACCOUNT_REFERENCE,
}
PRESET: Example = {
    "id": "17",
    "remote_id": "web-720",
    "name": "web 720",
    "kind": None,
    "settings": {"height": 720},
}
PRESET_WITH_USE: Example = {
    **PRESET,
    "account": ACCOUNT_REFERENCE,
    "jobs": 120,
    "succeeded": 108,
    "failed": 10,
    "cancelled": 2,
    "success_rate": 0.9,
    "last_used_at": "2026-05-04T12:00:00.250Z",
}
_INPUT: Example = {
    "url": "https://media.example/in.mov",
    "duration_ms": 61_240,
    "size_bytes": 812_450_113,
    "width": 1920,
    "height": 1080,
    "video_codec": "prores",
    "audio_codec": "pcm",
}
_JOB: Example = {
    "id": "374",
    "organization": "studio",
    "account": ACCOUNT_REFERENCE,
    "remote_id": "1001",
    "attempt": 1,
    "batch": None,
    "name": "in.mov",
    "status": "succeeded",
    "provider_status": "finished",
    **dict.fromkeys(("partial", "suspect", "stuck", "unresolved", "test"), False),
    **dict.fromkeys(
        ("suspect_reason", "stuck_reason", "waiting_reason", "gone_at", "phase", "error"), None
    ),
    **dict.fromkeys(
        ("retry_of", "template"),
        None,
    ),
    "progress": 100.0,
    "created_at": "2026-05-04T12:00:00.250Z",
    "started_at": "2026-05-04T12:00:04.000Z",
    "finished_at": "2026-05-04T12:01:10.000Z",
    "ended_at": "2026-05-04T12:01:10.000Z",
    "ended_at_source": "provider",
    "sort_at": "2026-05-04T12:00:00.250Z",
    "first_seen_at": "2026-05-04T12:00:00.250Z",
    "synced_at": "2026-05-04T12:05:31.482Z",
    "changed_at": "2026-05-04T12:01:13.107Z",
    "submitted_by": "token:nightly",
    "assignee": None,
    "retries": [],
    "metadata": {"order": 4711},
    "priority": None,
    "html_url": "https://board.example/o/studio/jobs/374/",
    "console_url": "https://console.acme.example/jobs/1001",
    "actions": {
        "cancel": {"allowed": False, "reason": "It has already ended: it is succeeded."},
        "resubmit": {
            "allowed": False,
            "reason": "Acme retries only jobs that are cancelled or failed.",
        },
    },
}
LISTED_JOB: Example = {
    **_JOB,
    "input": _INPUT,
    "outputs": {"total": 1, "succeeded": 1, "failed": 0},
}
SUBMISSION: Example = {
    "account": "main",
    "input": "https://media.example/in.mov",
    "renditions": [{"packaging": "mp4", "heights": [720]}],
    "metadata": {"order": 4711},
}
JOB: Example = {
    **_JOB,
    "input": {**_INPUT, "frame_rate": 25.0, "bitrate_kbps": 106_000, "fetched_percent": None},
    "request": {name: value for name, value in SUBMISSION.items() if name != "account"},
    "outputs": [OUTPUT],
    "presets": [],
    "error_group": None,
    "errors": [],
    "events": [
        {
            "at": "2026-05-04T12:00:00.250Z",
            "source": "submit",
            "from": None,
            "to": "submitting",
            "message": "Submitted",
            "actor": "token:nightly",
        }
    ],
    "waiting_retry": None,
    "made_by_rule": None,
}
TEMPLATE: Example = {
    "id": "4",
    "name": "Episode delivery",
    "version": 7,
    "saved_at": "2026-05-04T11:00:00.000Z",
    "saved_by": "ann@studio.example",
    "default_at": [ACCOUNT_REFERENCE],
    "settings": {
        "destination": "s3://delivery/series/",
        "renditions": [{"packaging": "hls", "heights": [360, 720]}],
        "thumbnails": None,
        "metadata": None,
        "test": False,
        "priority": None,
        "extra": {"acme": {"region": "europe"}},
    },
}
_NOT_YET = ("provider_status", "progress", "started_at", "finished_at", "ended_at")
SUBMITTED_JOB: Example = {
    **JOB,
    "status": "submitting",
    **dict.fromkeys((*_NOT_YET, "ended_at_source", "remote_id", "created_at", "synced_at")),
    "outputs": [],
    "actions": {
        "cancel": {"allowed": True, "reason": None},
        "resubmit": {"allowed": False, "reason": "It has not ended."},
    },
}

ERROR_GROUP: Example = {
    "id": "12",
    "class": "input.access_denied",
    "title": "Source access denied",
    "message": "The bucket <text> does not let us read this file: <path>",
    "state": "open",
    "new": True,
    "returned": False,
    "jobs": 1173,
    "unresolved": 1173,
    "providers": [ACCOUNT["provider"]],
    "accounts": [{name: ACCOUNT[name] for name in ("id", "name", "provider")}],
    "first_seen_at": "2026-05-04T05:41:00.000Z",
    "last_seen_at": "2026-05-04T12:00:00.250Z",
    "hint": "Grant the provider read access, or renew a signed link, then retry.",
    "transient": False,
    "mute_reason": None,
    "muted_until": None,
    "assignee": None,
    "html_url": "https://board.example.org/o/studio/errors/12/",
}
_ASSIGNED: Example = {"assignee": "ann@studio.example"}
MUTED_GROUP: Example = {**ERROR_GROUP, "state": "muted", "new": False, "mute_reason": "Known"}

_NOTE_TEXT = "The bucket policy was wrong until noon. @ann@studio.example please retry these."
_NOTE: Example = {
    "id": "9",
    "text": _NOTE_TEXT,
    "author": "token:nightly",
    "mentions": ["ann@studio.example"],
    "created_at": "2026-05-04T12:20:00.000Z",
    "edited_at": None,
    "html_url": "https://board.example.org/o/studio/jobs/374/#note-9",
}
_ERROR_NOTE: Example = {
    **_NOTE,
    "html_url": "https://board.example.org/o/studio/errors/12/#note-9",
}

# what a request names has to be there
_PROVIDER = registry.get(registry.choices()[0][0])

_BULK_FACTS: Example = {
    "action": "resubmit",
    "account": None,
    "batch": None,
    "matched": 1284,
    "complete": True,
    "left_out": [
        {
            "reason": "resolved",
            "message": "A later attempt has already succeeded",
            "count": 33,
        }
    ],
    "accounts": [{"id": "1", "name": "main", "provider": _PROVIDER.slug, "jobs": 1251}],
    "done": 0,
    "refused": 0,
    "failed": 0,
    "remaining": 1251,
}
_BULK: Example = {
    "id": "12",
    "state": "preparing",
    "note": None,
    "q": "status:failed created:>2d",
    "limit": None,
    "reason": "Bucket policy restored",
    "requested_by": "token:nightly",
    "created_at": "2026-05-04T12:00:00.000Z",
    "ended_at": None,
    **_BULK_FACTS,
}

_BATCH: Example = {
    "id": "31",
    "name": "nightly-2026-05-04",
    "account": {"id": "1", "name": "main", "provider": _PROVIDER.slug},
    "state": "sending",
    "note": None,
    "total": 1000,
    "succeeded": 0,
    "failed": 0,
    "cancelled": 0,
    "remaining": 1000,
    "submitted_by": "token:nightly",
    "created_at": "2026-05-04T12:00:00.000Z",
}
_RUNNING_BATCH: Example = {
    **_BATCH,
    "state": "running",
    "succeeded": 987,
    "failed": 11,
    "remaining": 2,
}

# By operation
REQUESTS: dict[str, Example] = {
    "create_account": {
        "provider": _PROVIDER.slug,
        "name": "main",
        "credentials": {field.name: "…" for field in _PROVIDER.credential_fields},
        "options": {},
    },
    "update_account": {"enabled": False},
    "switch_integration": {"enabled": True},
    "submit_job": SUBMISSION,
    "assign_job": _ASSIGNED,
    "assign_error": _ASSIGNED,
    "write_job_note": {"text": _NOTE_TEXT},
    "write_error_note": {"text": _NOTE_TEXT},
    "resubmit_job": {"allow_duplicate": False},
    "mute_error": {"reason": "Known", "count": 50},
    "start_bulk": {
        "action": "resubmit",
        "q": "status:failed created:>2d",
        "reason": "Bucket policy restored",
    },
    "submit_batch": {
        "account": "main",
        "name": "nightly-2026-05-04",
        "request": {"renditions": SUBMISSION["renditions"]},
        "inputs": [
            {"input": "s3://footage/reel-1.mov", "metadata": {"reel": 1}},
            {"input": "s3://footage/reel-2.mov", "name": "Reel 2"},
        ],
    },
    "watch_job": {"account": "main", "remote_id": "1001"},
}
RESPONSES: dict[str, Example] = {
    "list_jobs": {"results": [LISTED_JOB], "next": "WyIyMDI2LTA1LTA0IiwzNzRd"},
    "read_job": JOB,
    "read_raw": {"job": {"id": 1001, "state": "finished"}},
    "submit_job": SUBMITTED_JOB,
    "cancel_job": JOB,
    "assign_job": {**JOB, **_ASSIGNED},
    "list_job_notes": {"results": [_NOTE], "next": None},
    "write_job_note": _NOTE,
    "resubmit_job": {**SUBMITTED_JOB, "id": "381", "retry_of": "374"},
    "watch_job": {**JOB, "status": "unknown"},
    "submit_batch": _BATCH,
    "list_batches": {"results": [_RUNNING_BATCH], "next": None},
    "read_batch": {**_RUNNING_BATCH, "refused": []},
    "start_bulk": _BULK,
    # of a dry run
    "start_bulk 200": {**_BULK_FACTS, "sample": None},
    "read_bulk": {**_BULK, "state": "running", "done": 748, "refused": 4, "remaining": 499},
    "list_bulk_results": {
        "results": [{"job": "374", "outcome": "done", "reason": None, "new_job": "381"}],
        "next": None,
    },
    "stop_bulk": {
        **_BULK,
        "state": "stopped",
        "done": 748,
        "refused": 4,
        "remaining": 499,
        "ended_at": "2026-05-04T12:12:31.000Z",
    },
    "resume_bulk": {**_BULK, "state": "running", "done": 748, "refused": 4, "remaining": 499},
    "read_link": {
        "url": "https://cdn.example/out/720p.mp4?Signature=…",
        "expires_at": "2026-05-04T13:00:00.000Z",
    },
    "list_accounts": {"results": [ACCOUNT], "next": None},
    "read_account": ACCOUNT,
    "sync_account": ACCOUNT,
    "create_account": SAVED_ACCOUNT,
    "update_account": {**SAVED_ACCOUNT, "enabled": False},
    "check_account_credentials": {"status": "accepted", "message": None},
    "switch_integration": {"enabled": True},
    "list_errors": {"results": [ERROR_GROUP], "next": None},
    "read_error": ERROR_GROUP,
    "mute_error": MUTED_GROUP,
    "resolve_error": {**ERROR_GROUP, "state": "resolved", "new": False},
    "assign_error": {**ERROR_GROUP, **_ASSIGNED, "new": False},
    "reopen_error": {**ERROR_GROUP, "new": False},
    "list_error_notes": {"results": [_ERROR_NOTE], "next": None},
    "write_error_note": _ERROR_NOTE,
    "read_stats": {
        "from": "2026-05-03T22:00:00.000Z",
        "to": "2026-05-04T22:00:00.000Z",
        "complete": True,
        "buckets": [
            {
                "at": "2026-05-03T22:00:00.000Z",
                "succeeded": 553,
                "failed": 12,
                "cancelled": 4,
                "wait_ms": {"p50": 41_268, "p95": 229_430},
                "run_ms": {"p50": 372_105, "p95": 2_304_880},
                "output_ms": 7_678_800_000,
            }
        ],
    },
    "list_presets": {"results": [PRESET_WITH_USE], "next": None},
    "read_preset": PRESET_WITH_USE,
    "list_templates": {"results": [TEMPLATE], "next": None},
    "list_files": {"results": [FILE], "next": None},
    "read_file": {**FILE, **_FACTS},
    "read_token": {
        "id": "5",
        "organization": "studio",
        "name": "nightly",
        "scope": "operate",
        "accounts": None,
        "expires_at": None,
    },
}
