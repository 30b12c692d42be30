"""Locust as a process of its own: started, followed, and ended by whoever runs it."""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from gatecrash.authorizers import wire
from gatecrash.authorizers.errors import WireError
from gatecrash.reports.plan.plan import Plan
from gatecrash.reports.run.progress import PROGRESS
from gatecrash.running.listening import Listening

LOG: Final = "locust.log"
ERRORS: Final = "locust.log.errors"
PLAN: Final = "plan.json"
STOP_TIMEOUT_SECONDS: Final = 15


class LocustProcess:
    """Runs an entry file of ``locustfiles`` headless with a plan.

    It runs in the run folder, so that no settings of the person's own for Locust apply. Workers of this machine, where
    there are several, listen on the loopback interface only; with ``listening`` others join from elsewhere.
    """

    def __init__(self, plan: Plan, processes: int, entry: str = "steady", listening: Listening | None = None) -> None:
        self._folder = Path(plan.run_folder)
        (self._folder / PLAN).write_bytes(wire.encode(replace(plan, parent=os.getpid()).to_json()))
        command = [
            *(sys.executable, "-P", "-m", "locust", "-f", str(locustfile(entry)), "--headless"),
            *("--plan", str(self._folder / PLAN), "--users", str(plan.users), "--spawn-rate", str(plan.users)),
            *("--stop-timeout", str(STOP_TIMEOUT_SECONDS), "--exit-code-on-error", "0"),
            "--only-summary",
            *("--loglevel", "WARNING", "--logfile", str(self._folder / LOG)),
        ]
        if listening is not None:
            command += listening.options()
        elif processes > 1:
            port = str(_free_port())
            command += ["--processes", str(processes), "--master-bind-host", "127.0.0.1", "--master-bind-port", port]
            command += ["--master-port", port]
        self._errors = (self._folder / ERRORS).open("wb")
        # A session of its own: Ctrl-C is told to the person's command, which ends Locust in order.
        self._process = subprocess.Popen(
            command,
            cwd=self._folder,
            env=locust_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
            start_new_session=True,
        )

    @property
    def process_id(self) -> int:
        """The id of Locust's first process."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code once it ended, None while it runs."""
        return self._process.poll()

    def progress(self) -> dict[str, Any] | None:
        """Return what Locust last said of the run, None before it said anything."""
        try:
            value: dict[str, Any] = wire.decode((self._folder / PROGRESS).read_bytes())
        except (OSError, WireError):
            return None
        return value

    def sentences(self, name: str) -> list[str]:
        """Return what a file of the run folder tells so far, a sentence a line."""
        try:
            return (self._folder / name).read_text(encoding="utf-8").splitlines()
        except OSError:
            return []

    def errors(self) -> str:
        """Return what Locust printed as errors."""
        self._errors.flush()
        return (self._folder / ERRORS).read_text(encoding="utf-8", errors="replace").strip()

    def stop(self, number: int = signal.SIGINT) -> None:
        """Ask Locust to end; it writes a last checkpoint."""
        if self._process.poll() is None:
            self._process.send_signal(number)

    def wait(self, seconds: float) -> bool:
        """Wait for the end; say whether it came."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def close(self) -> None:
        """End what still runs, workers included, and tidy up after it."""
        if self._process.poll() is None and not self.wait(1):
            self._end_group(signal.SIGTERM)
            if not self.wait(5):
                self._end_group(signal.SIGKILL)
                self._process.wait()
        self._end_group(signal.SIGKILL)
        self._errors.close()
        # What Locust prints last, its own statistics, is said better by the report; errors stand in its log.
        for name in (PROGRESS, ERRORS):
            (self._folder / name).unlink(missing_ok=True)
        log = self._folder / LOG
        if log.exists() and log.stat().st_size == 0:
            log.unlink()

    def _end_group(self, number: int) -> None:
        """Signal every process of Locust's session: a killed master can't end its own workers."""
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:
            return


def locustfile(entry: str) -> Path:
    """Return where an entry file of ``locustfiles`` is."""
    # By its place, not by import: an entry locustfile belongs to Locust alone.
    package = importlib.util.find_spec("gatecrash.locustfiles")
    assert package is not None  # noqa: S101 - it is installed with this one
    assert package.origin is not None  # noqa: S101 - it is a package of files
    return Path(package.origin).parent / f"{entry}.py"


def locust_environment() -> dict[str, str]:
    """Return this process's environment without settings for Locust, which would change the run unseen."""
    return {name: value for name, value in os.environ.items() if not name.startswith("LOCUST_")}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
