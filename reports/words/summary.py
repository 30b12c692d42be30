"""How a judged run is worded, alike in every format that people read."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any, Final

from gatecrash.authorizers.contract import Outcome
from gatecrash.reports.plan.facts import RunInfo
from gatecrash.reports.run.campaign import Campaign
from gatecrash.reports.run.summary import PERCENTILE_NAMES, LatencyRow, Summary
from gatecrash.reports.run.verdict import ExitCode, Validity
from gatecrash.reports.statistics.intervals import VALUES_ABOVE
from gatecrash.reports.thresholds.judging import Standing, ThresholdJudgement
from gatecrash.reports.words.spelling import milliseconds, outcome_label, percent, plural, visible

_HEADLINES: Final = {
    ExitCode.PASS: "Nothing wrong was seen.",
    ExitCode.THRESHOLD_FAILED: "A threshold was not kept.",
    ExitCode.USAGE: "The run could not be started as it was asked for.",
    ExitCode.WRONG_DECISIONS: "The authorizer gave wrong, inconsistent or faulty answers.",
    ExitCode.INVALID_MEASUREMENT: "The measurement can't be trusted, so it says nothing of the authorizer.",
    ExitCode.INTERRUPTED: "The run was interrupted; what was measured until then is shown.",
    ExitCode.TERMINATED: "The run was terminated; what was measured until then is shown.",
}
_TRUSTED: Final = {
    "numbers": "the load went out as planned, and the numbers can be trusted",
    "answer": "the rates went out as planned, and the answer can be trusted",
    "findings": "the controls show a working authorizer, and the findings can be trusted",
}
# Stands before a percentile that rests on too few exchanges.
TOO_FEW: Final = "~"
TOO_FEW_MEANING: Final = f"{TOO_FEW} fewer than {VALUES_ABOVE} exchanges lie above it: too few to rely on"


LATENCY_COLUMNS: Final = ("exchanges", "p50", "p90", "p95", "p99", "p99.9", "max")


def latency_cells(row: LatencyRow) -> list[str]:
    """Return the cells of LATENCY_COLUMNS, times in milliseconds."""
    return [f"{row.count:,}", *percentiles(row), milliseconds(row.maximum)]


def percentiles(row: LatencyRow) -> list[str]:
    """Return the percentiles of a row in milliseconds, those marked that rest on too few exchanges."""
    return [(TOO_FEW if name in row.too_few else "") + milliseconds(getattr(row, name)) for name in PERCENTILE_NAMES]


def interval_sentence(row: LatencyRow) -> str:
    """Return where the percentiles of all that could have been measured lie, as far as these values tell."""
    parts = []
    for name, (low, high) in row.intervals.items():
        if name == "p90":
            continue
        label = name.replace("_", ".")
        if high is None:
            parts.append(f"{label} unknown" if low is None else f"{label} from {milliseconds(low)} on")
        else:
            parts.append(f"{label} {'up' if low is None else milliseconds(low)} to {milliseconds(high)}")
    return f"With 95 % confidence, of {outcome_label(row.outcome)}: {', '.join(parts)}."


def headline(summary: Summary) -> str:
    """Return what the verdict of a run means, as a sentence; where it was compared, ``Report.headline`` does."""
    if _is_broken(summary) and summary.verdict.exit_code is ExitCode.INVALID_MEASUREMENT:
        return "The run proves nothing, for the controls failed."
    if summary.capacity is not None and summary.verdict.exit_code is ExitCode.PASS:
        return "The search has an answer, and at the rates that are held nothing wrong was seen."
    accepted = any(finding.accepted_until is not None for finding in summary.findings)
    if accepted and summary.verdict.exit_code is ExitCode.PASS:
        return "Nothing wrong was seen besides what the baseline accepts."
    return _HEADLINES[summary.verdict.exit_code]


def _is_broken(summary: Summary) -> bool:
    return summary.campaign is not None and summary.campaign.broken is not None


def target_words(info: RunInfo) -> str:
    """Say what was fired at and by which client, such as ``mine (local: /x/mine.py:handler), by the wire client``."""
    target = info.target
    kind, client, handler = target.kind, target.client, target.handler
    place = shlex.join(handler) if isinstance(handler, list) else handler
    place = place or _without_user(target.endpoint) or target.region
    # Of a script and of a handler without a gateway an authorizer's name says nothing.
    name = target.function or (target.authorizer if kind in {"local", "iot"} else None)
    where = f"{kind}: {place}" if place else kind
    return visible((f"{name} ({where})" if name else where) + (f", by the {client} client" if client else ""))


def _without_user(endpoint: str | None) -> str | None:
    """Return an address without the user and password that may stand in it."""
    scheme, mark, rest = (endpoint or "").partition("://")
    place, slash, path = rest.partition("/")
    return f"{scheme}{mark}{place.rpartition('@')[2]}{slash}{path}" or None


def bound_sentence(summary: Summary) -> str | None:
    """Return what it means that no wrong decision was seen, None when one was.

    In a run under load that is the rule of three. The requests of a fuzz run are chosen, not a sample.
    """
    if summary.wrong_bound is None or _is_broken(summary):
        return None
    decisions = sum(count for name, count in summary.outcomes.items() if Outcome(name).is_decision)
    seen = f"no wrong decision in {decisions:,}"
    if summary.campaign is not None:
        return f"{seen}, on {plural(summary.cases_seen, 'distinct request')}."
    if summary.wrong_bound >= 1.0:
        return f"{seen}: too few to bound the share of wrong ones."
    return f"{seen}: with 95 % confidence fewer than {percent(summary.wrong_bound)} are wrong (rule of three)."


def verdict_sentences(summary: Summary) -> list[str]:
    """Return the reasons of the verdict, or what its absence of reasons is worth."""
    bound = bound_sentence(summary)
    reasons = [visible(reason) for reason in summary.verdict.reasons]
    return reasons if reasons or bound is None else [bound]


def validity_sentence(summary: Summary) -> str:
    """Return the validity and what it means."""
    validity, result = summary.judgement.validity, "numbers" if summary.campaign is None else "findings"
    if summary.capacity is not None:
        result = "answer"
    if validity is Validity.VALID:
        return f"{validity.value}: {_TRUSTED[result]}"
    if validity is Validity.DEGRADED:
        return f"{validity.value}: read the {result} with care"
    none = ", or on there being none" if result == "findings" else ""
    return f"{validity.value}: don't rely on the {result}{none}"


def validity_reasons(summary: Summary) -> list[str]:
    """Return the reasons of the validity that the verdict doesn't give already."""
    told = set(summary.verdict.reasons)
    return [visible(reason) for reason in summary.judgement.reasons if reason not in told]


def key_numbers(summary: Summary) -> list[tuple[str, str]]:
    """Return the numbers that come first, each with its label."""
    return [
        *(_load_numbers(summary) if summary.campaign is None else _fuzz_numbers(summary, summary.campaign)),
        *_throttle_rate(summary),
        ("cold starts", f"{summary.cold_starts:,}"),
        ("distinct requests", f"{summary.cases_seen:,}"),
        ("seed", visible(summary.info.seed)),
        ("corpus digest", visible(summary.info.corpus.digest or "-")[:12]),
    ]


def _load_numbers(summary: Summary) -> list[tuple[str, str]]:
    numbers = [
        ("planned rate", f"{summary.planned_rate:,.1f} arrivals/s"),
        ("achieved rate", f"{summary.achieved_rate:,.1f} exchanges/s over {summary.measured_seconds:,.1f} s"),
        ("exchanges", f"{summary.exchanges:,} (and {summary.warm_up_exchanges:,} in the warm-up)"),
        ("dropped arrivals", f"{summary.dropped:,} of {summary.planned:,} planned"),
    ]
    return numbers if summary.planned_rate else numbers[1:3]


def _fuzz_numbers(summary: Summary, campaign: Campaign) -> list[tuple[str, str]]:
    return [
        ("credentials", visible(campaign.credential)),
        ("exchanges", f"{summary.exchanges:,}"),
        ("confirming and shrinking", f"{plural(campaign.confirmations, 'request')} more"),
    ]


def _throttle_rate(summary: Summary) -> list[tuple[str, str]]:
    if not summary.planned_rate and not summary.throttle_rate:
        return []
    return [("throttle rate", f"{percent(summary.throttle_rate)} of exchanges")]


STANDING_MARKS: Final = {
    Standing.HELD: "✓ held",
    Standing.FAILED: "✗ failed",
    Standing.NOT_JUDGED: "? not judged",
}


def thresholds_asked(summary: Summary) -> list[ThresholdJudgement]:
    """Return the thresholds that are about this kind of run."""
    return [one for one in summary.thresholds if one.standing is not Standing.NOT_ASKED]


def thresholds_not_asked(summary: Summary) -> list[str]:
    """Return a sentence for each reason for which thresholds of the settings aren't about this kind of run."""
    others: dict[str, list[str]] = {}
    for one in summary.thresholds:
        if one.standing is Standing.NOT_ASKED:
            others.setdefault(one.reason, []).append(str(one.threshold))
    return [f"Not judged, for {reason}: {', '.join(named)}." for reason, named in others.items()]


WORKER_COLUMNS: Final = ("worker", "exchanges", "CPU", "silence", "records to")


def worker_rows(summary: Summary) -> list[tuple[str, ...]]:
    """Return a row for each worker of a master, and one for the master; none where there was no master."""
    state = summary.state
    rows = [
        (
            visible(f"{one.name}, lost" if one.lost else one.name),
            f"{one.exchanges:,}",
            percent(one.cpu),
            f"{one.silence:.1f} s",
            f"{one.reported:.1f} s",
        )
        for one in state.worker_facts
    ]
    return [*rows, ("master", "-", percent(state.master_cpu), "-", "-")] if rows else []


def answer_detail(answer: Mapping[str, Any]) -> str:
    """Return one line about a distinct answer of a finding: the fault, or the decision's content."""
    sample = answer.get("sample") or {}
    if fault := sample.get("fault"):
        parts = [fault.get("code"), fault.get("errorType"), fault.get("message")]
        return visible(": ".join(str(part) for part in parts if part))
    if decision := sample.get("decision"):
        return visible(_decision_line(decision))
    return visible(sample.get("cause") or "")


def _decision_line(decision: Mapping[str, Any]) -> str:
    lifetimes = f"{decision.get('refreshAfterInSeconds')} s and {decision.get('disconnectAfterInSeconds')} s"
    documents = decision.get("policyDocuments") or ["none"]
    return f"principal {decision.get('principalId')}, lifetimes {lifetimes}, policy {' and '.join(documents)}"
