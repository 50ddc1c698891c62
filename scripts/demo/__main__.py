"""`make demo`: a working board on this machine alone, with the sandbox as its four providers.

All that it makes is below var/ (or VAR_DIR), so a second start finds the first one's data, and
`make demo-reset` removes that folder. The output of the processes is in its log/.
"""

import http.client
from contextlib import suppress
from shlex import quote

from scripts.demo.place import (
    HOST,
    Place,
    check_ports,
    enter_environment,
    lock,
    prepare_environment,
    read_place,
)
from scripts.demo.tree import ProcessTree
from scripts.supervise import PROJECT_DIR

# How long the greeting waits for the first sync. It takes seconds on an idle machine.
FILL_SECONDS = 120


def main() -> None:
    place = read_place()
    lock_file = lock(place)
    check_ports(place)
    enter_environment(prepare_environment(place))

    _say("Preparing the database ...")
    import django

    django.setup()
    from scripts.demo import board

    password = board.prepare(place)

    _say("Starting web, worker, beat and sandbox ...")
    with ProcessTree(place, lock_file) as tree:
        tree.wait_until(lambda: _answers(place.sandbox_port, "/_sandbox/health"))
        board.fill(place)
        tree.wait_until(lambda: _answers(place.port, "/readyz"))
        if not board.is_synced():
            _say("Importing the jobs of four providers ...")
        is_synced = tree.wait_for(board.is_synced, FILL_SECONDS)
        _say(greeting(place, board.EMAIL, password, is_synced=is_synced))
        tree.wait()


def greeting(place: Place, email: str, password: str, *, is_synced: bool = True) -> str:
    late = "" if is_synced else "\nThe first sync is still running: more jobs will appear.\n"
    demo_env = quote(str(place.var_dir / "demo.env"))
    return f"""
Reelboard is running.
{late}
    URL        {place.url}/
    E-mail     {email}
    Password   {password}

Things to try:
  - See which jobs are running at four providers, and why others failed.
  - Submit a job: the form offers a good clip and a corrupt one, and the sandbox encodes them.
    (TPStreams only writes to S3: enter any S3 URL, such as s3://studio/out/.)
  - Open a finished job and play its outputs. The Django admin is at {place.url}/admin/.
  - Use the command line, in another terminal:

    cd {quote(str(PROJECT_DIR))} && set -a && . {demo_env} && set +a
    .venv/bin/python manage.py help

Ctrl-C stops the demo and keeps its data; `make demo-reset` deletes the data. The logs are in
{place.var_dir / "log"}.
"""


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):  # before there is a tree to stop
        main()
