"""Zencoder at the wire, in memory: its paging, its bodies, and whatever a test makes go wrong."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
import responses

BASE_URL = "https://app.zencoder.com/api/v2"
# A list of several pages is a list of few jobs: the fixture has the adapter ask for as many.
PAGE_SIZE = 10
MORNING = datetime(2026, 3, 14, 8, 0, tzinfo=UTC)

Answer = tuple[int, dict[str, str], str] | Exception
Fault = Callable[[requests.PreparedRequest], Answer | None]


def stamp(at: datetime | None) -> str | None:
    return None if at is None else at.strftime("%Y-%m-%dT%H:%M:%SZ")


def body_of(number: int, state: str = "finished", **fields: Any) -> dict[str, Any]:
    """The details of a job with two outputs; the higher the number, the newer."""
    created_at = MORNING + timedelta(seconds=number)
    ended = state in {"finished", "failed", "cancelled"}
    return {
        "id": number,
        "state": state,
        "created_at": stamp(created_at),
        "submitted_at": stamp(created_at),
        "updated_at": stamp(created_at + timedelta(seconds=40)),
        "finished_at": stamp(created_at + timedelta(seconds=40)) if ended else None,
        "pass_through": None,
        "test": False,
        "input_media_file": {
            "id": 9_000_000 + number,
            "state": "finished",
            "url": f"s3://rushes/reel-{number}.mov",
            "duration_in_ms": 12_000,
            "error_class": "NoMediaError" if state == "failed" else None,
            "error_message": "There is no picture in it." if state == "failed" else None,
        },
        "output_media_files": [
            {
                "id": 10 * number + place,
                "label": f"web-{height}",
                "state": state,
                "url": f"https://cdn.example.net/{number}/{height}.mp4",
                "width": height * 16 // 9,
                "height": height,
                "duration_in_ms": 12_000 if state == "finished" else None,
                "file_size_bytes": 800_000 + height if state == "finished" else None,
                "format": "mpeg4",
            }
            for place, height in enumerate((240, 360))
        ],
        "thumbnails": [],
        **fields,
    }


@dataclass
class FakeZencoder:
    """`jobs` are bodies by id, `asked` counts requests by kind, a fault may answer instead."""

    jobs: dict[int, dict[str, Any]] = field(default_factory=dict)
    progress: dict[int, float] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    sent: list[dict[str, Any]] = field(default_factory=list)
    faults: dict[str, Fault] = field(default_factory=dict)
    # carried out, and then no answer
    loses_answers_of: set[str] = field(default_factory=set)
    key: str = "key-of-main"
    lock: Lock = field(default_factory=Lock)

    def add(self, number: int, state: str = "finished", **fields: Any) -> dict[str, Any]:
        self.jobs[number] = body_of(number, state, **fields)
        return self.jobs[number]

    def move(self, number: int, state: str, **fields: Any) -> None:
        self.jobs[number] = body_of(
            number, state, pass_through=self.jobs[number]["pass_through"], **fields
        )

    def answer(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        kind, number = self._kind(request)
        with self.lock:
            self.asked[kind] += 1
            fault = self.faults.get(f"{kind} {number}") or self.faults.get(kind)
            instead = fault(request) if fault else None
            if isinstance(instead, Exception):
                raise instead
            if instead:
                return instead
            if request.headers["Zencoder-Api-Key"] != self.key:
                return _json(401, {"errors": ["Invalid API key"]})
            answer = getattr(self, f"_{kind}")(request, number)
            if kind in self.loses_answers_of:
                raise requests.ConnectionError("The connection was reset.")
        return answer

    def _kind(self, request: requests.PreparedRequest) -> tuple[str, int]:
        path = urlsplit(str(request.url)).path.removeprefix("/api/v2/jobs")
        found = re.fullmatch(r"/(\d+)(?:/(\w+))?", path)
        if found:
            return found[2] or "details", int(found[1])
        if path.endswith("/account"):
            return "account", 0
        return ("create" if request.method == "POST" else "list"), 0

    def _list(self, request: requests.PreparedRequest, _: int) -> tuple[int, dict[str, str], str]:
        query = parse_qs(urlsplit(str(request.url)).query)
        page, size = int(query["page"][0]), int(query["per_page"][0])
        newest = sorted(self.jobs, reverse=True)[(page - 1) * size : page * size]
        return _json(200, [{"job": self.jobs[number]} for number in newest])

    def _account(self, request: requests.PreparedRequest, _: int) -> Answer:
        return _json(200, {"plan": "Studio"})

    def _details(
        self, request: requests.PreparedRequest, number: int
    ) -> tuple[int, dict[str, str], str]:
        job = self.jobs.get(number)
        return _json(200, {"job": job}) if job else _json(404, {"errors": ["Not found"]})

    def _progress(
        self, request: requests.PreparedRequest, number: int
    ) -> tuple[int, dict[str, str], str]:
        return _json(
            200, {"state": self.jobs[number]["state"], "progress": self.progress.get(number)}
        )

    def _create(self, request: requests.PreparedRequest, _: int) -> tuple[int, dict[str, str], str]:
        body = json.loads(request.body or "{}")
        self.sent.append(body)
        number = max(self.jobs, default=500) + 1
        self.add(number, "waiting", pass_through=body.get("pass_through"))
        outputs = [{"id": 10 * number + place, "url": None} for place in range(2)]
        return _json(201, {"id": number, "outputs": outputs})

    def _cancel(
        self, request: requests.PreparedRequest, number: int
    ) -> tuple[int, dict[str, str], str]:
        if self.jobs[number]["state"] not in {"waiting", "processing"}:
            return _json(409, {"errors": ["It cannot be cancelled any more."]})
        self.move(number, "cancelled")
        return 204, {}, ""

    def _resubmit(
        self, request: requests.PreparedRequest, number: int
    ) -> tuple[int, dict[str, str], str]:
        if self.jobs[number]["state"] not in {"failed", "cancelled"}:
            return _json(409, {"errors": ["It is finished."]})
        self.move(number, "waiting", updated_at=stamp(datetime.now(UTC)))
        return 204, {}, ""


def _json(status: int, value: Any) -> tuple[int, dict[str, str], str]:
    return status, {"Content-Type": "application/json"}, json.dumps(value)


def failing(status: int, **headers: str) -> Fault:
    """A fault: this status for each request."""
    text = json.dumps({"errors": ["Not now."]})
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda request: (status, {"Content-Type": "application/json", **named}, text)


def unreachable(request: requests.PreparedRequest) -> Answer:
    """A fault: no connection, so nothing left."""
    return requests.ConnectTimeout("Nobody listens.")


def serve(fake: FakeZencoder) -> Iterator[FakeZencoder]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as wire:
        for method in ("GET", "POST", "PUT"):
            wire.add_callback(method, re.compile(re.escape(BASE_URL) + ".*"), callback=fake.answer)
        yield fake
