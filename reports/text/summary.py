"""The terminal's summary: the verdict first, then what it rests on. Reads well without colours, 80 wide."""

from __future__ import annotations

from pathlib import PurePath
from typing import Final

from rich.console import Console

from gatecrash.reports.recording.records import LatencyKind
from gatecrash.reports.report import Report
from gatecrash.reports.run.summary import Summary
from gatecrash.reports.text import comparison as text_comparison
from gatecrash.reports.text import findings as text_findings
from gatecrash.reports.text import scenarios as text_scenarios
from gatecrash.reports.text.parts import heading, line, table_of, write_facts, write_items, write_table
from gatecrash.reports.thresholds.judging import Standing
from gatecrash.reports.words import capacity as capacity_words
from gatecrash.reports.words import spelling
from gatecrash.reports.words import summary as words

FINDINGS_SHOWN: Final = 20
_VERDICT_STYLES: Final = {"PASS": "bold green", "FAIL": "bold red", "INVALID": "bold magenta", "STOPPED": "bold yellow"}


def write(
    report: Report, console: Console, run_folder: str | PurePath, *, findings_shown: int = FINDINGS_SHOWN
) -> None:
    """Print the report of a run; ``run_folder`` is named in the commands that replay a finding.

    Nothing is read as markup, and every character is one that can be seen: requests and answers are hostile.
    """
    summary = report.summary
    _write_verdict(report, console)
    _write_thresholds(summary, console)
    if summary.capacity is not None:
        text_scenarios.write_capacity(summary.capacity, console)
    _write_numbers(summary, console)
    _write_outcomes(summary, console)
    if summary.campaign is not None:
        text_scenarios.write_campaign(summary.campaign, console)
    _write_latencies(summary, console)
    _write_workers(summary, console)
    text_scenarios.write_course(summary, console)
    text_findings.write(summary, console, run_folder, findings_shown)
    if report.comparison is not None:
        heading(console, "Compared with an earlier run")
        text_comparison.write(report.comparison, console)


def _write_verdict(report: Report, console: Console) -> None:
    summary, verdict = report.summary, report.summary.verdict
    style = _VERDICT_STYLES.get(verdict.word, "bold")
    code = f" (exit code {verdict.exit_code.value})"
    line(console, (verdict.word, style), "  ", report.headline, (code, "dim"))
    if summary.capacity is not None:
        write_items(console, [capacity_words.answer(summary.capacity)])
    write_items(console, words.verdict_sentences(summary))
    line(console, "Measurement ", words.validity_sentence(summary))
    write_items(console, words.validity_reasons(summary))


def _write_thresholds(summary: Summary, console: Console) -> None:
    """Print each threshold with what was measured; why one can't be judged unless it is a reason of the verdict."""
    if not summary.thresholds:
        return
    heading(console, "Thresholds")
    asked = words.thresholds_asked(summary)
    if asked:
        rows = [(words.STANDING_MARKS[one.standing], spelling.visible(one.threshold), one.measured) for one in asked]
        write_table(console, table_of("", "threshold", "measured", words=3), rows)
    unjudged = [one.sentence for one in asked if one.standing is Standing.NOT_JUDGED]
    news = [sentence for sentence in unjudged if sentence not in summary.verdict.reasons]
    write_items(console, map(spelling.visible, [*news, *words.thresholds_not_asked(summary)]))


def _write_numbers(summary: Summary, console: Console) -> None:
    heading(console, spelling.visible(f"Run {summary.info.name}, started {summary.info.started_at}"))
    write_facts(console, [("target", words.target_words(summary.info)), *words.key_numbers(summary)])


def _write_outcomes(summary: Summary, console: Console) -> None:
    heading(console, "Outcomes, without the warm-up" if summary.campaign is None else "Outcomes")
    if not summary.outcomes:
        line(console, "  No exchange was measured.")
        return
    rows = [
        (spelling.outcome_label(outcome), f"{count:,}", spelling.percent(count / summary.exchanges))
        for outcome, count in summary.outcomes.items()
    ]
    write_table(console, table_of("outcome", "exchanges", "share"), rows)


def _write_latencies(summary: Summary, console: Console) -> None:
    # In a fuzz run nothing has an intended start.
    for kind in LatencyKind if summary.campaign is None else (LatencyKind.SERVICE_TIME,):
        rows = [row for row in summary.latencies if row.kind == kind and row.count]
        if not rows:
            continue
        heading(console, f"Latency: {spelling.KIND_LABELS[kind.value]}, in ms")
        line(console, (spelling.KIND_MEANINGS[kind.value], "dim"), indent=2)
        table = table_of("outcome", *words.LATENCY_COLUMNS)
        write_table(console, table, ([spelling.outcome_label(row.outcome), *words.latency_cells(row)] for row in rows))
        if any(row.too_few for row in rows):
            line(console, (words.TOO_FEW_MEANING, "dim"), indent=2)
        line(console, (words.interval_sentence(rows[0]), "dim"), indent=2)


def _write_workers(summary: Summary, console: Console) -> None:
    if rows := words.worker_rows(summary):
        heading(console, "Workers")
        write_table(console, table_of(*words.WORKER_COLUMNS), rows)
