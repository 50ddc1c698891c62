"""The files that the sandbox serves: test clips, uploads and what it has encoded."""

import hashlib
import hmac
import re
import secrets
import shutil
import threading
import time
from pathlib import Path
from urllib.parse import quote, urlencode

from sandbox.encoding.clips import DENIED, MISSING, UNANSWERED, Clips
from sandbox.http.web import Request, Response, Slice, html_response, json_response, text_response

ACCESS_KEY_ID = "SANDBOXACCESSKEYID"
LINK_LIFE_S = 86_400  # hosted outputs open for a day
MAX_UPLOAD_BYTES = 200 * 1024 * 1024

CONTENT_TYPES = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".webm": "video/webm",
    ".mkv": "video/x-matroska",
    ".ts": "video/mp2t",
    ".m3u8": "application/vnd.apple.mpegurl",
    ".m4a": "audio/mp4",
    ".aac": "audio/aac",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".webp": "image/webp",
    ".txt": "text/plain; charset=utf-8",
}
# A player asks for segments by relative URL, without the playlist's query: these are
# opened by the unguessable folder alone.
UNSIGNED = (".m3u8", ".ts", ".aac")

CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, HEAD",
    "Access-Control-Allow-Headers": "Range",
    "Access-Control-Expose-Headers": "Content-Length, Content-Range, Accept-Ranges",
}


class MediaLibrary:
    """`root/in` holds clips and uploads, `root/out/<token>` the outputs of one job."""

    def __init__(self, root: Path, secret: str, clips: Clips, stopping: threading.Event) -> None:
        self.root = root
        self.base_url = ""  # known once the server listens
        self.clips = clips
        self._secret = secret.encode()
        self._stopping = stopping
        (root / "in").mkdir(parents=True, exist_ok=True)
        (root / "out").mkdir(exist_ok=True)

    def input_url(self, name: str) -> str:
        return f"{self.base_url}/media/in/{quote(name)}"

    def prepare_input(self, url: str) -> None:
        """Make the clip at this URL, so that a download does not run out of time while a
        busy machine makes it."""
        prefix = self.input_url("")
        if url.startswith(prefix):
            self.clips.ensure(url.removeprefix(prefix))

    def output_url(self, path: str, expires_at: float) -> str:
        """The URL of a file below the root, signed where the file needs it."""
        url = f"{self.base_url}/media/{quote(path)}"
        if path.endswith(UNSIGNED):
            return url
        expires = int(expires_at)
        query = {
            "AWSAccessKeyId": ACCESS_KEY_ID,
            "Signature": self._signature(path, expires),
            "Expires": expires,
        }
        return f"{url}?{urlencode(query)}"

    def folder_of(self, token: str) -> Path:
        return self.root / "out" / token

    def discard(self, token: str) -> None:
        shutil.rmtree(self.folder_of(token), ignore_errors=True)

    def discard_expired(self) -> None:
        """Drop outputs whose links ended long ago: they can't be opened, only fill the disk."""
        for folder in (self.root / "out").iterdir():
            if time.time() - folder.stat().st_mtime > 2 * LINK_LIFE_S:
                shutil.rmtree(folder, ignore_errors=True)

    def serve(self, request: Request, is_simulated: bool = False) -> Response:
        """A file below /media/. `is_simulated` lends a clip to an output of a clock-moved job."""
        response = self._find(request, is_simulated)
        return response.with_headers({**CORS, "X-Content-Type-Options": "nosniff"})

    def _find(self, request: Request, is_simulated: bool) -> Response:
        if request.method == "OPTIONS":
            return text_response(200, "")
        if request.method not in ("GET", "HEAD"):
            return text_response(405, "Only GET and HEAD.\n")
        parts = request.path.removeprefix("/media/").split("/")
        if any(part in ("", ".", "..") or "\0" in part for part in parts):
            return text_response(404, "No such file.\n")
        name = "/".join(parts)
        if parts[0] == "in":
            if refusal := self._refuse_input(parts[-1]):
                return refusal
            self.clips.ensure(parts[-1])
        elif not name.endswith(UNSIGNED) and (refusal := self._refuse_link(name, request)):
            return refusal
        path = self.root.joinpath(*parts)
        if is_simulated and not path.is_file():
            path = self.clips.substitute(path.suffix) or path
        if not path.is_file():
            return text_response(404, "No such file.\n")
        return _send(path, request)

    def _refuse_input(self, name: str) -> Response | None:
        if name == MISSING:
            return text_response(404, "No such file.\n")
        if name == DENIED:
            return text_response(403, "Not for you.\n")
        if name == UNANSWERED:
            self._stopping.wait(60)
            return text_response(504, "Too late.\n")
        return None

    def _refuse_link(self, name: str, request: Request) -> Response | None:
        expires = request.query.get("Expires", "")
        if not expires.isdecimal() or int(expires) < time.time():
            return _storage_error("The link has expired.")
        given = request.query.get("Signature", "").encode()
        if not hmac.compare_digest(given, self._signature(name, int(expires)).encode()):
            return _storage_error("The signature does not match.")
        return None

    def _signature(self, path: str, expires: int) -> str:
        text = f"{path}\n{expires}".encode()
        return hmac.new(self._secret, text, hashlib.sha256).hexdigest()

    def accept_upload(self, request: Request) -> str | Response:
        """Keep the one file of a form (or the raw body, with `?name=`); its name, or a refusal."""
        if request.length > MAX_UPLOAD_BYTES:
            return json_response(413, {"error": "Files up to 200 MB are taken."})
        boundary = re.search(r'boundary="?([^";]+)', request.headers.get("content-type", ""))
        name, trailer = request.query.get("name", ""), b""
        if boundary:
            trailer = f"\r\n--{boundary[1]}--\r\n".encode()
            name = _read_part_name(request)
        name = f"{secrets.token_hex(4)}-{_safe_name(name)}"
        target = self.root / "in" / name
        with target.open("wb") as file:
            while request.unread > len(trailer):
                chunk = request.read(min(64 * 1024, request.unread - len(trailer)))
                if not chunk:
                    break
                file.write(chunk)
        if request.read(len(trailer)) != trailer or target.stat().st_size == 0:
            target.unlink()
            return json_response(400, {"error": "Send one file in the field named file."})
        return name


def _read_part_name(request: Request) -> str:
    """The file name of the form's only part; leaves the stream at the file's first byte."""
    name = ""
    while (line := request.readline().strip()) or not name:
        if match := re.search(rb'filename="([^"]*)"', line):
            name = match[1].decode(errors="replace") or "upload"
        if not line and not request.unread:
            break
    return name


def _safe_name(name: str) -> str:
    name = re.sub(r"[^\w.-]+", "-", name.replace("\\", "/").rsplit("/", 1)[-1]).strip(".-")
    return name[-80:] or "upload"


def _send(path: Path, request: Request) -> Response:
    size = path.stat().st_size
    headers = {
        "Content-Type": CONTENT_TYPES.get(path.suffix, "application/octet-stream"),
        "Accept-Ranges": "bytes",
    }
    asked = re.fullmatch(r"bytes=(\d*)-(\d*)", request.headers.get("range", ""))
    if not asked or not (asked[1] or asked[2]):
        return Response(200, headers=headers, file=Slice(path, 0, size))
    if asked[1]:
        start = int(asked[1])
        end = min(int(asked[2]) if asked[2] else size - 1, size - 1)
    else:
        start, end = max(0, size - int(asked[2])), size - 1
    if start > end:
        refusal = text_response(416, "No such range.\n")
        return refusal.with_headers({"Content-Range": f"bytes */{size}"})
    headers["Content-Range"] = f"bytes {start}-{end}/{size}"
    return Response(206, headers=headers, file=Slice(path, start, end - start + 1))


def _storage_error(message: str) -> Response:
    body = f"<Error><Code>AccessDenied</Code><Message>{message}</Message></Error>"
    return html_response(403, body).with_headers({"Content-Type": "application/xml"})
