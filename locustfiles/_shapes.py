"""Locust's load shapes: how many users there are while a capacity search goes on."""

from __future__ import annotations

from locust import LoadTestShape

from gatecrash.locustfiles._state import state_of


class CapacityShape(LoadTestShape):
    """As many slots as the rate that is being probed needs; it ends the test when the answer is known."""

    abstract = True
    # The number of users is the most that there will be.
    use_common_options = True

    def tick(self) -> tuple[int, float] | None:
        """Return the number of users and how many to start a second; None at the end."""
        assert self.runner is not None  # noqa: S101 - Locust sets it before the first tick
        recorder = state_of(self.runner.environment).recorder
        if recorder is None or recorder.search is None:
            return 1, 1.0
        if recorder.complete:
            return None
        return recorder.search.users, float(recorder.search.users)
