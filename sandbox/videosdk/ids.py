"""Ids of 24 hexadecimal digits, as MongoDB makes them: seconds, a machine, a counter."""

import re
import secrets

MACHINE = "5b0c"
_ID = re.compile(rf"[0-9a-f]{{8}}{MACHINE}([0-9a-f]{{12}})")


def to_public(number: int, at: float) -> str:
    return f"{int(at):08x}{MACHINE}{number:012x}"


def from_public(text: str) -> int | None:
    """The store's number; None for what is no id of ours."""
    match = _ID.fullmatch(text)
    return int(match[1], 16) if match else None


def make(at: float) -> str:
    """An id of something that the store does not number."""
    return f"{int(at):08x}{secrets.token_hex(8)}"
