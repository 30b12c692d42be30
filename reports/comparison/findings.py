"""Findings that are new in the later run, and those that are gone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gatecrash.reports.oracles.findings import Finding
from gatecrash.reports.oracles.rules import Severity
from gatecrash.reports.statistics.directions import Direction


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A finding of one of the runs: ``number`` is that by which commands know it there."""

    fingerprint: str
    sentence: str
    severity: str
    number: int
    exchanges: int
    accepted_until: str | None = None


@dataclass(frozen=True, slots=True)
class FindingDiff:
    """Findings by their fingerprints, notes left out: ``new`` ones are worse, ``accepted`` ones new but accepted.

    ``gone`` were there before, ``kept`` are in both.
    """

    new: tuple[FindingRow, ...] = ()
    accepted: tuple[FindingRow, ...] = ()
    gone: tuple[FindingRow, ...] = ()
    kept: tuple[FindingRow, ...] = ()

    @property
    def directions(self) -> list[Direction]:
        """A new finding is worse, one that is gone better."""
        found = [Direction.WORSE] if self.new else []
        return [*found, Direction.BETTER] if self.gone else [*found, Direction.SAME]


def compare_findings(earlier: Iterable[Finding], later: Iterable[Finding]) -> FindingDiff:
    """Tell the findings of two runs apart.

    One that the earlier run had and its baseline accepted was there all the same: it is kept, or gone.
    """
    before, after = _by_fingerprint(earlier), _by_fingerprint(later)
    fresh = [row for name, row in after.items() if name not in before]
    return FindingDiff(
        new=tuple(row for row in fresh if row.accepted_until is None),
        accepted=tuple(row for row in fresh if row.accepted_until is not None),
        gone=tuple(row for name, row in before.items() if name not in after and row.accepted_until is None),
        kept=tuple(row for name, row in after.items() if name in before),
    )


def _by_fingerprint(findings: Iterable[Finding]) -> dict[str, FindingRow]:
    return {
        finding.fingerprint: FindingRow(
            finding.fingerprint,
            finding.sentence,
            finding.rule.severity.label,
            number,
            finding.exchanges,
            finding.accepted_until,
        )
        for number, finding in enumerate(findings, 1)
        if finding.rule.severity > Severity.NOTE
    }
