"""Findings that are known and accepted until a date."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from gatecrash.reports.oracles.findings import Finding


@dataclass(frozen=True, slots=True)
class Entry:
    """One accepted finding, by the name that ``name_of`` gives, up to and including the day ``until``."""

    finding: str
    until: date
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Baseline:
    """All accepted findings. Of several entries for the same finding the one that holds longest counts."""

    entries: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class Accepted:
    """Findings, each with ``accepted_until`` where an entry accepts it, and the entries that accepted nothing.

    ``lapsed`` are past their date, ``unused`` hold still but there is no such finding any more.
    """

    findings: list[Finding]
    lapsed: tuple[Entry, ...]
    unused: tuple[Entry, ...]


def name_of(finding: Finding) -> str:
    """Return the name by which a baseline knows a finding: its fingerprint, with a backslash form for lone surrogates.

    No file of text can hold those.
    """
    return finding.fingerprint.encode("utf-8", "backslashreplace").decode()


def accepted(findings: Iterable[Finding], baseline: Baseline, today: date) -> Accepted:
    """Mark the findings that a baseline accepts; all others count again, whatever was accepted before."""
    longest: dict[str, Entry] = {}
    for entry in baseline.entries:
        if entry.finding not in longest or longest[entry.finding].until < entry.until:
            longest[entry.finding] = entry
    holding = {name: entry for name, entry in longest.items() if entry.until >= today}
    marked = [_marked(finding, holding.get(name_of(finding))) for finding in findings]
    names = {name_of(finding) for finding in marked}
    return Accepted(
        marked,
        lapsed=tuple(entry for name, entry in longest.items() if name not in holding),
        unused=tuple(entry for name, entry in holding.items() if name not in names),
    )


def _marked(finding: Finding, entry: Entry | None) -> Finding:
    return replace(finding, accepted_until=entry.until.isoformat() if entry else None)
