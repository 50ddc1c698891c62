"""Facts of media files, read from what FFmpeg prints of them: the wheel has no ffprobe."""

import re
from pathlib import Path

from sandbox.encoding.ffmpeg import Runner
from sandbox.jobs.model import MediaInfo

STILL_FORMATS = ("image2", "_pipe")
# FFmpeg's demuxer names, as the providers call the containers.
FORMATS = {
    "mov": "mpeg4",
    "matroska": "webm",
    "mpegts": "mpeg-ts",
    "hls": "mpeg-ts",
    "ogg": "ogg",
    "mp3": "mpeg audio",
    "aac": "aac",
    "wav": "wav",
    "flv": "flash video",
    "avi": "avi",
    "asf": "windows media",
}

DURATION = re.compile(r"Duration: (\d+):(\d+):(\d+(?:\.\d+)?).*?(?:bitrate: (\d+) kb/s)?$", re.M)
DEMUXER = re.compile(r"^Input #0, (\S+?),? from ", re.M)
# not cover art, and with the side data of the stream, which is on the lines below
VIDEO = re.compile(
    r"^\s*Stream #0:\d+.*?: Video: (\w+)((?!.*\(attached pic\)).*)$((?:\n(?!\s*Stream).*)*)", re.M
)
PIXELS = re.compile(r"\[SAR (\d+):(\d+) DAR")
ROTATION = re.compile(r"display ?matrix: rotation of (-?[\d.]+)", re.I)
HDR_TRANSFERS = ("smpte2084", "arib-std-b67")
AUDIO = re.compile(r"^\s*Stream #0:\d+.*?: Audio: (\w+)(.*)$", re.M)
CHANNELS = {"mono": 1, "stereo": 2, "5.1": 6, "7.1": 8}


def inspect(path: Path, runner: Runner) -> MediaInfo | None:
    """Facts of a media file; None when FFmpeg finds no sound and no moving picture in it.

    Raises FFmpegFailed when it can't be opened at all.
    """
    text = runner.run(
        ["-protocol_whitelist", "file", "-i", path.name, "-t", "0", "-f", "null", "-"],
        folder=path.parent,
    )
    info = parse_report(text)
    demuxer = _first(DEMUXER, text)
    if is_still(info, demuxer) or not (info.video_codec or info.audio_codec):
        return None
    info.size_bytes = path.stat().st_size
    if path.suffix == ".m3u8":
        info.size_bytes += sum(part.stat().st_size for part in path.parent.glob("*.ts"))
    elif path.suffix in (".mp4", ".m4v", ".mov"):
        info.rfc6381_video = _avc_codec(path)
    info.rfc6381_audio = "mp4a.40.2" if info.audio_codec == "aac" else None
    _fill_bitrates(info)
    return info


def parse_report(text: str) -> MediaInfo:
    """What FFmpeg prints about its first input."""
    report = text.split("Output #0")[0].split("Stream mapping:")[0]
    info = MediaInfo()
    demuxer = _first(DEMUXER, report)
    info.format = next((FORMATS[each] for each in demuxer.split(",") if each in FORMATS), None)
    if match := DURATION.search(report):
        hours, minutes, seconds = int(match[1]), int(match[2]), float(match[3])
        info.duration_ms = round((hours * 3600 + minutes * 60 + seconds) * 1000)
        info.total_bitrate_kbps = int(match[4]) if match[4] else None
    if match := VIDEO.search(report):
        info.video_codec, rest = match[1], match[2]
        _fill_picture(info, rest, match[3])
        if rate := re.search(r", ([\d.]+) fps", rest):
            info.frame_rate = float(rate[1])
        if bitrate := re.search(r", (\d+) kb/s", rest):
            info.video_bitrate_kbps = int(bitrate[1])
    if match := AUDIO.search(report):
        info.audio_codec, rest = match[1], match[2]
        if rate := re.search(r", (\d+) Hz, ([\w.]+)", rest):
            info.audio_sample_rate = int(rate[1])
            info.channels = CHANNELS.get(rate[2].split("(")[0])
        if bitrate := re.search(r", (\d+) kb/s", rest):
            info.audio_bitrate_kbps = int(bitrate[1])
    return info


def _fill_picture(info: MediaInfo, stream: str, side_data: str) -> None:
    """Size and shape of the picture as it is shown: FFmpeg turns frames as the file says."""
    if size := re.search(r", (\d{1,5})x(\d{1,5})", stream):
        info.width, info.height = int(size[1]), int(size[2])
    if (pixels := PIXELS.search(stream)) and int(pixels[1]) and int(pixels[2]):
        info.pixel_aspect = int(pixels[1]) / int(pixels[2])
    info.is_hdr = any(name in stream for name in HDR_TRANSFERS)
    turned = ROTATION.search(side_data)
    if turned and round(float(turned[1]) / 90) % 2:
        info.width, info.height = info.height, info.width
        info.pixel_aspect = info.pixel_aspect and 1 / info.pixel_aspect


def is_still(info: MediaInfo, demuxer: str) -> bool:
    """A picture, or an animation of one frame."""
    if demuxer == "gif":
        return (info.duration_ms or 0) / 1000 * (info.frame_rate or 0) < 1.5
    return demuxer.endswith(STILL_FORMATS)


def measure_picture(path: Path, runner: Runner) -> int:
    """How long the picture lasts, in milliseconds: its packets are read, and not decoded."""
    ends = [0.0]
    runner.run(
        ["-i", path.name, "-map", "0:V:0", "-c", "copy", "-f", "null", "-"],
        ends.append,
        folder=path.parent,
    )
    return round(max(ends) * 1000)


def _fill_bitrates(info: MediaInfo) -> None:
    """MPEG-TS and WebM streams have none: compute them from the size."""
    if info.duration_ms and info.size_bytes:
        info.total_bitrate_kbps = round(info.size_bytes * 8 / info.duration_ms)
    if info.video_codec and info.video_bitrate_kbps is None and info.total_bitrate_kbps:
        info.video_bitrate_kbps = max(0, info.total_bitrate_kbps - (info.audio_bitrate_kbps or 0))


def _avc_codec(path: Path) -> str | None:
    """The RFC 6381 name, from the configuration box that each H.264 MP4 has near its start."""
    with path.open("rb") as file:
        head = file.read(1_000_000)
    at = head.find(b"avcC")
    return f"avc1.{head[at + 5 : at + 8].hex()}" if at >= 0 else None


def _first(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return match[1] if match else ""
