"""A worker as a person starts it: Locust's worker as a process of its own, joined to a master, followed to its end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from rich.console import Console

from gatecrash.authorizers import wire
from gatecrash.authorizers.errors import UsageError
from gatecrash.reports.recording.workers import JOINED
from gatecrash.reports.run.verdict import ExitCode
from gatecrash.running.listening import in_brackets
from gatecrash.running.locust_process import STOP_TIMEOUT_SECONDS, locust_environment, locustfile
from gatecrash.running.run import SignalledError, signals_raise
from gatecrash.settings.settings import Settings, stored_settings
from gatecrash.terminal import say

_POLL_SECONDS: Final = 0.2
_CONNECT_SECONDS: Final = 2.0
_END_SECONDS: Final = 20.0
_SIGNAL_CODES: Final = {"SIGINT": ExitCode.INTERRUPTED, "SIGTERM": ExitCode.TERMINATED}
_KNOWN_CODES: Final = frozenset({ExitCode.PASS, ExitCode.USAGE, ExitCode.INVALID_MEASUREMENT})


def work(settings: Settings, console: Console) -> int:
    """Join a master, fire what it gives, and return the exit code: 0 when the run ended in order.

    Raises UsageError when there is no master to join in time.
    """
    place = settings.distributed
    with signals_raise(), tempfile.TemporaryDirectory(prefix="gatecrash-worker-") as name:
        try:
            _wait_for_master(place.master_host, place.port, place.wait)
            return _follow(settings, Path(name), console)
        except SignalledError as signalled:
            return int(_SIGNAL_CODES[signalled.name])


def _wait_for_master(host: str, port: int, seconds: float) -> None:
    ends, error = time.monotonic() + seconds, ""
    while True:
        try:
            socket.create_connection((host, port), _CONNECT_SECONDS).close()
        except OSError as failure:
            error = failure.strerror or str(failure)
        else:
            return
        if time.monotonic() > ends:
            raise UsageError(
                f"no master answers at {host}:{port} within {seconds:g} s ({error}): start it with `gatecrash run "
                "--master`, bound to an address that this machine reaches"
            )
        time.sleep(_POLL_SECONDS)


def _follow(settings: Settings, folder: Path, console: Console) -> int:
    place = settings.distributed
    stored = folder / "settings.json"
    # It names files, and holds no secrets.
    stored.write_bytes(wire.encode(stored_settings(settings)))
    command = [
        *(sys.executable, "-P", "-m", "locust", "-f", str(locustfile("steady")), "--worker"),
        *("--master-host", in_brackets(place.master_host), "--master-port", str(place.port), "--settings", str(stored)),
        *("--stop-timeout", str(STOP_TIMEOUT_SECONDS), "--exit-code-on-error", "0", "--loglevel", "WARNING"),
    ]
    if settings.load.processes > 1:
        command += ["--processes", str(settings.load.processes)]
    say(console, f"Joining the master at {place.master_host}:{place.port}")
    locust = subprocess.Popen(
        command,
        cwd=folder,
        env=locust_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait_until_joined(locust, folder, place.wait, f"{place.master_host}:{place.port}")
        code = locust.wait()
    finally:
        _end(locust, alone=settings.load.processes == 1)
    if code not in _KNOWN_CODES:
        print(f"gatecrash: Locust ended with exit code {code}", file=sys.stderr)
        return int(ExitCode.INVALID_MEASUREMENT)
    if code == ExitCode.PASS:
        say(console, "The run ended in order; its report is on the master's machine")
    return code


def _wait_until_joined(locust: subprocess.Popen[bytes], folder: Path, seconds: float, master: str) -> None:
    ends = time.monotonic() + seconds
    while locust.poll() is None and not (folder / JOINED).exists():
        if time.monotonic() > ends:
            raise UsageError(
                f"what listens at {master} doesn't answer as Locust's master within {seconds:g} s: check the port, and "
                "that both have the same version"
            )
        time.sleep(_POLL_SECONDS)


def _end(locust: subprocess.Popen[bytes], *, alone: bool) -> None:
    """End what still runs, in order if it can.

    The parent of several workers waits for them on SIGINT, but not on SIGTERM.
    """
    in_order = signal.SIGTERM if alone else signal.SIGINT
    for number, seconds in ((in_order, _END_SECONDS), (signal.SIGKILL, None)):
        if locust.poll() is not None:
            break
        try:
            os.killpg(locust.pid, number)
            locust.wait(seconds)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue
