"""What every report says of thresholds in the same words."""

from __future__ import annotations

from collections.abc import Sequence

from gatecrash.reports.thresholds.judging import Standing, ThresholdJudgement


def asked(judged: Sequence[ThresholdJudgement]) -> list[ThresholdJudgement]:
    """Return the thresholds that are about this kind of run."""
    return [one for one in judged if one.standing is not Standing.NOT_ASKED]


def not_asked(judged: Sequence[ThresholdJudgement]) -> list[str]:
    """Return a sentence for each reason for which thresholds of the settings aren't about this kind of run."""
    others: dict[str, list[str]] = {}
    for one in judged:
        if one.standing is Standing.NOT_ASKED:
            others.setdefault(one.reason, []).append(str(one.threshold))
    return [f"Not judged, for {reason}: {', '.join(named)}." for reason, named in others.items()]
