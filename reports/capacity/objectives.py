"""What an authorizer must keep to at a rate for the rate to count as held."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

# Slots for a rate: as many as are busy at a latency of this many times the objective.
SLOTS_FACTOR: Final = 2.0


class Objective(StrEnum):
    """What can be broken. Saturation is none that a person sets: work piles up, so no latency would hold for long."""

    LATENCY = "latency"
    THROTTLES = "throttles"
    ERRORS = "errors"
    WRONG_DECISIONS = "wrong_decisions"
    SATURATION = "saturation"


@dataclass(frozen=True, slots=True)
class Objectives:
    """The service level that capacity is measured against.

    ``percentile`` (0 to 100) of the response times from the intended start must lie within ``latency`` seconds. The
    others are the highest shares of the arrivals, 0 to 1: throttles; errors (handler errors, time-outs, answers that
    break the contract, a target out of reach); decisions other than the expected ones.
    """

    percentile: float = 95.0
    latency: float = 0.25
    throttle_rate: float = 0.01
    error_rate: float = 0.01
    wrong_rate: float = 0.0

    @property
    def allowed(self) -> dict[Objective, float]:
        """The highest share of arrivals that may break each objective."""
        return {
            Objective.LATENCY: 1.0 - self.percentile / 100.0,
            Objective.THROTTLES: self.throttle_rate,
            Objective.ERRORS: self.error_rate,
            Objective.WRONG_DECISIONS: self.wrong_rate,
        }

    def to_json(self) -> dict[str, Any]:
        """Return a JSON value."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Objectives:
        """Read what ``to_json`` wrote."""
        return cls(**value)
