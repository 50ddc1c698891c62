"""dashboard/settings.py, read anew for an environment."""

import os
import runpy
from pathlib import Path
from typing import Any

from dashboard.logging import configure_logging

PROJECT_DIR = Path(__file__).resolve().parents[2]
ENOUGH = {
    "SECRET_KEY": "0123456789-abcdefghijklmnopqrstuvwxyz-0123456789-abc",
    "CREDENTIALS_KEYS": "0123456789-abcdefghijklmnopqrstuvwxyz",
}


def read_settings(var_dir: Path, **environment: str) -> dict[str, Any]:
    """The settings by name. Raises SystemExit with the sentence that a program ends with."""
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update({"VAR_DIR": str(var_dir), **ENOUGH, **environment})
    try:
        return runpy.run_path(str(PROJECT_DIR / "dashboard" / "settings.py"))
    finally:
        os.environ.clear()
        os.environ.update(before)
        configure_logging("console", "WARNING")  # as tests/settings.py has it
