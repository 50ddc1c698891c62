"""`make test`: lint and all tests that this machine can run; ends with 1 if any of it failed.

First, beside lint, one process imports all tests: Python and pytest compile what they import, and
each of the processes that follow would do that by itself. Then the tests run in two parts beside
each other: that with services waits much, for a browser and for the demo. Its output is printed at
the end.
"""

import os
import subprocess
import sys
import tempfile

from scripts.supervise import PROJECT_DIR

# What needs more than Python: its own part of the tests, on PostgreSQL where there is one.
SERVICES = "postgres or redis or browser or node or demo"
# What has a target of its own.
APART = "release"
WITH_SERVICES = "what depends on the database, on PostgreSQL; Redis, Chromium, Node, the demo"
PYTEST = (sys.executable, "-m", "pytest")


def main() -> int:
    compiling = start("--collect-only", "--quiet")
    is_green = run("scripts/lint")
    compiling.wait()
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        with_services = start(
            "--numprocesses", "2", "--dist", "loadscope", "--migrations",
            "-m", f"(database or {SERVICES}) and not {APART}",
            output=output.fileno(), TEST_SERVICES="1",
        )  # fmt: skip
        try:
            print("test: what needs Python alone, on SQLite", flush=True)
            is_green &= run(
                *PYTEST, "--numprocesses", "2", "--dist", "worksteal",
                "-m", f"not ({SERVICES} or {APART})",
            )  # fmt: skip
            print(f"test: {WITH_SERVICES}", flush=True)
        finally:  # after Ctrl-C, too, which it has heard itself
            is_with_services_green = with_services.wait() == 0
        output.seek(0)
        print(output.read(), flush=True)
    return 0 if is_green and is_with_services_green else 1


def start(
    *arguments: str, output: int = subprocess.DEVNULL, **environment: str
) -> subprocess.Popen[bytes]:
    """pytest, in the background."""
    return subprocess.Popen(
        [*PYTEST, *arguments],
        cwd=PROJECT_DIR,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
    )


def run(*command: str) -> bool:
    return subprocess.run(command, cwd=PROJECT_DIR, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
