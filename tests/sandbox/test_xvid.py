"""Xvid's part of the sandbox: signing in, URLs, what is reported and what is left out."""

import re
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from sandbox.server import RunningSandbox
from sandbox.xvid.ids import Kind, Name, read_id, write_id
from tests.sandbox.conftest import StartSandbox
from tests.waiting import PATIENCE_S

SOURCE = "https://media.example.com/incoming/reel.mov"
SMALL, LARGE = "MP4-H264-AAC-240p", "MP4-H264-AAC-360p"
THUMBNAILS = [{"thumbnail_names": "t_{resolution}", "thumbnail_preset": "thumbnails_small"}]
BAD_TOKEN = {"error": {"error_code": "0x0000003", "error_message": "Invalid access token"}}


def sign_in(sandbox: RunningSandbox, prefix: str = "xvid", **form: str) -> requests.Response:
    fields = {
        "grant_type": "client_credential",
        "client_id": sandbox.keys[f"{prefix}_client_id"],
        "client_secret": sandbox.keys[f"{prefix}_client_secret"],
        **form,
    }
    return requests.post(f"{sandbox.api_url('xvid')}/oauth2/token/", data=fields, timeout=60)


class Client:
    """A plain client of the API; all keys are asked for unless a test says otherwise."""

    def __init__(self, sandbox: RunningSandbox, prefix: str = "xvid", **form: str) -> None:
        self.base = sandbox.api_url("xvid")
        self.pipeline_id = sandbox.keys.get(f"{prefix}_pipeline_id", "")
        granted = sign_in(sandbox, prefix, **form)
        assert granted.status_code == 200, granted.text
        self.headers = {"Authorization": f"Bearer {granted.json()['access_token']}"}

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        return requests.request(
            method,
            self.base + path,
            headers=self.headers,
            timeout=60,
            allow_redirects=False,
            **options,
        )

    def get(self, path: str, **params: Any) -> Any:
        response = self.call("GET", path, params={"show_null": "true"} | params)
        assert response.status_code == 200, response.text
        return response.json()

    def presets(self) -> dict[str, str]:
        """Ids by name."""
        return {each["name"]: each["id"] for each in self.get("/presets/")["presets"]}

    def job_request(self, source: str, *names: str, **fields: Any) -> dict[str, Any]:
        ids = self.presets()
        outputs = [
            {"preset": {"id": ids[name]}, "output_name": f"out{n}", "thumbnails": THUMBNAILS}
            for n, name in enumerate(names)
        ]
        pipeline = {"id": self.pipeline_id}
        return {
            "pipeline": pipeline,
            "input": {"input_name": source},
            "outputs": outputs,
            **fields,
        }

    def create(self, source: str = SOURCE, *names: str, **fields: Any) -> Any:
        job_request = self.job_request(source, *(names or (SMALL, LARGE)), **fields)
        response = self.call("POST", "/jobs/", json={"job": job_request})
        assert response.status_code == 201, response.text
        return response.json()["job"]

    def job(self, job_id: str, **params: Any) -> Any:
        return self.get(f"/jobs/{job_id}", **params)["job"]

    def wait(self, job_id: str, *phrase: str, seconds: float = PATIENCE_S) -> Any:
        until = time.monotonic() + seconds
        while (job := self.job(job_id, expand="file,preset"))["status"] not in phrase:
            assert time.monotonic() < until, f"the job is still {job['status']}"
            time.sleep(0.05)
        return job


# Signing in


def test_only_the_providers_own_grant_in_a_form_gives_a_token(clockwork: RunningSandbox) -> None:
    granted = sign_in(clockwork)
    assert granted.status_code == 200
    assert granted.json()["expires_in"] == "7200"
    assert set(granted.json()) == {"access_token", "expires_in"}
    assert sign_in(clockwork, grant_type="client_credentials").status_code == 400
    url = f"{clockwork.api_url('xvid')}/oauth2/token/"
    fields = {"grant_type": "client_credential", "client_id": clockwork.keys["xvid_client_id"]}
    assert requests.post(url, json=fields, timeout=60).status_code == 400
    assert requests.post(url.rstrip("/"), data=fields, timeout=60).status_code == 404
    for wrong in ({"client_secret": "x"}, {"client_id": "x"}, {"scope": "everything"}):
        assert sign_in(clockwork, **wrong).status_code == 403


def test_a_secret_may_hold_any_character(start_sandbox: StartSandbox) -> None:
    secret = "a+b/c=&%41 ä"
    sandbox = start_sandbox(keys={"xvid_client_secret": secret})
    assert sandbox.keys["xvid_client_secret"] == secret
    assert sign_in(sandbox).status_code == 200


def test_a_missing_wrong_or_ended_token_is_403(clockwork: RunningSandbox) -> None:
    ended = sign_in(clockwork, expires_in="0").json()["access_token"]
    for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": f"Bearer {ended}"}):
        answer = requests.get(f"{clockwork.api_url('xvid')}/jobs/", headers=headers, timeout=60)
        assert (answer.status_code, answer.json()) == (403, BAD_TOKEN)


def test_a_scope_that_is_not_there_is_403_too(clockwork: RunningSandbox) -> None:
    job = Client(clockwork).create()
    reader = Client(clockwork, "xvid_reader")
    assert reader.job(job["id"])["id"] == job["id"]
    assert reader.call("DELETE", f"/jobs/{job['id']}").json() == BAD_TOKEN
    assert reader.call("POST", "/jobs/", json={}).status_code == 403
    narrow = Client(clockwork, scope="mediahub_submit_jobs")
    assert narrow.call("GET", "/jobs/").status_code == 403
    assert Client(clockwork, scope="me,mediahub").create()["status"] == "QUEUED"


def test_presets_of_the_system_need_no_token(clockwork: RunningSandbox) -> None:
    open_to_all = requests.get(f"{clockwork.api_url('xvid')}/presets/", timeout=60).json()
    assert {each["type"] for each in open_to_all["presets"]} == {"system"}
    client, second = Client(clockwork), Client(clockwork, "xvid_second")
    own = {each["id"] for each in client.get("/presets/", type="custom")["presets"]}
    others = {each["id"] for each in second.get("/presets/", type="custom")["presets"]}
    assert own
    assert not own & others
    assert client.get(f"/presets/{min(own)}")["preset"]["target_format"]["container"] == "mp4"
    assert client.call("GET", f"/presets/{min(others)}").status_code == 404


# Addresses


def test_collections_end_with_a_slash_and_items_do_not(clockwork: RunningSandbox) -> None:
    client = Client(clockwork)
    job = client.create()
    for path in ("/jobs", "/presets", "/files", f"/jobs/{job['id']}/", "/files/downloads", "/x/"):
        assert client.call("GET", path).status_code == 404, path
    assert client.call("POST", "/jobs", json={}).status_code == 404
    missing = client.call("GET", "/jobs/54761380e4b0fc918f8b8b13")
    assert (missing.status_code, missing.json()["error"]["error_code"]) == (404, "0x0050005")


def test_ids_have_24_digits_and_lead_back() -> None:
    for name in (Name(Kind.JOB, 2_400_000_001), Name(Kind.IMAGE, 5_100_000_009, 41)):
        text = write_id(name, 1_772_441_900.5)
        assert len(text) == 24
        assert read_id(text) == name
    assert read_id("0" * 24) is None
    assert read_id("x") is None


def test_accounts_do_not_see_each_other(clockwork: RunningSandbox) -> None:
    job = Client(clockwork).create()
    second = Client(clockwork, "xvid_second")
    assert second.get("/jobs/")["jobs"] == []
    for method in ("GET", "DELETE"):
        assert second.call(method, f"/jobs/{job['id']}").status_code == 404


# What is reported


def test_keys_that_are_not_set_are_left_out_unless_asked_for(clockwork: RunningSandbox) -> None:
    client = Client(clockwork)
    job_id = client.create()["id"]
    sparse = client.call("GET", f"/jobs/{job_id}").json()["job"]
    whole = client.job(job_id)
    assert "finished_at" not in sparse
    assert "file" not in sparse["input"]
    assert whole["finished_at"] is None
    assert whole["input"]["file"] is None
    assert set(sparse) < set(whole)


def test_times_are_milliseconds_and_the_last_change_lies_before_the_creation(
    clockwork: RunningSandbox,
) -> None:
    client = Client(clockwork)
    job = client.create()
    assert abs(job["created_at"] - time.time() * 1000) < 60_000
    assert 500 <= job["created_at"] - job["updated_at"] < 1000
    clockwork.set_time_scale(100)
    ended = client.wait(job["id"], "SUCCESS")
    assert ended["updated_at"] == job["updated_at"]
    assert ended["finished_at"] > ended["created_at"]


def test_references_are_written_out_when_asked_for(clockwork: RunningSandbox) -> None:
    clockwork.set_time_scale(100)
    client = Client(clockwork)
    ended = client.wait(client.create()["id"], "SUCCESS")
    plain = client.job(ended["id"])
    for bare in (
        plain["input"]["file"],
        plain["outputs"][0]["file"],
        plain["outputs"][0]["preset"],
        plain["outputs"][0]["thumbnail_zip"]["file"],
        plain["outputs"][0]["thumbnails"][0]["file"],
        plain["pipeline"],
    ):
        assert set(bare) == {"id", "href"}
    output = ended["outputs"][0]
    assert output["file"]["video_tracks"][0]["height"] == 240
    assert output["file"]["size_on_disk"] == 8 * output["file"]["size"]
    assert output["file"]["mime_type"] == "video/quicktime, variant=(string)iso"
    assert output["preset"]["name"] == SMALL
    assert output["thumbnails"][0]["thumbnail_names"] == "t_{resolution}"
    assert output["thumbnails"][0]["file"]["name"].startswith("t_160x")
    assert set(ended["pipeline"]) == {"id", "href"}
    everything = client.job(ended["id"], expand_all="true")
    assert "output_upload_dir" in everything["pipeline"]  # with credentials: the trap
    assert ended["output_prefix"] == f"{ended['id']}/"


def test_what_a_client_must_not_keep_is_there_to_be_found(clockwork: RunningSandbox) -> None:
    client = Client(clockwork)
    (user,) = client.get("/users/")["users"]  # a list of one
    assert {"email", "password", "billing_address"} <= set(user)
    (pipeline,) = client.get("/pipelines/")["pipelines"]
    assert re.match(r"s3://AKIA\w+:[^@]+@", pipeline["output_upload_dir"])
    assert client.get(f"/pipelines/{client.pipeline_id}")["pipeline"] == pipeline
    assert client.call("GET", "/pipelines/x").status_code == 404
    narrow = Client(clockwork, scope="mediahub_read")
    assert narrow.call("GET", "/users/").json() == BAD_TOKEN


def test_outputs_are_kept_for_seven_days_and_inputs_without_an_end(
    clockwork: RunningSandbox,
) -> None:
    clockwork.set_time_scale(100)
    client = Client(clockwork)
    ended = client.wait(client.create()["id"], "SUCCESS")
    file = ended["outputs"][0]["file"]
    assert file["expires_at"] - file["finished_at"] == 7 * 86_400_000
    assert ended["input"]["file"]["expires_at"] is None


def test_refused_orders_say_invalid_input(clockwork: RunningSandbox) -> None:
    client = Client(clockwork)
    good = client.job_request(SOURCE, SMALL)
    bad: list[Any] = [
        None,
        [],
        {},
        {"job": None},
        good,  # without its wrapper
        {"job": {**good, "pipeline": {"id": "x"}}},
        {"job": {**good, "input": {}}},
        {"job": {**good, "outputs": []}},
        {"job": {**good, "outputs": [{"preset": {"id": "x"}}]}},
        {"job": {**good, "user_data": {"a": 1}}},
    ]
    for body in bad:
        answer = client.call("POST", "/jobs/", json=body)
        assert answer.status_code == 400, body
        assert answer.json()["error"]["error_code"] == "0050001"
    assert client.get("/jobs/")["total"] == 0


# Lists


def test_lists_are_oldest_first_by_default_and_page_by_start_and_limit(
    start_sandbox: StartSandbox,
) -> None:
    client = Client(start_sandbox(seed_jobs=40, seed_second=5, time_scale=0))
    everything = client.get("/jobs/")
    assert (everything["total"], everything["start"], everything["limit"]) == (40, 0, 1000)
    times = [job["created_at"] for job in everything["jobs"]]
    assert times == sorted(times)
    newest = client.get("/jobs/", sort="created_at", direction=-1, start=10, limit=20)
    assert [job["id"] for job in newest["jobs"]] == [
        job["id"] for job in reversed(everything["jobs"][10:30])
    ]
    assert client.get("/jobs/", limit=9999)["limit"] == 5000
    by_status = [job["status"] for job in client.get("/jobs/", sort="status")["jobs"]]
    assert by_status == sorted(by_status)
    assert len(Client(start_sandbox(seed_second=5), "xvid_second").get("/jobs/")["jobs"]) == 5


def test_filters(clockwork: RunningSandbox) -> None:
    client = Client(clockwork)
    harbour = client.create("https://media.example.com/in/Harbour.mov", user_data="a b&c")
    ferry = client.create("https://media.example.com/in/ferry.mov", autograph={"watermark": 1})

    def found(**params: Any) -> list[str]:
        return [job["id"] for job in client.get("/jobs/", **params)["jobs"]]

    assert found(user_data="a b&c") == [harbour["id"]]
    assert found(user_data="a b") == []
    assert found(**{"input.file.name": "HARB"}) == [harbour["id"]]
    assert found(autograph="true") == [ferry["id"]]
    assert found(**{"pipeline.id": client.pipeline_id}) == [harbour["id"], ferry["id"]]
    assert found(**{"pipeline.id": "x"}) == []
    assert found(status="QUEUED") == [harbour["id"], ferry["id"]]
    assert found(status="SUCCESS") == found(status="nonsense") == []


def test_in_progress_are_unfinished_jobs_and_those_that_ended_lately(
    start_sandbox: StartSandbox,
) -> None:
    sandbox = start_sandbox(seed_jobs=400, time_scale=0)
    client = Client(sandbox)
    a_day_ago = (time.time() - 86_400) * 1000
    # hours ago: too early to be reported
    assert any(job["created_at"] > a_day_ago for job in client.get("/jobs/")["jobs"])
    done = client.create()
    sandbox.set_time_scale(100)
    client.wait(done["id"], "SUCCESS")
    sandbox.set_time_scale(0)
    waiting = client.create()
    reported = client.get("/jobs/", inprogress="true", sort="created_at", direction=-1)
    assert [(job["id"], job["status"]) for job in reported["jobs"]] == [
        (waiting["id"], "QUEUED"),
        (done["id"], "SUCCESS"),
    ]


def test_the_past_has_failures_presets_and_thumbnails(start_sandbox: StartSandbox) -> None:
    client = Client(start_sandbox(seed_jobs=150, time_scale=0, seed_unknown=1))
    jobs = client.get("/jobs/", expand="preset")["jobs"]
    assert {"SUCCESS", "FAILURE", "quarantined"} <= {job["status"] for job in jobs}
    failed = [job for job in jobs if job["status"] == "FAILURE"]
    assert all(job["error_code"] for job in failed)
    assert len({job["error_code"] for job in failed}) > 3
    names = {output["preset"]["name"] for job in jobs for output in job["outputs"]}
    assert len(names) > 5
    assert any(output["thumbnails"] for job in jobs for output in job["outputs"])


# Cancelling and deleting


def test_delete_cancels_an_unfinished_job_and_destroys_a_finished_one(
    clockwork: RunningSandbox,
) -> None:
    client = Client(clockwork)
    job = client.create()
    cancelled = client.call("DELETE", f"/jobs/{job['id']}")
    assert cancelled.json() == {"result": {"status": "SUCCESS"}}
    assert client.job(job["id"])["status"] == "CANCELED"
    clockwork.set_time_scale(100)
    done = client.wait(client.create()["id"], "SUCCESS")
    file_id = done["outputs"][0]["file"]["id"]
    assert client.get(f"/files/{file_id}")["file"]["job"]["id"] == done["id"]
    assert client.call("DELETE", f"/jobs/{done['id']}").json() == cancelled.json()
    assert client.call("GET", f"/jobs/{done['id']}").status_code == 404
    assert client.call("GET", f"/files/{file_id}").status_code == 404


# Files, encoded for real


def test_a_job_is_encoded_and_its_files_open(studio: RunningSandbox) -> None:
    client = Client(studio)
    source = studio.input_url("portrait.mp4")
    archives = len(client.get("/files/", type="archive")["files"])
    job = client.create(source, SMALL, "WEBM-VP8-VORBIS-480p", "M4A-AAC", user_data="mine")
    ended = client.wait(job["id"], "SUCCESS", "FAILURE")
    assert ended["status"] == "SUCCESS", ended
    assert ended["user_data"] == "mine"
    assert ended["input"]["file"]["name"] == "portrait.mp4"
    assert ended["input"]["file"]["duration"] == pytest.approx(8000, abs=200)
    small, webm, sound = (output["file"] for output in ended["outputs"])
    assert small["video_tracks"][0]["height"] == 240
    assert small["video_tracks"][0]["video_codec"] == "H.264 / AVC"
    assert webm["name"].endswith(".webm")
    assert sound["video_tracks"] is None
    assert sound["audio_tracks"][0]["audio_codec"] == "MPEG-4 AAC"
    for file in (small, webm, sound):
        url = client.get("/files/downloads/", file_id=file["id"])["download"]["uri"]
        content = requests.get(url, timeout=60)
        assert (content.status_code, len(content.content)) == (200, file["size"])
    assert open_image(client, ended).content[:2] == b"\xff\xd8"
    assert {file["type"] for file in client.get("/files/")["files"]} == {"file", "archive"}
    assert len(client.get("/files/", type="archive")["files"]) == archives + 3
    link = client.get("/files/downloads/", file_id=small["id"])["download"]["uri"]
    client.call("DELETE", f"/jobs/{ended['id']}")
    assert (
        requests.get(link, timeout=60).status_code == 404
    )  # the content goes, not the record only


def open_image(client: Client, job: Any) -> requests.Response:
    image = job["outputs"][0]["thumbnails"][0]["file"]
    redirect = client.call(
        "GET", "/files/downloads/", params={"file_id": image["id"], "redirect": "true"}
    )
    assert redirect.status_code == 302
    return requests.get(redirect.headers["Location"], timeout=60)


def test_a_download_ends_when_it_was_asked_to(clockwork: RunningSandbox) -> None:
    clockwork.set_time_scale(100)
    client = Client(clockwork)
    done = client.wait(client.create()["id"], "SUCCESS")
    file_id = done["outputs"][0]["file"]["id"]
    at = int(time.time()) - 1
    ended = client.get("/files/downloads/", file_id=file_id, expiry_time=at)["download"]["uri"]
    assert requests.get(ended, timeout=60).status_code == 403
    before = int(time.time())
    short = client.get("/files/downloads/", file_id=file_id)["download"]["uri"]
    (ends_at,) = parse_qs(urlsplit(short).query)["Expires"]
    assert before + 180 <= int(ends_at) <= int(time.time()) + 180  # unless another end is asked for
    uri = done["outputs"][0]["file"]["uri"]
    assert requests.get(uri, timeout=60).json() == BAD_TOKEN  # it opens with a token alone


@pytest.mark.parametrize(
    ("clip", "phrase"),
    [
        ("missing.mp4", "not found"),
        ("notes.txt", "no video|not a video"),
        ("corrupt.mp4", "corrupt"),
    ],
)
def test_a_bad_input_fails_with_a_code_and_a_message(
    studio: RunningSandbox, clip: str, phrase: str
) -> None:
    client = Client(studio)
    failed = client.wait(client.create(studio.input_url(clip))["id"], "SUCCESS", "FAILURE")
    assert failed["status"] == "FAILURE"
    assert failed["error_code"].startswith("0x")
    assert any(label in failed["error_msg"] for label in phrase.split("|"))
    assert [output["file"] for output in failed["outputs"]] == [None, None]


def test_an_input_may_be_a_path_in_the_storage_of_the_pipeline(studio: RunningSandbox) -> None:
    client = Client(studio)
    job = client.create("uploads/vnaqaHDK/audio-only.m4a", "M4A-AAC")
    ended = client.wait(job["id"], "SUCCESS", "FAILURE")
    assert ended["status"] == "SUCCESS"
    assert ended["input"]["input_name"] == "uploads/vnaqaHDK/audio-only.m4a"


@pytest.mark.parametrize(
    ("fault", "status"), [("unauthorized", 403), ("ratelimit", 429), ("not_found", 404)]
)
def test_faults_are_worded_as_this_provider_does(
    clockwork: RunningSandbox, fault: str, status: int
) -> None:
    client = Client(clockwork)
    clockwork.set_faults({fault: {"times": 1}})
    answer = client.call("GET", "/jobs/")
    assert answer.status_code == status
    assert "error_code" in answer.json()["error"]
