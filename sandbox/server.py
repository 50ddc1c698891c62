"""Starting and stopping a sandbox, in this process or as one of its own."""

import fcntl
import shutil
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sandbox.application import Application
from sandbox.http.web import Server
from sandbox.keys import LINK_SECRET
from sandbox.options import OptionError, Options

EVERY_ADDRESS = ("", "0.0.0.0")  # noqa: S104 (compared with, not bound to)


class RunningSandbox:
    """A sandbox that serves from threads of this process. Also a context manager."""

    def __init__(self, options: Options) -> None:
        self._lock_file = _claim(options.state_dir)
        self._stopping = threading.Event()
        try:
            self._application = Application(options, self._stopping)
            self._server = _listen(options, self._application, self._stopping)
        except BaseException:
            self._lock_file.close()
            raise
        self.port: int = self._server.server_address[1]
        host = "127.0.0.1" if options.host in EVERY_ADDRESS else options.host
        self.url = f"http://{host}:{self.port}"
        self.state_dir = options.state_dir
        self._application.start(self.url)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="sandbox", daemon=True
        )
        self._thread.start()

    @property
    def keys(self) -> Mapping[str, str]:
        """The names are a provider's `key_names`, `<slug>_api_key` and the like."""
        keys = self._application.keys
        return {name: value for name, value in keys.items() if name != LINK_SECRET}

    @property
    def providers(self) -> list[str]:
        return list(self._application.api_paths)

    def api_url(self, provider: str) -> str:
        """The base URL for a client, with the version."""
        return self.url + self._application.api_paths[provider]

    def input_url(self, name: str) -> str:
        """The URL of a clip, e.g. `good.mp4` or `corrupt.mp4`."""
        return self._application.media.input_url(name)

    def state(self) -> dict[str, Any]:
        """What `GET /_sandbox/state` returns."""
        return self._application.control.state()

    def jobs(self) -> list[dict[str, Any]]:
        """What `GET /_sandbox/jobs` returns."""
        return self._application.control.jobs()

    def set_faults(self, settings: Mapping[str, Any]) -> None:
        """As `POST /_sandbox/faults`; FaultError (a ValueError) for a wrong one."""
        self._application.faults.update(settings)

    def clear_faults(self) -> None:
        self._application.faults.clear()

    def set_time_scale(self, scale: float) -> None:
        """How fast clock-moved jobs pass; 0 holds every job."""
        self._application.clock.scale = scale

    def clear_requests(self) -> None:
        """Forget the requests that were counted so far."""
        self._application.log.clear()

    def stop(self) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._application.stop()
        self._lock_file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


class _TemporarySandbox(RunningSandbox):
    """Forgets everything when it stops."""

    def stop(self) -> None:
        super().stop()
        shutil.rmtree(self.state_dir, ignore_errors=True)


def start(port: int = 0, *, state_dir: Path | None = None, **options: Any) -> RunningSandbox:
    """Start a sandbox in threads of this process; it serves when this returns.

    `options` are the fields of `Options` (encode, rate_limit, seed_jobs, faults, …). Port 0 takes
    a free one. Without `state_dir` nothing is kept after `stop`.
    """
    if state_dir is None:
        temporary = Path(tempfile.mkdtemp(prefix="sandbox-"))
        return _TemporarySandbox(Options(state_dir=temporary, port=port, **options))
    return RunningSandbox(Options(state_dir=state_dir, port=port, **options))


def _listen(options: Options, application: Application, stopping: threading.Event) -> Server:
    try:
        return Server((options.host, options.port), application.respond, stopping)
    except OSError as error:
        address = f"{options.host}:{options.port}"
        raise OptionError(f"The sandbox can't listen on {address}: {error.strerror}.") from error


def _claim(state_dir: Path) -> Any:
    """A lock that ends with the process, however it ends."""
    state_dir.mkdir(parents=True, exist_ok=True)
    lock_file = (state_dir / "lock").open("w")
    try:
        fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock_file.close()
        raise OptionError(f"Another sandbox uses {state_dir}: give a different folder.") from error
    return lock_file
