"""What a fuzz run adds to a run: its phases, its controls, and what was covered; no secret is in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


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
