"""``gatecrash`` and ``python -m gatecrash``."""

from __future__ import annotations

import sys

from gatecrash.app import app
from gatecrash.streams import prepare_streams


def main() -> None:
    """Run the command line and exit with its code."""
    prepare_streams()
    sys.exit(app())


if __name__ == "__main__":
    main()
