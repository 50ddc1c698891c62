"""Clips, uploads, ranges and signed links."""

import re

import requests

from sandbox.encoding.renditions import MAX_IMAGES, image_times
from sandbox.jobs.model import ImageSet
from sandbox.server import RunningSandbox
from tests.sandbox.conftest import Client, StartSandbox


def test_clips_are_served_in_ranges_to_any_origin(clockwork: RunningSandbox) -> None:
    url = clockwork.input_url("corrupt.mp4")

    whole = requests.get(url, timeout=60)
    middle = requests.get(url, headers={"Range": "bytes=10-19"}, timeout=60)
    tail = requests.get(url, headers={"Range": "bytes=-7"}, timeout=60)
    beyond = requests.get(url, headers={"Range": "bytes=99999999-"}, timeout=60)
    head = requests.head(url, timeout=60)

    size = len(whole.content)
    assert whole.headers["Access-Control-Allow-Origin"] == "*"
    assert whole.headers["Content-Type"] == "video/mp4"
    assert (middle.status_code, middle.content) == (206, whole.content[10:20])
    assert middle.headers["Content-Range"] == f"bytes 10-19/{size}"
    assert tail.content == whole.content[-7:]
    assert beyond.status_code == 416
    assert (head.headers["Content-Length"], head.content) == (str(size), b"")


def test_nothing_outside_of_the_media_is_served(clockwork: RunningSandbox) -> None:
    for path in ("in/%2e%2e/%2e%2e/keys.json", "in/..%2f..%2fkeys.json", "in//", "keys.json"):
        response = requests.get(f"{clockwork.url}/media/{path}", timeout=60)

        assert response.status_code in (403, 404)
        assert "zencoder_api_key" not in response.text


def test_a_hosted_output_opens_by_its_signed_link_alone(start_sandbox: StartSandbox) -> None:
    client = Client(start_sandbox(time_scale=100))
    job_id = client.create("https://media.example.com/a.mp4", {"label": "a"}, {"label": "b"})["id"]
    job = client.wait(job_id, "finished")
    link, other = (output["url"] for output in job["output_media_files"])
    signature = re.compile("Signature=[0-9a-f]+")
    stolen = signature.sub(signature.search(other)[0], link)  # type: ignore[index]

    assert requests.get(link, timeout=60).status_code == 200
    assert requests.get(link.split("?")[0], timeout=60).status_code == 403
    assert requests.get(stolen, timeout=60).status_code == 403
    prolonged = re.sub(r"Expires=(\d+)", lambda m: f"Expires={int(m[1]) + 60}", link)
    assert requests.get(prolonged, timeout=60).status_code == 403


def test_the_link_of_an_old_job_has_expired(start_sandbox: StartSandbox) -> None:
    client = Client(start_sandbox(seed_jobs=300))
    jobs = [item["job"] for page in (4, 5, 6) for item in client.get(f"/jobs?page={page}")]
    hosted = [
        output["url"]
        for job in jobs
        for output in job["output_media_files"]
        if "Signature=" in output["url"]
    ]

    assert hosted
    assert requests.get(hosted[0], timeout=60).status_code == 403


def test_an_upload_becomes_an_input(clockwork: RunningSandbox) -> None:
    data = bytes(range(256)) * 700
    upload = {"file": ("../e vil\u00e9.mp4", data)}

    as_json = requests.post(f"{clockwork.url}/uploads", files=upload, timeout=60)
    as_page = requests.post(
        f"{clockwork.url}/uploads", files=upload, headers={"Accept": "text/html"}, timeout=60
    )

    assert as_json.status_code == 201
    assert requests.get(as_json.json()["url"], timeout=60).content == data
    (target_url,) = set(re.findall(r'href="(http[^"]+vil[^"]+)"', as_page.text))
    assert requests.get(target_url, timeout=60).content == data


def test_an_upload_without_a_file_is_refused(clockwork: RunningSandbox) -> None:
    response = requests.post(f"{clockwork.url}/uploads", data=b"", timeout=60)

    assert response.status_code == 400


def test_the_start_page_names_the_clips_and_the_api(clockwork: RunningSandbox) -> None:
    page = requests.get(clockwork.url, timeout=60).text

    assert clockwork.input_url("good.mp4") in page
    assert clockwork.api_url("zencoder") in page
    assert clockwork.keys["zencoder_api_key"] not in page


def test_the_shortest_interval_makes_no_more_pictures_than_there_may_be() -> None:
    for at_start in (True, False):
        images = ImageSet(interval_s=1e-9, at_start=at_start)
        times = image_times(images, length=3600)
        assert len(times) == MAX_IMAGES
        assert times[0] == 0
    assert image_times(ImageSet(interval_s=2, at_start=True), length=5) == [0, 2, 4]
    assert image_times(ImageSet(interval_s=2), length=5) == [0, 2, 4]
