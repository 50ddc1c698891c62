"""The embedded broker: Kombu's filesystem transport, made safe for concurrent processes.

A queue is a folder of files on a local disk. It only makes work start sooner, and may lose what a
killed worker had taken; whatever must happen is a row in the database that a sweep finds.
"""

import os
import time
import uuid
from contextlib import suppress
from pathlib import Path
from queue import Empty
from typing import Any, ClassVar

from kombu.transport import filesystem, virtual
from kombu.utils.json import dumps, loads


class Channel(filesystem.Channel):
    """Differs from Kombu's own in three ways, each a race that ends a worker there."""

    # Kombu shares the bindings of queues through a file that is empty for a moment when it is
    # made. They are only needed for broadcasts; each process declares the queues that it uses.
    supports_fanout = False
    get_table = virtual.Channel.get_table  # type: ignore[assignment]  # same rows, plain tuples

    def _put(  # type: ignore[override]  # the two classes above disagree about the name
        self, queue: str, payload: Any, **kwargs: Any
    ) -> None:
        """Write the message under a name that no reader opens, then rename it into place."""
        folder = Path(self.data_folder_out)
        name = f"{time.time_ns()}_{uuid.uuid4()}.{queue}.msg"
        aside = folder / f".{name}"
        aside.write_text(dumps(payload))
        aside.rename(folder / name)

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        """Take the oldest message: of several readers, the one whose unlink succeeds has it."""
        for name in sorted(os.listdir(self.data_folder_in)):
            if name.partition(".")[2] == f"{queue}.msg":
                with suppress(FileNotFoundError):  # another reader was faster
                    return self._read(Path(self.data_folder_in, name))
        raise Empty

    def _read(self, path: Path) -> Any:
        try:
            message = loads(path.read_bytes())
        except ValueError:
            # Not written by _put: kept for a person to see, under a name that no reader opens.
            path.rename(path.with_suffix(".unreadable"))
            raise FileNotFoundError(path) from None
        path.unlink()
        return message


class Transport(filesystem.Transport):
    Channel = Channel
    # There is no host, so none to put in with a warning at each connection.
    default_connection_params: ClassVar[dict[str, Any]] = {}
