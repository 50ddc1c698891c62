"""What the URL of a media file shows: its name, and the kind and the format of the file."""

import re
from pathlib import PurePosixPath
from urllib.parse import unquote_plus

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

_ATTACHMENT = re.compile(r"[?&]response-content-disposition=([^&#]*)", re.IGNORECASE)
_FILE_NAME = re.compile(r"filename\*?=\s*(?:utf-8'[^']*')?\"?([^\";]+)", re.IGNORECASE)


def read_file_name(url: str | None) -> str | None:
    """Return the last segment of the URL's path, decoded; None when it has none."""
    return parse_url(url).file_name or None


def read_download_name(url: str | None) -> str | None:
    """Return the name that a signed link gives to the download; its object's is often a hash."""
    attachment = _ATTACHMENT.search(url or "")
    named = _FILE_NAME.search(unquote_plus(attachment[1])) if attachment else None
    return named and re.split(r"[/\\]", named[1])[-1].strip() or read_file_name(url)


def read_suffix(url: str | None) -> str:
    """Return the suffix of the file's name in lower case, with its dot."""
    return PurePosixPath(read_file_name(url) or "").suffix.lower()


def read_kind(url: str | None) -> OutputKind | None:
    """Name the kind of file by the suffix of its name; None where that does not show it."""
    return _KIND_BY_SUFFIX.get(read_suffix(url))
