"""Files as cameras, phones and other encoders write them, made with FFmpeg and encoded."""

import re
import subprocess
from typing import Any

import pytest
import requests

from sandbox.encoding.ffmpeg import executable
from sandbox.encoding.renditions import frame_size
from sandbox.jobs.model import MediaInfo, OutputSpec
from sandbox.server import RunningSandbox
from tests.sandbox.conftest import Client
from tests.waiting import PATIENCE_S

# a second of red, then one of blue
FILM = [
    "-f",
    "lavfi",
    "-i",
    "color=red:160x90:r=10:d=1[a];color=blue:160x90:r=10:d=1[b];[a][b]concat",
]
# left red, right blue
HALVES = [
    "-f",
    "lavfi",
    "-i",
    "color=red:80x90:r=10:d=1[a];color=blue:80x90:r=10:d=1[b];[a][b]hstack",
]
COVER = ["-f", "lavfi", "-i", "color=lime:320x320:r=1:d=1"]
H264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac"]
RED, BLUE = (255, 0, 0), (0, 0, 255)


def sound(seconds: float) -> list[str]:
    return ["-f", "lavfi", "-i", f"sine=frequency=440:duration={seconds}"]


def run(*arguments: str) -> bytes:
    command = [executable(), "-v", "error", "-y", "-threads", "1", *arguments]
    return subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE_S).stdout


def encode(
    studio: RunningSandbox, name: str, *steps: list[str], expect: str = "finished", **output: Any
) -> dict[str, Any]:
    """Make an input of this name, each step from what the one before left; encode it; the job."""
    path = studio.state_dir / "media" / "in" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    for number, arguments in enumerate(steps):
        last = path.with_name(f"step-{number}-{name}")
        run(*(str(path) if one == "STEP" else one for one in arguments), str(last))
        last.rename(path)
    client = Client(studio)
    job = client.wait(
        client.create(studio.input_url(name), {"height": 60, **output})["id"], "finished", "failed"
    )
    assert job["state"] == expect, job["output_media_files"]
    return job


def describe(url: str) -> str:
    """What FFmpeg says of a file."""
    command = [executable(), "-hide_banner", "-i", url]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    ).stderr


def read_colors(url: str, columns: int = 1, rows: int = 1, at: float = 0) -> list[tuple[int, ...]]:
    """The colours of a picture, as many as asked for, row by row."""
    size = ["-frames:v", "1", "-vf", f"scale={columns}:{rows}:flags=area", "-pix_fmt", "rgb24"]
    data = run("-ss", str(at), "-i", url, *size, "-f", "rawvideo", "-")
    return [tuple(data[start : start + 3]) for start in range(0, len(data), 3)]


def is_near(found: tuple[int, ...], expected: tuple[int, ...]) -> bool:
    return all(abs(one - other) < 60 for one, other in zip(found, expected, strict=True))


def test_a_film_that_a_phone_held_upright_stays_upright(studio: RunningSandbox) -> None:
    turn = ["-display_rotation", "90", "-i", "STEP", "-c", "copy"]
    job = encode(studio, "upright.mp4", [*HALVES, *H264], turn, height=80, thumbnails={"number": 1})
    source, (output,) = job["input_media_file"], job["output_media_files"]
    assert (source["width"], source["height"]) == (90, 160)
    assert (output["width"], output["height"]) == (44, 80)
    assert "rotation" not in describe(output["url"])
    for url in (output["url"], job["thumbnails"][0]["url"]):
        above, below = read_colors(url, rows=2)
        assert {is_near(above, RED), is_near(above, BLUE)} == {True, False}
        assert is_near(below, BLUE if is_near(above, RED) else RED)


@pytest.mark.parametrize(("pixels", "size"), [("16/11", (156, 60)), ("1/2", (54, 60))])
def test_pixels_that_are_not_square_become_square(
    studio: RunningSandbox, pixels: str, size: tuple[int, int]
) -> None:
    name = f"pixels-{pixels[0]}.mp4"
    job = encode(studio, name, [*HALVES, *H264, "-vf", f"setsar={pixels}"])
    (output,) = job["output_media_files"]
    assert (output["width"], output["height"]) == size
    assert "[SAR 1:1 " in describe(output["url"])


def test_a_transport_stream_that_begins_late_is_encoded_from_its_start(
    studio: RunningSandbox,
) -> None:
    shift = ["-i", "STEP", "-c", "copy", "-output_ts_offset", "3600", "-f", "mpegts"]
    job = encode(
        studio,
        "late.ts",
        [*FILM, *sound(2), *H264, "-f", "mpegts"],
        shift,
        thumbnails={"times": [0.5, 1.5]},
    )
    (output,) = job["output_media_files"]
    assert 1900 <= output["duration_in_ms"] <= 2200
    assert [is_near(read_colors(output["url"], at=at)[0], RED) for at in (0.5, 1.5)] == [
        True,
        False,
    ]
    first, second = job["thumbnails"]
    assert is_near(read_colors(first["url"])[0], RED)
    assert is_near(read_colors(second["url"])[0], BLUE)

    (clip,) = encode(studio, "late.ts", start_clip=1.2)["output_media_files"]
    assert 700 <= clip["duration_in_ms"] <= 1000
    assert is_near(read_colors(clip["url"])[0], BLUE)


@pytest.mark.parametrize("seconds", [1, 3])
def test_sound_may_be_shorter_or_longer_than_the_picture(
    studio: RunningSandbox, seconds: int
) -> None:
    job = encode(
        studio,
        f"sound-of-{seconds}.mp4",
        [*FILM, *sound(seconds), *H264],
        thumbnails={"number": 3},
    )
    (output,) = job["output_media_files"]
    expected = 1000 * max(2, seconds)
    assert expected - 100 <= output["duration_in_ms"] <= expected + 150
    assert output["audio_codec"] == "aac"
    colours = [read_colors(image["url"])[0] for image in job["thumbnails"]]
    assert is_near(colours[0], RED)
    assert is_near(colours[2], BLUE)


def test_cover_art_is_no_picture_of_a_film(studio: RunningSandbox) -> None:
    attach = ["-map", "1", "-map", "0:a", "-disposition:v", "attached_pic", "-c:v", "mjpeg"]
    song = encode(studio, "song.mp3", [*sound(1), *COVER, *attach, "-frames:v", "1"])
    (output,) = song["output_media_files"]
    assert (song["input_media_file"]["video_codec"], output["video_codec"]) == (None, None)
    assert output["audio_codec"] == "aac"
    assert 900 <= output["duration_in_ms"] <= 1150

    both = [*FILM, *sound(2), *COVER, "-map", "2", "-map", "0", "-map", "1", "-c:v:0", "mjpeg"]
    both += ["-c:v:1", "libx264", "-frames:v:0", "1", "-disposition:v:0", "attached_pic"]
    film = encode(studio, "film.m4v", [*both, "-f", "mp4"], thumbnails={"number": 1})
    (output,) = film["output_media_files"]
    assert (output["width"], output["height"]) == (106, 60)
    assert is_near(read_colors(output["url"])[0], RED)
    assert read_colors(film["thumbnails"][0]["url"])[0][1] < 60  # no lime


def test_an_animation_becomes_a_film(studio: RunningSandbox) -> None:
    job = encode(studio, "moving.gif", [*FILM], thumbnails={"times": [1.5]})
    (output,) = job["output_media_files"]
    assert (output["video_codec"], output["audio_codec"]) == ("h264", None)
    assert 1900 <= output["duration_in_ms"] <= 2200
    assert "yuv420p" in describe(output["url"])
    assert is_near(read_colors(job["thumbnails"][0]["url"])[0], BLUE)


@pytest.mark.parametrize("name", ["still.jpg", "still.png", "still.webp", "still.gif"])
def test_a_still_picture_is_refused_as_such(studio: RunningSandbox, name: str) -> None:
    job = encode(studio, name, [*HALVES, "-frames:v", "1"], expect="failed")
    assert job["input_media_file"]["error_class"] == "NoMediaError"
    assert "no moving picture" in job["input_media_file"]["error_message"]


@pytest.mark.parametrize(
    ("source", "height", "size"),
    [
        ((3840, 2160), 2160, (3840, 2160)),
        ((3840, 2160), None, (1920, 1080)),
        ((2160, 3840), 2160, (2160, 3840)),
        ((3000, 1080), 1080, (3000, 1080)),
        ((640, 360), 2160, (640, 360)),
    ],
)
def test_large_pictures_are_made_where_they_are_asked_for(
    source: tuple[int, int], height: int | None, size: tuple[int, int]
) -> None:
    width, tall = source
    asked = OutputSpec(short_side=height) if height else OutputSpec()
    assert frame_size(asked, MediaInfo(width=width, height=tall)) == size


def test_hdr_is_mapped_to_usual_colours(studio: RunningSandbox) -> None:
    colours = "colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:log-level=error"
    hdr = ["-c:v", "libx265", "-pix_fmt", "yuv420p10le", "-x265-params", colours]
    job = encode(studio, "hdr.mp4", [*HALVES, *hdr], thumbnails={"number": 1})
    (output,) = job["output_media_files"]
    (stream,) = re.findall("Video: h264.*", describe(output["url"]))
    assert "bt709" in stream
    assert "2020" not in stream
    assert requests.get(job["thumbnails"][0]["url"], timeout=PATIENCE_S).content.startswith(
        b"\x89PNG"
    )
