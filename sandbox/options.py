"""The options of a sandbox."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


class OptionError(ValueError):
    """A wrong option; the message is one sentence."""


@dataclass(frozen=True, slots=True)
class Options:
    """`state_dir` keeps jobs, keys and media over a restart; one sandbox at a time may use it.

    `rate_limit` is the number of requests a minute where the provider allows 60; other quotas
    scale with it, 0 lifts them all. `encode_speed` holds FFmpeg to that many times real time
    (0: as fast as it can), so that progress can be watched. `seed` makes the seeded jobs
    repeatable. `trickle_s` is the pause between clock-moved jobs that the sandbox submits to
    itself (0: none). `keys` plants values for names of `keys.json`.
    """

    state_dir: Path
    host: str = "127.0.0.1"
    port: int = 9000
    encode: bool = True
    encode_speed: float = 0
    rate_limit: int = 60
    time_scale: float = 1.0
    faults: Mapping[str, object] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)
    seed: int = 1
    seed_jobs: int = 0
    seed_second: int = 0
    seed_unknown: int = 0
    seed_moving: int = 0
    trickle_s: float = 0
