"""Locust users. In the open model they are slots that take arrivals; in the closed model they keep their own time."""

from __future__ import annotations

from typing import Final

from locust import User, events, task

from authorizers.contract import Outcome
from locustfiles._firing import Firing
from locustfiles._state import state_of
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
        """Take one arrival and fire it."""
        firing = self._firing
        arrival = firing.next_arrival()
        if arrival is not None:
            self._report(firing, firing.fire(arrival))

    def _report(self, firing: Firing, exchange: Exchange) -> None:
        meta = firing.corpus.meta(exchange.case_index)
        outcome = exchange.answer.outcome
        failure: Exception | None = None
        if outcome in _FAULTS:
            failure = AuthorizerFaultError(outcome.value)
        elif meta.expectation.is_met_by(outcome) is False:
            failure = WrongDecisionError(f"{outcome.value} where {meta.expectation.value} was expected")
        events.request.fire(
            request_type=outcome.value,
            name=meta.family,
            response_time=exchange.response_time * 1000,
            response_length=0,
            exception=failure,
            context={},
        )
