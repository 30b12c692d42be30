"""Locust users. In the open model they are slots that take arrivals; in the closed model they keep their own time."""

from __future__ import annotations

from locust import User, task
from locust.user.task import LOCUST_STATE_STOPPING

from gatecrash.firing.firing import Firing, Shown
from gatecrash.locustfiles._state import state_of
from gatecrash.locustfiles._statistics import failure_of, is_listened_to


class AuthorizerUser(User):
    """Fires cases at an authorizer. Use it in a locustfile of your own as ``locustfiles/steady.py`` does.

    Each exchange shows in Locust's statistics under its outcome and family; Locust's response time is the one
    from the intended start. A throttle is neither success nor failure: it has a row of its own. Locust's event
    ``request`` is fired for each exchange when somebody listens to it.
    """

    abstract = True

    def wait_time(self) -> float:
        """Return the seconds between two firings: none for a slot."""
        return self._firing.source.wait_time

    @property
    def _firing(self) -> Firing:
        firing = state_of(self.environment).firing
        assert firing is not None  # noqa: S101 - firing starts before the first user does
        return firing

    @task
    def fire(self) -> None:
        """Take one arrival and fire it, and then all others that are due: going through Locust's loop takes time."""
        firing = self._firing
        fires_events = is_listened_to(self.environment)
        statistics, facts_of = state_of(self.environment).statistics, firing.corpus.family_and_expectation
        next_arrival = firing.source.next_arrival
        while (arrival := next_arrival()) is not None:
            case_index, outcome, nanoseconds = shown = firing.fire(arrival)
            if fires_events:
                self._announce(shown)
            else:
                family, expectation = facts_of(case_index)
                statistics.log(outcome, family, expectation, nanoseconds)
            if self._state == LOCUST_STATE_STOPPING:
                return
            # None for a user that waits between two firings: that is Locust's to do.
            next_arrival = firing.source.another

    def _announce(self, shown: Shown) -> None:
        case_index, outcome, nanoseconds = shown
        family, expectation = self._firing.corpus.family_and_expectation(case_index)
        self.environment.events.request.fire(
            request_type=outcome.value,
            name=family,
            response_time=nanoseconds / 1e6,
            response_length=0,
            exception=failure_of(outcome, expectation),
            context={},
        )
