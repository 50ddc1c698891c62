"""TPStreams' API as the sandbox speaks it."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from sandbox.server import RunningSandbox
from sandbox.tpstreams import ids
from tests.sandbox.conftest import Receiver, StartSandbox
from tests.waiting import PATIENCE_S

SOURCE = "https://media.example.com/rushes/ferry.mov"
OUTPUT = "s3://reels/ferry/?access_key=AK&secret_key=s/K+1&region=eu-west-1"

LISTED = {
    *("id", "resolutions", "video_duration", "status", "enable_drm", "input_url", "output_path"),
    *("start_time", "end_time", "error_message"),
}


class Client:
    """A plain client of one organization."""

    def __init__(self, sandbox: RunningSandbox, prefix: str = "tpstreams") -> None:
        self.base = sandbox.api_url("tpstreams")
        self.organization = sandbox.keys[f"{prefix}_organization_id"]
        self.headers = {"Authorization": f"Token {sandbox.keys[f'{prefix}_token']}"}
        self.jobs = f"{self.base}/{self.organization}/transcoding_jobs/"

    def call(self, method: str, url: str, **options: Any) -> requests.Response:
        options = {"headers": self.headers, **options}
        return requests.request(method, url, timeout=60, allow_redirects=False, **options)

    def get(self, url: str, **options: Any) -> Any:
        response = self.call("GET", url, **options)
        assert response.status_code == 200, response.text
        return response.json()

    def create(self, **changes: Any) -> Any:
        body = {
            "input_url": SOURCE,
            "output_path": OUTPUT,
            "resolutions": ["240p", "480p"],
            **changes,
        }
        body = {name: value for name, value in body.items() if value is not None}
        response = self.call("POST", self.jobs, json=body)
        assert response.status_code == 201, response.text
        return response.json()

    def job(self, job_id: str) -> Any:
        return self.get(f"{self.jobs}{job_id}/")

    def wait(self, job_id: str, *statuses: str, seconds: float = PATIENCE_S) -> Any:
        until = time.monotonic() + seconds
        while (job := self.job(job_id))["status"] not in statuses:
            assert time.monotonic() < until, f"the job is still {job['status']}"
            time.sleep(0.05)
        return job


@pytest.fixture
def client(clockwork: RunningSandbox) -> Client:
    return Client(clockwork)


# Who may call what


@pytest.mark.parametrize(
    ("header", "detail"),
    [
        (None, "Authentication credentials were not provided."),
        ("Bearer {token}", "Authentication credentials were not provided."),
        ("Token wrong", "Invalid token."),
    ],
)
def test_a_token_is_needed(client: Client, header: str | None, detail: str) -> None:
    token = client.headers["Authorization"].split()[1]
    headers = {"Authorization": header.format(token=token)} if header else {}
    response = client.call("GET", client.jobs, headers=headers)
    assert (response.status_code, response.json()) == (401, {"detail": detail})


def test_the_keyword_is_taken_in_any_case(client: Client) -> None:
    headers = {"authorization": client.headers["Authorization"].replace("Token", "token")}
    assert client.call("GET", client.jobs, headers=headers).status_code == 200


def test_an_unknown_organization_is_reported_as_text_and_an_unknown_job_as_json(
    clockwork: RunningSandbox, client: Client
) -> None:
    other = Client(clockwork, "tpstreams_second")
    for url in (client.jobs.replace(client.organization, "nobody"), other.jobs):
        response = client.call("GET", url)
        assert response.status_code == 404
        assert response.headers["Content-Type"].startswith("text/plain")
        assert response.text.strip() == "The requested resource was not found on this server."
    mine = client.create()["id"]
    for each, job_id in ((client, "0" * 11), (client, "x"), (other, mine)):
        for method in ("GET", "DELETE"):
            response = each.call(method, f"{each.jobs}{job_id}/")
            assert (response.status_code, response.json()) == (404, {"detail": "Not found."})
    assert client.job(mine)["status"] == "Queued"


def test_without_its_slash_a_url_only_redirects(client: Client) -> None:
    for method in ("GET", "POST"):
        response = client.call(method, client.jobs.rstrip("/"), json={"input_url": SOURCE})
        assert response.status_code == 301
        assert client.jobs.endswith(response.headers["Location"])
    assert client.get(client.jobs)["count"] == 0
    assert client.call("PUT", client.jobs).status_code == 405


def test_ids_are_opaque_and_lead_back() -> None:
    numbers = [1, 2, 3, 2_400_000_001, 2**63 - 1]
    public = [ids.to_public(number) for number in numbers]
    assert [ids.from_public(text) for text in public] == numbers
    assert len({text[:4] for text in public}) == len(public)
    assert all(len(text) == 11 and text.isalnum() for text in public)
    assert [ids.from_public(text) for text in ("", "short", "z" * 11, "a b c d e f")] == [None] * 4


# Creating


def test_a_new_job_reports_all_of_its_keys(client: Client) -> None:
    metadata = {"asset": 7, "tags": ["ä", {"b": None}]}
    job = client.create(enable_drm=True, client_metadata=metadata)
    assert set(job) == {*LISTED, "drm_content_id", "client_metadata"}
    assert job["status"] == "Queued"
    assert job["resolutions"] == ["240p", "480p"]
    assert (job["input_url"], job["output_path"]) == (SOURCE, OUTPUT)
    assert (job["start_time"], job["end_time"], job["video_duration"]) == (None, None, None)
    assert job["client_metadata"] == metadata
    assert len(job["drm_content_id"]) == 32
    assert "drm_content_id" not in client.create()


def test_the_four_answers_differ_in_their_keys(client: Client) -> None:
    created = client.create(client_metadata={"a": 1})
    (listed,) = client.get(client.jobs)["results"]
    details = client.job(created["id"])
    assert set(listed) == LISTED
    assert set(details) == {*LISTED, "client_metadata"} - {"enable_drm"}
    assert (listed["status"], details["status"]) == ("queued", "Queued")


def test_a_source_may_be_a_path(client: Client) -> None:
    path = "s3://ingest/ferry.mov/?access_key=AK&secret_key=s/K"
    assert client.create(input_url=None, input_path=path)["input_url"] == path


@pytest.mark.parametrize(
    ("changes", "field", "phrase"),
    [
        ({"input_url": None}, "input_url", "required"),
        ({"input_url": ""}, "input_url", "blank"),
        ({"input_url": "ftp://h/a.mov"}, "input_url", "valid URL"),
        ({"input_url": 7}, "input_url", "valid URL"),
        ({"input_path": "https://h/a.mov"}, "input_path", "s3://"),
        ({"output_path": None}, "output_path", "required"),
        ({"output_path": "https://h/"}, "output_path", "s3://"),
        ({"resolutions": None}, "resolutions", "required"),
        ({"resolutions": []}, "resolutions", "empty"),
        ({"resolutions": "240p"}, "resolutions", "list"),
        ({"resolutions": ["540p"]}, "resolutions", '"540p" is not a valid choice'),
        ({"resolutions": [240]}, "resolutions", "valid choice"),
        ({"enable_drm": "yes"}, "enable_drm", "boolean"),
        ({"client_metadata": "text"}, "client_metadata", "dictionary"),
        ({"client_metadata": {"a": "x" * 10_240}}, "client_metadata", "10 KB"),
    ],
)
def test_a_wrong_field_is_refused_by_its_name(
    client: Client, changes: dict[str, Any], field: str, phrase: str
) -> None:
    body = {"input_url": SOURCE, "output_path": OUTPUT, "resolutions": ["240p"], **changes}
    body = {name: value for name, value in body.items() if value is not None}
    response = client.call("POST", client.jobs, json=body)
    assert response.status_code == 400
    assert list(response.json()) == [field]
    assert phrase in response.json()[field][0]


def test_what_is_no_object_is_refused(client: Client) -> None:
    assert "detail" in client.call("POST", client.jobs, data="{").json()
    assert "non_field_errors" in client.call("POST", client.jobs, json=[1]).json()


# Listing


def test_pages_link_to_each_other_with_the_filters(
    start_sandbox: StartSandbox,
) -> None:
    """At the host that was asked, by whichever name."""
    client = Client(start_sandbox(seed_jobs=130))
    client.jobs = client.jobs.replace("127.0.0.1", "localhost")
    found, url, pages = [], f"{client.jobs}?status=completed&status=error&ordering=-created", 0
    previous = None
    while url:
        page = client.get(url)
        assert page["previous"] == previous
        assert len(page["results"]) <= 20
        found += page["results"]
        previous, url = url if pages else url, page["next"]
        pages += 1
    assert pages > 5
    assert len(found) == page["count"] == len({job["id"] for job in found})
    assert {job["status"] for job in found} == {"completed", "error"}
    assert client.get(client.jobs)["count"] == 130


def test_the_order_and_the_time_of_creation_can_be_asked_for(client: Client) -> None:
    made = [client.create()["id"] for _ in range(3)]

    def listed(**query: str) -> list[str]:
        return [job["id"] for job in client.get(client.jobs, params=query)["results"]]

    assert listed() == listed(ordering="-created") == made[::-1]
    assert listed(ordering="created") == made
    now = datetime.now(UTC)
    assert listed(created_from=(now - timedelta(minutes=1)).isoformat()) == made[::-1]
    assert listed(created_from=(now + timedelta(minutes=1)).isoformat()) == []
    assert listed(created_to=(now - timedelta(minutes=1)).isoformat()) == []


def test_jobs_with_drm_can_be_asked_for(client: Client) -> None:
    plain, drm = client.create()["id"], client.create(enable_drm=True)["id"]
    for value, expected in (("true", [drm]), ("false", [plain]), ("maybe", [drm, plain])):
        results = client.get(client.jobs, params={"enable_drm": value})["results"]
        assert [job["id"] for job in results] == expected


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("page=2", 404),
        ("page=0", 404),
        ("page=x", 404),
        ("status=Completed", 400),
        ("created_from=soon", 400),
    ],
)
def test_a_senseless_query_is_refused(client: Client, query: str, status: int) -> None:
    assert client.call("GET", f"{client.jobs}?{query}").status_code == status


# Cancelling


def test_a_job_is_cancelled_once(client: Client) -> None:
    job_id = client.create()["id"]
    response = client.call("DELETE", f"{client.jobs}{job_id}/")
    assert response.json() == {"message": "Job cancelled successfully."}
    assert client.job(job_id)["status"] == "Cancelled"
    again = client.call("DELETE", f"{client.jobs}{job_id}/")
    assert again.json() == {"message": "Job is already completed."}


# What becomes of jobs


def test_a_job_is_encoded_into_its_renditions(studio: RunningSandbox) -> None:
    client = Client(studio)
    made = studio.state_dir / "media" / "out"
    before = set(made.iterdir())
    created = client.create(
        input_url=studio.input_url("no-audio.mp4"), resolutions=["240p", "360p"]
    )
    job = client.wait(created["id"], "Completed", "Error")
    assert (job["status"], job["error_message"], job["video_duration"]) == ("Completed", None, 8)
    assert job["start_time"].endswith("+05:30")
    start, end = (datetime.fromisoformat(job[name]) for name in ("start_time", "end_time"))
    assert start < end
    listed = client.get(client.jobs)["results"][0]
    assert (listed["status"], listed["video_duration"]) == ("completed", "00:00:08")
    assert listed["end_time"].endswith("Z")
    (folder,) = set(made.iterdir()) - before
    path = f"{studio.url}/media/out/{folder.name}"
    playlist = requests.get(f"{path}/video/video.m3u8", timeout=60).text
    for height, label in ((240, "240p"), (360, "360p")):
        assert f"x{height}" in playlist
        assert f"../{label}/video.m3u8" in playlist
        segments = requests.get(f"{path}/{label}/video.m3u8", timeout=60).text
        first = next(line for line in segments.splitlines() if line.endswith(".ts"))
        assert requests.get(f"{path}/{label}/{first}", timeout=60).content[:1] == b"G"


@pytest.mark.parametrize(
    ("clip", "output", "message"),
    [
        (
            "missing.mp4",
            OUTPUT,
            "The specified input URL does not exist or cannot be accessed",
        ),
        ("forbidden.mp4", OUTPUT, "Access denied while reading the input"),
        ("corrupt.mp4", OUTPUT, "Invalid data found when decoding the input"),
        ("notes.txt", OUTPUT, "The input has no video or audio stream"),
        ("page.html", OUTPUT, "The input is not a video file"),
        ("no-audio.mp4", "s3://denied/x/", "Access denied while writing to the output path"),
        ("no-audio.mp4", "s3://nobucket/x/", "The bucket of the output path does not exist"),
    ],
)
def test_what_went_wrong_is_one_sentence(
    studio: RunningSandbox, clip: str, output: str, message: str
) -> None:
    client = Client(studio)
    created = client.create(
        input_url=studio.input_url(clip), output_path=output, resolutions=["240p"]
    )
    job = client.wait(created["id"], "Completed", "Error")
    assert (job["status"], job["error_message"]) == ("Error", message)
    assert job["end_time"] is None  # as captured: nothing follows from it
    assert client.get(client.jobs)["results"][0]["error_message"] == message


def test_a_job_in_an_undocumented_state_says_so(client: Client, clockwork: RunningSandbox) -> None:
    job_id = client.create()["id"]
    (brief,) = clockwork.state()["recent_jobs"]
    steer = f"{clockwork.url}/_sandbox/jobs/{brief['id']}"
    requests.post(steer, json={"state": "Quarantined"}, timeout=60)
    assert client.job(job_id)["status"] == "Quarantined"


def test_the_past_has_what_the_api_can_report(start_sandbox: StartSandbox) -> None:
    sandbox = start_sandbox(seed_jobs=300, seed_second=4, seed_unknown=1, seed_moving=2)
    client = Client(sandbox)
    jobs: list[Any] = []
    url = client.jobs
    while url:
        page = client.get(url)
        jobs, url = jobs + page["results"], page["next"]
    phrase = {job["status"] for job in jobs}
    assert {"queued", "completed", "error", "cancelled", "quarantined"} <= phrase | {"queued"}
    messages = {job["error_message"] for job in jobs if job["status"] == "error"}
    assert len(messages) > 6
    assert None in messages
    assert all(job["input_url"].startswith(("http://", "https://", "s3://")) for job in jobs)
    assert all("secret_key=" in job["output_path"] for job in jobs)
    assert any("X-Amz-Signature=" in job["input_url"] for job in jobs)
    assert (
        Client(sandbox, "tpstreams_second").get(
            client.jobs.replace(
                client.organization, sandbox.keys["tpstreams_second_organization_id"]
            )
        )["count"]
        == 4
    )


# The organization


def test_the_list_of_organizations_reports_keys_in_clear(client: Client) -> None:
    (organization,) = client.get(f"{client.base}/organizations/")["results"]
    assert organization["uuid"] == client.organization
    assert len(organization["drm_aes_signing_key"]) == 64


def test_webhooks_are_kept_by_organization(clockwork: RunningSandbox, client: Client) -> None:
    url = f"{client.base}/{client.organization}/webhooks/"
    made = client.call("POST", url, json={"url": "http://h/", "secret_token": "s"}).json()
    assert client.get(url)["results"] == [made]
    other = Client(clockwork, "tpstreams_second")
    assert other.get(f"{other.base}/{other.organization}/webhooks/")["count"] == 0
    changed = client.call("PUT", f"{url}{made['id']}/", json={**made, "secret_token": "t"})
    assert changed.json() == {**made, "secret_token": "t"}
    assert client.call("DELETE", f"{url}{made['id']}/").status_code == 204
    assert client.call("DELETE", f"{url}{made['id']}/").status_code == 404
    assert client.call("PUT", f"{url}{made['id']}/", json=made).status_code == 404
    assert client.get(url)["results"] == []
    problems = client.call("POST", url, json={"url": "h"}).json()
    assert set(problems) == {"url", "secret_token"}


def test_webhooks_hear_of_jobs_and_of_an_asset(
    start_sandbox: StartSandbox, receiver: Receiver
) -> None:
    # slow enough for a tick between its first rendition and its end
    client = Client(start_sandbox(time_scale=6))
    url = f"{client.base}/{client.organization}/webhooks/"
    hook = {"url": f"{receiver.url}/hook", "secret_token": "planted"}
    client.call("POST", url, json=hook)
    job_id = client.create(enable_drm=True, client_metadata={"a": 1})["id"]
    receiver.wait(3)
    headers = [{name.lower(): value for name, value in h.items()} for h, _ in receiver.deliveries]
    assert {each["x-streams-token"] for each in headers} == {"planted"}
    bodies = [body for _, body in receiver.deliveries]
    (asset,) = [body for body in bodies if body.get("type") == "video"]
    assert "input_url" not in asset
    jobs = [body for body in bodies if "output_path" in body]
    assert sorted(job["status"] for job in jobs) == ["completed", "transcoding"]
    assert {job["id"] for job in jobs} == {job_id}
    assert all(set(job) == {*LISTED, "drm_content_id", "client_metadata"} for job in jobs)
    assert all(job["drm_content_id"].count("-") == 4 for job in jobs)


# Bad days


def test_faults_are_worded_as_this_api_does(client: Client, clockwork: RunningSandbox) -> None:
    for name, status in (("ratelimit", 429), ("unauthorized", 401), ("not_found", 404)):
        clockwork.set_faults({name: {"times": 1, "path": "/tpstreams/"}})
        response = client.call("GET", client.jobs)
        assert response.status_code == status
        assert set(response.json()) == {"detail"}
        assert ("Retry-After" in response.headers) == (status == 429)
