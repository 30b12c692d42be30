"""The embedded gateway as a process of its own, so that answering never disturbs firing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from typing import Any, Final

from gatecrash.authorizers import wire
from gatecrash.authorizers.errors import UsageError, WireError

_STOP_SECONDS: Final = 5
LOOPBACK: Final = "127.0.0.1"
_ANY_ADDRESS: Final = frozenset({"*", "0.0.0.0", "::"})  # noqa: S104 - these are refused


def reachable(settings: Mapping[str, Any], host: str) -> dict[str, Any]:
    """Return a gateway's settings with the address of this machine that workers on others reach it by.

    Raises UsageError for an address that stands for all of them: no worker could be told it.
    """
    if host in _ANY_ADDRESS:
        raise UsageError(
            f"workers can't be told that the embedded gateway is at {host}: bind the master to one address of this "
            "machine, or fire at another target"
        )
    return {**settings, "host": host}


class LocalGateway:
    """Starts the gateway as a process, with settings on its standard input; it ends with this process.

    ``url`` is where it answers. Raises UsageError with the gateway's own sentence when it can't start.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        # A session of its own: Ctrl-C goes to the person's command, which ends the gateway last.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "gatecrash.authorizers.gateway"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert self._process.stdin is not None  # noqa: S101 - it is a pipe
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        self._process.stdin.write(wire.encode(dict(settings)) + b"\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        try:
            answer = wire.decode(line)
        except WireError:
            answer = {"error": f"the gateway ended with exit code {self._process.wait()} before it was ready"}
        if "error" in answer:
            self.close()
            raise UsageError(str(answer["error"]))
        self.url = str(answer["url"])

    def target_of(self, target: Mapping[str, Any]) -> dict[str, Any]:
        """Return a plan's target, which asked for this gateway, as one that fires at it."""
        settings = {name: value for name, value in target.items() if name != "gateway"}
        return {**settings, "endpoint_url": self.url, "embedded": True}

    @property
    def process_id(self) -> int:
        """The id of the gateway's process."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code of a gateway that ended, None while it runs."""
        return self._process.poll()

    def close(self) -> None:
        """End the gateway and its execution environments."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
