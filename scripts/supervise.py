"""Runs the processes of the Procfile, and more, as one tree under supervisord.

`make run` is this module: the Procfile against whatever services the environment names. A process
that dies is started again; Ctrl-C or SIGTERM ends all of them, by force where one does not go.
"""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Mapping
from configparser import ConfigParser
from pathlib import Path

PROJECT_DIR = Path(__file__).resolve().parent.parent
# SIGKILL follows SIGTERM after this long, so that all are gone within ten seconds.
STOP_SECONDS = 7
TERMINAL = "/dev/fd/1"
CONFIG_NAME = "supervisord.conf"
PROJECT_VARIABLE = "REELBOARD_PROJECT_DIR"


def read_procfile(path: Path = PROJECT_DIR / "Procfile") -> dict[str, str]:
    """Command by process name."""
    lines = (line.partition(":") for line in path.read_text().splitlines() if line.strip())
    return {name.strip(): command.strip() for name, _, command in lines}


def supervisor_config(programs: Mapping[str, str], log: str) -> ConfigParser:
    """supervisord's configuration for `programs` (command by name).

    `log` is where their output goes, with {name} for the program's. No value holds an absolute
    path: supervisord expands `%` in some of them once and in others twice. It runs in VAR_DIR
    instead, and gets the project's folder from its environment.

    One group holds all programs: supervisord stops the members of a group together, but one
    group after another.
    """
    config = ConfigParser(interpolation=None)
    config["supervisord"] = {
        "nodaemon": "true",
        "silent": "true",
        "logfile": "log/supervisord.log",
        "pidfile": "supervisord.pid",
    }
    for name, command in programs.items():
        config[f"program:{name}"] = {
            "command": command.replace("%", "%%"),
            "directory": f"%(ENV_{PROJECT_VARIABLE})s",
            "autorestart": "true",
            "startretries": "10",
            "stopasgroup": "true",
            "killasgroup": "true",
            "stopwaitsecs": str(STOP_SECONDS),
            "redirect_stderr": "true",
            "stdout_logfile": log.format(name=name),
            # A terminal cannot be rotated.
            "stdout_logfile_maxbytes": "0" if log == TERMINAL else "5MB",
            "stdout_logfile_backups": "1",
        }
    config["group:reelboard"] = {"programs": ",".join(programs)}
    return config


def write_supervisor_config(programs: Mapping[str, str], var_dir: Path, log: str) -> list[str]:
    """Write the configuration below `var_dir` and return the command that runs it, from there."""
    (var_dir / "log").mkdir(parents=True, exist_ok=True)
    with (var_dir / CONFIG_NAME).open("w", encoding="utf-8") as file:
        supervisor_config(programs, log).write(file)
    return [sys.executable, "-m", "supervisor.supervisord", "--configuration", CONFIG_NAME]


def supervisor_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """`python` in the Procfile is that of this virtual environment."""
    folder = str(Path(sys.executable).parent)
    return {
        **environ,
        "PATH": os.pathsep.join((folder, environ.get("PATH", os.defpath))),
        PROJECT_VARIABLE: str(PROJECT_DIR),
    }


def give_terminal_a_path() -> None:
    """Let TERMINAL be opened: what is written to a socket, as systemd gives, goes by a pipe."""
    if stat.S_ISSOCK(os.fstat(sys.stdout.fileno()).st_mode):
        relay = subprocess.Popen(["cat"], stdin=subprocess.PIPE)  # noqa: S607 - of the base system
        assert relay.stdin is not None  # noqa: S101 - for mypy
        os.dup2(relay.stdin.fileno(), sys.stdout.fileno())


def find_problem() -> str:
    """A sentence that says why the processes would not work; empty when they would."""
    import django
    from django.conf import settings
    from django.db import DatabaseError

    django.setup()
    from dashboard import schema_version

    if not _has_static_files(Path(settings.STATIC_ROOT)):
        return (
            "Static files are missing: run `.venv/bin/python manage.py collectstatic --no-input`."
        )
    try:
        return schema_version.find_problem()
    except DatabaseError as error:
        reason = str(error).strip().partition("\n")[0]
        return f"The database cannot be used ({reason})."


def _has_static_files(collected: Path) -> bool:
    """Whether every file is collected; after an upgrade, some may not be yet."""
    from django.contrib.staticfiles.finders import get_finders

    from dashboard.static_files import StaticFiles

    try:
        manifest = json.loads((collected / "staticfiles.json").read_text())
    except FileNotFoundError:
        return False
    patterns = StaticFiles.ignore_patterns
    needed = {name for finder in get_finders() for name, _ in finder.list(patterns)}
    return needed <= set(manifest["paths"])


def main() -> None:
    # Read here first, so that a wrong environment ends the start with its one sentence.
    from django.conf import settings

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
    if problem := find_problem():
        sys.exit(problem)
    give_terminal_a_path()
    command = write_supervisor_config(read_procfile(), settings.VAR_DIR, TERMINAL)
    os.chdir(settings.VAR_DIR)
    os.execve(command[0], command, supervisor_environment())  # noqa: S606  needs no shell


if __name__ == "__main__":
    main()
