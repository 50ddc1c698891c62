"""Video SDK's API as the sandbox speaks it."""

import re
import time
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

import jwt
import pytest
import requests

from sandbox.server import RunningSandbox
from tests.sandbox.conftest import Receiver, StartSandbox
from tests.waiting import PATIENCE_S

SOURCE = "https://media.example.com/rushes/ferry.mov"
PRESETS: list[dict[str, Any]] = [
    {"resolutions": ["240", "360"], "format": "hls"},
    {"resolutions": ["240"], "format": "mp4"},
]
STILLS: dict[str, Any] = {
    "timestamp": "00:00:03",
    "resolutions": ["240"],
    "formats": ["jpg", "webp"],
    "filters": ["none", "blur"],
}
MP4_NAMES = "mov,mp4,m4a,3gp,3g2,mj2"


class Client:
    """A plain client of one account."""

    def __init__(self, sandbox: RunningSandbox, prefix: str = "videosdk") -> None:
        self.base = sandbox.api_url("videosdk")
        self.api_key = sandbox.keys[f"{prefix}_api_key"]
        self.secret = sandbox.keys[f"{prefix}_secret"]

    def sign(self, **changes: Any) -> str:
        payload = {"apikey": self.api_key, "exp": int(time.time()) + 600} | changes
        return jwt.encode(payload, self.secret, algorithm="HS256")

    def call(
        self, method: str, path: str, token: str | None = None, **options: Any
    ) -> requests.Response:
        url = path if path.startswith("http") else self.base + path
        headers = {"Authorization": self.sign() if token is None else token}
        return requests.request(method, url, headers=headers, timeout=PATIENCE_S, **options)

    def get(self, path: str) -> Any:
        response = self.call("GET", path)
        assert response.status_code == 200, response.text
        return response.json()

    def create(self, **changes: Any) -> Any:
        body = {"videoUrl": SOURCE, "presets": PRESETS} | changes
        response = self.call("POST", "/encoder/jobs", json=body)
        assert response.status_code == 200, response.text
        return response.json()

    def job(self, job_id: str) -> Any:
        return self.get(f"/encoder/jobs/{job_id}")

    def wait(self, job_id: str, *statuses: str) -> Any:
        until = time.monotonic() + PATIENCE_S
        while (job := self.job(job_id))["status"] not in statuses:
            assert time.monotonic() < until, f"the job is still {job['status']}"
            time.sleep(0.05)
        return job


@pytest.fixture
def client(clockwork: RunningSandbox) -> Client:
    return Client(clockwork)


# Who may call what


def test_a_token_is_taken_bare_and_with_no_end(client: Client) -> None:
    assert client.call("GET", "/encoder/jobs/").status_code == 200
    endless = jwt.encode({"apikey": client.api_key}, client.secret, algorithm="HS256")
    assert client.call("GET", "/encoder/jobs", endless).status_code == 200


def test_other_tokens_are_refused(client: Client, clockwork: RunningSandbox) -> None:
    other = Client(clockwork, "videosdk_second")
    tokens = [
        "",
        "nonsense",
        f"Bearer {client.sign()}",
        client.sign(exp=int(time.time()) - 1),
        client.sign(apikey="nobody's"),
        client.sign(apikey=other.api_key),  # signed with another's secret
        jwt.encode({"apiKey": client.api_key}, client.secret, algorithm="HS256"),
        jwt.encode({"apikey": client.api_key}, client.secret.ljust(48), algorithm="HS384"),
        jwt.encode({"apikey": client.api_key}, "", algorithm="none"),
    ]
    for token in tokens:
        response = client.call("GET", "/encoder/jobs/", token)
        assert (response.status_code, list(response.json())) == (401, ["message"]), token


def test_accounts_see_their_own_jobs_only(client: Client, clockwork: RunningSandbox) -> None:
    job_id = client.create()["id"]
    other = Client(clockwork, "videosdk_second")
    assert other.get("/encoder/jobs/")["data"] == []
    for method in ("GET", "DELETE"):
        assert other.call(method, f"/encoder/jobs/{job_id}").status_code == 404


# Creating


def test_a_created_job_has_what_was_sent_with_ids_and_no_times(client: Client) -> None:
    job = client.create(thumbnails=[STILLS], webhookUrl="http://127.0.0.1:1/", userData={"a": 1})
    assert set(job) == {"status", "videoUrl", "presets", "webhookUrl", "thumbnails", "id"}
    assert job["status"] == "queued"
    assert re.fullmatch("[0-9a-f]{24}", job["id"])
    assert abs(int(job["id"][:8], 16) - time.time()) < 30
    assert [{k: p[k] for k in ("resolutions", "format")} for p in job["presets"]] == PRESETS
    ids = [part["id"] for part in (*job["presets"], *job["thumbnails"])]
    again = client.create()
    assert len({*ids, *(preset["id"] for preset in again["presets"])}) == 5


def test_sizes_are_taken_in_either_spelling(client: Client) -> None:
    presets = [{"resolutions": ["480", "4K"], "format": "mp4"}]
    job = client.create(presets=presets, thumbnails=[STILLS | {"resolutions": ["4K"]}])
    assert job["presets"][0]["resolutions"] == ["480", "4k"]
    assert job["thumbnails"][0]["resolutions"] == ["4k"]


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"presets": []}, 400),
        ({"presets": [{"resolutions": ["500"], "format": "mp4"}]}, 400),
        ({"presets": [{"resolutions": ["240"], "format": "dash"}]}, 400),
        ({"presets": ["hls"]}, 400),
        ({"thumbnails": [STILLS | {"timestamp": "3"}]}, 400),
        ({"thumbnails": [STILLS | {"filters": ["blue"]}]}, 400),
        ({"videoUrl": "s3://rushes/a.mov"}, 400),
        ({"videoUrl": None}, 400),
        ({"videoId": "0" * 24}, 404),
        ({"webhookUrl": "https://<your-website-address>/<path>"}, 200),
        ({"webhookUrl": 7}, 400),
        ({"userData": "text"}, 400),
    ],
)
def test_what_is_wrong_is_refused_with_a_clear_message(
    client: Client, changes: dict[str, Any], status: int
) -> None:
    body = {"videoUrl": SOURCE, "presets": PRESETS} | changes
    response = client.call("POST", "/encoder/jobs", json=body)
    assert response.status_code == status
    assert bool(response.json().get("message")) == (status != 200)


@pytest.mark.parametrize("body", ["{", "[]", ""])
def test_a_body_that_is_no_object_is_refused(client: Client, body: str) -> None:
    assert client.call("POST", "/encoder/jobs", data=body).status_code == 400


# Reading


def test_pages_report_the_last_one_but_no_total(client: Client) -> None:
    assert client.get("/encoder/jobs/") == {
        "pageInfo": {"currentPage": 1, "perPage": 20, "lastPage": 0},
        "data": [],
    }
    made = [client.create()["id"] for _ in range(5)]
    first = client.get("/encoder/jobs/?page=1&perPage=2")
    assert first["pageInfo"] == {"currentPage": 1, "perPage": 2, "lastPage": 3}
    last = client.get("/encoder/jobs?perPage=2&page=3")
    assert [job["id"] for job in (*first["data"], *last["data"])] == [made[4], made[3], made[0]]
    assert client.get("/encoder/jobs?perPage=2&page=4")["data"] == []


def test_keys_come_with_their_values(client: Client, clockwork: RunningSandbox) -> None:
    job_id = client.create()["id"]
    waiting = client.job(job_id)
    assert {"createdAt", "updatedAt"} <= set(waiting)
    assert not {"startedAt", "finishedAt", "files", "userData"} & set(waiting)
    clockwork.set_time_scale(5)  # a busy machine must not miss the encoding between two reads
    running = client.wait(job_id, "processing")
    assert "startedAt" in running
    assert not {"finishedAt", "files"} & set(running)
    clockwork.set_time_scale(100)
    done = client.wait(job_id, "completed")
    names = ("createdAt", "startedAt", "finishedAt")
    times = [datetime.fromisoformat(done[name]) for name in names]
    assert times == sorted(times)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", done["finishedAt"])
    assert [file["type"] for file in done["files"]] == ["video", "x-tar"]


def test_a_package_is_one_file_and_no_url_follows_from_a_path(
    client: Client, clockwork: RunningSandbox
) -> None:
    job_id = client.create()["id"]
    clockwork.set_time_scale(100)
    video, package = client.wait(job_id, "completed")["files"]
    assert PurePosixPath(video["filePath"]).name != PurePosixPath(video["fileUrl"]).name
    assert package["meta"]["resolution"]["height"] == 360  # its largest
    assert package["size"] > video["size"]  # all of it: the MP4 is as its smallest


def test_a_failed_job_reports_no_reason(client: Client, clockwork: RunningSandbox) -> None:
    job_id = client.create(videoUrl="https://media.example.com/corrupt.mp4")["id"]
    clockwork.set_time_scale(100)
    job = client.wait(job_id, "failed")
    assert not {"files", "error", "message"} & set(job)


def test_an_unknown_job_is_404(client: Client) -> None:
    made = client.create()["id"]
    other_time = f"{int(made[:8], 16) - 1:08x}{made[8:]}"
    for job_id in ("77", "0" * 24, other_time):
        assert client.call("GET", f"/encoder/jobs/{job_id}").status_code == 404


# Deleting


def test_a_queued_job_is_deleted_reported_as_queued_and_gone(
    client: Client, clockwork: RunningSandbox, receiver: Receiver
) -> None:
    kept = client.create()["id"]
    job_id = client.create(webhookUrl=receiver.url)["id"]
    response = client.call("DELETE", f"/encoder/jobs/{job_id}")
    assert (response.status_code, response.json()["status"]) == (200, "queued")
    assert client.call("GET", f"/encoder/jobs/{job_id}").status_code == 404
    assert client.call("DELETE", f"/encoder/jobs/{job_id}").status_code == 404
    assert [job["id"] for job in client.get("/encoder/jobs/")["data"]] == [kept]
    assert clockwork.state()["notifications"] == {}


def test_a_deleted_job_stays_gone_whatever_it_is_made_to_report(
    client: Client, clockwork: RunningSandbox
) -> None:
    job_id = client.create()["id"]
    client.call("DELETE", f"/encoder/jobs/{job_id}")
    (brief,) = clockwork.state()["recent_jobs"]
    steer = f"{clockwork.url}/_sandbox/jobs/{brief['id']}"
    assert requests.post(steer, json={"state": "paused"}, timeout=PATIENCE_S).status_code == 200
    assert client.call("GET", f"/encoder/jobs/{job_id}").status_code == 404
    assert client.get("/encoder/jobs/")["data"] == []


def test_no_other_job_is_deleted(client: Client, clockwork: RunningSandbox) -> None:
    job_id = client.create()["id"]
    for scale, status in ((20, "processing"), (100, "completed")):
        clockwork.set_time_scale(scale)
        client.wait(job_id, status)
        clockwork.set_time_scale(0)
        assert client.call("DELETE", f"/encoder/jobs/{job_id}").status_code == 400
        assert client.job(job_id)["status"] == status


# Deliveries, faults, seeds


def test_the_end_of_a_job_is_notified_at_its_own_url(
    client: Client, clockwork: RunningSandbox, receiver: Receiver
) -> None:
    job_id = client.create(webhookUrl=receiver.url)["id"]
    client.create()
    clockwork.set_time_scale(100)
    receiver.wait(1)
    (_, body) = receiver.deliveries[0]
    assert (body["id"], body["status"]) == (job_id, "Completed")
    assert len(body["files"]) == 2


def test_a_withdrawn_service_answers_everything_with_a_page(
    client: Client, clockwork: RunningSandbox
) -> None:
    job_id = client.create()["id"]
    clockwork.set_faults({"withdrawn": 1})
    for path in ("/encoder/jobs/", f"/encoder/jobs/{job_id}"):
        response = client.call("GET", path)
        assert response.status_code == 404
        assert response.headers["Content-Type"].startswith("text/html")


def test_the_seeded_past_has_both_kinds_of_source_and_no_cancelled_jobs(
    start_sandbox: StartSandbox,
) -> None:
    sandbox = start_sandbox(seed_jobs=150, seed_second=3)
    jobs: list[dict[str, Any]] = []
    for page in range(1, 9):
        jobs += Client(sandbox).get(f"/encoder/jobs/?page={page}")["data"]
    assert {job["status"] for job in jobs} == {"completed", "failed"}
    assert 130 < len(jobs) <= 150
    assert any("videoId" in job for job in jobs)
    assert any("videoUrl" in job for job in jobs)
    assert all(("files" in job) == (job["status"] == "completed") for job in jobs)
    assert len(Client(sandbox, "videosdk_second").get("/encoder/jobs/")["data"]) <= 3
    picture = next(f for job in jobs for f in job.get("files", ()) if f["type"] == "image")
    assert requests.get(picture["fileUrl"], timeout=60).content


def test_a_seeded_job_in_a_state_that_nobody_documented_is_listed(
    start_sandbox: StartSandbox,
) -> None:
    client = Client(start_sandbox(seed_jobs=2, seed_unknown=1))
    newest, *ended = client.get("/encoder/jobs/")["data"]
    assert newest["status"] == "quarantined"
    assert "files" not in newest
    assert client.job(newest["id"]) == newest
    assert {job["status"] for job in ended} <= {"completed", "failed"}


# For real


def test_an_upload_becomes_a_package_a_file_and_pictures(studio: RunningSandbox) -> None:
    client = Client(studio)
    clip = requests.get(studio.input_url("portrait.mp4"), timeout=60).content
    place = client.call("POST", "/files").json()["url"]
    upload = client.call("POST", place, files={"file": ("upright.mp4", clip)}).json()
    assert upload["jobId"] is None
    assert upload["meta"]["resolution"] == {"width": 360, "height": 640}
    assert upload["meta"]["format"] == MP4_NAMES
    assert client.get(f"/files/{upload['id']}") == upload

    created = client.create(videoUrl=None, videoId=upload["id"], thumbnails=[STILLS])
    assert created["videoId"] == upload["id"]
    job = client.wait(created["id"], "completed", "failed")

    video, package, *images = job["files"]
    assert video["meta"]["resolution"] == {"width": 240, "height": 426}
    assert (video["type"], video["meta"]["format"]) == ("video", MP4_NAMES)
    assert abs(video["meta"]["duration"] - 8) < 0.3
    assert (package["type"], package["meta"]["format"]) == ("x-tar", "hls")
    assert package["meta"]["resolution"] == {"width": 360, "height": 640}
    assert package["fileUrl"].endswith("/index.m3u8")
    assert not package["filePath"].endswith("/index.m3u8")
    assert ["meta" in image for image in images] == [False] * 4

    film = requests.get(video["fileUrl"], headers={"Range": "bytes=4-7"}, timeout=60)
    assert (film.status_code, film.content) == (206, b"ftyp")
    assert film.headers["Content-Type"] == "video/mp4"
    assert video["size"] == int(film.headers["Content-Range"].rpartition("/")[2])
    playlist = requests.get(package["fileUrl"], timeout=60).text
    assert playlist.count("#EXT-X-STREAM-INF") == 2
    pictures = [requests.get(image["fileUrl"], timeout=60) for image in images]
    types = [picture.headers["Content-Type"] for picture in pictures]
    assert sorted(types) == ["image/jpeg", "image/jpeg", "image/webp", "image/webp"]
    sizes = [len(picture.content) for picture in pictures]
    assert sizes == [image["size"] for image in images]
    sharp, blurred = sizes[0], sizes[1]
    assert blurred < sharp

    listed = client.get("/files/")["data"]
    assert [file["jobId"] for file in listed] == [None, *[created["id"]] * 6]
    assert client.call("DELETE", f"/files/{upload['id']}").json()["id"] == upload["id"]
    assert client.call("GET", f"/files/{upload['id']}").status_code == 404


def test_a_bad_source_fails_the_job(studio: RunningSandbox) -> None:
    client = Client(studio)
    job_id = client.create(videoUrl=studio.input_url("corrupt.mp4"))["id"]
    job = client.wait(job_id, "completed", "failed")
    assert job["status"] == "failed"
    assert "finishedAt" in job
