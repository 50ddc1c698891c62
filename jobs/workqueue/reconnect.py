"""Continuing after the connection to the database was cut, as by a restart of PostgreSQL."""

import time
from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection

DISCONNECTED = (OperationalError, InterfaceError)
# PostgreSQL restarts within seconds. A lease covers longer outages.
PAUSES_S = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0)

T = TypeVar("T")


def retry_on_disconnect(write: Callable[[], T]) -> T:
    """Call `write`, again on a new connection where its own was cut; it may run twice."""
    for pause_s in PAUSES_S:
        try:
            return write()
        except DISCONNECTED:
            if connection.in_atomic_block:
                raise  # the transaction is lost with its connection
            connection.close()
            time.sleep(pause_s)
    return write()


def restore_connection() -> None:
    """Replace the connection where it was cut meanwhile: for after a long call."""
    if connection.connection is None or connection.in_atomic_block or connection.is_usable():
        return
    connection.close()
    retry_on_disconnect(connection.ensure_connection)
