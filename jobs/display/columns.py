"""The columns of the job list that people choose; Status and Job are always there."""

# by name, in the order of the table; `time` is the one that sorts, which cannot be left out
COLUMNS = {
    "account": "Account",
    "outputs": "Outputs",
    "batch": "Batch",
    "submitted_by": "Submitted by",
    "time": "Sorted by",
    "created": "Created",
    "started": "Started",
    "finished": "Finished",
    "duration": "Duration",
}
USUAL = ("account", "outputs", "time", "duration")


def read_columns(text: str) -> tuple[str, ...]:
    """The columns that `account,batch` names, in the order of the table; empty for the usual ones.

    Other names are left out: see `unknown_columns`.
    """
    named = COLUMNS.keys() & _split(text)
    chosen = tuple(name for name in COLUMNS if name in named or name == "time")
    return chosen if named and chosen != USUAL else ()


def unknown_columns(text: str) -> list[str]:
    return [name for name in _split(text) if name not in COLUMNS]


def _split(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]
