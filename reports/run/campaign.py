"""What a fuzz run adds to a run: its phases, its controls, and what was covered; no secret is in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class PhaseRow:
    """One phase: where it was fired (``in process``, ``gateway``, ``aws``), how many exchanges, in how many seconds.

    ``planned`` is how many exchanges it should have had: fewer, where its time was up.
    """

    name: str
    where: str
    exchanges: int
    planned: int
    seconds: float


@dataclass(frozen=True, slots=True)
class ControlRow:
    """A request whose right answer is beyond doubt: ``expected`` and ``outcomes`` (counts) at one moment."""

    name: str
    moment: str
    expected: str
    outcomes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class CoverageRow:
    """How many distinct requests of an attack family by one carrier were fired; ``reason`` says why none could be."""

    family: str
    carrier: str
    requests: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Campaign:
    """What a fuzz run did. ``credential`` is the kind of profile; ``broken`` says why the run proves nothing.

    ``confirmations`` counts the requests that confirming and shrinking took besides the exchanges of the phases.
    """

    credential: str
    phases: tuple[PhaseRow, ...] = ()
    controls: tuple[ControlRow, ...] = ()
    coverage: tuple[CoverageRow, ...] = ()
    broken: str | None = None
    confirmations: int = 0

    def encode(self) -> dict[str, Any]:
        """Return a JSON value."""
        return asdict(self)

    @classmethod
    def decode(cls, value: Mapping[str, Any]) -> Campaign:
        """Read what ``encode`` wrote."""
        return cls(
            credential=value["credential"],
            phases=tuple(PhaseRow(**row) for row in value["phases"]),
            controls=tuple(ControlRow(**row) for row in value["controls"]),
            coverage=tuple(CoverageRow(**row) for row in value["coverage"]),
            broken=value["broken"],
            confirmations=value["confirmations"],
        )
