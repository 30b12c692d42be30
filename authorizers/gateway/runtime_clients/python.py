"""AWS's runtime client for Python, started as Lambda starts it: it imports its own before the handler's folder counts.

Run as a script with ``-P``: ``python -P python.py HANDLER``, in the handler's folder. With ``-m awslambdaric`` a
``types.py`` beside the handler would take the place of Python's own.
"""

import sys
from pathlib import Path

from awslambdaric.__main__ import main

if __name__ == "__main__":
    sys.path.insert(0, str(Path.cwd()))
    main(sys.argv)
