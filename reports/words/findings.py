"""How findings are worded: what is wrong, how surely it shows, and the commands that go on from there."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any, Final

from gatecrash.reports.oracles.findings import ALSO_MAXIMUM, Classification, Confirmation, Finding
from gatecrash.reports.oracles.rules import FindingKind, Severity
from gatecrash.reports.run.summary import Summary
from gatecrash.reports.words.spelling import percent, plural, visible

_ALSO_SHOWN: Final = 3
_CLASSIFICATION_SENTENCES: Final = {
    Classification.DETERMINISTIC: "deterministic",
    Classification.FLAKY: "flaky",
    Classification.UNDER_LOAD: "only under load, when invocations overlap",
    Classification.AFTER_ANOTHER: "only after another request",
    Classification.COLD_START: "cold start only, in the first invocation of an environment",
    Classification.TIME_BOUNDARY: "only near a moment in time, such as an expiry",
}


def kind_label(kind: FindingKind) -> str:
    """Return the word for what is wrong."""
    return kind.value.replace("_", "-" if kind in {FindingKind.FAIL_OPEN, FindingKind.FAIL_CLOSED} else " ")


def classification_label(confirmation: Confirmation) -> str:
    """Return in a few words when a finding shows."""
    if confirmation.classification is Classification.TIME_BOUNDARY:
        return "at a moment in time"
    return confirmation.classification.value.replace("_", " ")


def share_words(confirmation: Confirmation) -> str:
    """Return how often a finding showed, with the interval: ``7 of 2,000 times, 0.17 % to 0.72 % with …``."""
    seen = f"{confirmation.violations:,} of {plural(confirmation.times, 'time')}"
    return f"{seen}, {percent(confirmation.low)} to {percent(confirmation.high)} with 95 % confidence"


def confirmation_sentence(confirmation: Confirmation) -> str:
    """Return when and how often a finding shows, in plain words."""
    if confirmation.classification is Classification.NOT_SEEN_AGAIN:
        again = "not seen again when the request was fired alone"
        return f"{again}; in the run {share_words(confirmation)}" if confirmation.violations else again
    if confirmation.classification is Classification.AFTER_MANY:
        when = f"only after {plural(confirmation.after, 'invocation')} of one environment"
    else:
        when = _CLASSIFICATION_SENTENCES[confirmation.classification]
    return f"{when}: {share_words(confirmation)}"


def setup_names(finding: Finding) -> list[str]:
    """Return the names of the requests that must be fired before the finding's own, in order."""
    steps: Sequence[Mapping[str, Any]] = finding.reproducer.get("setup") or ()
    return [visible(step.get("name") or "request without a name") for step in steps]


def seen_sentence(finding: Finding) -> str:
    """Return how often a finding was seen, when first, and in which phases."""
    parts = [f"{plural(finding.exchanges, 'exchange')}, {plural(finding.cases, 'distinct request')}"]
    if finding.first_exchange is not None:
        parts.append(f"found after {plural(finding.first_exchange, 'exchange')}")
    if finding.phases:
        noun = "phase" if len(finding.phases) == 1 else "phases"
        parts.append(f"{noun} {', '.join(map(visible, finding.phases))}")
    return "; ".join(parts)


def size_sentence(finding: Finding) -> str:
    """Return how far the shown request is from a valid one; empty where that isn't known."""
    if finding.size is None:
        return ""
    size = f"{plural(finding.size, 'change')} to a valid request" if finding.size else "a valid request, unchanged"
    if finding.shrunk:
        return f"{size}; the smallest that was found"
    return f"{size}; not shrunk" if finding.size > 1 else size


def also_total(finding: Finding) -> str:
    """Return how many further cases have the same cause: ``4``, or ``20 or more`` where not all are named."""
    count = len(finding.also)
    return f"{count} or more" if count >= ALSO_MAXIMUM else str(count)


def also_sentence(finding: Finding) -> str:
    """Return the first further cases with the same cause, and how many more there are; empty for none."""
    shown = ", ".join(map(visible, finding.also[:_ALSO_SHOWN]))
    rest = len(finding.also) - _ALSO_SHOWN
    if rest <= 0:
        return shown
    return f"{shown} and {rest} {'or more others' if len(finding.also) >= ALSO_MAXIMUM else 'more'}"


def accepted_sentence(finding: Finding) -> str:
    """Return until when a baseline accepts a finding; empty where none does."""
    return f"accepted until {visible(finding.accepted_until)} by the baseline" if finding.accepted_until else ""


def numbered(summary: Summary, *, notes: bool) -> list[tuple[int, Finding]]:
    """Return the notes of a summary, or all other findings, each with the number by which commands know it."""
    found = enumerate(summary.findings, 1)
    return [(number, one) for number, one in found if (one.rule.severity is Severity.NOTE) is notes]


def heading(summary: Summary, *, notes: bool) -> str:
    """Return the heading of the notes or of all other findings."""
    found = [finding for _, finding in numbered(summary, notes=notes)]
    title = "Notes" if notes else "Findings"
    if not found:
        return f"{title}: none"
    accepted = sum(finding.accepted_until is not None for finding in found)
    if accepted == len(found) and not notes:
        return f"{title}: {len(found):,}, accepted by the baseline"
    return f"{title}: {len(found):,}" + (f", {accepted:,} of them accepted by the baseline" if accepted else "")


def explain_command(finding: Finding) -> str:
    """Return the command that explains a finding's rule in full."""
    return f"gatecrash explain {finding.rule.code}"


def replay_command(run_folder: str | PurePath, number: int) -> str:
    """Return the command that sends a finding's request again; it can be pasted into a shell."""
    return visible(f"gatecrash replay {shlex.quote(str(run_folder))} --finding {number}")


def export_command(run_folder: str | PurePath, number: int) -> str:
    """Return the command that writes a finding as a test; it can be pasted into a shell."""
    return visible(f"gatecrash export {shlex.quote(str(run_folder))} --finding {number} --as pytest")
