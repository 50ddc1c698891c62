"""What the encoding of a job works with."""

from collections.abc import Callable
from dataclasses import dataclass

from sandbox.clock import Clock
from sandbox.encoding.ffmpeg import Runner
from sandbox.http.media import MediaLibrary
from sandbox.jobs.store import Store


@dataclass(frozen=True, slots=True)
class Bench:
    """`speed` is in times real time, 0 for no limit."""

    store: Store
    media: MediaLibrary
    clock: Clock
    runner: Runner
    speed: float
    is_stopping: Callable[[], bool]
