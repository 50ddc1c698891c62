"""Run a program behind the board's own processes and never outlive the sandbox, even a killed one.

Called as `python launcher.py PARENT_PID PROGRAM ARGUMENT...`. A `preexec_fn` would do the same
but is not safe in a process with threads (Python 3.12 and later warn of it).
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1

if sys.platform == "linux":
    # Kept over exec. The signal comes when the thread that started us ends: those threads wait
    # for the program or kill it, so that is the sandbox's own end.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
if os.getppid() != int(sys.argv[1]):
    sys.exit(1)  # the sandbox died before the line above
os.nice(5)  # 19 would starve where all processors are busy: 1 % of one, beside two processes
os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606 (our own program, no shell)
