"""What the corpus of a run under load covered: its families of cases, what they were to get, and what they got."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from gatecrash.authorizers.contract import Expectation, Outcome
from gatecrash.reports.recording import codec
from gatecrash.reports.recording.ledger import Ledger
from gatecrash.reports.recording.plain import Plain

# The family of a case by its index, and what must come back.
KindOf = Callable[[int], tuple[str, Expectation]]


@dataclass(frozen=True, slots=True)
class FamilyRow:
    """The cases of one family that must get the same: how many were fired, and outcomes by count, warm-up included.

    Answers that come after the first distinct ones that a case's entry keeps are not among them.
    """

    family: str
    expectation: str
    cases: int
    outcomes: dict[str, int] = field(default_factory=dict)

    @property
    def exchanges(self) -> int:
        """How many exchanges its cases had."""
        return sum(self.outcomes.values())

    @property
    def unexpected(self) -> int:
        """How many exchanges ended otherwise than they must; throttles and whatever says nothing don't count."""
        wanted = Expectation(self.expectation)
        return sum(count for name, count in self.outcomes.items() if wanted.is_met_by(Outcome(name)) is False)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON value."""
        return {**codec.to_json(self), "exchanges": self.exchanges, "unexpected": self.unexpected}


def families_of(ledger: Ledger, kind_of: KindOf) -> tuple[FamilyRow, ...]:
    """Count what each family got: valid cases first, then the families of attacks by name."""
    cases: Counter[tuple[str, Expectation]] = Counter()
    outcomes: dict[tuple[str, Expectation], Counter[str]] = {}
    for index, entry in ledger.rows():
        kind = kind_of(index)
        cases[kind] += 1
        counts = outcomes.setdefault(kind, Counter())
        if isinstance(entry, Plain):
            counts[ledger.traits[entry.traits].outcome.value] += entry.times
            continue
        for sighting in entry.sightings:
            counts[sighting.outcome.value] += sighting.count
    order = sorted(cases, key=lambda kind: (kind[1] is not Expectation.ALLOW, *kind))
    return tuple(FamilyRow(kind[0], kind[1].value, cases[kind], dict(outcomes[kind])) for kind in order)
