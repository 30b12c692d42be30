"""Where a master listens, and for how many workers it waits."""

from __future__ import annotations

import math
import socket
from dataclasses import dataclass

from gatecrash.authorizers.errors import UsageError
from gatecrash.authorizers.targets.local import reachable
from gatecrash.settings.settings import Settings


@dataclass(frozen=True, slots=True)
class Listening:
    """A master's address, and the ``workers`` that it waits for, at most ``wait`` seconds."""

    host: str
    port: int
    workers: int
    wait: float

    def options(self) -> list[str]:
        """Return Locust's options for it."""
        return [
            *("--master", "--master-bind-host", in_brackets(self.host), "--master-bind-port", str(self.port)),
            *("--expect-workers", str(self.workers), "--expect-workers-max-wait", str(math.ceil(self.wait))),
        ]


def place_to_listen(settings: Settings) -> Listening:
    """Return where the settings have the master listen.

    Raises UsageError when they don't say how many workers there will be, or can't work.
    """
    wanted = settings.distributed
    if wanted.expect_workers is None:
        raise UsageError("--expect-workers is missing: say how many workers the run waits for")
    if settings.load.users < wanted.expect_workers:
        raise UsageError(
            f"load.users is {settings.load.users} for {wanted.expect_workers} workers: each needs one slot at least, "
            "raise --users"
        )
    host = address_of(wanted.bind)
    if settings.target.kind == "local":
        reachable({}, host)
    _check_free(host, wanted.port)
    return Listening(host, wanted.port, wanted.expect_workers, wanted.wait)


def address_of(bind: str) -> str:
    """Return the address that a name of this machine stands for."""
    if bind == "*":
        return "0.0.0.0"  # noqa: S104 - the person asked for it
    try:
        addresses = socket.getaddrinfo(bind, None, type=socket.SOCK_STREAM)
    except OSError as error:
        raise UsageError(f"--bind: there is no address {bind}: {error.strerror}") from None
    return str(min(addresses, key=lambda address: address[0] != socket.AF_INET)[4][0])


def in_brackets(host: str) -> str:
    """Return a host as it stands before a colon and a port: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host


def _check_free(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise UsageError(
                f"can't listen for workers on {host}:{port}: {error.strerror}; --bind takes an address of this "
                "machine, --port a free port"
            ) from None
