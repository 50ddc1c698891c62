"""Xvid's presets, and the links that open its files."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
import responses
from responses import matchers

from providers.core.errors import BadAnswer, NotFound
from providers.http.client import HttpClient
from providers.xvid.adapter import LINK_LIFE, Xvid
from tests.providers.cases.xvid import BASE_URL as BASE
from tests.providers.cases.xvid import PAGING, make_adapter, queries

Load = Callable[[str], Any]


@pytest.fixture
def xvid(http: HttpClient) -> Xvid:
    return make_adapter(http)


def test_presets_are_listed_over_pages_each_once(
    xvid: Xvid, wire: responses.RequestsMock, load: Load
) -> None:
    first, second = (load(f"xvid/presets_{name}.json")["presets"] for name in ("first", "second"))
    filler = [{"id": f"{n:024x}", "name": f"Filler {n}"} for n in range(98)]
    for start, items in ((0, [*filler, *first]), (95, [*first, *second])):
        query = {"show_null": "true"} | PAGING | {"start": str(start)}
        match = [matchers.query_param_matcher(query)]
        wire.get(f"{BASE}/presets/", json={"presets": items}, match=match)
    presets = list(xvid.list_presets())
    assert len({preset.remote_id for preset in presets}) == len(presets) == 102
    assert [(preset.name, preset.kind) for preset in presets[98:]] == [
        ("House 720p", "custom"),
        ("MP4 360p", "system"),
        ("Shared name", "custom"),
        ("Shared name", "system"),
    ]
    assert presets[98].settings["settings"] == {"subtitle_policy": "ignore"}


def test_what_users_hold_is_not_kept_with_a_preset(
    xvid: Xvid, wire: responses.RequestsMock
) -> None:
    user = {"id": "u", "email": "canary@example.com", "password": "*******"}
    vcodec = {"codec": {"id": "c", "user": user}}
    reported = {"id": "p", "name": "House", "user": user, "target_format": {"vcodec": vcodec}}
    wire.get(f"{BASE}/presets/", json={"presets": [reported]})
    (preset,) = xvid.list_presets()
    assert "canary" not in str(preset)
    assert preset.settings == {
        "target_format": {"vcodec": {"codec": {"id": "c", "user": {"id": "u"}}}}
    }


@pytest.mark.parametrize(
    ("output_id", "file_id"),
    [("0", "60711"), ("0/thumbnails.zip", "60713"), ("0/thumbnails/0", "60714"), ("1", "60712")],
)
def test_an_output_opens_at_a_url_made_for_the_moment(
    xvid: Xvid, wire: responses.RequestsMock, load: Load, output_id: str, file_id: str
) -> None:
    body = load("xvid/job_success.json")
    for file in (body["outputs"][0]["file"], body["outputs"][1]["file"]):
        # Neither is followed: a token sent there would be lost.
        file["href"] = file["uri"] = "https://elsewhere.example.com/take/the/token"
    wire.get(f"{BASE}/jobs/69a55c30a1b2c3d4e5f60701", json={"job": body})
    wire.get(
        f"{BASE}/files/downloads/",
        json={"download": {"href": f"{BASE}/files/x", "uri": "https://cdn.example.com/f?sig=x"}},
    )
    before = datetime.now(UTC)
    link = xvid.resolve_output_url("69a55c30a1b2c3d4e5f60701", output_id)
    assert link.url == "https://cdn.example.com/f?sig=x"
    assert link.expires_at
    assert before < link.expires_at <= datetime.now(UTC) + LINK_LIFE
    asked = queries(wire)[1]
    assert set(asked) == {"file_id", "expiry_time", "streaming"}  # nor `redirect`: a 302 is no JSON
    assert asked["file_id"] == f"69a55c30a1b2c3d4e5f{file_id}"
    assert asked["streaming"] == "true"
    # In seconds, where all other times are in milliseconds.
    assert int(asked["expiry_time"]) == int(link.expires_at.timestamp())
    assert {urlsplit(call.request.url).hostname for call in wire.calls} == {"xvid.example.com"}
    assert "sig=x" not in repr(link)


def test_a_link_that_reports_its_end_ends_then(
    xvid: Xvid, wire: responses.RequestsMock, load: Load
) -> None:
    wire.get(f"{BASE}/jobs/1", json={"job": load("xvid/job_success.json")})
    url = "https://cdn.example.com/f?Expires=1772449999&Signature=s"
    wire.get(f"{BASE}/files/downloads/", json=[{"name": "f", "urls": [None, url]}])
    assert xvid.resolve_output_url("1", "0").expires_at == datetime.fromtimestamp(1772449999, UTC)


def test_an_output_without_a_file_opens_nowhere(
    xvid: Xvid, wire: responses.RequestsMock, load: Load
) -> None:
    wire.get(f"{BASE}/jobs/1", json={"job": load("xvid/job_queued.json")})
    for output_id in ("0", "9", "0/thumbnails/0", "x"):
        with pytest.raises(NotFound):
            xvid.resolve_output_url("1", output_id)


@pytest.mark.parametrize(
    "body", [{}, [], None, {"url": None}, {"url": "ftp://x/y"}, {"href": f"{BASE}/files/x"}]
)
def test_a_download_without_a_web_url_is_a_bad_answer(
    xvid: Xvid, wire: responses.RequestsMock, load: Load, body: Any
) -> None:
    wire.get(f"{BASE}/jobs/1", json={"job": load("xvid/job_success.json")})
    wire.get(f"{BASE}/files/downloads/", json=body)
    with pytest.raises(BadAnswer):
        xvid.resolve_output_url("1", "0")
