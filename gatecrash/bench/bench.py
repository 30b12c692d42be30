"""Where single requests and short sequences are fired: fresh environments of a laboratory, or any other target."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final, Protocol

from gatecrash.authorizers.contract import Answer, AuthorizerRequest
from gatecrash.authorizers.event import Dialect
from gatecrash.authorizers.laboratory.laboratory import IsolatedEnvironment, Laboratory
from gatecrash.authorizers.limits import LAMBDA_SECONDS_MAXIMUM
from gatecrash.authorizers.service.front import TOKEN_KEY_NAME_DEFAULT, HandlerSettings
from gatecrash.authorizers.targets.protocol import Target
from gatecrash.generators.attacks import DEVICE_VIEW, UNSIGNED_VIEW

# Handlers that wait for something are slow without using a core: many of them wait at the same time.
SLOW_SECONDS: Final = 0.005
PARALLEL_MAXIMUM: Final = 16


@dataclass(frozen=True, slots=True)
class Shot:
    """A request and the settings of the authorizer under which it is fired."""

    request: AuthorizerRequest
    view: str = ""


class OutOfBudgetError(Exception):
    """No more requests may be sent."""


class Bench(Protocol):
    """Fires shots outside the phases. ``requests`` counts them; ``isolated`` tells whether environments are fresh."""

    requests: int
    isolated: bool

    def can(self, view: str) -> bool:
        """Say whether shots of a view can be fired here."""
        ...

    def fresh(self, shots: Sequence[Shot], seconds: float = LAMBDA_SECONDS_MAXIMUM) -> list[Answer]:
        """Fire shots one after the other in one fresh environment, where there is such a thing."""
        ...

    def overlapping(self, shots: Sequence[Shot]) -> list[Answer]:
        """Fire shots so that their invocations overlap, each in an environment of its own."""
        ...

    def close(self) -> None:
        """Give everything back."""
        ...


class LaboratoryBench:
    """Fires at a Python handler in isolated environments, also with signing disabled where tokens are signed."""

    isolated = True

    def __init__(self, settings: HandlerSettings) -> None:
        self.requests = 0
        self.settings = settings
        self.laboratory = Laboratory(settings)
        self._unsigned: Laboratory | None = None
        self._overlapping: list[IsolatedEnvironment] = []

    def can(self, view: str) -> bool:  # noqa: ARG002 - every view can be brought about here
        """Say whether shots of a view can be fired here: all can."""
        return True

    def environment(self, view: str = "") -> IsolatedEnvironment:
        """Start a fresh environment, of the authorizer that a view asks for."""
        return (self._laboratory_without_signing() if view == UNSIGNED_VIEW else self.laboratory).environment()

    def _laboratory_without_signing(self) -> Laboratory:
        if self._unsigned is None:
            key_name = self.settings.token_key_name or TOKEN_KEY_NAME_DEFAULT
            self._unsigned = Laboratory(replace(self.settings, signing_keys={}, token_key_name=key_name))
        return self._unsigned

    def fresh(self, shots: Sequence[Shot], seconds: float = LAMBDA_SECONDS_MAXIMUM) -> list[Answer]:
        """Fire shots one after the other in one fresh environment; those without signing in another."""
        answers: dict[int, Answer] = {}
        for unsigned in (False, True):
            places = [place for place, shot in enumerate(shots) if (shot.view == UNSIGNED_VIEW) is unsigned]
            if places:
                with self.environment(UNSIGNED_VIEW if unsigned else "") as environment:
                    fired = fire(environment, [shots[place] for place in places], seconds)
                answers |= dict(zip(places, fired, strict=True))
        self.requests += len(shots)
        return [answers[place] for place in range(len(shots))]

    def overlapping(self, shots: Sequence[Shot]) -> list[Answer]:
        """Fire shots at the same time; environments are kept from one call to the next."""
        while len(self._overlapping) < len(shots):
            self._overlapping.append(self.environment())
        self.requests += len(shots)
        environments = self._overlapping[: len(shots)]
        return self.laboratory.concurrently([shot.request for shot in shots], environments, LAMBDA_SECONDS_MAXIMUM)

    def close(self) -> None:
        """End all environments."""
        for environment in self._overlapping:
            environment.close()
        self.laboratory.close()
        if self._unsigned is not None:
            self._unsigned.close()


def fire(environment: IsolatedEnvironment, shots: Sequence[Shot], seconds: float) -> list[Answer]:
    """Fire shots in order in one environment, runs of the same view together."""
    answers: list[Answer] = []
    start = 0
    while start < len(shots):
        view = shots[start].view
        end = start + 1
        while end < len(shots) and shots[end].view == view:
            end += 1
        requests = [shot.request for shot in shots[start:end]]
        answers += environment.invoke_all(requests, seconds, Dialect.DEVICE if view == DEVICE_VIEW else None)
        start = end
    return answers


class TargetBench:
    """Fires at a gateway or at AWS, within a rate (requests a second) and a budget of requests."""

    isolated = False

    def __init__(
        self, target: Target, *, rate: float | None, budget: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.requests = 0
        self._target = target
        self._gap = 1.0 / rate if rate else 0.0
        self._budget = budget
        self._clock = clock
        self._next = clock()
        self._pool = ThreadPoolExecutor(PARALLEL_MAXIMUM)

    def can(self, view: str) -> bool:
        """Only what a request itself brings about can be fired here."""
        return not view

    def fresh(self, shots: Sequence[Shot], seconds: float = LAMBDA_SECONDS_MAXIMUM) -> list[Answer]:  # noqa: ARG002 - the service's own limit holds
        """Fire shots one after the other; the target chooses the environments."""
        return [self._one(shot) for shot in shots]

    def overlapping(self, shots: Sequence[Shot]) -> list[Answer]:
        """Fire shots at the same time, where the rate allows it."""
        if self._gap:
            return self.fresh(shots)
        self._spend(len(shots))
        return list(self._pool.map(lambda shot: self._target.invoke(shot.request), shots))

    def _one(self, shot: Shot) -> Answer:
        self._spend(1)
        if self._gap:
            wait = self._next - self._clock()
            if wait > 0:
                time.sleep(wait)
            self._next = max(self._clock(), self._next) + self._gap
        return self._target.invoke(shot.request)

    def _spend(self, count: int) -> None:
        if self.requests + count > self._budget:
            raise OutOfBudgetError
        self.requests += count

    def close(self) -> None:
        """Give the threads and the target back."""
        self._pool.shutdown()
        self._target.close()
