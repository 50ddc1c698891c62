"""The storage API's uploads: kept as rows of settings, their bytes beside the clips."""

import json
import threading
from dataclasses import asdict
from typing import Any

from sandbox.encoding.ffmpeg import FFmpegFailed, Runner
from sandbox.encoding.inspection import inspect
from sandbox.http.media import MediaLibrary
from sandbox.jobs.model import MediaInfo
from sandbox.jobs.store import Store
from sandbox.videosdk import ids, payloads


class Files:
    def __init__(self, store: Store, media: MediaLibrary) -> None:
        self._store, self._media = store, media
        self._lock = threading.Lock()

    def add(self, account: str, name: str, now: float) -> dict[str, Any]:
        """Take in what was uploaded under `name`, newest first."""
        path = self._media.root / "in" / name
        try:
            info = inspect(path, Runner())
        except FFmpegFailed:
            info = None
        info = info or MediaInfo(size_bytes=path.stat().st_size)
        record = {"id": ids.make(now), "name": name, "at": now, "info": asdict(info)}
        with self._lock:
            self._keep(account, [record, *self._records(account)])
        return self._write(record)

    def all_of(self, account: str) -> list[dict[str, Any]]:
        return [self._write(record) for record in self._records(account)]

    def get(self, account: str, file_id: str) -> dict[str, Any] | None:
        return next((file for file in self.all_of(account) if file["id"] == file_id), None)

    def remove(self, account: str, file_id: str) -> dict[str, Any] | None:
        """The file as it was; jobs that are to read it will not find it."""
        with self._lock:
            file = self.get(account, file_id)
            for record in self._records(account):
                if record["id"] == file_id:
                    (self._media.root / "in" / record["name"]).unlink(missing_ok=True)
            self._keep(account, [r for r in self._records(account) if r["id"] != file_id])
        return file

    def _records(self, account: str) -> list[dict[str, Any]]:
        return list(json.loads(self._store.setting(_name(account), "[]")))

    def _keep(self, account: str, records: list[dict[str, Any]]) -> None:
        self._store.set(_name(account), json.dumps(records))

    def _write(self, record: dict[str, Any]) -> dict[str, Any]:
        return payloads.stored(record, self._media.input_url(record["name"]))


def _name(account: str) -> str:
    return f"videosdk.files.{account}"
