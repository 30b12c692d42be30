"""``gatecrash`` and ``python -m gatecrash``."""

from __future__ import annotations

import io
import sys

from gatecrash.app import app


def main() -> None:
    """Run the command line and exit with its code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Client ids and policies hold any character; a terminal that can't show one gets its escape.
            stream.reconfigure(errors="backslashreplace")
    sys.exit(app())


if __name__ == "__main__":
    main()
