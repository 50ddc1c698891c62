"""The command line, shared by `manage.py sandbox` and `python -m sandbox`."""

import argparse
import os
import signal
import threading
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from sandbox.http.faults import NAMES, FaultError
from sandbox.options import OptionError, Options
from sandbox.server import RunningSandbox

DESCRIPTION = "Run a local server that speaks the encoding providers' APIs."
# A few times real time: fast enough to wait for, slow enough to watch.
WATCHABLE_SPEED = 5.0

Add = Callable[..., argparse.Action]


class Stream(Protocol):
    def write(self, text: str, /) -> object: ...
    def flush(self) -> object: ...


def add_arguments(parser: argparse.ArgumentParser) -> None:
    _add_server(parser.add_argument)
    _add_speed(parser.add_argument)
    _add_seed(parser.add_argument)


def _add_server(add: Add) -> None:
    add("--port", type=int, default=9000)
    add("--host", default="127.0.0.1")
    add("--state-dir", type=Path, help="where jobs, keys and media are kept")
    add(
        "--key",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="give one of the keys of keys.json this value",
    )
    add(
        "--fault",
        action="append",
        default=[],
        metavar="NAME=RATE",
        help=f"fail this share of requests on purpose: {', '.join(NAMES)}",
    )
    add(
        "--rate-limit",
        type=int,
        default=60,
        metavar="N",
        help="requests a minute where the provider allows 60; 0: no limit",
    )


def _add_speed(add: Add) -> None:
    add("--no-encode", action="store_true", help="jobs are moved by the clock, none is encoded")
    add(
        "--encode-speed",
        type=float,
        default=WATCHABLE_SPEED,
        metavar="N",
        help="encode at most N times as fast as real time; 0: no limit",
    )
    add(
        "--time-scale",
        type=float,
        default=1.0,
        metavar="N",
        help="clock-moved jobs pass N times as fast",
    )
    add(
        "--trickle",
        type=float,
        default=0,
        metavar="SECONDS",
        help="submit one more moving job each so many seconds",
    )


def _add_seed(add: Add) -> None:
    add("--seed", type=int, default=1, help="which history is seeded")
    for name, what in (
        ("--seed-jobs", "ended jobs of the first account"),
        ("--seed-second", "ended jobs of the second account, where nothing failed"),
        ("--seed-unknown", "jobs in a state that nobody documented"),
        ("--seed-moving", "jobs that wait and run"),
    ):
        add(name, type=int, default=0, metavar="N", help=what)


def read_options(arguments: Mapping[str, Any]) -> Options:
    """OptionError names what is wrong."""
    state_dir = arguments["state_dir"] or Path(os.environ.get("VAR_DIR") or "var") / "sandbox"
    for name in ("seed_jobs", "seed_second", "seed_unknown", "seed_moving", "rate_limit"):
        if arguments[name] < 0:
            raise OptionError(f"--{name.replace('_', '-')} must not be negative.")
    if not 0 <= arguments["port"] <= 65535:
        raise OptionError("--port must be 0 to 65535; 0 takes a free one.")
    return Options(
        state_dir=Path(state_dir).absolute(),
        host=arguments["host"],
        port=arguments["port"],
        encode=not arguments["no_encode"],
        encode_speed=arguments["encode_speed"],
        rate_limit=arguments["rate_limit"],
        time_scale=arguments["time_scale"],
        faults={name: _rate(name, value) for name, value in _pairs("--fault", arguments["fault"])},
        keys=dict(_pairs("--key", arguments["key"])),
        seed=arguments["seed"],
        seed_jobs=arguments["seed_jobs"],
        seed_second=arguments["seed_second"],
        seed_unknown=arguments["seed_unknown"],
        seed_moving=arguments["seed_moving"],
        trickle_s=arguments["trickle"],
    )


def run(arguments: Mapping[str, Any], stream: Stream) -> None:
    """Serve until SIGTERM or SIGINT, from the main thread. Where to find what is written to
    `stream` at once, also when that is a pipe."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    options = read_options(arguments)
    if options.encode and find_spec("imageio_ffmpeg") is None:
        raise OptionError(
            "Encoding needs FFmpeg: install requirements-demo.txt, or give --no-encode."
        )
    try:
        sandbox = RunningSandbox(options)
    except FaultError as error:
        raise OptionError(str(error)) from error
    with sandbox:
        stream.write(_greeting(sandbox))
        stream.flush()
        stop.wait()


def _greeting(sandbox: RunningSandbox) -> str:
    keys = [f"  {name} = {value}" for name, value in sandbox.keys.items()]
    return "\n".join(
        [
            f"Sandbox on {sandbox.url}/",
            *(f"  {slug:<9} {sandbox.api_url(slug)}" for slug in sandbox.providers),
            *keys,
            f"  clips     {sandbox.input_url('good.mp4')} and others, see {sandbox.url}/",
            f"  state in  {sandbox.state_dir}\n",
        ]
    )


def _pairs(option: str, values: list[str]) -> list[tuple[str, str]]:
    pairs = []
    for text in values:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise OptionError(f"{option} must be NAME=VALUE, not {text!r}.")
        pairs.append((name, value))
    return pairs


def _rate(name: str, value: str) -> float:
    try:
        return float(value)
    except ValueError as error:
        raise OptionError(f"The rate of --fault {name} must be a number.") from error
