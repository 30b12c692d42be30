"""Faults on purpose: API errors, latency and environment crashes, the same ones for the same seed.

With them a client's own handling of throttles and outages is tested. All are off by default.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Final

from gatecrash.authorizers.errors import API_ERRORS, ApiError, UsageError
from gatecrash.authorizers.gateway.pool import RATE_EXCEEDED

_MESSAGES: Final = {"ThrottlingException": RATE_EXCEEDED}
_MESSAGE_DEFAULT: Final = "This fault was injected by gatecrash."


@dataclass(frozen=True, slots=True)
class FaultSettings:
    """Which faults TestInvokeAuthorizer and Invoke have; rates are shares of 0 to 1, ``latency`` is in seconds.

    ``errors`` maps an error code, such as ``ServiceUnavailableException``, to the share of calls answered so;
    ``latency`` is added to a share of ``latency_rate`` of the calls; ``crash_rate`` is the share of invocations
    whose environment is killed. Raises UsageError for what is out of range or no error of the API.
    """

    errors: Mapping[str, float] = field(default_factory=dict)
    latency: float = 0.0
    latency_rate: float = 1.0
    crash_rate: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        for code in self.errors:
            if code not in API_ERRORS:
                raise UsageError(f"faults: there is no error {code}; there are {', '.join(sorted(API_ERRORS))}")
        rates = (*self.errors.values(), sum(self.errors.values()), self.latency_rate, self.crash_rate)
        if not all(0 <= rate <= 1 for rate in rates):
            raise UsageError("faults: rates are shares between 0 and 1, and those of the errors add up to at most 1")
        if self.latency < 0:
            raise UsageError(f"faults: latency is {self.latency}; it is seconds, 0 or more")


@dataclass(frozen=True, slots=True)
class InjectedFault:
    """What happens to one call."""

    error: ApiError | None = None
    latency: float = 0.0
    crash: bool = False


class Faults:
    """Draws the fault of each call, in the order of calls."""

    def __init__(self, settings: FaultSettings) -> None:
        self._settings = settings
        self._rng = Random(settings.seed)

    async def next_after_latency(self) -> InjectedFault:
        """Draw the fault of the next call, and wait for its latency."""
        fault = self.next()
        if fault.latency:
            await asyncio.sleep(fault.latency)
        return fault

    def next(self) -> InjectedFault:
        """Draw the fault of the next call: always three numbers, so that rates don't shift each other's draws."""
        for_error, for_latency, for_crash = self._rng.random(), self._rng.random(), self._rng.random()
        settings = self._settings
        return InjectedFault(
            error=self._error(for_error),
            latency=settings.latency if for_latency < settings.latency_rate else 0.0,
            crash=for_crash < settings.crash_rate,
        )

    def _error(self, chance: float) -> ApiError | None:
        for code, rate in self._settings.errors.items():
            if chance < rate:
                return API_ERRORS[code](_MESSAGES.get(code, _MESSAGE_DEFAULT))
            chance -= rate
        return None
