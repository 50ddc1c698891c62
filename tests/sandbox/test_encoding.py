"""Encoding for real. Few and short: each of these runs FFmpeg."""

import subprocess
import time
from pathlib import Path

import pytest
import requests

from sandbox.encoding.ffmpeg import executable
from sandbox.server import RunningSandbox
from tests.sandbox.conftest import Client, StartSandbox
from tests.waiting import PATIENCE_S


def test_a_job_makes_files_that_play(start_sandbox: StartSandbox, tmp_path: Path) -> None:
    # FFmpeg gives each of these characters a meaning where it reads them in a path.
    studio = start_sandbox(encode=True, state_dir=tmp_path / "Büro + 100% #1")
    client = Client(studio)
    created = client.create(
        studio.input_url("good.mp4"),
        {
            "label": "web",
            "height": 180,
            "thumbnails": {"number": 2, "format": "jpg", "width": 80, "label": "poster"},
        },
        {"label": "hls-90", "type": "segmented", "height": 90, "segment_seconds": 2},
        {"label": "hls-60", "type": "segmented", "height": 60, "segment_seconds": 2},
        {
            "label": "hls",
            "type": "playlist",
            "streams": [
                {"source": "hls-90", "path": "hls-90.m3u8"},
                {"source": "hls-60", "path": "hls-60.m3u8"},
            ],
        },
        {"label": "sound", "format": "mp3", "skip_video": True},
        test=True,
    )

    job = client.wait(created["id"], "finished", "failed")

    source = job["input_media_file"]
    web, hls_90, hls_60, hls, sound = job["output_media_files"]
    assert job["state"] == "finished", job
    assert (source["width"], source["height"], source["frame_rate"]) == (640, 360, 30)
    assert (source["video_codec"], source["audio_codec"]) == ("h264", "aac")
    assert 19_500 <= source["duration_in_ms"] <= 20_500
    assert (web["width"], web["height"], web["format"]) == (320, 180, "mpeg4")
    assert 4_900 <= web["duration_in_ms"] <= 5_200
    assert web["file_size_bytes"] == len(requests.get(web["url"], timeout=60).content)
    assert web["rfc_6381_video_codec"].startswith("avc1.")
    assert (sound["video_codec"], sound["audio_codec"]) == (None, "mp3")
    assert (hls["width"], hls["duration_in_ms"]) == (None, None)
    assert [hls_90["height"], hls_60["height"]] == [90, 60]
    master = requests.get(hls["url"], timeout=60).text
    assert "RESOLUTION=160x90" in master
    assert "RESOLUTION=106x60" in master
    subprocess.run(  # FFmpeg follows the playlists down to the last segment
        [executable(), "-v", "error", "-xerror", "-i", hls["url"], "-f", "null", "-"],
        check=True,
        timeout=PATIENCE_S,
    )
    assert [(image["width"], image["height"]) for image in job["thumbnails"]] == [(80, 44)] * 2
    for image in job["thumbnails"]:
        assert requests.get(image["url"], timeout=60).content.startswith(b"\xff\xd8")


@pytest.mark.parametrize(
    ("clip", "error_class"),
    [
        ("corrupt.mp4", "UnreadableFileError"),
        ("truncated.mp4", "TruncatedFileError"),
        ("notes.txt", "NoMediaError"),
        ("page.html", "InvalidDownloadedFileTypeError"),
        ("missing.mp4", "FileNotFoundError"),
        ("forbidden.mp4", "DownloadAccessDeniedError"),
    ],
)
def test_an_input_fails_for_what_is_really_wrong_with_it(
    studio: RunningSandbox, clip: str, error_class: str
) -> None:
    client = Client(studio)
    created = client.create(studio.input_url(clip), {}, {})

    job = client.wait(created["id"], "failed", "finished")

    assert job["input_media_file"]["error_class"] == error_class
    assert job["input_media_file"]["error_message"]
    assert [output["state"] for output in job["output_media_files"]] == ["no_input", "no_input"]


@pytest.mark.parametrize(
    ("url", "error_class"),
    [
        ("https://media.example.com/a.mp4", "DownloadFailureError"),
        ("http://10.0.0.8/a.mp4", "DownloadFailureError"),
        ("s3://nobucket/a.mp4", "S3BucketNotFoundError"),
        ("s3://studio/private/a.mp4", "DownloadAccessDeniedError"),
        ("s3://studio/a.mp4", "DownloadFailureError"),
    ],
)
def test_other_machines_are_out_of_reach(
    studio: RunningSandbox, url: str, error_class: str
) -> None:
    client = Client(studio)

    job = client.wait(client.create(url)["id"], "failed", "finished")

    assert job["input_media_file"]["error_class"] == error_class


def test_a_destination_may_refuse_one_output(studio: RunningSandbox) -> None:
    client = Client(studio)
    created = client.create(
        studio.input_url("no-audio.mp4"),
        {"height": 60, "url": "s3://delivery/a.mp4"},
        {"height": 60, "url": "s3://denied/b.mp4"},
        {"height": 60, "skip": {"min_size": "1920x1080"}},
        test=True,
    )

    job = client.wait(created["id"], "failed", "finished")

    outputs = job["output_media_files"]
    assert job["state"] == "failed"
    assert [output["state"] for output in outputs] == ["finished", "failed", "skipped"]
    assert outputs[1]["error_class"] == "UploadAccessDeniedError"
    assert outputs[0]["audio_codec"] is None


def test_progress_moves_and_cancelling_ends_the_encoder(start_sandbox: StartSandbox) -> None:
    sandbox = start_sandbox(encode=True, encode_speed=0.1)
    client = Client(sandbox)
    source = sandbox.input_url("no-audio.mp4")
    job_id = client.create(source, {"height": 60}, {"height": 90})["id"]
    client.wait(job_id, "processing")

    seen: set[float] = set()
    while len(seen) < 3:
        progress = client.get(f"/jobs/{job_id}/progress")
        assert progress["state"] == "processing"
        first = progress["outputs"][0]
        if first.get("current_event") == "Transcoding":
            seen.add(first["current_event_progress"])
        time.sleep(0.05)
    assert client.call("PUT", f"/jobs/{job_id}/cancel").status_code == 204

    # The encoder is free at once: another job does not wait for the cancelled one.
    next_id = client.create(sandbox.input_url("notes.txt"))["id"]
    client.wait(next_id, "failed", seconds=60)
    job = client.job(job_id)
    assert job["state"] == "cancelled"
    assert job["input_media_file"]["state"] == "finished"
    assert {output["state"] for output in job["output_media_files"]} == {"cancelled"}
