"""Flat records: one exchange as it was seen, and what is known of a case when it is judged."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from gatecrash.authorizers.contract import Answer, Demand, Expectation


class LatencyKind(StrEnum):
    """Which latency a number is.

    ``service_time`` runs from sending to the answer. ``response_time`` runs from the intended start of the
    arrival, so that waiting behind a stall counts, as it would for a device (coordinated omission: Gil Tene,
    "How NOT to measure latency").
    """

    SERVICE_TIME = "service_time"
    RESPONSE_TIME = "response_time"


class Exchange(NamedTuple):
    """One firing of a case. Times are seconds since the start of the run on the worker's monotonic clock.

    ``offered_rate`` is the planned arrivals per second of the whole run at that time; ``phase`` names the part of a
    run that has several.
    """

    case_index: int
    intended_start: float
    sent: float
    received: float
    answer: Answer
    warm_up: bool = False
    offered_rate: float = 0.0
    worker: int = 0
    phase: str = ""

    @property
    def service_time(self) -> float:
        """Seconds from sending to the answer."""
        return self.received - self.sent

    @property
    def response_time(self) -> float:
        """Seconds from the intended start to the answer."""
        return self.received - self.intended_start


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """What a report may know of a case: no secret is in it.

    ``request`` is the wire form with secrets masked; ``reproducer`` what a replay needs to make the concrete
    request again. ``attacks`` are the keys of the changes made to a valid request of device ``identity``; the other
    texts are those of the change that demands most. ``open_rights``: it may rightly get another device's rights.
    """

    index: int
    demand: Demand
    family: str
    name: str
    request: dict[str, Any]
    reproducer: dict[str, Any]
    identity: int | None = None
    carrier: str = ""
    attacks: tuple[str, ...] = ()
    weakness: str = ""
    description: str = ""
    source: str = ""
    open_rights: bool = False

    @property
    def expectation(self) -> Expectation:
        """What must come back."""
        return self.demand.expectation

    @property
    def full_name(self) -> str:
        """The family and the name in it."""
        return f"{self.family}/{self.name}"

    @property
    def is_valid(self) -> bool:
        """Whether it is a valid request of a known device, unchanged."""
        return self.demand is Demand.ALLOW and not self.attacks and self.identity is not None
