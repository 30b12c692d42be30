"""The gateway as a process of another one: a line of settings in, a line with its URL out.

``python -m gatecrash.authorizers.gateway`` reads one line of JSON (see ``settings_from_json``) from its standard input
and writes one to its standard output: ``{"url": …}`` when it answers, or ``{"error": …}`` when it or the function can't
start. It ends with SIGTERM, and when the process that started it dies.
"""

from __future__ import annotations

import sys

from gatecrash.authorizers import wire
from gatecrash.authorizers.errors import UsageError, WireError
from gatecrash.authorizers.gateway.gateway import InitError
from gatecrash.authorizers.gateway.serving import serve_forever
from gatecrash.authorizers.gateway.settings import settings_from_json
from gatecrash.authorizers.redact import redact_text


def main() -> int:
    """Serve; returns the exit code, 2 when the settings are wrong."""
    try:
        settings = settings_from_json(wire.decode(sys.stdin.buffer.readline()))
        serve_forever(settings, lambda url: _write({"url": url}), _refuse, parent_death=True)
    except (UsageError, WireError) as error:
        _write({"error": str(error)})
        return 2
    return 0


def _refuse(error: InitError) -> None:
    """A function that fails before its first event would fail every request: that is worth no run."""
    raise UsageError(f"the handler {error.function} can't start: {error.error_type}: {redact_text(error.message)}")


def _write(value: dict[str, str]) -> None:
    sys.stdout.buffer.write(wire.encode(value) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    sys.exit(main())
