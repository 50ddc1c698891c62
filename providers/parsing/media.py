"""What the address of a media file tells: its name, and the kind of file it is."""

from pathlib import PurePosixPath

from providers.core.types import OutputKind
from providers.parsing.urls import parse_url

_KINDS = {
    OutputKind.PLAYLIST: "m3u8 mpd f4m ism smil",
    OutputKind.AUDIO: "mp3 m4a aac oga wav flac wma amr",
    OutputKind.IMAGE: "jpg jpeg png webp gif",
    OutputKind.CAPTIONS: "vtt srt ttml dfxp scc",
    OutputKind.ARCHIVE: "zip tar tgz",
}
_KIND_BY_SUFFIX = {
    f".{suffix}": kind for kind, suffixes in _KINDS.items() for suffix in suffixes.split()
}


def read_file_name(url: str | None) -> str | None:
    """Return the last segment of the address's path, decoded; None when it has none."""
    return parse_url(url).file_name or None


def read_kind(url: str | None) -> OutputKind | None:
    """Name the kind of file by the suffix of its name; None where that does not tell."""
    suffix = PurePosixPath(read_file_name(url) or "").suffix.lower()
    return _KIND_BY_SUFFIX.get(suffix)
