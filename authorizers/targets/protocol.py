"""The one protocol of all targets: a request in, an answer out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from gatecrash.authorizers.contract import Answer, AuthorizerRequest


class Target(Protocol):
    """Something that answers authorizer requests.

    ``invoke`` never raises for what a request or an authorizer does: whatever happens is an answer's outcome. It
    may be called from many greenlets or threads at once.
    """

    def invoke(self, request: AuthorizerRequest) -> Answer:
        """Put one request to the authorizer and wait for its answer."""
        ...

    def close(self) -> None:
        """Give back connections and processes."""
        ...


@runtime_checkable
class PreparedTarget(Protocol):
    """A target that sends bodies which are ready, and need not know the request in them.

    ``received`` is when the answer that ``invoke_prepared`` returned last had come, by time.perf_counter; None where
    nobody knows better than whoever gets it. Read it at once: it changes as soon as another greenlet runs.
    """

    received: float | None

    def invoke_prepared(self, body: bytes, request: Callable[[], AuthorizerRequest]) -> Answer:
        """Put one request to the authorizer by its wire body; ``request`` gives what is in it when asked."""
        ...

    def call_before_reading(self, callback: Callable[[], None]) -> None:
        """Have something called when answers have come, before they are read.

        Only where that makes ``received`` no later, and only by gevent's loop: what is called must not wait.
        """
        ...
