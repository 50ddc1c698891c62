"""Providers that answer only the calls of their two documents: create a job, and read one.

Each server is of this test alone. Everything else is a 404 with a web page, the list too.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from jobs.models import Job, JobPoll, ProviderAccount, Submission
from jobs.submission.worker import run_submission
from jobs.sync.runner import sync_account
from organizations.models import ApiToken, Organization, Role, Scope
from tests.factories import make_membership, make_organization
from tests.jobs.factories import end_pauses, make_account

pytestmark = pytest.mark.django_db

PIPELINE, PRESET = "552b87a814eab3a29d1b3d90", "5260e39d84aea12008b69bc1"


@dataclass
class Documented:
    """`statuses` are what a job goes through, one further each time it is read."""

    create_path: str
    statuses: tuple[str, ...]
    loses_answers: bool = False
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    def answer(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        self.calls.append(f"{method} {path}")
        if (method, path) == ("POST", "/v1/oauth2/token/"):
            return 200, {"access_token": "token-of-an-hour", "expires_in": "3600"}
        if (method, path) == ("POST", self.create_path):
            remote_id = f"69f86a{len(self.jobs) + 1:018x}"
            self.jobs[remote_id] = {**body.get("job", body), "id": remote_id}
            return 200, self.read(remote_id)
        found = re.fullmatch(re.escape(self.create_path.rstrip("/")) + "/([0-9a-f]+)", path)
        if method == "GET" and found and found[1] in self.jobs:
            return 200, self.read(found[1])
        return 404, {"message": "unknown job"} if found else None

    def read(self, remote_id: str) -> dict[str, Any]:
        raise NotImplementedError

    def step(self, remote_id: str) -> str:
        job = self.jobs[remote_id]
        place = job.setdefault("reads", 0)
        job["reads"] = min(place + 1, len(self.statuses) - 1)
        return self.statuses[place]


class DocumentedVideoSDK(Documented):
    def read(self, remote_id: str) -> dict[str, Any]:
        job, status = self.jobs[remote_id], self.step(remote_id)
        reported = {"id": remote_id, "status": status, "videoUrl": job["videoUrl"]}
        reported["presets"] = [{**preset, "id": "6" * 24} for preset in job["presets"]]
        reported["webhookUrl"] = job.get("webhookUrl", "")
        if status == "completed":
            file = {"jobId": remote_id, "type": "video", "size": 500_000, "id": "7" * 24}
            file["fileUrl"] = "https://cdn.example.net/files/7.mp4"
            file["meta"] = {"resolution": {"width": 640, "height": 360}, "format": "mp4"}
            reported["files"] = [file]
        return reported


class DocumentedXvid(Documented):
    def read(self, remote_id: str) -> dict[str, Any]:
        job, status = self.jobs[remote_id], self.step(remote_id)
        is_done = status == "SUCCESS"
        output = {
            "preset": {"id": PRESET},
            "file": {"id": "8" * 24} if is_done else None,
            "output_name": "mp4-360p",
            "percentage_completed": 100 if is_done else 0,
        }
        reported = {"id": remote_id, "status": status, "input": job["input"], "outputs": [output]}
        times = {"created_at": 1_777_890_000_000, "finished_at": 1_777_890_060_000}
        return {"job": {**reported, **(times if is_done else {}), "user_data": job["user_data"]}}


@contextmanager
def serve(documented: Documented) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            text = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            is_json = "json" in self.headers.get("Content-Type", "")
            body = json.loads(text) if is_json and text else {}
            path = self.path.partition("?")[0]
            status, value = documented.answer(self.command, path, body)
            if documented.loses_answers and self.command == "POST" and "oauth" not in path:
                self.connection.close()
                return
            kind = "text/html" if value is None else "application/json"
            content = b"<h1>Cannot do that</h1>" if value is None else json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = answer

        def log_message(self, format: str, *args: Any) -> None:
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class Board:
    documented: Documented
    account: ProviderAccount
    headers: dict[str, str]
    member: Client

    def post(self, path: str, body: dict[str, Any], status: int) -> Any:
        response = Client().post(
            f"/api/v1{path}", body, content_type="application/json", headers=self.headers
        )
        assert response.status_code == status, response.content
        return response.json()

    def get(self, path: str) -> Any:
        return Client().get(f"/api/v1{path}", headers=self.headers).json()

    def submit(self) -> Job:
        body = {
            "account": str(self.account.pk),
            "input": "https://media.example.com/in/reel.mov",
            "renditions": [{"packaging": "mp4", "heights": [360]}],
            "extra": {"presets": [PRESET]} if self.account.provider == "xvid" else {},
        }
        made = self.post("/jobs", body, 201)
        run_submission(int(made["id"]))
        return Job.objects.get(pk=made["id"])

    def sync(self) -> None:
        JobPoll.objects.update(next_at=timezone.now())
        assert sync_account(self.account.pk)


ACCOUNTS: dict[str, tuple[Documented, dict[str, Any]]] = {
    "videosdk": (
        DocumentedVideoSDK("/v1/encoder/jobs", ("queued", "processing", "completed")),
        {"credentials": {"token": "a-ready-token"}},
    ),
    "xvid": (
        DocumentedXvid("/v1/jobs/", ("QUEUED", "PROCESSING", "SUCCESS")),
        {
            "credentials": {"client_id": "desk", "client_secret": "hush-hush"},
            "options": {"pipeline_id": PIPELINE},
        },
    ),
}


@pytest.fixture(params=ACCOUNTS)
def board(request: pytest.FixtureRequest, db: None) -> Iterator[Board]:
    model, fields = ACCOUNTS[request.param]
    documented = type(model)(model.create_path, model.statuses)
    organization: Organization = make_organization("studio")
    member = Client()
    member.force_login(make_membership(organization, Role.MANAGER).user)
    _, token = ApiToken.issue(organization, "script", Scope.OPERATE)
    with serve(documented) as base_url:
        account = make_account(
            organization,
            name="Documented",
            provider=request.param,
            base_url=base_url,
            imported_at=None,
            last_pass_at=None,
            **fields,
        )
        yield Board(documented, account, {"Authorization": f"Bearer {token}"}, member)


def test_a_job_is_submitted_watched_and_seen_to_finish(board: Board) -> None:
    job = board.submit()
    assert job.status == "queued"
    board.sync()
    board.sync()
    job.refresh_from_db()
    assert job.status == "succeeded"
    assert board.get(f"/jobs/{job.pk}")["outputs"][0]["status"] == "succeeded"
    notice = "Job list not available: 1 known job is watched."
    account = board.get(f"/accounts/{board.account.pk}")
    assert (account["health"]["state"], account["notice"]) == ("ok", notice)
    for path in ("jobs/", "accounts/", f"accounts/{board.account.pk}/"):
        page = board.member.get(f"/o/studio/{path}").content.decode()
        assert notice in page
        assert "no longer offers" not in page
    assert "reel.mov" in board.member.get("/o/studio/jobs/?status=succeeded").content.decode()


def test_a_job_made_elsewhere_is_added_by_its_id(board: Board) -> None:
    elsewhere, unknown = f"69f86a{7:018x}", f"69f86a{8:018x}"
    board.documented.jobs[elsewhere] = {
        "videoUrl": "https://media.example.com/in/old.mov",
        "presets": [{"resolutions": ["360"], "format": "mp4"}],
        "input": {"input_name": "in/old.mov"},
        "user_data": None,
    }
    body = {"account": "Documented", "remote_id": elsewhere}
    watched = board.post("/jobs/watch", body, 202)
    assert (watched["status"], watched["remote_id"]) == ("unknown", elsewhere)
    assert board.post("/jobs/watch", body, 202)["id"] == watched["id"]
    bad = board.post("/jobs/watch", body | {"remote_id": unknown}, 202)
    board.sync()
    board.sync()
    assert board.get(f"/jobs/{watched['id']}")["status"] == "running"
    gone = board.get(f"/jobs/{bad['id']}")
    assert (gone["status"], gone["gone_at"] is not None) == ("unknown", True)
    assert gone["events"][-1]["message"] == "Not known to the provider"
    assert board.post("/jobs/watch", body, 200)["id"] == watched["id"]


def test_a_submission_without_an_answer_is_left_to_a_person(board: Board) -> None:
    board.documented.loses_answers = True
    job = board.submit()
    Submission.objects.update(next_at=timezone.now())
    end_pauses()
    run_submission(job.pk)
    submission = Submission.objects.get(pk=job.pk)
    assert submission.state == "unconfirmed"
    assert "cannot be searched" in submission.note
    assert sum(call.startswith("POST") and "oauth" not in call for call in board.documented.calls)


def test_a_dead_service_loses_no_job(board: Board) -> None:
    job = board.submit()
    board.sync()
    board.documented.jobs.clear()
    board.sync()
    job.refresh_from_db()
    board.account.refresh_from_db()
    assert (job.gone_at, board.account.consecutive_failures) == (None, 1)
