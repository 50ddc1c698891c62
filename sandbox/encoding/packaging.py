"""FFmpeg's arguments for an output, and the playlist over several HLS renditions."""

from collections.abc import Callable
from pathlib import Path

from sandbox.encoding.renditions import frame_size
from sandbox.jobs.model import ImageSet, Job, Media, MediaInfo, MediaState, OutputSpec

# libx264's constant rate factor for the qualities 1 to 5.
CRF = {1: 32, 2: 28, 3: 25, 4: 22, 5: 19}
VIDEO_CODECS = {
    "webm": ["-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8"],
    "ogg": ["-c:v", "libtheora"],
}
# HDR, of which H.264 in 8 bits has too few steps, to BT.709
TONE_MAP = (
    "zscale=transfer=linear:npl=100,format=gbrpf32le,zscale=primaries=bt709,tonemap=hable,"
    "zscale=transfer=bt709:matrix=bt709:range=limited,format=yuv420p"
)
H264 = ["-c:v", "libx264", "-preset", "superfast", "-pix_fmt", "yuv420p"]
AUDIO_CODECS = {"webm": "libvorbis", "ogg": "libvorbis", "mp3": "libmp3lame"}
AUDIO_ONLY = ("mp3", "m4a", "aac")
MUXERS = {"m4a": "ipod", "aac": "adts", "ts": "mpegts", "mkv": "matroska", "ogg": "ogg"}
FALLBACK_BITRATE_KBPS = 800


def encode_arguments(
    spec: OutputSpec, source: MediaInfo, length: float, speed: float, target: Path
) -> Callable[[Path], list[str]]:
    """Everything but the input's path, which the returned function puts in its place.

    To be run in the target's folder: FFmpeg reads a `%` or `#` of a path as more than a character.
    """
    before = ["-threads", "1", "-filter_threads", "1"]
    if speed:
        before += ["-readrate", f"{speed:g}"]
    after = ["-t", f"{length:.3f}", "-threads", "1", "-map_metadata", "-1", "-sn", "-dn"]
    after += _video(spec, source) + _audio(spec, source) + _muxer(spec)
    return lambda path: [*before, *open_at(path, spec.start_s, source), *after, target.name]


def open_at(path: Path, seconds: float, source: MediaInfo) -> list[str]:
    """FFmpeg's arguments to read a file from this time on.

    A seek in a transport stream may end behind the only key frame: that one is decoded up to there.
    """
    seek = ["-ss", f"{seconds:.3f}"] if seconds else []
    opened = ["-i", str(path)]
    return [*opened, *seek] if source.format == "mpeg-ts" else [*seek, *opened]


def scale_filter(size: tuple[int, int], source: MediaInfo) -> str:
    """FFmpeg's filter for a picture of this size, in square pixels and the usual colours."""
    parts = [f"scale={size[0]}:{size[1]}", "setsar=1"]
    return ",".join([*parts, TONE_MAP] if source.is_hdr else parts)


def picture_filter(images: ImageSet, size: tuple[int, int], source: MediaInfo) -> str:
    """FFmpeg's filter for a thumbnail."""
    scale = scale_filter(size, source)
    return f"{scale},gblur=sigma={max(size) / 40:g}" if images.blur else scale


def playlist_text(job: Job, playlist: Media) -> str | None:
    """The multivariant playlist; None when none of its sources was made."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:3"]
    for stream in playlist.spec.streams:
        source = _source_of(job, stream)
        if source is None or source.path is None or source.state != MediaState.FINISHED:
            continue
        bitrate = stream.get("bandwidth") or source.info.total_bitrate_kbps
        attributes = f"BANDWIDTH={int(bitrate or FALLBACK_BITRATE_KBPS) * 1000}"
        if source.info.width:
            attributes += f",RESOLUTION={source.info.width}x{source.info.height}"
        folder, name = source.path.split("/")[-2:]
        lines += [f"#EXT-X-STREAM-INF:{attributes}", f"../{folder}/{name}"]
    return "\n".join(lines) + "\n" if len(lines) > 2 else None


def _source_of(job: Job, stream: dict[str, object]) -> Media | None:
    """By the output's label, else by the end of its URL."""
    for output in job.outputs:
        if stream.get("source") and output.label == stream["source"]:
            return output
    name = str(stream.get("path") or "").rsplit("/", 1)[-1]
    for output in job.outputs:
        places = (output.url or "", output.path or "")
        if name and any(place.endswith(f"/{name}") for place in places):
            return output
    return None


def _video(spec: OutputSpec, source: MediaInfo) -> list[str]:
    if not (spec.video and source.video_codec) or spec.container in AUDIO_ONLY:
        return ["-vn"]
    width, height = frame_size(spec, source)
    arguments = ["-map", "0:V:0", "-vf", scale_filter((width, height), source)]
    rate = spec.frame_rate
    if spec.max_frame_rate and (source.frame_rate or 0) > spec.max_frame_rate:
        rate = spec.max_frame_rate
    if rate:
        arguments += ["-r", f"{rate:g}"]
    arguments += VIDEO_CODECS.get(spec.container, H264)
    if spec.video_bitrate_kbps:
        kbps = spec.video_bitrate_kbps
        arguments += ["-b:v", f"{kbps}k", "-maxrate", f"{kbps}k", "-bufsize", f"{2 * kbps}k"]
    elif spec.container in VIDEO_CODECS:
        arguments += ["-b:v", f"{FALLBACK_BITRATE_KBPS}k"]
    else:
        arguments += ["-crf", str(CRF.get(spec.quality, CRF[3]))]
    if spec.kind == "hls":
        # A segment can only begin at a key frame.
        arguments += ["-force_key_frames", f"expr:gte(t,n_forced*{spec.segment_s:g})"]
    return arguments


def _audio(spec: OutputSpec, source: MediaInfo) -> list[str]:
    if not (spec.audio and source.audio_codec):
        return ["-an"]
    codec = AUDIO_CODECS.get(spec.container, "aac")
    return ["-map", "0:a:0", "-c:a", codec, "-b:a", f"{spec.audio_bitrate_kbps or 96}k", "-ac", "2"]


def _muxer(spec: OutputSpec) -> list[str]:
    if spec.kind == "hls":
        return ["-f", "hls", "-hls_time", f"{spec.segment_s:g}", "-hls_playlist_type", "vod"] + [
            "-hls_segment_filename",
            "segment_%04d.ts",
        ]
    if spec.container in ("mp4", "mov", "m4v"):
        return ["-movflags", "+faststart", "-f", "mov" if spec.container == "mov" else "mp4"]
    return ["-f", MUXERS.get(spec.container, spec.container)]
