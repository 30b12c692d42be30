"""How a fuzz run's phases, controls and coverage are worded and laid out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from gatecrash.authorizers.contract import Expectation, Outcome
from gatecrash.reports.run.campaign import Campaign, ControlRow, PhaseRow
from gatecrash.reports.words.spelling import outcome_label, plural, visible

NOT_COVERED: Final = "-"
NOT_AS_EXPECTED: Final = "not as expected"
CUT_SHORT: Final = "A phase of fewer exchanges than planned was ended by its time or the budget of requests."
_EXPECTATIONS: Final = {one.value: one for one in Expectation}
_OUTCOMES: Final = {one.value: one for one in Outcome}


@dataclass(frozen=True, slots=True)
class Matrix:
    """The coverage as a table: a row for each attack family with a cell for each carrier."""

    carriers: list[str]
    rows: list[tuple[str, list[str]]]
    reasons: list[tuple[str, str]]


def matrix(campaign: Campaign) -> Matrix:
    """Lay out the coverage.

    A cell is a number of requests, or a dash, whose reason is below the table with the families (``family by carrier``
    where it concerns not all carriers) that it concerns.
    """
    carriers = list(dict.fromkeys(row.carrier for row in campaign.coverage))
    cells = {(row.family, row.carrier): row for row in campaign.coverage}
    rows = []
    for family in dict.fromkeys(row.family for row in campaign.coverage):
        found = [cells.get((family, carrier)) for carrier in carriers]
        rows.append(
            (visible(family), [f"{cell.requests:,}" if cell and cell.requests else NOT_COVERED for cell in found])
        )
    return Matrix([visible(carrier) for carrier in carriers], rows, list(_reasons(campaign, len(carriers))))


def _reasons(campaign: Campaign, carriers: int) -> Iterable[tuple[str, str]]:
    """Yield each reason with what it concerns."""
    found: dict[str, dict[str, list[str]]] = {}
    for row in campaign.coverage:
        if not row.requests:
            found.setdefault(row.reason or "no reason is known", {}).setdefault(row.family, []).append(row.carrier)
    for reason, families in found.items():
        names = [
            family if len(missing) == carriers else f"{family} by {', '.join(missing)}"
            for family, missing in families.items()
        ]
        yield visible("; ".join(names) if any(" by " in name for name in names) else ", ".join(names)), visible(reason)


def coverage_sentence(campaign: Campaign) -> str:
    """Return what the matrix counts."""
    covered = sum(bool(row.requests) for row in campaign.coverage)
    pairs = plural(len(campaign.coverage), "pair")
    return f"distinct requests by attack family and carrier; {covered:,} of {pairs} covered"


def phase_row(phase: PhaseRow) -> tuple[str, str, str, str]:
    """Return a phase by name, place, exchanges (of how many, where it had fewer than planned) and seconds."""
    of = f" of {phase.planned:,}" if phase.exchanges < phase.planned else ""
    return visible(phase.name), visible(phase.where), f"{phase.exchanges:,}{of}", f"{phase.seconds:,.1f}"


def cut_short(campaign: Campaign) -> bool:
    """Say whether a phase had fewer exchanges than were planned."""
    return any(phase.exchanges < phase.planned for phase in campaign.phases)


def control_outcomes(control: ControlRow) -> str:
    """Return the outcomes of a control: ``allow 3, deny 1``."""
    return ", ".join(f"{visible(outcome_label(name))} {count:,}" for name, count in control.outcomes.items()) or "none"


def as_expected(control: ControlRow) -> bool:
    """Say whether every outcome of a control was the expected one."""
    expected = _EXPECTATIONS.get(control.expected)
    outcomes = [_OUTCOMES.get(name) for name, count in control.outcomes.items() if count]
    return bool(outcomes) and all(
        expected is not None and outcome is not None and expected.is_met_by(outcome) is True for outcome in outcomes
    )
