"""Starts a command that the kernel kills when the process that asked for it dies, however that one dies.

Run as a script, in isolated mode and without site-packages, so that it takes little time and imports nothing of the
person's: ``python -I -S launcher.py PARENT COMMAND...``. A ``preexec_fn`` would do the same between fork and exec,
where Python code isn't safe beside threads.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import Final

# prctl(2): the death signal outlives execve.
_PR_SET_PDEATHSIG: Final = 1
_COMMAND_NOT_RUN: Final = 127


def main(arguments: list[str]) -> None:
    """Become the command; exit with 127 when it can't be run, or when the parent is gone already."""
    parent, *command = arguments
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() == int(parent):
        try:
            os.execv(command[0], command)  # noqa: S606 - the person's own command, without a shell
        except OSError as error:
            sys.stderr.write(f"can't run {command[0]}: {error.strerror}\n")
    sys.exit(_COMMAND_NOT_RUN)


if __name__ == "__main__":
    main(sys.argv[1:])
