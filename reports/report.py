"""A report: a judged run beside what it was compared with, as all writers take it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gatecrash.reports.comparison.comparison import Comparison
from gatecrash.reports.run.summary import Summary
from gatecrash.reports.run.verdict import ExitCode, Verdict
from gatecrash.reports.statistics.directions import Direction
from gatecrash.reports.words import summary as words
from gatecrash.reports.words.comparison import sentences


@dataclass(frozen=True, slots=True)
class Report:
    """A judged run; ``comparison`` is with an earlier run, None where there was none to compare it with."""

    summary: Summary
    comparison: Comparison | None = None

    @property
    def headline(self) -> str:
        """What the verdict means, as a sentence."""
        is_worse = self.comparison is not None and self.comparison.is_worse
        if is_worse and self.summary.verdict.exit_code is ExitCode.THRESHOLD_FAILED:
            return "It is worse than the earlier run that it was compared with."
        return words.headline(self.summary)


def report_of(summary: Summary, comparison: Comparison | None) -> Report:
    """Return the report of a judged run, whose verdict knows of its comparison.

    What got worse fails a run that passed otherwise.
    """
    if comparison is None or not comparison.is_worse:
        return Report(summary, comparison)
    verdict = summary.verdict
    reasons = (*verdict.reasons, *sentences(comparison, Direction.WORSE))
    passed = verdict.exit_code is ExitCode.PASS
    verdict = Verdict(ExitCode.THRESHOLD_FAILED, "FAIL", reasons) if passed else replace(verdict, reasons=reasons)
    return Report(replace(summary, verdict=verdict), comparison)
