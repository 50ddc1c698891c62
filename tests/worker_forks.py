"""Starts a worker with beat for each line that it reads, and prints its process id.

Each is forked from this process, which has imported all that a worker does: most of what it takes
to start one.
"""

import os
import signal
import sys

import django
from celery.bin.celery import celery as command_line

django.setup()

from dashboard import celery_app  # noqa: E402

celery_app.finalize()
celery_app.loader.import_default_modules()
# those that end leave nothing behind, so that a process id of one stops being known
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for _ in sys.stdin:
    worker = os.fork()
    if worker == 0:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        os.dup2(os.open(os.devnull, os.O_RDONLY), sys.stdin.fileno())
        sys.exit(command_line.main(args=["-A", "dashboard", "worker", "--beat"]))
    os.setpgid(worker, worker)
    sys.stdout.write(f"{worker}\n")
    sys.stdout.flush()
