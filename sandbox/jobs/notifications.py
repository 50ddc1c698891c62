"""Delivering notifications: asked for by jobs, to this machine only, with retries."""

import http.client
import json
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sandbox.encoding.downloads import is_local
from sandbox.jobs.model import Job, Media
from sandbox.jobs.store import Delivery, Store

logger = logging.getLogger("sandbox.jobs.notifications")

ATTEMPTS = 6
FIRST_WAIT_S = 1.0  # doubles with each attempt
ANSWER_WAIT_S = 5
POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class Notice:
    """One notification in the provider's format: its body and headers."""

    body: Mapping[str, Any]
    headers: Mapping[str, str]


# What a provider sends about a job (output None) or one of its outputs.
MakeNotice = Callable[[Job, Media | None], Notice]


class Notifier(threading.Thread):
    """Every notification is a row first, so a restart loses none and no job waits for one."""

    def __init__(
        self, store: Store, makers: Mapping[str, MakeNotice], now: Callable[[], float]
    ) -> None:
        super().__init__(name="notifier", daemon=True)
        self._store, self._makers, self._now = store, makers, now
        self._stopping = threading.Event()

    def stop(self) -> None:
        self._stopping.set()

    def on_end(self, job: Job, outputs: list[Media], job_ended: bool) -> None:
        """For `Store.on_end`: queue what was asked for."""
        make = self._makers[job.provider]
        for output in outputs:
            if output.notifications:
                self._queue(job, output.notifications, make(job, output))
        if job_ended and job.notifications:
            self._queue(job, job.notifications, make(job, None))

    def _queue(self, job: Job, targets: list[dict[str, Any]], notice: Notice) -> None:
        for target in targets:
            headers = {**notice.headers, **target.get("headers", {})}
            self._store.add_delivery(
                job, target["url"], headers, json.dumps(notice.body), self._now()
            )

    def run(self) -> None:
        while not self._stopping.wait(POLL_S):
            for delivery in self._store.due_deliveries(self._now()):
                if self._stopping.is_set():
                    return
                self._deliver(delivery)

    def _deliver(self, delivery: Delivery) -> None:
        try:
            if not is_local(urlsplit(delivery.url).hostname):
                self._store.settle_delivery(delivery, "out of reach", None)
                return
            status = _post(delivery)
        except ValueError as error:
            # no URL or header that HTTP knows: the next attempt would end in the same way
            logger.info("notification %s: %s", delivery.id, error)
            self._store.settle_delivery(delivery, "given up", None)
            return
        except (OSError, http.client.HTTPException) as error:
            logger.info("notification %s: %s", delivery.id, error)
            status = 0
        if self._stopping.is_set():
            return  # the store may be closed; it is delivered again at the next start
        if 200 <= status < 300:
            self._store.settle_delivery(delivery, "delivered", None)
        elif delivery.attempts + 1 >= ATTEMPTS:
            self._store.settle_delivery(delivery, "given up", None)
        else:
            wait = FIRST_WAIT_S * 2**delivery.attempts
            self._store.settle_delivery(delivery, "retrying", self._now() + wait)


def _post(delivery: Delivery) -> int:
    parts = urlsplit(delivery.url)
    secure = parts.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=ANSWER_WAIT_S)
    try:
        path = parts.path or "/"
        connection.request(
            "POST",
            f"{path}?{parts.query}" if parts.query else path,
            delivery.body.encode(),
            {"Content-Type": "application/json", **delivery.headers},
        )
        return connection.getresponse().status
    finally:
        connection.close()
