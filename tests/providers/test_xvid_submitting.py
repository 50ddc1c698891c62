"""Submitting to Xvid: presets, our key, and what an answer proves."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import responses

from providers.core.contract import Account
from providers.core.errors import BadAnswer, Rejected, TimedOut
from providers.core.issues import RequestIssue
from providers.core.status import JobStatus
from providers.core.types import JobRequest, Rendition, Thumbnails
from providers.http.client import HttpClient
from providers.xvid.adapter import Xvid
from tests.providers.cases.xvid import BASE_URL as BASE
from tests.providers.cases.xvid import (
    CREDENTIALS,
    OPTIONS,
    PRESETS,
    make_adapter,
    queries,
    request_for,
)

KEY = "0f8fad5bd9cb469fa16570867728950e"

Load = Callable[[str], Any]


@pytest.fixture
def xvid(http: HttpClient) -> Xvid:
    return make_adapter(http)


def body_of(call: responses.Call) -> Any:
    return json.loads(call.request.body or b"")


def test_a_request_becomes_one_output_a_preset(xvid: Xvid) -> None:
    request = request_for(
        PRESETS[0],
        "House 720p",
        renditions=(Rendition("mp4", (360, 720)),),
        thumbnails=Thumbnails(count=3),
        destination="reels/harbour",
        metadata="episode 12",
    )
    assert xvid.build_request(request, KEY) == {
        "pipeline": {"id": OPTIONS["pipeline_id"]},
        "input": {"input_name": "https://h/a.mov"},
        "output_prefix": "reels/harbour/",
        "user_data": f"episode 12 rb:{KEY}",
        "outputs": [
            {
                "preset": {"id": PRESETS[0]},
                "output_name": "mp4-360p",
                "thumbnails": [
                    {
                        "thumbnail_names": "thumb_{resolution}",
                        "thumbnail_preset": "thumbnails_small",
                    }
                ],
            },
            {"preset": {"name": "House 720p"}, "output_name": "mp4-720p"},
        ],
    }


def test_outputs_are_numbered_where_renditions_do_not_match_the_presets(xvid: Xvid) -> None:
    request = request_for(*PRESETS, renditions=(Rendition("mp4", (360,)),))
    outputs = xvid.build_request(request)["outputs"]
    assert [output["output_name"] for output in outputs] == ["output-1", "output-2"]
    assert xvid.build_request(request)["output_prefix"] == "{job_id}/"


def test_whatever_the_metadata_is_our_key_ends_the_user_data(xvid: Xvid) -> None:
    for metadata, extra, kept in (
        (None, {}, f"rb:{KEY}"),
        ({"a": [1]}, {}, f'{{"a":[1]}} rb:{KEY}'),
        ("mine", {"user_data": "wins"}, f"wins rb:{KEY}"),
    ):
        request = JobRequest("https://h/a.mov", metadata=metadata, extra=extra)
        assert xvid.build_request(request, KEY)["user_data"] == kept


def blocking(issues: list[RequestIssue]) -> set[str]:
    return {issue.field for issue in issues if issue.blocking}


def test_renditions_without_a_preset_are_refused_with_a_clear_message(xvid: Xvid) -> None:
    (issue,) = xvid.check_request(request_for(renditions=(Rendition("mp4", (360,)),)))
    assert issue.blocking
    assert "needs a preset (id or name) for each rendition, or extra.outputs" in issue.message
    assert blocking(xvid.check_request(request_for())) == {"renditions"}
    assert not blocking(xvid.check_request(request_for(PRESETS[0])))
    assert not blocking(xvid.check_request(request_for(extra={"presets": "MP4 360p"})))
    outputs = [{"preset": {"id": PRESETS[0]}, "output_name": "a"}]
    assert not blocking(xvid.check_request(request_for(extra={"outputs": outputs})))


def test_submitting_needs_a_pipeline_and_reading_does_not(http: HttpClient) -> None:
    xvid = Xvid(Account(BASE, CREDENTIALS), http)
    assert blocking(xvid.check_request(request_for(PRESETS[0]))) == {"account"}
    for extra in ({"pipeline": {"id": "p"}}, {"pipeline_id": "p"}):
        request = request_for(extra={"presets": PRESETS, **extra})
        assert not blocking(xvid.check_request(request))
        assert xvid.build_request(request).items() >= extra.items()
    assert Xvid.check_credentials_given(CREDENTIALS, {}) == {}


@pytest.mark.parametrize(
    ("changes", "field", "is_blocking"),
    [
        ({"destination": "s3://bucket/reels/"}, "destination", True),
        ({"test": True}, "test", True),
        ({"priority": 3}, "priority", False),
        ({"thumbnails": Thumbnails(count=3)}, "thumbnails", False),
        ({"renditions": (Rendition("hls", (360,)),)}, "renditions", False),
        ({"extra": {"presets": [7]}}, "extra", True),
        ({"extra": {"presets": {"a": 1}}}, "extra", True),
        ({"extra": {"presets": PRESETS, "outputs": [{}]}}, "extra", False),
        ({"extra": {"outputs": [{}]}, "thumbnails": Thumbnails(count=1)}, "thumbnails", False),
    ],
)
def test_what_xvid_cannot_do_or_decides_itself_is_reported_beforehand(
    xvid: Xvid, changes: dict[str, Any], field: str, is_blocking: bool
) -> None:
    (issue,) = xvid.check_request(request_for(PRESETS[0], **changes))
    assert (issue.field, issue.blocking) == (field, is_blocking)


def test_a_job_is_created_under_its_wrapper_and_waits(
    xvid: Xvid, wire: responses.RequestsMock, load: Load
) -> None:
    wire.post(f"{BASE}/jobs/", json=load("xvid/created.json"), status=201)
    job = xvid.submit(request_for(*PRESETS), KEY)
    assert (job.remote_id, job.status, job.key) == (
        "69a55c30a1b2c3d4e5f60725",
        JobStatus.QUEUED,
        KEY,
    )
    assert [output.label for output in job.outputs] == ["mp4-360p", "mp4-720p"]
    sent = body_of(wire.calls[0])
    assert set(sent) == {"job"}
    assert "presets" not in sent["job"]
    assert queries(wire) == [{}]


@pytest.mark.parametrize("answer", [{"job": {"id": "j1"}}, {"id": "j1"}])
def test_an_answer_of_an_id_alone_is_a_job_that_waits(
    xvid: Xvid, wire: responses.RequestsMock, answer: Any
) -> None:
    wire.post(f"{BASE}/jobs/", json=answer)
    job = xvid.submit(request_for(*PRESETS), KEY)
    assert (job.remote_id, job.status) == ("j1", JobStatus.QUEUED)


@pytest.mark.parametrize("answer", [{"result": {"status": "SUCCESS"}}, {"job": None}, [], None])
def test_an_answer_without_an_id_leaves_open_whether_the_job_exists(
    xvid: Xvid, wire: responses.RequestsMock, answer: Any
) -> None:
    wire.post(f"{BASE}/jobs/", json=answer)
    with pytest.raises(BadAnswer) as caught:
        xvid.submit(request_for(*PRESETS), KEY)
    assert caught.value.ambiguous


def serve_presets(wire: responses.RequestsMock, load: Load) -> None:
    first, second = load("xvid/presets_first.json"), load("xvid/presets_second.json")
    wire.get(f"{BASE}/presets/", json={"presets": [*first["presets"], *second["presets"]]})


def test_names_of_presets_are_looked_up_before_the_job_is_sent(
    xvid: Xvid, wire: responses.RequestsMock, load: Load
) -> None:
    serve_presets(wire, load)
    wire.post(f"{BASE}/jobs/", json=load("xvid/created.json"))
    xvid.submit(request_for("House 720p", PRESETS[0], "MP4 360p"), KEY)
    outputs = body_of(wire.calls[-1])["job"]["outputs"]
    assert [output["preset"] for output in outputs] == [
        {"id": PRESETS[1]},
        {"id": PRESETS[0]},
        {"id": PRESETS[0]},
    ]
    named = {"outputs": [{"preset": {"name": "MP4 360p"}, "output_name": "mine"}]}
    xvid.submit(request_for(extra=named), KEY)
    assert body_of(wire.calls[-1])["job"]["outputs"] == [
        {"preset": {"id": PRESETS[0]}, "output_name": "mine"}
    ]


@pytest.mark.parametrize(
    ("name", "phrase"), [("MP4 9000p", "no preset called MP4 9000p"), ("Shared name", "2 presets")]
)
def test_a_name_that_no_preset_has_or_several_have_is_refused_unsent(
    xvid: Xvid, wire: responses.RequestsMock, load: Load, name: str, phrase: str
) -> None:
    serve_presets(wire, load)
    with pytest.raises(Rejected, match=phrase) as caught:
        xvid.submit(request_for(name), KEY)
    assert list(caught.value.fields) == ["renditions"]
    assert [call.request.method for call in wire.calls] == ["GET"]


def test_presets_that_cannot_be_read_leave_no_doubt_whether_a_job_was_created(
    xvid: Xvid, wire: responses.RequestsMock
) -> None:
    wire.get(f"{BASE}/presets/", status=504)
    with pytest.raises(TimedOut) as caught:
        xvid.submit(request_for("House 720p"), KEY)
    assert not caught.value.ambiguous
