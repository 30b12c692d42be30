"""The terminal's summary: the verdict first, then what it rests on. Reads well without colours, 80 wide."""

from __future__ import annotations

from pathlib import PurePath
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gatecrash.reports.recording.records import LatencyKind
from gatecrash.reports.run.summary import Summary
from gatecrash.reports.text import campaign as text_campaign
from gatecrash.reports.text import capacity as text_capacity
from gatecrash.reports.text import comparison as text_comparison
from gatecrash.reports.text import course as text_course
from gatecrash.reports.text import findings as text_findings
from gatecrash.reports.text import thresholds as text_thresholds
from gatecrash.reports.text.parts import heading, line, table_of, write_items, write_table
from gatecrash.reports.words import capacity as capacity_words
from gatecrash.reports.words import summary as words

FINDINGS_SHOWN: Final = 20
_VERDICT_STYLES: Final = {"PASS": "bold green", "FAIL": "bold red", "INVALID": "bold magenta", "STOPPED": "bold yellow"}


def write(
    summary: Summary, console: Console, run_folder: str | PurePath, *, findings_shown: int = FINDINGS_SHOWN
) -> None:
    """Print the summary of a run; ``run_folder`` is named in the commands that replay a finding.

    Nothing is read as markup, and every character is one that can be seen: requests and answers are hostile.
    """
    _write_verdict(summary, console)
    text_thresholds.write(summary.thresholds, console, summary.verdict.reasons)
    if summary.capacity is not None:
        text_capacity.write(summary.capacity, console)
    _write_numbers(summary, console)
    _write_outcomes(summary, console)
    if summary.campaign is not None:
        text_campaign.write(summary.campaign, console)
    _write_latencies(summary, console)
    _write_workers(summary, console)
    text_course.write(summary, console)
    text_findings.write(summary, console, run_folder, findings_shown)
    if summary.comparison is not None:
        heading(console, "Compared with an earlier run")
        text_comparison.write(summary.comparison, console)


def _write_verdict(summary: Summary, console: Console) -> None:
    verdict = summary.verdict
    style = _VERDICT_STYLES.get(verdict.word, "bold")
    code = f" (exit code {verdict.exit_code.value})"
    line(console, (verdict.word, style), "  ", words.headline(summary), (code, "dim"))
    if summary.capacity is not None:
        write_items(console, [capacity_words.answer(summary.capacity)])
    write_items(console, words.verdict_sentences(summary))
    line(console, "Measurement ", words.validity_sentence(summary))
    write_items(console, words.validity_reasons(summary))


def _write_numbers(summary: Summary, console: Console) -> None:
    heading(console, words.visible(f"Run {summary.info.name}, started {summary.info.started_at}"))
    grid = Table.grid(padding=(0, 2, 0, 0))
    for label, value in (("target", words.target_words(summary.info)), *words.key_numbers(summary)):
        grid.add_row(Text(f"  {label}", "dim"), Text(value))
    console.print(grid)


def _write_outcomes(summary: Summary, console: Console) -> None:
    heading(console, "Outcomes, without the warm-up" if summary.campaign is None else "Outcomes")
    if not summary.outcomes:
        line(console, "  No exchange was measured.")
        return
    table = table_of("outcome", "exchanges", "share")
    for outcome, count in summary.outcomes.items():
        table.add_row(words.outcome_label(outcome), f"{count:,}", words.percent(count / summary.exchanges))
    write_table(console, table)


def _write_latencies(summary: Summary, console: Console) -> None:
    # In a fuzz run nothing has an intended start.
    for kind in LatencyKind if summary.campaign is None else (LatencyKind.SERVICE_TIME,):
        rows = [row for row in summary.latencies if row.kind == kind and row.count]
        if not rows:
            continue
        heading(console, f"Latency: {words.KIND_LABELS[kind.value]}, in ms")
        line(console, (words.KIND_MEANINGS[kind.value], "dim"), indent=2)
        table = table_of("outcome", "exchanges", "p50", "p90", "p95", "p99", "p99.9", "max")
        for row in rows:
            numbers = (*words.percentiles(row), words.milliseconds(row.maximum))
            table.add_row(words.outcome_label(row.outcome), f"{row.count:,}", *numbers)
        write_table(console, table)
        if any(row.too_few for row in rows):
            line(console, (words.TOO_FEW_MEANING, "dim"), indent=2)
        line(console, (words.interval_sentence(rows[0]), "dim"), indent=2)


def _write_workers(summary: Summary, console: Console) -> None:
    rows = words.worker_rows(summary)
    if not rows:
        return
    heading(console, "Workers")
    table = table_of(*words.WORKER_COLUMNS)
    for row in rows:
        table.add_row(*row)
    write_table(console, table)
