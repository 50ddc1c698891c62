"""`make test`: lint and all tests that this machine can run; ends with 1 if any of it failed.

The tests have two parts, each in processes of its own. That with services waits much, for a
browser and for the demo, and its longest chains decide when all is done: so it runs from the
start, beside lint and the other part, and its output is printed at the end.
"""

import os
import subprocess
import sys
import tempfile

from scripts.supervise import PROJECT_DIR

# What needs more than Python: its own part of the tests, on PostgreSQL where there is one.
SERVICES = "postgres or redis or browser or node or demo"
# What has a target of its own.
APART = "faults or release"
WITH_SERVICES = "what depends on the database, on PostgreSQL; Redis, Chromium, Node, the demo"
PYTEST = (sys.executable, "-m", "pytest", "--numprocesses", "2")


def main() -> int:
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        with_services = start_part_with_services(output.fileno())
        try:
            is_green = run("scripts/lint")
            print("test: what needs Python alone, on SQLite", flush=True)
            is_green &= run(*PYTEST, "--dist", "worksteal", "-m", f"not ({SERVICES} or {APART})")
            print(f"test: {WITH_SERVICES}", flush=True)
        finally:  # after Ctrl-C, too, which it has heard itself
            is_with_services_green = with_services.wait() == 0
        output.seek(0)
        print(output.read(), flush=True)
    return 0 if is_green and is_with_services_green else 1


def start_part_with_services(output: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*PYTEST, "--dist", "loadscope", "-m", f"(database or {SERVICES}) and not ({APART})"],
        cwd=PROJECT_DIR,
        env={**os.environ, "TEST_SERVICES": "1"},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
    )


def run(*command: str) -> bool:
    return subprocess.run(command, cwd=PROJECT_DIR, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
