"""The traps of Xvid's bodies, one by one. What all adapters share is in test_contract.py."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import responses

from providers.core.status import JobStatus, OutputStatus
from providers.core.types import OutputKind, RemoteJob, RemotePreset
from providers.http.client import HttpClient
from providers.http.redaction import REDACTED
from providers.xvid.adapter import Xvid
from tests.providers.cases.xvid import BASE_URL as BASE
from tests.providers.cases.xvid import PRESETS, make_adapter, make_job

KEY = "0f8fad5bd9cb469fa16570867728950e"

Load = Callable[[str], Any]
Read = Callable[[Any], RemoteJob]


@pytest.fixture
def xvid(http: HttpClient) -> Xvid:
    return make_adapter(http)


@pytest.fixture
def read(xvid: Xvid, wire: responses.RequestsMock) -> Read:
    """Read one job body the way a list gives it."""

    def read_body(body: Any) -> RemoteJob:
        wire.get(f"{BASE}/jobs/", json={"jobs": [body]})
        (job,) = next(xvid.list_jobs()).jobs
        wire.reset()
        return job

    return read_body


def test_a_finished_job_is_read_whole(read: Read, load: Load) -> None:
    job = read(load("xvid/job_success.json"))
    assert (job.remote_id, job.status) == ("69a55c30a1b2c3d4e5f60701", JobStatus.SUCCEEDED)
    assert job.provider_status == "SUCCESS"
    assert job.name == "Harbour at dawn.mov"
    assert job.progress == 100
    assert (job.metadata, job.key) == ("episode 12", KEY)
    assert job.created_at == datetime(2026, 3, 2, 8, 58, 20, 111000, tzinfo=UTC)
    assert job.finished_at == datetime(2026, 3, 2, 9, 1, 2, 874000, tzinfo=UTC)
    assert job.started_at is None  # never reported
    assert job.input.url == (
        f"https://{REDACTED}@media.example.com/incoming/8fK2/a81.mov?token={REDACTED}"
    )
    assert job.input.secret_url == (
        "https://uploader:canary-pw-1@media.example.com/incoming/8fK2/a81.mov?token=canary-token-2"
    )
    assert (job.input.duration_ms, job.input.size_bytes) == (94_210, 104_857_600)
    assert (job.input.width, job.input.height, job.input.frame_rate) == (1920, 1080, 25)
    assert (job.input.video_codec, job.input.audio_codec) == ("H.264 / AVC", "MPEG-4 AAC")
    assert job.input.bitrate_kbps == 8192
    small, archive, image, large = job.outputs
    assert [(output.slot, output.remote_id[-2:]) for output in job.outputs] == [
        ("0", "11"),
        ("0/thumbnails.zip", "13"),
        ("0/thumbnails/0", "14"),
        ("1", "12"),
    ]
    assert [output.kind for output in job.outputs] == [
        OutputKind.VIDEO,
        OutputKind.ARCHIVE,
        OutputKind.IMAGE,
        OutputKind.VIDEO,
    ]
    assert {output.status for output in job.outputs} == {OutputStatus.SUCCEEDED}
    assert [output.label for output in job.outputs] == ["harbour-360"] * 3 + ["harbour-720"]
    assert [output.preset_id for output in job.outputs] == [PRESETS[0]] * 3 + [PRESETS[1]]
    assert (small.width, small.height, small.frame_rate) == (640, 360, 25)
    assert (small.video_codec, small.audio_codec) == ("H.264 / AVC", "MPEG-4 AAC")
    assert (small.video_bitrate_kbps, small.audio_bitrate_kbps) == (560, 96)
    assert (small.duration_ms, small.size_bytes) == (94_200, 7_340_032)
    assert small.format == "ISO MP4/M4A"
    assert small.url == f"{BASE}/files/downloads/?file_id=69a55c30a1b2c3d4e5f60711"
    assert small.expires_at == datetime(2026, 3, 9, 9, 0, 0, 500000, tzinfo=UTC)
    assert large.url
    assert large.url.endswith(f"&signature={REDACTED}")
    assert large.secret_url
    assert large.expires_at is None
    assert (archive.format, image.format) == ("application/zip", "image/jpeg")
    assert (image.width, image.height, image.size_bytes) == (160, 90, 20_480)


def test_the_time_of_the_last_change_is_never_used(read: Read) -> None:
    """It lies before the creation, and does not move when a job ends."""
    job = read(make_job(1, created_at=1772441900111, updated_at=1772441899471))
    assert job.updated_at is None
    assert job.created_at == datetime(2026, 3, 2, 8, 58, 20, 111000, tzinfo=UTC)


def test_the_size_on_disk_is_ignored(read: Read, load: Load) -> None:
    body = load("xvid/job_success.json")
    del body["outputs"][1]["file"]["size"]
    assert body["outputs"][1]["file"]["size_on_disk"]
    del body["input"]["file"]["size"]
    body["input"]["file"]["size_on_disk"] = 838_860_800
    job = read(body)
    assert (job.outputs[3].size_bytes, job.input.size_bytes) == (None, None)


def test_references_alone_keep_presets_and_files_by_their_ids(read: Read, load: Load) -> None:
    job = read(load("xvid/job_processing.json"))
    assert [output.preset_id for output in job.outputs] == PRESETS
    assert job.presets == tuple(RemotePreset(preset, "") for preset in PRESETS)
    assert [output.url for output in job.outputs] == [
        f"{BASE}/files/downloads/?file_id=69a55c30a1b2c3d4e5f60731",
        None,
    ]
    assert [output.progress for output in job.outputs] == [100, 12]
    assert [output.status for output in job.outputs] == [OutputStatus.RUNNING] * 2


@pytest.mark.parametrize(
    "file",
    [
        {"id": "f1", "name": "a.mp4", "size": 7, "mime_type": "video/mp4"},  # without href
        {"id": "f1", "href": f"{BASE}/files/f1"},
        {"id": "f1"},
    ],
)
def test_a_file_is_taken_in_every_form_that_it_comes_in(read: Read, file: Any) -> None:
    job = read(make_job(1, outputs=[{"file": file}, {"file": None}, {}]))
    assert [output.url for output in job.outputs] == [
        f"{BASE}/files/downloads/?file_id=f1",
        None,
        None,
    ]


def test_presets_of_a_job_are_read_with_it(read: Read, load: Load) -> None:
    known, own = read(load("xvid/job_success.json")).presets
    assert (known.remote_id, known.name, known.kind) == (PRESETS[0], "MP4 360p", "system")
    assert known.settings["target_format"]["vcodec"]["caps"]["max_height"] == 360
    assert set(known.settings) == {"description", "target_format", "settings"}
    assert (own.name, own.kind) == ("House 720p", "custom")


def test_absent_keys_and_null_are_the_same(read: Read) -> None:
    full: dict[str, Any] = dict.fromkeys(
        ("user_data", "error_msg", "error_code", "finished_at", "autograph", "input", "outputs")
    )
    sparse, reported = read(make_job(1)), read(make_job(1, **full))
    assert {name: value for name, value in reported.raw.items() if value is not None} == sparse.raw
    for name in ("status", "metadata", "key", "input", "outputs", "errors", "finished_at"):
        assert getattr(sparse, name) == getattr(reported, name)


def test_the_name_of_the_file_is_preferred_to_the_url(read: Read) -> None:
    path = "uploads/vnaqaHDKsCfX6X1U/movie%201.mov"
    assert read(make_job(1, input={"input_name": path})).name == "movie 1.mov"
    file = {"id": "f", "name": "Opening night.mov"}
    assert read(make_job(1, input={"input_name": path, "file": file})).name == "Opening night.mov"
    assert read(make_job(1, input={"input_name": path})).input.url == path


def test_what_pipelines_and_users_hold_is_not_kept(read: Read) -> None:
    """It can come unasked for, when references are expanded."""
    pipeline = {"id": "p", "output_upload_dir": "s3://AKIACANARY:canary@eu-west-1/bucket/"}
    user = {"id": "u", "email": "canary@example.com", "password": "*******"}
    file = {"id": "f", "user": user, "pipeline": pipeline, "parents": [{"user": user}]}
    job = read(
        make_job(1, pipeline=pipeline, user=user, application=user, outputs=[{"file": file}])
    )
    assert "canary" not in json.dumps(job.raw).lower()
    assert read(make_job(1, user=[user, 7])).raw["user"] == [{"id": "u"}, 7]
    assert job.raw["pipeline"] == {"id": "p"}
    assert job.raw["outputs"][0]["file"]["user"] == {"id": "u"}


def test_templates_in_names_stay_as_they_are(read: Read) -> None:
    names = {"thumbnail_names": "MyTest_{resolution}", "thumbnail_preset": "thumbnails_small"}
    job = read(make_job(1, output_prefix="{job_id}/", outputs=[{"thumbnails": [names, None, {}]}]))
    assert [output.remote_id for output in job.outputs] == ["0", "0/thumbnails/0", "0/thumbnails/2"]
    assert job.raw["outputs"][0]["thumbnails"][0] == names


def test_a_turned_picture_keeps_the_size_it_is_encoded_in(read: Read) -> None:
    track = {"width": 1920, "height": 1080, "orientation": "rotate-90"}
    file = {"id": "f", "video_tracks": [track]}
    job = read(make_job(1, input={"file": file}, outputs=[{"file": file}]))
    for media in (job.input, job.outputs[0]):
        assert (media.width, media.height) == (1920, 1080)


def test_a_video_may_report_its_length_at_its_track_alone(read: Read) -> None:
    file = {"id": "f", "video_tracks": [{"video_duration": 94200}]}
    job = read(make_job(1, input={"file": file}, outputs=[{"file": file}]))
    assert (job.input.duration_ms, job.outputs[0].duration_ms) == (94_200, 94_200)


def test_sound_alone_is_sound(read: Read) -> None:
    file = {"id": "f", "audio_tracks": [{"audio_codec": "MPEG-4 AAC", "audio_duration": 8000}]}
    (output,) = read(make_job(1, outputs=[{"file": file}])).outputs
    assert (output.kind, output.duration_ms) == (OutputKind.AUDIO, 8000)


@pytest.mark.parametrize(
    ("mime_type", "expected"),
    [
        ("video/quicktime, variant=(string)iso", "video/quicktime"),
        ("video/mp4; codecs=avc1", "video/mp4"),
        ("", None),
        (None, None),
        (["video/mp4"], None),
    ],
)
def test_a_caps_string_is_cut_to_its_type(read: Read, mime_type: Any, expected: Any) -> None:
    file = {"id": "f", "mime_type": mime_type}
    assert read(make_job(1, outputs=[{"file": file}])).outputs[0].format == expected


@pytest.mark.parametrize(
    ("value", "metadata", "key"),
    [
        (f"rb:{KEY}", None, KEY),
        (f"line\nline rb:{KEY}", "line\nline", KEY),
        ("episode 12", "episode 12", None),
        (f"rb:{KEY} and more", f"rb:{KEY} and more", None),
        (None, None, None),
        ({"episode": 12}, {"episode": 12}, None),
    ],
)
def test_our_key_is_taken_off_what_the_customer_kept(
    read: Read, value: Any, metadata: Any, key: str | None
) -> None:
    job = read(make_job(7, user_data=value))
    assert (job.metadata, job.key) == (metadata, key)
