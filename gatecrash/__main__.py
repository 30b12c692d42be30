"""``gatecrash`` and ``python -m gatecrash``."""

from __future__ import annotations

import sys

from gatecrash.app import app


def main() -> None:
    """Run the command line and exit with its code."""
    sys.exit(app())


if __name__ == "__main__":
    main()
