"""`/_sandbox/…`: how tests and curious people see and steer the sandbox."""

import json
import os
from typing import Any

from sandbox.http.faults import FaultError, Faults
from sandbox.http.requests_log import RequestLog
from sandbox.http.web import Request, Response, json_response
from sandbox.jobs.model import Job
from sandbox.jobs.operations import JobOperations

LISTED_JOBS = 100


class Control:
    def __init__(self, operations: JobOperations, faults: Faults, log: RequestLog) -> None:
        self._operations, self._faults, self._log = operations, faults, log

    def handle(self, request: Request) -> Response:
        action = (request.method, request.path.removeprefix("/_sandbox").rstrip("/"))
        match action:
            case ("GET", "/health"):
                return json_response(200, {"ok": True})
            case ("GET", "/state"):
                return json_response(200, self.state())
            case ("GET", "/jobs"):
                return json_response(200, self.jobs())
            case ("DELETE", "/requests"):
                self._log.clear()
                return json_response(200, {"ok": True})
            case ("GET", "/faults"):
                return json_response(200, self._faults.describe())
            case ("POST", "/faults"):
                return self._set_faults(_object_of(request))
            case ("DELETE", "/faults"):
                self._faults.clear()
                return json_response(200, self._faults.describe())
            case ("POST", "/clock"):
                return self._set_clock(_object_of(request))
            case ("POST", path) if path.startswith("/jobs/"):
                return self._set_reported_state(path.removeprefix("/jobs/"), _object_of(request))
        return json_response(404, {"error": "There is no such URL."})

    def state(self) -> dict[str, Any]:
        store = self._operations.store
        return {
            "pid": os.getpid(),
            "encodes": self._operations.encodes,
            "time_scale": self._operations.clock.scale,
            "jobs": store.counts(),
            "recent_jobs": [_brief(job) for job in store.recent(LISTED_JOBS)],
            "notifications": store.delivery_counts(),
            "requests": self._log.describe(),
            "faults": self._faults.describe(),
        }

    def jobs(self) -> list[dict[str, Any]]:
        """A summary of every job, newest first."""
        return [_brief(job) for job in self._operations.store.recent()]

    def _set_faults(self, settings: dict[str, Any] | None) -> Response:
        if settings is None:
            return json_response(400, {"error": "Send a JSON object: {name: rate}."})
        try:
            self._faults.update(settings)
        except FaultError as error:
            return json_response(400, {"error": str(error)})
        return json_response(200, self._faults.describe())

    def _set_clock(self, settings: dict[str, Any] | None) -> Response:
        scale = (settings or {}).get("scale")
        if isinstance(scale, bool) or not isinstance(scale, int | float) or not 0 <= scale <= 1e6:
            return json_response(400, {"error": 'Send {"scale": N} with N from 0 to 1000000.'})
        self._operations.clock.scale = float(scale)
        return json_response(200, {"time_scale": scale})

    def _set_reported_state(self, job_id: str, settings: dict[str, Any] | None) -> Response:
        """`{"state": value}` makes a job report this state, whatever it is; null ends that."""
        state = (settings or {}).get("state")
        if settings is None or not (state is None or isinstance(state, str)):
            return json_response(400, {"error": 'Send {"state": value or null}.'})
        try:
            with self._operations.store.edit(int(job_id)) as job:
                job.reported_state, job.updated_at = state, self._operations.clock.now()
        except (KeyError, ValueError):
            return json_response(404, {"error": "There is no such job."})
        return json_response(200, _brief(job))


def _brief(job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "provider": job.provider,
        "account": job.account,
        "state": job.reported_state or job.state,
        "attempt": job.attempt,
        "input": (job.input.url or "").split("?")[0].rsplit("@", 1)[-1],
        "pass_through": job.metadata,
        "test": job.test,
        "created_at": job.created_at,
    }


def _object_of(request: Request) -> dict[str, Any] | None:
    try:
        value = json.loads(request.body)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
