"""Locust users. In the open model they are slots that take arrivals; in the closed model they keep their own time."""

from __future__ import annotations

from typing import Final

from locust import User, task
from locust.user.task import LOCUST_STATE_STOPPING

from authorizers.contract import Outcome
from locustfiles._firing import Firing
from locustfiles._state import state_of
from locustfiles._statistics import Row, is_listened_to
from reports.plan import OPEN
from reports.records import Exchange

_FAULTS: Final = frozenset(
    {
        Outcome.HANDLER_ERROR,
        Outcome.TIMED_OUT,
        Outcome.INVALID_RESPONSE,
        Outcome.UNAVAILABLE,
        Outcome.TRANSPORT_ERROR,
    }
)


class WrongDecisionError(Exception):
    """Shown in Locust's own table of failures: a decision that isn't the one the case was built for."""


class AuthorizerFaultError(Exception):
    """Shown in Locust's own table of failures: no decision came back."""


class AuthorizerUser(User):
    """Fires cases at an authorizer. Use it in a locustfile of your own as ``locustfiles/steady.py`` does.

    Each exchange shows in Locust's statistics under its outcome and family; Locust's response time is the one
    from the intended start. A throttle is neither success nor failure: it has a row of its own.
    """

    abstract = True

    def wait_time(self) -> float:
        """Return the seconds between two firings: none for a slot."""
        plan = self._firing.plan
        return 0.0 if plan.model == OPEN or plan.phases else plan.wait_time

    @property
    def _firing(self) -> Firing:
        firing = state_of(self.environment).firing
        assert firing is not None  # noqa: S101 - firing starts before the first user does
        return firing

    @task
    def fire(self) -> None:
        """Take one arrival and fire it, and then all others that are due: going through Locust's loop takes time."""
        firing = self._firing
        arrival = firing.next_arrival()
        while arrival is not None:
            self._report(firing, firing.fire(arrival))
            if not firing.queued or self._state == LOCUST_STATE_STOPPING:
                return
            arrival = firing.next_arrival()

    def _report(self, firing: Firing, exchange: Exchange) -> None:
        outcome = exchange.answer.outcome
        family, expectation = firing.corpus.family_and_expectation(exchange.case_index)
        failure: Exception | None = None
        if outcome in _FAULTS:
            failure = AuthorizerFaultError(outcome.value)
        elif expectation.is_met_by(outcome) is False:
            failure = WrongDecisionError(f"{outcome.value} where {expectation.value} was expected")
        milliseconds = exchange.response_time * 1000
        if not is_listened_to(self.environment):
            firing.statistics.log(Row(outcome.value, family, repr(failure) if failure else ""), milliseconds)
            return
        self.environment.events.request.fire(
            request_type=outcome.value,
            name=family,
            response_time=milliseconds,
            response_length=0,
            exception=failure,
            context={},
        )
